"""What goes wrong in the recording of a story, apart from the story: wrong looks, missing scans, clocks that are off.

The same seed tells the same story under any noise, so that answers with and without it can be laid side by side.
"""

import random
from dataclasses import dataclass, field

from schemas.vocabulary import Condition


@dataclass(frozen=True, slots=True)
class Noise:
    """Chances from 0 to 1."""

    wrong: dict[int, float] = field(default_factory=dict)
    """Per look, by what it is worth: it is written down as the opposite of what there was to see."""
    missing_scans: float = 0.0
    """Per label read, release or acceptance at which nobody looked at anything: it is not on record."""
    missing_looks: float = 0.0
    """Per act at which somebody looked at something: it is not on record."""
    clocks_off: float = 0.0
    """Per device: its clock is minutes off; in one half of these nobody measured by how much."""

    def of_look(self, truly: Condition, grade: int, chance: random.Random) -> Condition:
        """What is written down of a look. Draws once, whatever the noise."""
        if chance.random() >= self.wrong.get(grade, 0.0):
            return truly
        return Condition.OK if truly is Condition.BAD else Condition.BAD

    def loses(self, *, looked: bool, chance: random.Random) -> bool:
        """Whether an act goes unrecorded. Draws once, whatever the noise."""
        return chance.random() < (self.missing_looks if looked else self.missing_scans)


NONE = Noise()
"""Everybody writes down what there was to see, and every act is on record."""

USUAL = Noise(wrong={5: 0.001, 4: 0.005, 3: 0.03}, missing_scans=0.15, clocks_off=0.05)
"""One look in a thousand wrong where a picture was taken, one in 200 by a person, three in a hundred by an instrument;
about every seventh scan missing; every twentieth clock off."""

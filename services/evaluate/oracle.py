"""The smallest window that direct evidence allows around a harm: from the truth and the looks that are on record.

It knows what the reasoning must find out: what harm it was, and when. So it takes the last look before the harm that
found the parcel sound, and the first after it that found it harmed. It decides nothing by rules of liability.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.vocabulary import Condition, Facet, FindingKind
from services.simulate.truth import Harm, Sight

DIRECT, EXAMINED, VERIFIED = 3, 4, 5
_FACETS = {
    FindingKind.DAMAGE: (Facet.OUTER,),
    FindingKind.CONCEALED: (Facet.CONTENTS,),
    FindingKind.SHORTAGE: (Facet.CONTENTS, Facet.WEIGHT),
    FindingKind.LOSS: (Facet.PRESENCE,),
}
_AT_HANDOFF = ("accept", "refusal")
_TAKEN_OUT = (FindingKind.LOSS, FindingKind.SHORTAGE)


@dataclass(frozen=True, slots=True)
class Possible:
    """The window, and who held the parcel in it."""

    sound: Sight | None
    """The last direct look before the harm that says sound; None: nobody is on record as having looked."""
    harmed: Sight | None
    """The first direct look after the harm that says so."""
    first: int
    """The first custodian in the window: 0 is the sender."""
    last: int
    """The last custodian in it."""

    @property
    def hours(self) -> float | None:
        """How long it is; None where an end is missing."""
        if self.sound is None or self.harmed is None:
            return None
        return (self.harmed.at - self.sound.at).total_seconds() / 3600

    @property
    def is_one_segment(self) -> bool:
        """Whether direct evidence leaves one custodian alone."""
        return self.harmed is not None and self.first == self.last


def possible(harm: Harm) -> Possible:
    """The smallest window around a harm."""
    sights = _that_count(harm.sights)
    if harm.kind is FindingKind.LOSS and any(map(_shows_a_good_seal, sights)):
        # Under a seal that held, whoever says that it packed the parcel is the only one to say so.
        sights = [sight for sight in sights if sight.act != "pack"]
    window = _window(harm, _that_tell(sights), _FACETS[harm.kind])
    if not harm.broke_seals or window.hours is None:
        return window
    # Whoever opened the unit broke its seal: the looks at the seal say when, more closely than any at the parcel. By
    # themselves they say nothing of the parcel. Of a bag in a cage the bag's count, where it was looked at: the cage
    # may have been broken for something else.
    for unit in sorted({sight.unit for sight in sights if sight.unit is not None}, key=_from_within):
        seal = _window(harm, [sight for sight in sights if sight.unit == unit], (Facet.SEAL,))
        if seal.hours is not None:
            return seal
    return window


def owes_certainty(harm: Harm) -> bool:
    """Whether direct evidence brackets the harm to one custodian, well enough for the answer to be sure of it.

    Well enough: not by instruments and claimants alone, and what one side alone says at a handoff is shown or signed
    to. A loss is never sure: that nobody saw the parcel again is a silence. Nor is what a recipient shows of the inside
    only after delivery.
    """
    window = possible(harm)
    if window.harmed is None or not window.is_one_segment or harm.kind is FindingKind.LOSS:
        return False
    if window.harmed.act in _AT_HANDOFF and window.harmed.grade < VERIFIED and not window.harmed.signed:
        return False
    if window.harmed.facet is Facet.CONTENTS and window.harmed.act == "notice":
        return False
    if window.sound is None:
        return window.first == 0 and window.harmed.signed
    if window.sound.act == "seal":
        return False  # that a seal was put on is no look at it
    return max(window.sound.grade, window.harmed.grade) >= EXAMINED


def _from_within(unit: str) -> int:
    """The simulator numbers the units that hold a parcel from the innermost."""
    return int(unit.rpartition("-")[2])


def _shows_a_good_seal(sight: Sight) -> bool:
    """Whether somebody looked at the seal of what the parcel itself lies in, and found it good."""
    if sight.unit is None or sight.act == "seal" or sight.said is not Condition.OK:
        return False
    return _from_within(sight.unit) == 1


def _that_count(sights: Sequence[Sight]) -> list[Sight]:
    """Without what anybody could have made up afterwards: looks in their author's favour that no key vouches for, and
    that arrive when somebody else has already reported the harm.
    """
    reports = [
        (sight.recorded, sight.at)
        for sight in sights
        if sight.recorded is not None and _tells(sight, Condition.BAD) and sight.facet is not Facet.SEAL
    ]

    def is_made_late(sight: Sight) -> bool:
        others = [recorded for recorded, at in reports if at != sight.at]
        return sight.recorded is not None and min(others, default=sight.recorded) < sight.recorded

    return [sight for sight in sights if sight.vouched or not _favours_its_author(sight) or not is_made_late(sight)]


def _favours_its_author(sight: Sight) -> bool:
    """Harm on taking over is the giver's, sound while one has it clears one's own time so far."""
    if sight.act in ("notice", "seal"):
        return False
    return (sight.said is Condition.BAD) == (sight.act == "accept")


def _that_tell(sights: Sequence[Sight]) -> list[Sight]:
    """Without weights that nothing can be compared with: short of what, and against what sound?

    The first weight is what later ones are compared with. If a later one is short, it shows that what is missing was
    still there. An equal later one shows that only where the first was taken at pick-up: else it may have been short.
    """
    weights = [sight for sight in sights if sight.facet is Facet.WEIGHT]
    if not weights or weights[0].said is Condition.BAD:
        return [sight for sight in sights if sight.facet is not Facet.WEIGHT]
    if any(sight.said is Condition.BAD for sight in weights):
        return list(sights)
    told = weights[1:] if weights[0].act == "accept" and weights[0].segment == 1 else []
    return [sight for sight in sights if sight.facet is not Facet.WEIGHT or sight in told]


def _window(harm: Harm, sights: Sequence[Sight], facets: tuple[Facet, ...]) -> Possible:
    after = [sight for sight in sights if sight.at > harm.at and _tells(sight, Condition.BAD)]
    bad = next((sight for sight in after if _shows(sight, harm, facets)), None)
    if bad is not None and bad.facet is Facet.OUTER and harm.kind is FindingKind.SHORTAGE:
        facets += (Facet.OUTER,)  # what shows from outside was not there when the outside was sound
    before = [
        sight for sight in sights if sight.at <= harm.at and _tells(sight, Condition.OK) and sight.facet in facets
    ]
    sound = max(before, key=lambda sight: sight.at, default=None)
    first = sound.segment if sound is not None else 0
    last = -1 if bad is None else bad.segment - (bad.act == "accept")
    return Possible(sound, bad, first, last)


def _tells(sight: Sight, value: Condition) -> bool:
    return sight.said is value and sight.grade >= DIRECT


def _shows(sight: Sight, harm: Harm, facets: tuple[Facet, ...]) -> bool:
    if sight.facet in facets:
        return True
    return sight.tamper and harm.kind in _TAKEN_OUT and Facet.SEAL not in facets

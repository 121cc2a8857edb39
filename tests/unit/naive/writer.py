"""Writes a journey act by act: who, when, what was seen, how it was captured."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.events import (
    Countersignature,
    Event,
    Observation,
    Operator,
    Reservation,
)
from schemas.vocabulary import (
    SENDER,
    CaptureMode,
    Condition,
    DamageMode,
    Facet,
    Severity,
)
from tests.unit.naive.journey import PARCEL, PHOTO, Told

O, C, P, W, N, S = (  # noqa: E741 - the facets' own letters
    Facet.OUTER,
    Facet.CONTENTS,
    Facet.PRESENCE,
    Facet.WEIGHT,
    Facet.COUNT,
    Facet.SEAL,
)


@dataclass
class Writer:
    """Tells a journey act by act; each takes its own time."""

    draw: st.DrawFn
    told: list[Told] = field(default_factory=list)
    now: timedelta = timedelta(days=1)
    holder: str = SENDER
    picked_up: bool = False
    bagged: str | None = None
    """The number of the bag's seal while the parcel is in it; empty: not written down."""

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def chance(self, of_ten: int) -> bool:
        """True about so many times of ten; False is the simpler answer."""
        return bool(self.draw(st.integers(0, 9)) > 9 - of_ten)

    def wait(self) -> None:
        """Let time go by, more than any clock is in doubt."""
        self.now += timedelta(minutes=self.pick(20, 90, 300, 24 * 60, 26 * 60, 3 * 24 * 60))

    def tell(self, by: str, data: Event, *, subject: str = PARCEL, signed: bool = True, late: bool = True) -> str:
        """Record an act now, or later than it happened."""
        delay = self.pick(0, 0, 0, 0, 60, 30 * 60, 6 * 24 * 60) if late else 0
        name = f"e{len(self.told)}"
        recorded = self.now + timedelta(minutes=delay, seconds=len(self.told) + 1)
        self.told.append(Told(name, by, self.now, recorded, data, signed, subject))
        return name

    # --- what acts carry

    def seen(self, *facets: Facet) -> tuple[Observation, ...]:
        """What somebody saw of some facets."""
        found = []
        for facet in dict.fromkeys(facets):
            value = self.pick(Condition.OK, Condition.OK, Condition.BAD)
            if facet is Facet.PRESENCE and len(facets) > 1:
                value = Condition.OK  # whoever misses it sees nothing else of it
            bad = value is Condition.BAD
            harm = bad and facet in (Facet.OUTER, Facet.CONTENTS)
            found.append(
                Observation(
                    facet=facet,
                    value=value,
                    component=self.pick(None, None, None, "corner") if harm else None,
                    damage=self.pick(None, None, DamageMode.CRUSH, DamageMode.BREAKAGE) if harm else None,
                    severity=self.pick(None, None, None, Severity.SLIGHT, Severity.TOTAL) if harm else None,
                    tamper=harm and self.chance(2),
                    instrument="scale" if facet is Facet.WEIGHT else self.pick(None, None, "camera"),
                    media=self.pick((), (), (PHOTO,)),
                )
            )
        return tuple(found)

    def looks(self, *facets: Facet, most: int = 2) -> tuple[Observation, ...]:
        """Some of these facets; what is at hand is never seen to be missing."""
        found = self.seen(*self.draw(st.lists(st.sampled_from(facets), max_size=most, unique=True)))
        return tuple(each for each in found if each.facet is not P or each.value is Condition.OK)

    def capture(self, by: str, *observations: Observation, other: str | None = None) -> dict[str, Any]:
        """Mode, operator and countersignature of an act that saw this."""
        mode = CaptureMode.HUMAN_INSPECT if observations else self.pick(CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN)
        signers = (Countersignature(party=other),) if other and other != by and self.chance(3) else ()
        return {
            "mode": mode,
            "operator": Operator(ref="p1"),
            "observations": observations,
            "countersigned": signers,
        }

    def reservation(self) -> Reservation | None:
        if not self.chance(2):
            return None
        facet = self.pick(Facet.OUTER, Facet.OUTER, Facet.CONTENTS, Facet.SEAL)
        return Reservation(facet=facet, grounds=self.pick("dark", "torn", "subject_to_inspection", "too_many"))

"""What rich histories are told with: plots, noise, what may be seen, and a teller that records one event each time."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from schemas.events import (
    Countersignature,
    Event,
    Observation,
    Operator,
    Reservation,
    Seal,
)
from schemas.vocabulary import (
    CaptureMode,
    Condition,
    DamageMode,
    Facet,
    Severity,
)
from tests.unit.custody.core.histories import (
    BAD,
    CARRIERS,
    DEVICES,
    GOOD,
    PHOTO,
    SUBJECT,
    Told,
)

OTHER = "test:OTHER"
"""The parcel with which goods may have been exchanged."""
BAG, CAGE = "u:BAG", "u:CAGE"
CUSTOMS, LOCKER = "CUS", "LOK"
PARTIES = (*CARRIERS, CUSTOMS, LOCKER)
PIECES = ("p1", "p2")

_ROUTES = (
    ("C1", "H1", "LH", "H2"),
    ("C1", "H1", "LH"),
    ("C1", "H1", "C1", "H2"),
    ("C1", CUSTOMS, "H1", "LH"),
    ("C1", "H1", CUSTOMS, "H2"),
    (CUSTOMS, "C1", "H1"),
    ("C1", "LH", CUSTOMS),
    ("C1", "H1", CUSTOMS, LOCKER),
    (CUSTOMS,),
)
NUMBERS = ("111", "111", "111", "111", "111", "222", None)
PERSON = Operator(ref="p1")
_LATE = (0, 0, 0, 0, 0, 0, 5, 60 * 5, 60 * 24 * 4)
"""Minutes from happening to recording."""


def ok(*facets: Facet) -> tuple[Observation, ...]:
    return tuple(Observation(facet=facet, value=Condition.OK) for facet in facets)


def bad(facet: Facet, **more: Any) -> Observation:
    return Observation(facet=facet, value=Condition.BAD, **more)


AT_FIRST = ok(Facet.OUTER, Facet.CONTENTS)
NO_CUSHIONING = bad(Facet.PACKING, component="inner")
HARMS = (
    (bad(Facet.OUTER),),
    (bad(Facet.OUTER, media=(PHOTO,)),),
    (bad(Facet.OUTER, damage=DamageMode.IMPACT, severity=Severity.TOTAL),),
    (bad(Facet.OUTER, severity=Severity.SLIGHT),),
    (bad(Facet.OUTER, damage=DamageMode.WET),),
    (bad(Facet.CONTENTS),),
    (bad(Facet.CONTENTS, damage=DamageMode.BREAKAGE, media=(PHOTO,)),),
    (bad(Facet.CONTENTS, tamper=True, media=(PHOTO,)),),
    (bad(Facet.OUTER, tamper=True), bad(Facet.CONTENTS, tamper=True)),
    (bad(Facet.COUNT, media=(PHOTO,)),),
    (bad(Facet.PRESENCE),),
    (bad(Facet.WEIGHT),),
    (bad(Facet.SEAL),),
)
SOUND = (
    (),
    (),
    ok(Facet.OUTER),
    ok(Facet.OUTER, Facet.CONTENTS),
    ok(Facet.CONTENTS),
    ok(Facet.SEAL),
    (Observation(facet=Facet.OUTER, value=Condition.OK, media=(PHOTO,)),),
    (Observation(facet=Facet.OUTER, value=Condition.OK, instrument="camera"),),
    (Observation(facet=Facet.OUTER, value=Condition.UNEXAMINED),),
)
RESERVATIONS = (
    None,
    None,
    None,
    Reservation(Facet.OUTER, "dark"),
    Reservation(Facet.OUTER, "torn"),
    Reservation(Facet.OUTER, "subject_to_inspection"),
    Reservation(Facet.COUNT, "too_many"),
    Reservation(Facet.PACKING, "no_cushioning"),
    Reservation(Facet.SEAL, "open"),
)
_HANDS = (
    *((CaptureMode.HUMAN_INSPECT, PERSON),) * 9,
    (CaptureMode.HUMAN_SCAN, PERSON),
    (CaptureMode.AUTO_SCAN, None),
    (CaptureMode.HUMAN_INSPECT, None),
    (CaptureMode.MANUAL_ENTRY, PERSON),
    (CaptureMode.IMPORT, None),
)


@cache
def _below(number: int) -> st.SearchStrategy[int]:
    """Strategies are dear to make and each is drawn from a thousand times."""
    return st.integers(0, number - 1)


@dataclass(frozen=True)
class _Noise:
    """How badly a history is recorded."""

    lates: tuple[int, ...]
    signatures: tuple[str | None, ...]
    offsets: tuple[int, ...]


_NOISES = (
    _Noise((0,), (GOOD,), (0,)),
    _Noise((0,), (GOOD,), (0,)),
    _Noise((0, 0, 0, 5), (GOOD,), (0, 0, 0, 90)),
    _Noise(_LATE, (GOOD, GOOD, GOOD, None), (0, 0, 0, 0, 90, -90)),
    _Noise(_LATE, (GOOD, GOOD, None, BAD), (0, 0, 90, 3600 * 3, -3600 * 30)),
)


@dataclass(frozen=True)
class _Plot:
    """What a history is mainly about: what happens often on the way, and what is wrong in the end."""

    events: tuple[str, ...] = ()
    harms: tuple[tuple[Observation, ...], ...] = HARMS
    sealed: bool = False
    packed_badly: bool = False
    swapped: bool = False
    taped: bool = False
    """Somebody put numbered tape on it at the start, which is looked at again after it was delivered."""
    contested: bool = False
    """Givers and takers tend to say different things at handoffs."""
    routes: tuple[tuple[str, ...], ...] = _ROUTES


_PICTURED: dict[str, Any] = {"media": (PHOTO,)}
_ROBBED = (
    (bad(Facet.CONTENTS, tamper=True, **_PICTURED),),
    (bad(Facet.CONTENTS, tamper=True, **_PICTURED), bad(Facet.OUTER, tamper=True, **_PICTURED)),
    (bad(Facet.COUNT, **_PICTURED),),
    (bad(Facet.WEIGHT),),
)
_BROKEN = (
    (bad(Facet.CONTENTS, damage=DamageMode.BREAKAGE, **_PICTURED),),
    (bad(Facet.CONTENTS, **_PICTURED),),
    (bad(Facet.OUTER, **_PICTURED),),
)
_PLOTS = (
    _Plot(),
    _Plot(("check", "check", "open", "customs"), _ROBBED, sealed=True),
    _Plot(("check", "customs", "tape"), (*_ROBBED, *_BROKEN), sealed=True, routes=_ROUTES[3:]),
    _Plot(("weigh", "weigh", "weigh"), _ROBBED),
    _Plot(("tape", "check", "open", "repack"), (*_ROBBED, *_BROKEN)),
    _Plot(("logger", "logger", "survey"), _BROKEN, packed_badly=True),
    _Plot(("logger", "logger", "look"), _BROKEN),
    _Plot((), (*_BROKEN, *_ROBBED), routes=_ROUTES[3:]),
    _Plot(("check", "check"), _ROBBED, taped=True),
    _Plot((), (*_ROBBED, *_BROKEN), taped=True, contested=True, routes=_ROUTES[:6]),
    _Plot((), _BROKEN, contested=True, routes=_ROUTES[3:7]),
    _Plot(("look", "scan"), ((bad(Facet.CONTENTS, **_PICTURED),),), swapped=True),
)


class Teller:
    """Tells one event after the other, each recorded at a time of its own."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._noise: _Noise = self.draw(*_NOISES)
        self._numbered = self.one_in(3)
        self._harms = self.draw(5, 40, 40)
        """How seldom harm is seen on the way."""
        self.plot: _Plot = self.draw(*_PLOTS)
        self.minutes = 30
        self.told: list[Told] = []
        self.tares: dict[str, int] = {}

    def draw(self, *values: Any) -> Any:
        """One of the values."""
        return values[self._draw(_below(len(values)))]

    def one_in(self, number: int) -> bool:
        """Whether something happens that does so now and then."""
        return bool(self._draw(_below(number)) == number - 1)

    def looks(self) -> tuple[Observation, ...]:
        """What somebody saw: mostly that it is sound, or nothing."""
        seen: tuple[Observation, ...] = self.draw(*(HARMS if self.one_in(self._harms) else SOUND))
        return seen

    def wait(self) -> None:
        """Let some time go by."""
        self.minutes += self.draw(1, 5, 30, 90, 240, 60 * 26)

    def tell(self, by: str, data: Event, subject: str = SUBJECT, minutes: float | None = None) -> None:
        """Record an event of this moment, or of another one."""
        index, noise = len(self.told), self._noise
        happened = timedelta(minutes=self.minutes if minutes is None else minutes)
        late = timedelta(minutes=self.draw(*noise.lates), milliseconds=index + 1)
        offset = timedelta(seconds=self.draw(*noise.offsets))
        speaks = "SVY" if by == "SVY" else by
        self.told.append(
            Told(
                f"r{index}",
                speaks,
                happened + offset,
                happened + late,
                data,
                self.draw(*noise.signatures),
                subject,
                device=self.draw(*DEVICES),
                offset=offset,
                sequence=str(index) if self._numbered and self.one_in(2) else None,
            )
        )

    def hand(self) -> dict[str, Any]:
        """Mode and operator of an act."""
        mode, operator = self.draw(*_HANDS)
        return {"mode": mode, "operator": operator}

    def signers(self, *parties: str) -> tuple[Countersignature, ...]:
        """Now and then one of the parties stands behind the record too."""
        return (Countersignature(party=self.draw(*parties)),) if parties and self.one_in(4) else ()

    def seal(self) -> Seal:
        """A seal as somebody read it."""
        return Seal(
            number=self.draw(*NUMBERS),
            match=self.draw(None, None, True, True, True, False),
            media=self.draw(None, PHOTO),
        )

    def mass(self, subject: str) -> Observation:
        """What a scale shows: as before, a little off, lighter or heavier."""
        grams = self.tares.setdefault(subject, 4200) + self.draw(0, 0, 0, 15, -300, -310, 500)
        if self.one_in(2):
            self.tares[subject] = grams
        tolerance = self.draw(None, None, 5, 200)
        return Observation(Facet.WEIGHT, Condition.OK, grams=grams, tolerance_grams=tolerance)

"""What goes in and what comes out: recorded events, a question, an answer; and the acts in between."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from schemas import codec
from schemas.events import (
    Countersignature,
    Event,
    HandoffAccepted,
    HandoffReleased,
    Observation,
    Scan,
)
from schemas.identifiers import Subject, parse_source, parse_subject
from schemas.positions import AsOf, Position
from schemas.vocabulary import (
    CaptureMode,
    Condition,
    Confidence,
    DamageMode,
    Facet,
    FindingKind,
    Outcome,
    Severity,
)

WHOLE = "whole"
"""The component that an observation speaks of when it names none."""


@dataclass(frozen=True)
class Recorded:
    """One record of the log, decoded. `signature`: None, it has none; else whether it is good under a key on record."""

    position: Position
    record_time: datetime
    envelope: codec.Envelope
    data: Event
    subject: str
    signature: bool | None


@dataclass(frozen=True)
class Question:
    """What is asked: one finding about one parcel, by what was known then."""

    parcel: str
    kind: FindingKind
    as_of: AsOf
    component: str = WHOLE
    damage: DamageMode | None = None
    severity: Severity | None = None
    piece: str | None = None


@dataclass(frozen=True)
class End:
    """One end of the bracket. `event` is None where an instant decides (R10)."""

    event: str | None
    t: datetime
    how: str
    grade: int | None


@dataclass(frozen=True)
class Answer:
    """A verdict, as far as this solver speaks of it."""

    outcome: Outcome
    liable: Mapping[str, Fraction]
    proved: frozenset[str]
    L: End | None
    U: End | None
    confidence: Confidence
    exposure: tuple[tuple[datetime, datetime], ...] = ()
    flags: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    cause: str | None = None
    open_alternatives: frozenset[str] = frozenset()
    zones: frozenset[frozenset[str]] = frozenset()
    last_seen_intact: tuple[str, str] | None = None
    delay_h: Mapping[str, float] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Act:
    """A recorded event as the rules see it: who did it, when by the measured clock, and whether it is signed."""

    record: Recorded
    unit: str | None = None
    """The unit that it is about, where it reaches the parcel through one."""

    @property
    def id(self) -> str:
        return self.record.envelope.id

    @property
    def data(self) -> Event:
        return self.record.data

    @property
    def t(self) -> datetime:
        """R36: the device's time less the offset that was measured at upload."""
        offset = timedelta(milliseconds=self.record.envelope.clockoffsetms or 0)
        return codec.parse_instant(self.record.envelope.time) - offset

    @property
    def recorded(self) -> datetime:
        return self.record.record_time

    @property
    def by(self) -> str:
        """Whose act it is: the taker's, the giver's, or the party's."""
        if isinstance(self.data, HandoffAccepted):
            return self.data.taker
        if isinstance(self.data, HandoffReleased):
            return self.data.giver
        return str(getattr(self.data, "party", ""))

    @property
    def device(self) -> str:
        return parse_source(self.record.envelope.source).device_id

    @property
    def mode(self) -> CaptureMode | None:
        return self.data.mode if isinstance(self.data, Scan) else None

    @property
    def observations(self) -> tuple[Observation, ...]:
        return getattr(self.data, "observations", ())

    @property
    def countersigned(self) -> tuple[Countersignature, ...]:
        return getattr(self.data, "countersigned", ())

    @property
    def pieces(self) -> tuple[str, ...]:
        return getattr(self.data, "pieces", ())

    @property
    def order(self) -> tuple[datetime, int, str]:
        """R1: at the same instant a RELEASE, then an ACCEPT or a drop, then whatever else, by event id."""
        rank = {"HandoffReleased": 0, "HandoffAccepted": 1, "ParcelDropped": 1}.get(type(self.data).__name__, 2)
        return self.t, rank, self.id


@dataclass(frozen=True)
class Look:
    """What one act says of one facet, with its grade. `t` is the acceptance's where R6 counts it there."""

    act: Act
    facet: Facet
    value: Condition
    grade: int
    t: datetime
    component: str = WHOLE
    damage: DamageMode | None = None
    severity: Severity | None = None
    tamper: bool = False
    reserved: bool = False
    """Told as a reservation within the window, not at the acceptance itself (R6)."""
    weighed: bool = False
    """A mass, which speaks only through R12."""
    reference: bool = False
    """A mass that says nothing by itself: later ones are compared with it."""

    @property
    def direct(self) -> bool:
        """Grade 3 or more."""
        return self.grade >= 3

    @property
    def order(self) -> tuple[datetime, int, str]:
        return self.t, self.act.order[1], self.act.id


def canonical(text: str) -> str:
    """A subject in whatever spelling, as the log keys it."""
    found: Subject = parse_subject(text)
    return str(found)

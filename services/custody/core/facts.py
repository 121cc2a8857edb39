"""Facts: recorded events as the core sees them, and the bundle of them that a question is answered from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from schemas import codec
from schemas.events import Event
from schemas.identifiers import parse_subject
from schemas.positions import AsOf, Position


@dataclass(frozen=True, slots=True)
class Fact:
    """One recorded event, decoded and lifted to the newest version."""

    position: Position
    record_time: datetime
    """Effective record time: when we took it, never earlier than the record before it in the partition."""
    event_time: datetime
    """When it happened by the device's clock."""
    envelope: codec.Envelope
    data: Event
    identity: bytes
    content_hash: bytes
    subject: str
    """What it is about, in canonical form."""
    t: datetime = field(init=False, repr=False, compare=False)
    """Effective event time by the device's own account: its clock less the offset measured at upload (R36)."""
    order: tuple[datetime, Position] = field(init=False, repr=False, compare=False)
    """Decides which of two contents under one identity counts: the smallest."""

    def __post_init__(self) -> None:
        # Both are asked for so often that they are worked out once.
        object.__setattr__(self, "t", effective(self.event_time, self.envelope.clockoffsetms))
        object.__setattr__(self, "order", (self.record_time, self.position))

    @property
    def id(self) -> str:
        """The id that its device gave it."""
        return self.envelope.id


def effective(event_time: datetime, offset_ms: int | None) -> datetime:
    """A device's time less the offset that its clock was measured to have, where the calendar has such an instant."""
    if not offset_ms:
        return event_time
    try:
        return event_time - timedelta(milliseconds=offset_ms)
    except OverflowError:
        return event_time


def fact_of(position: Position, record_time: datetime, value: bytes) -> Fact:
    """Read a recorded value. Raises `Undecodable` for what must be parked."""
    envelope = codec.decode_record(value)
    data = codec.decode_data(envelope)
    signed_form = codec.signed_form(envelope)
    return Fact(
        position=position,
        record_time=record_time,
        event_time=codec.parse_instant(envelope.time),
        envelope=envelope,
        data=data,
        identity=codec.identity(envelope.source, envelope.id),
        content_hash=hashlib.sha256(signed_form).digest(),
        subject=str(parse_subject(envelope.subject)),
    )


@dataclass(frozen=True, slots=True)
class Rival:
    """Another content recorded under the identity of one of the facts, maybe under another subject."""

    identity: bytes
    content_hash: bytes
    position: Position
    record_time: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """A record of this subject that this version cannot read: the evidence is incomplete."""

    position: Position
    record_time: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Packing:
    """That some other item was packed into a unit or unpacked from it: all that a neighbour's record is needed for."""

    unit: str
    t: datetime
    """Effective event time."""
    packed: bool
    """False: unpacked."""
    position: Position
    record_time: datetime


R = TypeVar("R", Fact, Rival, Parked, Packing)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that an answer about one subject may rest on, in any order, repeats and conflicts included."""

    subject: str
    facts: tuple[Fact, ...]
    """Events about the subject, under any of the labels that it has had."""
    unit_facts: tuple[Fact, ...] = ()
    """Events about the units that hold it at some time, and about the units that hold those (core/containment.py)."""
    neighbours: tuple[Packing, ...] = ()
    """What else was packed into those units or unpacked from them, where its own unpacking is not on record (R9h)."""
    registry: tuple[Fact, ...] = ()
    """Events about the devices, parties and sites that the facts name, and the settings."""
    rivals: tuple[Rival, ...] = ()
    parked: tuple[Parked, ...] = ()
    signatures: Mapping[tuple[Position, str], bool] = field(default_factory=dict)
    """Whether the record at a position carries a good signature under a public key (hex)."""
    policy: str | None = None
    """Settings that are asked about instead of those that the contract goes by; None: the contract's."""
    linked: tuple["Evidence", ...] = ()
    """The same about the parcels whose goods a notice says are in it (R29); these have no links of their own."""
    journey: int = 1
    """Which journey of the code this is about; until core/journeys.py has cut it, all of them at once."""

    def known_at(self, as_of: AsOf) -> "Evidence":
        """The part of it that had been recorded by then."""

        def known(records: tuple[R, ...]) -> tuple[R, ...]:
            return tuple([record for record in records if as_of.knows(record.record_time, record.position)])

        return replace(
            self,
            facts=known(self.facts),
            unit_facts=known(self.unit_facts),
            neighbours=known(self.neighbours),
            registry=known(self.registry),
            rivals=known(self.rivals),
            parked=known(self.parked),
            linked=tuple(other.known_at(as_of) for other in self.linked),
        )

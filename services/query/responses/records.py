"""Answers about records: as they were sent, what of a device came in, and what was refused."""

from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from schemas.codec import decode_record
from schemas.errors import Reason, Undecodable
from services.query.repository.receipts import HOLES_MAX, Received
from services.query.repository.records import StoredEvent
from services.query.repository.refusals import StoredRefusal


class Rival(Struct, frozen=True, kw_only=True):
    """Another content that was recorded under the same source and id."""

    content_hash: str
    position: str
    record_time: datetime
    subject: str
    counts: bool


class RecordedEvent(Struct, frozen=True, kw_only=True):
    """One record of the log: what was sent, by which bytes, and what became of it."""

    position: str
    record_time: datetime
    """Effective: never earlier than the record before it in the partition."""
    subject: str
    standing: str
    """`event`, `repeat` or `parked`."""
    reason: str | None
    """Why it is parked."""
    counts: bool
    """Whether it is this record that stands for its identity."""
    leaf: str
    content_hash: str | None
    attributes: dict[str, Raw] | None
    """The CloudEvents attributes, those set by the door included; null where the record cannot be read at all."""
    data_base64: str | None
    """The data, byte for byte as the device sent it."""
    data: Raw | None
    """The same bytes as JSON, where they are JSON."""
    conflicts: tuple[Rival, ...]


class EventsAnswer(Struct, frozen=True, kw_only=True):
    """A page of records."""

    events: tuple[RecordedEvent, ...]
    next: str | None
    """Send it as `cursor` for the next page; null: this was the last one so far."""
    flags: tuple[str, ...] = ()


class Hole(Struct, frozen=True, kw_only=True):
    """Numbers that a device gave and that did not come in, both ends included."""

    first: int
    last: int


class LastRecord(Struct, frozen=True, kw_only=True):
    """The record with the highest number."""

    sequence: int
    event: str | None
    position: str
    record_time: datetime
    event_time: datetime | None


class ReceiptAnswer(Struct, frozen=True, kw_only=True):
    """Which of a device's numbered records are projected: did my scans arrive?"""

    device: str
    """`{depot}.{device}`, as in the source of its events."""
    projected: str
    """How far the projector was; a scan that was recorded later is not counted yet."""
    first: int
    """The lowest number that came in; whether the device began with it is for the device to know."""
    contiguous: int
    """Every number from `first` to this one came in."""
    holes: tuple[Hole, ...]
    """What is missing between `first` and the last record, in order."""
    holes_cut: bool
    """There are more holes than are told."""
    last: LastRecord
    flags: tuple[str, ...] = ()


class Refusal(Struct, frozen=True, kw_only=True):
    """Bytes that were not recorded, and why. They are kept 30 days."""

    id: int
    refused: datetime
    key_id: str
    depot: str | None
    reasons: tuple[Reason, ...]
    bytes: int
    """How many are kept; they are at /v1/refusals/{id}."""


class RefusalsAnswer(Struct, frozen=True, kw_only=True):
    """A page of refusals, the latest first."""

    refusals: tuple[Refusal, ...]
    next: str | None
    flags: tuple[str, ...] = ()


def recorded_event(stored: StoredEvent) -> RecordedEvent:
    """A stored record as it is told."""
    try:
        envelope = decode_record(stored.value)
    except Undecodable:
        envelope = None
    return RecordedEvent(
        position=str(stored.position),
        record_time=stored.record_time,
        subject=stored.subject,
        standing=stored.standing,
        reason=stored.reason,
        counts=stored.holder == stored.position,
        leaf=stored.leaf.hex(),
        content_hash=None if stored.content_hash is None else stored.content_hash.hex(),
        attributes=None if envelope is None else _attributes(stored.value),
        data_base64=None if envelope is None else _base64(envelope.data),
        data=None if envelope is None else _as_json(envelope.data),
        conflicts=tuple(
            Rival(
                content_hash=content.content_hash.hex(),
                position=str(content.position),
                record_time=content.record_time,
                subject=content.subject,
                counts=content.position == stored.holder,
            )
            for content in stored.rivals
            if content.content_hash != stored.content_hash
        ),
    )


def receipt(device: str, projected: str, received: Received, flags: tuple[str, ...]) -> ReceiptAnswer:
    """What came in from a device, as it is told."""
    last = received.last
    return ReceiptAnswer(
        device=device,
        projected=projected,
        first=received.first,
        contiguous=received.holes[0][0] - 1 if received.holes else last.sequence,
        holes=tuple(Hole(first=first, last=last) for first, last in received.holes[:HOLES_MAX]),
        holes_cut=len(received.holes) > HOLES_MAX,
        last=LastRecord(
            sequence=last.sequence,
            event=last.event_id,
            position=str(last.position),
            record_time=last.record_time,
            event_time=last.event_time,
        ),
        flags=flags,
    )


def refusal(stored: StoredRefusal) -> Refusal:
    """A refusal as it is told."""
    return Refusal(
        id=stored.refusal_id,
        refused=stored.refused,
        key_id=stored.key_id,
        depot=stored.depot,
        reasons=msgspec.convert(stored.reasons, tuple[Reason, ...]),
        bytes=stored.size,
    )


def _attributes(value: bytes) -> dict[str, Raw]:
    """Everything of the envelope but the data, extensions included, as it is recorded."""
    told = msgspec.json.decode(value, type=dict[str, Raw])
    return {name: text for name, text in told.items() if name not in {"data", "data_base64"}}


def _base64(data: bytes) -> str:
    return msgspec.to_builtins(data)  # type: ignore[no-any-return]  # bytes become Base64 text


def _as_json(data: bytes) -> Raw | None:
    try:
        msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return Raw(data)

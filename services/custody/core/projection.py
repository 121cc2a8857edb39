"""PURE. From records of one partition to the rows of the read model: what each record is, and what it makes stale.

A record is read once (`read`), then put in its place in time behind the record before it (`settle`); contents that
share an identity are told apart at the end (`judge`). Whatever bytes come, a row comes out: what cannot be read is
parked with the reason, and its neighbours go on.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from schemas import codec
from schemas.errors import Undecodable
from schemas.events import (
    ConditionObserved,
    Event,
    NoticeGiven,
    ParcelRelabelled,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.identifiers import parse_subject
from schemas.leaf import leaf
from schemas.topics import partition_of
from services.custody.core import concerns
from services.custody.core.concerns import Naming
from services.custody.core.facts import effective
from services.custody.core.incidents import incident_of
from services.log.port import LogRecord

EVENT = "event"
REPEAT = "repeat"
PARKED = "parked"

# A subject that parse_subject leaves as it is: nearly all of them, and this is cheaper.
_CANONICAL = re.compile(rb"[a-z0-9][a-z0-9-]{0,31}:[A-Z0-9][A-Z0-9._~-]{0,63}\Z")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# Longer ones do not fit into an index entry of the database, so such an event is parked instead of stopping everything.
_NAME_CHARACTERS_MAX = 512
_REASON_CHARACTERS_MAX = 500
_SEQUENCE_END = 2**63
# The only types that name anybody. Looked up first: asking each scan whom it names would cost as much as its JSON.
_NAMING = frozenset({UnitPacked, UnitUnpacked, ParcelRelabelled, NoticeGiven})
# The only types that may be incidents without a report of something bad.
_EVENTFUL = frozenset({UnitOpened, ConditionObserved})


# Not frozen, and a Row neither: `object.__setattr__` for each field would cost more than decoding the JSON.
@dataclass(slots=True)
class Reading:
    """One record, decoded; treat as frozen. `reason` set: it is parked."""

    record: LogRecord
    subject: str
    recorded: datetime | None
    """What the door's clock said; None where the record does not tell."""
    reason: str | None = None
    identity: bytes | None = None
    content_hash: bytes | None = None
    event_id: str | None = None
    source: str | None = None
    type: str | None = None
    event_time: datetime | None = None
    """Effective: what the device's clock said, less the offset that it was measured to have."""
    party: str | None = None
    sequence: int | None = None
    data: Event | None = None


@dataclass(slots=True)
class Row:
    """One row of `projection.event`, fields in the order of its columns."""

    partition: int
    offset: int
    record_time: datetime
    leaf: bytes
    subject: str
    standing: str
    reason: str | None
    identity: bytes | None
    content_hash: bytes | None
    event_id: str | None
    source: str | None
    type: str | None
    event_time: datetime | None
    party: str | None
    sequence: int | None

    @property
    def columns(self) -> tuple[object, ...]:
        """The values, in the order of the columns."""
        return (
            self.partition,
            self.offset,
            self.record_time,
            self.leaf,
            self.subject,
            self.standing,
            self.reason,
            self.identity,
            self.content_hash,
            self.event_id,
            self.source,
            self.type,
            self.event_time,
            self.party,
            self.sequence,
        )


class Mention(NamedTuple):
    """One row of `projection.mention`, fields in the order of its columns."""

    other: str
    subject: str
    role: str
    partition: int
    offset: int
    event_time: datetime
    record_time: datetime


class Claim(NamedTuple):
    """The first record of one content under an identity: a row of `event_identity` or `identity_clash`."""

    identity: bytes
    content_hash: bytes
    partition: int
    offset: int
    record_time: datetime
    subject: str

    @property
    def order(self) -> tuple[datetime, int, int]:
        """The smallest holds the identity."""
        return (self.record_time, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the records of one partition come to, before other partitions are looked at."""

    rows: tuple[Row, ...]
    record_time: datetime | None
    """Effective record time of the last row; the next batch starts from it."""
    contents: Mapping[tuple[bytes, bytes], Row]
    """The first row of each identity and content hash in the batch, in order."""
    waking: frozenset[tuple[bytes, bytes]]
    """Which of them need a look at their subject whatever is known about it."""
    naming: tuple[tuple[Row, Event], ...]
    """Rows whose event names others, and the event: not many."""

    def mentions(self) -> list[Mention]:
        """Whom the events name. What turned out to be a repeat tells nothing new."""
        return [found for row, data in self.naming if row.standing == EVENT for found in mentions_of(row, data)]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done about contents whose identity was taken."""

    repeats: frozenset[tuple[bytes, bytes]]
    clashes: tuple[Claim, ...]
    """Contents to list as clashing, the holder included; listing one twice is idle."""
    holders: tuple[Claim, ...]
    """Claims that take over their identity."""
    subjects: frozenset[str]
    """Everybody touched by a new clash."""


def read(record: LogRecord) -> Reading:
    """Decode one record; never raises for what the bytes hold."""
    subject = subject_of_key(record.key)
    try:
        envelope = codec.decode_record(record.value)
    except Undecodable as undecodable:
        return Reading(record, subject, None, reason=_reason(undecodable))
    try:
        recorded = codec.parse_instant(envelope.recordedtime, field="recordedtime").astimezone(UTC)
    except (Undecodable, OverflowError):
        recorded = None
    misplaced = _misplaced(record, envelope.subject)
    if misplaced is not None:
        return Reading(record, subject, recorded, reason=misplaced)
    identity = codec.identity(envelope.source, envelope.id)
    content_hash = hashlib.sha256(codec.signed_form(envelope)).digest()
    try:
        if recorded is None:
            raise Undecodable("the record does not say when it was recorded", field="recordedtime")
        for name in ("id", "source", "type"):
            text = getattr(envelope, name)
            if len(text) > _NAME_CHARACTERS_MAX or "\0" in text:
                raise Undecodable(f"{name} is longer than {_NAME_CHARACTERS_MAX} characters or holds a NUL", field=name)
        data = codec.decode_data(envelope)
        event_time = effective(_in_utc(codec.parse_instant(envelope.time)), envelope.clockoffsetms)
    except Undecodable as undecodable:
        return Reading(
            record,
            subject,
            recorded,
            reason=_reason(undecodable),
            identity=identity,
            content_hash=content_hash,
            event_id=_clean(envelope.id)[:_NAME_CHARACTERS_MAX],
            source=_clean(envelope.source)[:_NAME_CHARACTERS_MAX],
            type=_clean(envelope.type)[:_NAME_CHARACTERS_MAX],
            sequence=_sequence(envelope.sequence),
        )
    return Reading(
        record,
        subject,
        recorded,
        identity=identity,
        content_hash=content_hash,
        event_id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        event_time=event_time,
        party=concerns.acting_party(data),
        sequence=_sequence(envelope.sequence),
        data=data,
    )


def settle(readings: Iterable[Reading], log_id: str, record_time: datetime | None) -> Batch:
    """Rows of consecutive records of one partition, the last record before them having had `record_time`.

    A content that comes twice in the batch is a repeat the second time; whether it came in an earlier batch, or under
    an identity that is taken, is for `judge`.
    """
    rows: list[Row] = []
    contents: dict[tuple[bytes, bytes], Row] = {}
    waking: set[tuple[bytes, bytes]] = set()
    naming: list[tuple[Row, Event]] = []
    for reading in readings:
        partition, offset, key, value = reading.record
        if reading.recorded is not None and (record_time is None or reading.recorded > record_time):
            record_time = reading.recorded
        elif record_time is None:
            record_time = _BEGINNING
        row = Row(
            partition,
            offset,
            record_time,
            leaf(log_id, partition, offset, key, hashlib.sha256(value).digest()),
            reading.subject,
            EVENT if reading.reason is None else PARKED,
            reading.reason,
            reading.identity,
            reading.content_hash,
            reading.event_id,
            reading.source,
            reading.type,
            reading.event_time,
            reading.party,
            reading.sequence,
        )
        rows.append(row)
        if reading.identity is None or reading.content_hash is None:
            continue
        content = (reading.identity, reading.content_hash)
        if content in contents:
            repeat(row)
        else:
            contents[content] = row
            if reading.data is None:
                continue
            kind = type(reading.data)
            is_incident = kind in _EVENTFUL and incident_of(reading.data) is not None
            if is_incident or concerns.wakes(reading.data) or concerns.is_registry(row.subject):
                waking.add(content)
            if kind in _NAMING:
                naming.append((row, reading.data))
    return Batch(tuple(rows), record_time, contents, frozenset(waking), tuple(naming))


def mentions_of(row: Row, data: Event) -> list[Mention]:
    """Whom the event of a row names. A relabelling names its own subject too, so that both labels are found alike."""
    assert row.event_time is not None
    named = concerns.mentions(row.subject, data)
    if any(role is Naming.RELABELLED for _, role in named):
        named = (*named, (row.subject, Naming.RELABELLED))
    return [
        Mention(other, row.subject, role.value, row.partition, row.offset, row.event_time, row.record_time)
        for other, role in named
    ]


def repeat(row: Row) -> None:
    """Mark a row as one that came before. Whether it could be read matters no more."""
    row.standing, row.reason = REPEAT, None


def claim_of(row: Row) -> Claim:
    """The row's claim to its identity. The row must have one."""
    assert row.identity is not None
    assert row.content_hash is not None
    return Claim(row.identity, row.content_hash, row.partition, row.offset, row.record_time, row.subject)


def judge(
    candidates: Sequence[Claim], holders: Mapping[bytes, Claim], clashing: Mapping[bytes, Sequence[Claim]]
) -> Judgement:
    """Tell repeats from conflicts, given who holds each identity now and which contents are known to clash under it.

    The outcome over all records is the same in whatever order partitions come: the first record of a content is the
    first in its partition (one content has one subject, so one partition), and the smallest of those holds.
    """
    repeats: set[tuple[bytes, bytes]] = set()
    clashes: list[Claim] = []
    taken_over: dict[bytes, Claim] = {}
    subjects: set[str] = set()
    known = {(claim.identity, claim.content_hash): claim for claims in clashing.values() for claim in claims}
    for candidate in candidates:
        holder = taken_over.get(candidate.identity, holders[candidate.identity])
        content = (candidate.identity, candidate.content_hash)
        if content in known or candidate.content_hash == holder.content_hash:
            repeats.add(content)
            continue
        clashes += (holder, candidate)
        known[holder.identity, holder.content_hash] = holder
        known[content] = candidate
        subjects |= {claim.subject for (identity, _), claim in known.items() if identity == candidate.identity}
        if candidate.order < holder.order:
            taken_over[candidate.identity] = candidate
    return Judgement(frozenset(repeats), tuple(clashes), tuple(taken_over.values()), frozenset(subjects))


def subject_of_key(key: bytes) -> str:
    """The subject as rows name it: the record's key as text. A key that no door of ours wrote is escaped and cut."""
    text = _clean(key.decode("utf-8", errors="backslashreplace"))
    if len(text) <= _NAME_CHARACTERS_MAX:
        return text
    return f"{text[:128]}~{hashlib.sha256(key).hexdigest()}"


def _misplaced(record: LogRecord, subject: str) -> str | None:
    """Why a record may not claim an identity where it is; None for every record that a door of ours wrote.

    One content lies in one partition: what the outcome for an identity rests on (`judge`).
    """
    key = subject.encode()
    if key != record.key or not _CANONICAL.match(key):
        try:
            key = str(parse_subject(subject)).encode()
        except Undecodable as undecodable:
            return _reason(undecodable)
    if key != record.key:
        return "the record's key is not its subject"
    if partition_of(key) != record.partition:
        return f"the record belongs into partition {partition_of(key)}"
    return None


def _sequence(text: str | None) -> int | None:
    """A device's count; None where it does not count in numbers, or further than the database does."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number < _SEQUENCE_END else None


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise Undecodable("time lies outside the years 1 to 9999 in UTC", field="time") from error


def _reason(undecodable: Undecodable) -> str:
    reason = f"{undecodable.field}: {undecodable.reason}" if undecodable.field else undecodable.reason
    return _clean(reason)[:_REASON_CHARACTERS_MAX]


def _clean(text: str) -> str:
    """Text that the database can hold: it knows no NUL."""
    return text.replace("\0", "�")

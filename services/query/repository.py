"""Reads for the read door. A question sees one snapshot: what one transaction wrote is seen whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Text,
    and_,
    func,
    join,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

from schemas.errors import Unavailable
from schemas.positions import AsOf, Position, Positions
from schemas.readmodel import event, event_identity, identity_clash, log, log_head, parcel_case, position, record, stale
from services.custody.core.facts import Evidence
from services.custody.evidence import load_evidence
from services.edge.database import unavailable_when_lost
from services.query.questions import CaseFilter, CaseKey, EventKey

# What an empty log is dated: no record can have been made before.
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

_WHERE_WE_ARE = select(
    log.c.log_id,
    log.c.story_clock,
    log.c.topic_id,
    position.c.partition,
    position.c.next_offset,
    position.c.record_time,
).select_from(join(log, position, true()))


@dataclass(frozen=True, slots=True)
class Installation:
    """What this log is."""

    log_id: str
    story_clock: bool
    on_kafka: bool
    """The end of the log is then known to the broker only."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment that an answer is about, and how far reading had come when it was given."""

    as_of: AsOf
    positions: Positions | None
    """What the answer is bound to beside the instant; None where the instant alone fixes it for ever."""
    provisional: bool
    """A record that is not read yet may still change the answer."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the read model beside the bytes it was made from."""

    position: Position
    record_time: datetime
    leaf: bytes
    subject: str
    standing: str
    reason: str | None
    identity: bytes | None
    content_hash: bytes | None
    value: bytes
    holder: Position | None
    """Where the record lies that counts for this identity."""
    rivals: tuple["Content", ...]
    """Every content recorded under this identity, where there is more than one."""


@dataclass(frozen=True, slots=True)
class Content:
    """One of several contents under an identity: where it was recorded first."""

    content_hash: bytes
    position: Position
    record_time: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class StoredCase:
    """One row of the worklist."""

    subject: str
    opened: datetime
    changed: datetime
    kinds: Sequence[str]
    parties: Sequence[str]
    verdicts: Sequence[dict[str, Any]]
    positions: str

    @property
    def key(self) -> CaseKey:
        """Its place in the list."""
        return CaseKey(self.opened, self.subject)


class Repository:
    """The read model of one installation. Thread-safe; each `snapshot` takes one connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def snapshot(self) -> Iterator["Snapshot"]:
        """One frozen view of everything. Raises `Unavailable`."""
        with unavailable_when_lost("reading"), self._engine.connect() as connection:
            yield Snapshot(connection)


class Snapshot:
    """Reads that agree with one another. The positions are read first; nothing newer is ever seen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # One statement, since it precedes every answer.
        rows = connection.execute(_WHERE_WE_ARE).all()
        if not rows:
            raise Unavailable("the database holds no log yet")
        self.installation = Installation(
            log_id=rows[0].log_id, story_clock=rows[0].story_clock, on_kafka=rows[0].topic_id is not None
        )
        self.projected = Positions({row.partition: row.next_offset for row in rows})
        self._read_to: dict[int, datetime] = {row.partition: row.record_time for row in rows if row.record_time}

    @property
    def record_time(self) -> datetime | None:
        """Effective record time of the latest record projected; None where there is none."""
        return max(self._read_to.values(), default=None)

    def moment(self, asked: datetime | Positions | None) -> Moment:
        """The moment that a question means: an instant, a position vector, or None for what is projected now."""
        match asked:
            case None:
                vector = _without_zeros(self.projected)
                return Moment(AsOf(self.record_time or _BEGINNING, vector), vector, provisional=False)
            case datetime():
                # An instant is settled once every partition has a record past it: record times never go back.
                settled = all(
                    partition in self._read_to and self._read_to[partition] > asked for partition in self.projected
                )
                return Moment(AsOf(asked), None if settled else _without_zeros(self.projected), provisional=not settled)
            case Positions():
                vector = _without_zeros(asked)
                return Moment(
                    AsOf(self._time_of(vector), vector), vector, provisional=not self.projected.reaches(vector)
                )

    def evidence(self, subject: str) -> Evidence:
        """Everything recorded that an answer about the subject may rest on."""
        return load_evidence(self._connection, subject)

    def events_with_id(self, event_id: str, after: EventKey | None, limit: int) -> list[StoredEvent]:
        """Events of every source that gave them this id, by position."""
        wanted = event.c.event_id == event_id
        if after is not None:
            wanted = and_(wanted, tuple_(event.c.partition, event.c.offset) > tuple_(*after))
        return self._events(wanted, (event.c.partition, event.c.offset), limit)

    def events_about(
        self, subject: str, since: datetime | None, after: EventKey | None, limit: int
    ) -> list[StoredEvent]:
        """Records about a subject in the order of recording. They share a partition, so the order never changes."""
        wanted = event.c.subject == subject
        if since is not None:
            wanted = and_(wanted, event.c.record_time >= since)
        if after is not None:
            wanted = and_(wanted, tuple_(event.c.partition, event.c.offset) > tuple_(*after))
        return self._events(wanted, (event.c.record_time, event.c.partition, event.c.offset), limit)

    def cases(self, wanted: CaseFilter, after: CaseKey | None, limit: int) -> list[StoredCase]:
        """The worklist, last opened first. Rows about which nothing stands are the projector's, not a clerk's."""
        query = select(
            parcel_case.c.subject,
            parcel_case.c.opened,
            parcel_case.c.changed,
            parcel_case.c.kinds,
            parcel_case.c.parties,
            parcel_case.c.verdicts,
            parcel_case.c.positions,
        ).where(parcel_case.c.outcome.is_not(None))
        if wanted.kind is not None:
            query = query.where(_holds(parcel_case.c.kinds, wanted.kind.value))
        if wanted.outcome is not None:
            query = query.where(parcel_case.c.outcome == wanted.outcome.value)
        if wanted.confidence is not None:
            query = query.where(parcel_case.c.confidence == wanted.confidence.value)
        if wanted.party is not None:
            query = query.where(_holds(parcel_case.c.parties, wanted.party))
        if after is not None:
            query = query.where(
                or_(
                    parcel_case.c.opened < after.opened,
                    and_(parcel_case.c.opened == after.opened, parcel_case.c.subject > after.subject),
                )
            )
        query = query.order_by(parcel_case.c.opened.desc(), parcel_case.c.subject).limit(limit)
        return [StoredCase(*row) for row in self._connection.execute(query)]

    def recorded(self) -> Positions | None:
        """Where the log ends; None where only the broker knows."""
        if self.installation.on_kafka:
            return None
        rows = self._connection.execute(select(log_head.c.partition, log_head.c.next_offset))
        return Positions({row.partition: row.next_offset for row in rows})

    def stale(self) -> int:
        """How many marks wait for the refresher."""
        return self._connection.execute(select(func.count()).select_from(stale)).scalar_one()

    def _time_of(self, vector: Positions) -> datetime:
        """The record time that a position vector stands for: that of the latest record before it."""
        times = [self._read_to[p] for p, offset in vector.items() if p in self._read_to and offset >= self.projected[p]]
        inner = [(p, offset - 1) for p, offset in vector.items() if offset < self.projected.get(p, 0)]
        if inner:
            found = self._connection.execute(
                select(func.max(event.c.record_time)).where(tuple_(event.c.partition, event.c.offset).in_(inner))
            ).scalar_one()
            times.append(found)
        return max(times, default=_BEGINNING)

    def _events(self, wanted: Any, order: Sequence[Any], limit: int) -> list[StoredEvent]:
        rows = self._connection.execute(
            select(
                event.c.partition,
                event.c.offset,
                event.c.record_time,
                event.c.leaf,
                event.c.subject,
                event.c.standing,
                event.c.reason,
                event.c.identity,
                event.c.content_hash,
                record.c.value,
            )
            .join(record, and_(record.c.partition == event.c.partition, record.c.offset == event.c.offset))
            .where(wanted)
            .order_by(*order)
            .limit(limit)
        ).all()
        identities = sorted({row.identity for row in rows if row.identity is not None})
        if not identities:
            return [_stored(row, None, ()) for row in rows]
        holders = {
            row.identity: Position(row.partition, row.offset)
            for row in self._connection.execute(
                select(event_identity.c.identity, event_identity.c.partition, event_identity.c.offset).where(
                    event_identity.c.identity.in_(identities)
                )
            )
        }
        contents: dict[bytes, list[Content]] = {}
        clashes = self._connection.execute(
            select(identity_clash)
            .where(identity_clash.c.identity.in_(identities))
            .order_by(identity_clash.c.record_time, identity_clash.c.partition, identity_clash.c.offset)
        )
        for row in clashes:
            contents.setdefault(row.identity, []).append(
                Content(row.content_hash, Position(row.partition, row.offset), row.record_time, row.subject)
            )
        return [_stored(row, holders.get(row.identity), tuple(contents.get(row.identity, ()))) for row in rows]


def _without_zeros(positions: Positions) -> Positions:
    """The one way to write a vector: what is absent is not read."""
    return Positions({partition: offset for partition, offset in positions.items() if offset > 0})


def _holds(column: Column[Any], word: str) -> ColumnElement[bool]:
    """Whether an array column holds the word, said so that a GIN index can answer."""
    return type_coerce(column, ARRAY(Text)).contains([word])


def _stored(row: Any, holder: Position | None, rivals: tuple[Content, ...]) -> StoredEvent:
    return StoredEvent(
        position=Position(row.partition, row.offset),
        record_time=row.record_time,
        leaf=row.leaf,
        subject=row.subject,
        standing=row.standing,
        reason=row.reason,
        identity=row.identity,
        content_hash=row.content_hash,
        value=row.value,
        holder=holder,
        rivals=rivals,
    )

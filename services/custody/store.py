"""Writes the projector's rows: one batch of one partition in one transaction, position included.

The position row is the fence. It is locked first, records before it are dropped, and it is moved last: so a record is
projected once however often it is delivered and whoever else works on the partition.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import (
    ARRAY,
    Boolean,
    Connection,
    Engine,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from schemas import readmodel
from schemas.errors import Unavailable
from schemas.readmodel import (
    PROJECTED,
    event_identity,
    identity_clash,
    log,
    mention,
    parcel_case,
    position,
    stale,
    watch,
)
from services.custody.core import projection
from services.custody.core.instants import BEGINNING
from services.custody.core.projection import Batch, Claim, Judgement, Mention, Reading, Row
from services.edge.database import unavailable_when_lost
from services.log.crash import crash_point
from services.log.port import LogRecord

# Long enough for the batch that a colleague is just writing, short enough that a frozen one is noticed.
_LOCK_SECONDS = 5
_STATEMENT_SECONDS = 60
_IDLE_SECONDS = 30

_EVENT_TYPES = (
    *("int2", "int8", "timestamptz", "bytea", "text", "text", "text", "bytea", "bytea"),
    *("text", "text", "text", "timestamptz", "text", "int8"),
)
_MENTION_TYPES = ("text", "text", "text", "int2", "int8", "timestamptz", "timestamptz")

_touched = (
    func.unnest(
        bindparam("subjects", type_=ARRAY(Text)),
        bindparam("sure", type_=ARRAY(Boolean)),
        bindparam("firsts", type_=ARRAY(readmodel.INSTANT)),
    )
    .table_valued("subject", "sure", "first", name="touched")
    .render_derived()
)
_OPEN = (
    select(parcel_case.c.subject).where(parcel_case.c.subject == _touched.c.subject).exists()
    | select(stale.c.subject).where(stale.c.subject == _touched.c.subject, stale.c.itself).exists()
    | select(watch.c.subject).where(watch.c.subject == _touched.c.subject, watch.c.since > _touched.c.first).exists()
)
_NAMED = select(mention.c.other).where(mention.c.other == _touched.c.subject).exists()
# Materialized: the planner would else look everything up twice, for the choice of rows and for their columns.
_looked_at = (
    select(_touched.c.subject, (_touched.c.sure | _OPEN).label("itself"), _NAMED.label("others"))
    .cte("looked_at")
    .prefix_with("MATERIALIZED")
)
_MARK = (
    insert(stale)
    .from_select(["subject", "itself", "others"], select(_looked_at).where(_looked_at.c.itself | _looked_at.c.others))
    .execution_options(preserve_rowcount=True)  # of an INSERT it is not kept by itself
)


class OffsetHole(Exception):
    """Records are missing between what is projected and what was delivered. Going on would lose them: stop."""

    def __init__(self, partition: int, expected: int, found: int) -> None:
        super().__init__(f"partition {partition}: expected offset {expected}, found {found}")
        self.partition = partition
        self.expected = expected
        self.found = found


class LostFence(Exception):
    """Somebody moved a position that this transaction had locked: a bug, nothing was written."""


@dataclass(frozen=True, slots=True)
class Projected:
    """What one batch came to."""

    partition: int
    next_offset: int
    record_time: datetime | None
    """Effective record time of the last record projected."""
    rows: int = 0
    repeats: int = 0
    parked: int = 0
    marks: int = 0
    skipped: int = 0
    """Records that had been projected before."""


class Fence(NamedTuple):
    """How far a partition is, locked until the transaction ends."""

    next_offset: int
    record_time: datetime | None
    log_id: str


def project_batch(engine: Engine, records: Sequence[LogRecord], *, archive: bool) -> Projected:
    """Project consecutive records of one partition in one transaction; with `archive` (Kafka) archive them too.

    Records projected before are skipped. Raises `OffsetHole` when records are missing before or between these, and
    `Unavailable` when the database is: then nothing was projected, and the same batch can be tried again.
    """
    readings = [projection.read(record) for record in records]
    crash_point("read")
    with transaction(engine) as connection:
        # Safe although not durable at once: rows and position are lost together, and the log has the records.
        connection.execute(text("SELECT set_config('synchronous_commit', 'off', true)"))
        projected = project(connection, readings, archive=archive)
        crash_point("position")
    crash_point("projected")
    return projected


@contextmanager
def transaction(engine: Engine, *, idle_seconds: float | None = None) -> Iterator[Connection]:
    """One bounded transaction, committed at the end. Raises `Unavailable` where the database is slow or away.

    `idle_seconds`, half a minute if None, is how long the caller may compute between two statements: past it the
    session is ended.
    """
    with unavailable_when_lost("projection"):
        try:
            with engine.begin() as connection:
                idle_seconds = _IDLE_SECONDS if idle_seconds is None else idle_seconds
                connection.execute(
                    select(
                        func.set_config("lock_timeout", f"{_LOCK_SECONDS}s", True),
                        func.set_config("statement_timeout", f"{_STATEMENT_SECONDS}s", True),
                        func.set_config("idle_in_transaction_session_timeout", f"{idle_seconds}s", True),
                    )
                )
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            # From COPY, which goes past SQLAlchemy.
            raise Unavailable("the database is slow or away (projection)") from error


def project(connection: Connection, readings: Sequence[Reading], *, archive: bool) -> Projected:
    """The same inside the caller's transaction, which must be READ COMMITTED."""
    partition = readings[0].record.partition
    fence = _lock_position(connection, partition)
    wanted = _following(readings, fence.next_offset)
    if not wanted:
        return Projected(partition, fence.next_offset, fence.record_time, skipped=len(readings))
    batch = projection.settle(wanted, fence.log_id, fence.record_time)
    touched = _claim_identities(connection, batch)
    copy_rows(connection, table_of(connection, "event"), batch.rows)
    mentions = batch.mentions()
    if mentions:
        copy_mentions(connection, table_of(connection, "mention"), mentions)
    if archive:
        _copy_records(connection, wanted)
    crash_point("rows")
    marks = mark_touched(connection, batch, touched, {found.other for found in mentions})
    next_offset = wanted[-1].record.offset + 1
    _move_position(connection, partition, fence.next_offset, next_offset, batch.record_time)
    connection.execute(select(func.pg_notify(PROJECTED, "")))
    return Projected(
        partition,
        next_offset,
        batch.record_time,
        rows=len(batch.rows),
        repeats=sum(row.standing == projection.REPEAT for row in batch.rows),
        parked=sum(row.standing == projection.PARKED for row in batch.rows),
        marks=marks,
        skipped=len(readings) - len(wanted),
    )


def schema_of(connection: Connection) -> str:
    """The schema that `projection` stands for on this connection: replay builds its tables in another one."""
    translated = connection.get_execution_options().get("schema_translate_map") or {}
    return str(translated.get(readmodel.PROJECTION, readmodel.PROJECTION))


def table_of(connection: Connection, name: str) -> sql.Identifier:
    """A table of the projection on this connection, for COPY."""
    return sql.Identifier(schema_of(connection), name)


def _lock_position(connection: Connection, partition: int) -> Fence:
    row = connection.execute(
        select(position.c.next_offset, position.c.record_time, log.c.log_id)
        .join(log, true())
        .where(position.c.partition == partition)
        .with_for_update(of=position)
    ).one()
    return Fence(*row)


def _following(readings: Sequence[Reading], next_offset: int) -> Sequence[Reading]:
    wanted = [reading for reading in readings if reading.record.offset >= next_offset]
    for expected, reading in enumerate(wanted, start=next_offset):
        if reading.record.offset != expected:
            raise OffsetHole(reading.record.partition, expected, reading.record.offset)
    return wanted


def _claim_identities(connection: Connection, batch: Batch) -> frozenset[str]:
    """Enter new identities, mark repeats among the rows, list clashes; return the subjects that new clashes touch.

    Identities are entered and locked in sorted order, so that projectors of other partitions cannot deadlock with us.
    """
    firsts: dict[bytes, Row] = {}
    for (identity, _), row in batch.contents.items():
        firsts.setdefault(identity, row)
    taken = _enter(connection, sorted(map(projection.claim_of, firsts.values())))
    doubtful = [
        projection.claim_of(row)
        for (identity, _), row in batch.contents.items()
        if identity in taken or firsts[identity] is not row
    ]
    if not doubtful:
        return frozenset()
    judgement = _judge(connection, doubtful)
    for content in judgement.repeats:
        projection.repeat(batch.contents[content])
    if judgement.clashes:
        listed = {(claim.identity, claim.content_hash): claim for claim in judgement.clashes}
        connection.execute(
            upsert(identity_clash).on_conflict_do_nothing(), [listed[key]._asdict() for key in sorted(listed)]
        )
    for claim in sorted(judgement.holders):
        connection.execute(
            update(event_identity).where(event_identity.c.identity == claim.identity).values(**claim._asdict())
        )
    return judgement.subjects


def _enter(connection: Connection, claims: Sequence[Claim]) -> frozenset[bytes]:
    """Enter the claims whose identities are free, and return the identities that are not."""
    if not claims:
        return frozenset()
    columns = list(zip(*claims, strict=True))
    rows = connection.exec_driver_sql(
        # The schema is a name of ours.
        f"""
        WITH wanted AS (
            SELECT * FROM unnest(%b::bytea[], %b::bytea[], %b::int2[], %b::int8[], %b::timestamptz[], %b::text[])
            AS wanted (identity, content_hash, partition, "offset", record_time, subject)
        ), entered AS (
            INSERT INTO {schema_of(connection)}.event_identity
                (identity, content_hash, partition, "offset", record_time, subject)
            SELECT * FROM wanted
            ON CONFLICT DO NOTHING RETURNING identity
        )
        SELECT identity FROM wanted WHERE NOT EXISTS (
            SELECT FROM entered WHERE entered.identity = wanted.identity
        )
        """,  # noqa: S608
        tuple(list(column) for column in columns),
    )
    return frozenset(row[0] for row in rows)


def _judge(connection: Connection, doubtful: Sequence[Claim]) -> Judgement:
    """Look at who holds the identities of these contents. Only conflicts, which are rare, lock anything."""
    identities = sorted({claim.identity for claim in doubtful})
    holders = _holders(connection, identities, lock=False)
    conflicting = sorted(
        {claim.identity for claim in doubtful if holders[claim.identity].content_hash != claim.content_hash}
    )
    if not conflicting:
        return projection.judge(doubtful, holders, {})
    # Whoever has the holder's row has all that is known about the identity: read again behind the lock.
    holders |= _holders(connection, conflicting, lock=True)
    clashing: dict[bytes, list[Claim]] = {}
    query = select(*(identity_clash.c[name] for name in Claim._fields)).where(
        identity_clash.c.identity.in_(conflicting)
    )
    for row in connection.execute(query):
        clashing.setdefault(row.identity, []).append(Claim(*row))
    return projection.judge(doubtful, holders, clashing)


def _holders(connection: Connection, identities: Sequence[bytes], *, lock: bool) -> dict[bytes, Claim]:
    query = (
        select(*(event_identity.c[name] for name in Claim._fields))
        .where(event_identity.c.identity.in_(identities))
        .order_by(event_identity.c.identity)
    )
    if lock:
        query = query.with_for_update()
    return {row.identity: Claim(*row) for row in connection.execute(query)}


def copy_rows(connection: Connection, table: sql.Identifier, rows: Iterable[Row]) -> None:
    """Add rows to a table with the columns of `projection.event`."""
    names = [column.name for column in readmodel.event.columns]
    with _cursor(connection) as cursor, cursor.copy(_copy_into(table, names)) as copy:
        copy.set_types(_EVENT_TYPES)
        for row in rows:
            copy.write_row(row.columns)


def copy_mentions(connection: Connection, table: sql.Identifier, rows: Iterable[Mention]) -> None:
    """Add rows to a table with the columns of `projection.mention`."""
    with _cursor(connection) as cursor, cursor.copy(_copy_into(table, readmodel.mention.columns.keys())) as copy:
        copy.set_types(_MENTION_TYPES)
        for row in rows:
            copy.write_row(row)


def _copy_records(connection: Connection, readings: Iterable[Reading]) -> None:
    names = [column.name for column in readmodel.record.columns]
    with (
        _cursor(connection) as cursor,
        cursor.copy(_copy_into(sql.Identifier(readmodel.ARCHIVE, "record"), names)) as copy,
    ):
        copy.set_types(("int2", "int8", "bytea", "bytea"))
        for reading in readings:
            copy.write_row(reading.record)


def _copy_into(table: sql.Identifier, names: Iterable[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, names))
    )


def _cursor(connection: Connection) -> psycopg.Cursor[tuple[object, ...]]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver.cursor()


def mark_touched(connection: Connection, batch: Batch, touched: frozenset[str], named: AbstractSet[str]) -> int:
    """Mark the subjects whose verdicts may have changed, in one statement, so in one snapshot.

    One with a case, or with a mark already, is marked for any new event. A refresher that works on it at this moment
    writes the case and removes the marks it saw in one transaction: so this statement sees the one or the other, and
    the refresher does not remove what this adds (services/custody/refresh.py tells the rest).

    One that waits for an instant is marked by what happened before the wait began to run: that may move the instant.
    What this version cannot read may have happened at any time.

    One that any event names, such as a unit, is marked for any new event on behalf of those that rest on it; and so is
    whomever these events name, because a projector of the unit's partition may not see yet that anything is in it.
    """
    firsts = dict.fromkeys(sorted({*touched, *named}), BEGINNING)
    sure = set(touched)
    for content, row in batch.contents.items():
        if row.standing == projection.REPEAT:
            continue
        if content in batch.waking:
            sure.add(row.subject)
        if row.event_time is not None:
            firsts[row.subject] = min(row.event_time, firsts.get(row.subject, row.event_time))
    firsts |= {row.subject: BEGINNING for row in batch.rows if row.standing == projection.PARKED}
    subjects = sorted(firsts)
    parameters = {
        "subjects": subjects,
        "sure": [subject in sure for subject in subjects],
        "firsts": [firsts[subject] for subject in subjects],
    }
    return connection.execute(_MARK, parameters).rowcount


def _move_position(
    connection: Connection, partition: int, seen: int, next_offset: int, record_time: datetime | None
) -> None:
    moved = connection.execute(
        update(position)
        .where(position.c.partition == partition, position.c.next_offset == seen)
        .values(next_offset=next_offset, record_time=record_time)
    )
    if moved.rowcount != 1:
        raise LostFence(f"partition {partition} is no longer at {seen}")

"""The log as a Postgres table: `archive.record` is the log itself (embedded mode, small sites).

Offsets come from `archive.log_head`, whose rows the appending transaction keeps locked until it ends: so they are
gapless, and a reader that sees an offset also sees every offset before it. A sequence gives neither: it leaves holes
behind transactions that fail, and its numbers become visible in another order than they were drawn in.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc
from sqlalchemy import BigInteger, Connection, Engine, SmallInteger, Text, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from schemas.errors import Unavailable
from schemas.positions import Position
from schemas.readmodel import log, log_head, record
from schemas.topics import partition_of
from services.log.crash import crash_point
from services.log.port import Entry, LogRecord

APPENDED = "lastintact_log"
"""The channel that is notified, with the commit, when something was appended."""

_STEP_SECONDS = 10.0
"""Bound of each step of an append: a few steps do the work, and only the first of them waits for other writers."""

_AWAY = (
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.InternalError,  # among others: the server became a read-only standby
    sqlalchemy.exc.TimeoutError,  # no connection of the pool became free in time
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
)

_wanted = (
    func.unnest(bindparam("partitions", type_=ARRAY(SmallInteger)), bindparam("counts", type_=ARRAY(BigInteger)))
    .table_valued("partition", "count", name="wanted")
    .render_derived()
)

_LOCK_HEADS = (
    select(log_head.c.partition, log_head.c.next_offset)
    .where(log_head.c.partition == func.any(bindparam("partitions", type_=ARRAY(SmallInteger))))
    # In one order for everybody, so that two appenders cannot wait for each other.
    .order_by(log_head.c.partition)
    .with_for_update()
)
_MOVE_HEADS = (
    update(log_head)
    .values(next_offset=log_head.c.next_offset + _wanted.c.count)
    .where(log_head.c.partition == _wanted.c.partition)
)
_BOUNDS = select(
    # Whatever the server's default is: an acknowledged event has reached the disk.
    func.set_config("synchronous_commit", "on", True),
    func.set_config("statement_timeout", bindparam("milliseconds", type_=Text), True),
    # A writer that froze while it holds the heads must not stop the others for ever.
    func.set_config("idle_in_transaction_session_timeout", bindparam("milliseconds", type_=Text), True),
)
_COPY = 'COPY archive.record (partition, "offset", key, value) FROM STDIN (FORMAT BINARY)'


def bound_topic(engine: Engine) -> str | None:
    """Kafka's id of the topic that the archive belongs to; None: to none yet. Raises `Unavailable`."""
    return TableLog(engine).topic_id


class TableLog:
    """The log of a migrated database. The engine stays the caller's: `close` does not dispose it."""

    def __init__(self, engine: Engine, *, step_seconds: float = _STEP_SECONDS) -> None:
        """Read the log's name. Raises `Unavailable`."""
        self._engine = engine
        self._step_milliseconds = round(step_seconds * 1000)
        self._closed = False
        with self._connection() as connection:
            self._log_id, self._partitions, self._topic_id = connection.execute(
                select(log.c.log_id, log.c.partitions, log.c.topic_id)
            ).one()

    @property
    def log_id(self) -> str:
        """The name of this log, part of every leaf."""
        return str(self._log_id)

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        return int(self._partitions)

    @property
    def topic_id(self) -> str | None:
        """Kafka's id of the topic that this archive belongs to; None: it is the log itself."""
        return None if self._topic_id is None else str(self._topic_id)

    def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Append all entries in one transaction: all of them, or none. Raises `Unavailable`.

        A connection that breaks during the commit leaves open which of the two it was.
        """
        if self._topic_id is not None:
            raise RuntimeError("this archive belongs to a Kafka topic; the table log must not write into it")
        if not entries:
            return []
        counts = Counter(partition_of(entry.key, self.partitions) for entry in entries)
        touched = sorted(counts)
        with self._connection() as connection:
            connection.execute(_BOUNDS, {"milliseconds": str(self._step_milliseconds)})
            heads = {row.partition: row.next_offset for row in connection.execute(_LOCK_HEADS, {"partitions": touched})}
            connection.execute(
                _MOVE_HEADS, {"partitions": touched, "counts": [counts[partition] for partition in touched]}
            )
            records = list(_placed(entries, heads, self.partitions))
            _copy(connection, records)
            connection.execute(select(func.pg_notify(APPENDED, "")))
            crash_point("appended")
            connection.commit()
        return [record.position for record in records]

    def read(self, partition: int, start: int, limit: int) -> Sequence[LogRecord]:
        """Up to `limit` committed records from offset `start` on; empty at the end. Raises `Unavailable`."""
        query = (
            select(record.c.partition, record.c.offset, record.c.key, record.c.value)
            .where(record.c.partition == partition, record.c.offset >= start)
            .order_by(record.c.offset)
            .limit(limit)
        )
        with self._connection() as connection:
            return [LogRecord(*row) for row in connection.execute(query)]

    def ends(self) -> Mapping[int, int]:
        """The next offset of every partition. Raises `Unavailable`."""
        with self._connection() as connection:
            rows = connection.execute(select(log_head.c.partition, log_head.c.next_offset))
            return {row.partition: row.next_offset for row in rows}

    def close(self) -> None:
        """Refuse further calls. Idle when called twice."""
        self._closed = True

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if self._closed:
            raise Unavailable("the log is closed")
        try:
            with self._engine.connect() as connection:
                yield connection
        except _AWAY as error:
            raise Unavailable(f"the database that keeps the log is slow or away: {error}") from error
        except psycopg.IntegrityError as error:
            raise RuntimeError("log_head lags behind record: the database was changed by hand; run fsck") from error


def _placed(entries: Iterable[Entry], heads: Mapping[int, int], partitions: int) -> Iterator[LogRecord]:
    """The entries as records, counted on from the heads."""
    following = dict(heads)
    for key, value in entries:
        partition = partition_of(key, partitions)
        yield LogRecord(partition, following[partition], key, value)
        following[partition] += 1


def _copy(connection: Connection, records: Iterable[LogRecord]) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(("int2", "int8", "bytea", "bytea"))
        for row in records:
            copy.write_row(row)

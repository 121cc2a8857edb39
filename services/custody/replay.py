"""Rebuilds the projection from the archive beside the live one, then switches. Readers and writers go on meanwhile.

The switch takes one short transaction: it locks the live tables, projects what came since the last catch-up, and
renames the schemas. Readers that began before it are waited for, in short tries, so that nobody waits long for us.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, insert, select, text

from schemas.errors import LastintactError, Unavailable
from schemas.readmodel import PROJECTION, log, metadata, position, stale, sweep_position
from services.custody.core import projection
from services.custody.refresh import Refresher
from services.custody.store import project, project_batch, transaction
from services.edge.database import unavailable_when_lost
from services.log.table import TableLog

NEXT = "projection_next"
OLD = "projection_old"

Say = Callable[[str], None]

_SAY_SECONDS = 1.0
_BATCH = 5000
_TAIL = 5000
"""With fewer records than this to go, the switch is tried: they are projected while everybody waits."""
_SWITCH_TRY_SECONDS = 0.5
_SWITCH_PAUSE_SECONDS = 0.3
_SWITCH_TRIES = 60
_REPLAY_LOCK = 0x1A57_1147_AC70_0004
# Marks of the new table are numbered past any of the live one, so that a refresher that read its marks before the
# switch does not find them again behind it.
_MARKS_APART = 2**40


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did."""

    records: int
    marks: int
    """How often a case was recomputed for something that was projected."""
    switched_seconds: float
    """How long the live tables were locked."""


class Progress:
    """Says how far it is, at most once a second, and at the end."""

    def __init__(self, say: Say, *, of: str = "records") -> None:
        self._say = say
        self._of = of
        self._said = 0.0

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` are dealt with."""
        if time.monotonic() - self._said >= _SAY_SECONDS or done == total:
            self._said = time.monotonic()
            self._say(f"{done:,} of {total:,} {self._of}")


class Replaying(LastintactError):
    """Another replay of this database is under way."""


def replay(engine: Engine, *, keep_old: bool = False, say: Say = lambda line: None) -> Replayed:
    """Rebuild and switch. Until the switch nothing of the live projection changes; a replay that fails leaves it.

    With `keep_old` the replaced tables stay in schema `projection_old` until the next replay. Raises `Replaying`, and
    `Unavailable` when the database goes away or its readers never give way.
    """
    beside = engine.execution_options(schema_translate_map={PROJECTION: NEXT})
    with unavailable_when_lost("replay"), engine.connect() as holder:
        if not holder.execute(select(func.pg_try_advisory_lock(_REPLAY_LOCK))).scalar_one():
            raise Replaying("Another replay of this database is under way; wait for it, or end it first.")
        holder.commit()
        try:
            _prepare(engine, beside)
            replayed = _build(engine, beside, Progress(say))
        finally:
            holder.execute(select(func.pg_advisory_unlock(_REPLAY_LOCK)))
            holder.commit()
    if not keep_old:
        with transaction(engine) as connection:
            connection.execute(text(f"DROP SCHEMA {OLD} CASCADE"))
    return replayed


def _prepare(engine: Engine, beside: Engine) -> None:
    """Empty tables beside the live ones, as the definitions say."""
    with transaction(engine) as connection:
        # Left by a replay that was ended, or kept by the last one.
        for schema in (NEXT, OLD):
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {NEXT}"))
        partitions = range(connection.execute(select(log.c.partitions)).scalar_one())
        last_mark = connection.execute(
            text("SELECT last_value FROM pg_sequences WHERE schemaname = :schema AND sequencename = :name"),
            {"schema": PROJECTION, "name": f"{stale.name}_mark_seq"},
        ).scalar_one()
    with transaction(beside) as connection:
        tables = [table for table in metadata.sorted_tables if table.schema == PROJECTION]
        metadata.create_all(connection, tables=tables, checkfirst=False)
        for table in (position, sweep_position):
            connection.execute(insert(table), [{"partition": partition} for partition in partitions])
        first_mark = (last_mark or 0) + _MARKS_APART
        connection.execute(text(f"ALTER TABLE {NEXT}.{stale.name} ALTER COLUMN mark RESTART WITH {first_mark}"))


def _build(engine: Engine, beside: Engine, progress: Progress) -> Replayed:
    archive = TableLog(engine)
    refresher = Refresher(beside)
    marks = 0
    for _ in range(_SWITCH_TRIES):
        while _remaining(engine, beside, progress) > _TAIL:
            _catch_up(engine, beside, archive, progress)
        _catch_up(engine, beside, archive, progress)
        marks += refresher.drain()
        try:
            seconds, records = _switch(beside, archive)
        except Unavailable:
            # Readers did not give way in time; let them through, and what is projected meanwhile too.
            time.sleep(_SWITCH_PAUSE_SECONDS)
            continue
        progress(records, records)
        return Replayed(records, marks, seconds)
    raise Unavailable("the live tables were in use all the time; the projection was not replaced")


def _catch_up(engine: Engine, beside: Engine, archive: TableLog, progress: Progress) -> None:
    live = _positions_of(engine)
    for partition, end in live.items():
        done = _positions_of(beside)[partition]
        while done < end:
            done = project_batch(
                beside, archive.read(partition, done, min(_BATCH, end - done)), archive=False
            ).next_offset
            _remaining(engine, beside, progress)


def _remaining(engine: Engine, beside: Engine, progress: Progress) -> int:
    total, done = sum(_positions_of(engine).values()), sum(_positions_of(beside).values())
    progress(done, total)
    return total - done


def _positions_of(engine: Engine) -> dict[int, int]:
    with transaction(engine) as connection:
        rows = connection.execute(select(position.c.partition, position.c.next_offset).order_by(position.c.partition))
        return {row.partition: row.next_offset for row in rows}


def _switch(beside: Engine, archive: TableLog) -> tuple[float, int]:
    """Lock, project the tail, rename; how long it took from the lock on, and how many records there are."""
    live = ", ".join(f"{table.schema}.{table.name}" for table in metadata.sorted_tables if table.schema == PROJECTION)
    with transaction(beside) as connection:
        connection.execute(select(func.set_config("lock_timeout", f"{_SWITCH_TRY_SECONDS}s", True)))
        connection.execute(text(f"LOCK TABLE {live} IN ACCESS EXCLUSIVE MODE"))
        locked = time.monotonic()
        ends = {
            row.partition: row.next_offset
            for row in connection.execute(text(f"SELECT partition, next_offset FROM {PROJECTION}.position"))  # noqa: S608
        }
        for partition, end in ends.items():
            _project_tail(connection, archive, partition, end)
        connection.execute(text(f"ALTER SCHEMA {PROJECTION} RENAME TO {OLD}"))
        connection.execute(text(f"ALTER SCHEMA {NEXT} RENAME TO {PROJECTION}"))
    return time.monotonic() - locked, sum(ends.values())


def _project_tail(connection: Connection, archive: TableLog, partition: int, end: int) -> None:
    done = connection.execute(select(position.c.next_offset).where(position.c.partition == partition)).scalar_one()
    if done < end:
        project(
            connection,
            [projection.read(record) for record in archive.read(partition, done, end - done)],
            archive=False,
        )

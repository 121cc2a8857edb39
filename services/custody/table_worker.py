"""The projector over the table log: reads what is recorded, in order, and projects it; one process, one loop."""

import threading
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Engine, select

from schemas.errors import Unavailable
from schemas.readmodel import position
from services.custody.store import project_batch, transaction
from services.edge.database import make_engine
from services.edge.listening import Listener
from services.edge.logs import logger
from services.log.crash import crash_point
from services.log.port import LogRecord
from services.log.table import APPENDED, TableLog

BATCH = 2000
"""Records per transaction: its fixed cost is some milliseconds, and a refresher may have to wait for it once."""

_IDLE_SECONDS = 1.0
_BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)

_say = logger(__name__)


def run(url: str, stop: threading.Event) -> None:
    """Project until told to stop; a batch under way is finished. Waits out a database that is away.

    Raises `OffsetHole` and anything else that is a bug: the process ends, and its supervisor starts another.
    """
    engine = make_engine(url, pool_size=3, application_name="lastintact projector")
    try:
        with Listener(engine, APPENDED) as listener:
            failures = 0
            log: TableLog | None = None
            while not stop.is_set():
                try:
                    log = log or TableLog(engine)
                    worked = project_what_is_there(engine, log, stop)
                    failures = 0
                except Unavailable as unavailable:
                    pause = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                    failures += 1
                    _say.warning("projection waits", reason=str(unavailable), pause_seconds=pause)
                    stop.wait(pause)
                    continue
                if not worked:
                    listener.wait(_IDLE_SECONDS, stop)
    finally:
        engine.dispose()


def project_what_is_there(engine: Engine, log: TableLog, stop: threading.Event) -> int:
    """Project up to the end of the log as it is now, one batch per partition in turn; the number of rows."""
    rows = 0
    ends = log.ends()
    positions = _positions(engine)
    while behind := sorted(partition for partition, end in ends.items() if positions[partition] < end):
        for partition, records in _batches(log, behind, positions):
            if stop.is_set() or not records:
                return rows
            projected = project_batch(engine, records, archive=False)
            crash_point("acked")
            positions[partition] = projected.next_offset
            rows += projected.rows
    return rows


def _batches(
    log: TableLog, partitions: Sequence[int], positions: Mapping[int, int]
) -> Iterator[tuple[int, Sequence[LogRecord]]]:
    for partition in partitions:
        yield partition, log.read(partition, positions[partition], BATCH)


def _positions(engine: Engine) -> dict[int, int]:
    with transaction(engine) as connection:
        rows = connection.execute(select(position.c.partition, position.c.next_offset))
        return {row.partition: row.next_offset for row in rows}

"""The projector over Kafka: a Faust worker that projects each fetched batch in one transaction. One process, one core.

Faust acknowledges what an agent fails on and goes on with the next: so nothing may escape the loop here. A database
that is away is waited for; everything else ends the process, and its supervisor starts another, which resumes from the
positions in Postgres.
"""

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from aiokafka.errors import KafkaError
from sqlalchemy import Engine

from schemas.errors import Unavailable
from schemas.topics import EVENTS, Topic
from services.custody.kafka_binding import ForeignTopic, bind_topic, load_positions
from services.custody.store import OffsetHole, project_batch
from services.custody.transport import AsFetched, BatchConsumer, BoundedWorker, ProjectorApp
from services.edge.database import make_engine
from services.edge.logs import logger
from services.log.crash import crash_point
from services.log.kafka_topic import declare
from services.log.port import LogRecord

EXIT_BUG = 70
"""Records are missing or projecting failed: going on would lose evidence. Look at the log before starting again."""
EXIT_AGAIN = 75
"""A part stayed away for too long: start again."""
EXIT_WRONG_TOPIC = 78
"""Topic and archive do not belong together: a person must look."""

BATCH = 5000
"""Records per fetch and so per transaction, at most."""
_BATCHES_WAITING = 16
"""Batches between the fetcher and the agent. With BATCH it bounds the memory; two per partition keep the agent busy."""
_BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
_POSITIONS_SECONDS = 20.0
"""How long a rebalance may wait for the database; Faust gives up silently after `broker_request_timeout`."""
_STUCK_SECONDS = 60.0
"""Assigned, behind, and nothing projected for so long: Faust has stopped without saying so."""
_SHUTDOWN_SECONDS = 20.0
"""From the signal to the end. Nothing is lost by ending at once: positions are with the rows."""

_REPEAT_SECONDS = 10.0
"""How often the same line of a library may be logged."""

_T = TypeVar("_T")

_say = logger(__name__)


class Projector:
    """What the worker does with a batch, and what it knows of its progress. Only its own event loop calls it."""

    def __init__(self, app: ProjectorApp, engine: Engine) -> None:
        self._app = app
        self._engine = engine
        self._next: dict[int, int] = {}
        self._moved = time.monotonic()

    async def take(self, event: Any) -> None:
        """Project one message, which is a batch, and acknowledge it. Returns early when it is not ours any more."""
        projected = await self._waiting(
            lambda: project_batch(self._engine, _records(event.value), archive=True), self._stale(event)
        )
        if projected is None:
            return
        self._next[projected.partition] = projected.next_offset
        self._moved = time.monotonic()
        event.ack()
        crash_point("acked")

    async def load_positions(self, partitions: Collection[int]) -> Mapping[int, int]:
        """Where to resume. Ends the process when the database stays away: Faust would wait for ever."""
        deadline = time.monotonic() + _POSITIONS_SECONDS
        found = await self._waiting(
            lambda: load_positions(self._engine, partitions), lambda: time.monotonic() > deadline
        )
        if found is None:
            _end(EXIT_AGAIN, "the database stayed away while partitions were assigned")
        self._next = dict(found)
        return found

    async def watch(self, consumer: BatchConsumer) -> None:
        """End the process when it is behind and nothing has moved for long."""
        try:
            ends = await consumer.highwaters(*consumer.assignment())
        except KafkaError:
            return
        if all(self._next.get(tp.partition, 0) >= end for tp, end in ends.items()):
            self._moved = time.monotonic()
        elif time.monotonic() - self._moved > _STUCK_SECONDS:
            _end(EXIT_AGAIN, "behind, and nothing was projected for too long")

    def _stale(self, event: Any) -> Callable[[], bool]:
        return lambda: self._app.should_stop or event.message.generation_id != self._app.consumer_generation_id

    async def _waiting(self, work: Callable[[], _T], give_up: Callable[[], bool]) -> _T | None:
        """Do blocking work in a thread, again and again while the database is away; None when given up."""
        failures = 0
        while not give_up():
            try:
                return await asyncio.to_thread(work)
            except Unavailable as unavailable:
                pause = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                failures += 1
                # Waiting for the database is not being stuck.
                self._moved = time.monotonic()
                _say.warning("projection waits", reason=str(unavailable), pause_seconds=pause)
                await asyncio.sleep(pause)
            except OffsetHole as hole:
                if give_up():
                    return None  # a batch of before a rebalance, or of while stopping: its owner fetches it again
                fields = {"partition": hole.partition, "offset": hole.expected, "found": hole.found}
                if hole.expected < self._next.get(hole.partition, 0):
                    # Commits are not flushed one by one. The next worker resumes from what is left of them.
                    _end(EXIT_AGAIN, "the database lost its last commits, as it does when it crashes", **fields)
                _end(EXIT_BUG, "records are missing", **fields)
            except Exception:
                _say.exception("projection failed")
                _end(EXIT_BUG, "projection failed")
        return None


def main(bootstrap: str, url: str, topic: Topic = EVENTS, *, batch: int = BATCH, instance: str | None = None) -> int:
    """Project until a signal says stop; the exit code. Waits for a broker or database that is away at the start.

    `instance` names this worker among the workers of the topic: one that died and is started again under its name has
    its partitions back at once, instead of after the session.
    """
    # Faust and aiokafka log through the standard library; standard output stays the caller's.
    errors = logging.StreamHandler(sys.stderr)
    errors.addFilter(_Calm())
    logging.basicConfig(level=logging.WARNING, handlers=[errors], format="%(levelname)s %(name)s %(message)s")
    engine = make_engine(url, pool_size=3, application_name="lastintact projector")
    try:
        _wait_for_parts(lambda: _bind(bootstrap, engine, topic))
    except ForeignTopic as foreign:
        _say.error("wrong topic", reason=str(foreign), topic=topic.name)
        return EXIT_WRONG_TOPIC
    code: object = 0
    try:
        app = make_app(bootstrap, engine, topic, batch=batch, instance=instance)
        BoundedWorker(app, shutdown_seconds=_SHUTDOWN_SECONDS).execute_from_commandline()
    except SystemExit as ended:
        code = ended.code
    finally:
        engine.dispose()
    return EXIT_AGAIN if code else 0


def _bind(bootstrap: str, engine: Engine, topic: Topic) -> None:
    declared = declare(bootstrap, topic)
    if declared.replicas < topic.replicas:
        _say.warning(
            "fewer replicas than wanted: a broker that is lost takes records with it",
            topic=topic.name,
            replicas=declared.replicas,
            wanted=topic.replicas,
        )
    bind_topic(engine, declared.topic_id)


class _Calm(logging.Filter):
    """Lets the same complaint through once in a while: aiokafka has thirty a second while a broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this place in the code has been silent for a while."""
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._last.get(place, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return False
        self._last[place] = now
        return True


def make_app(bootstrap: str, engine: Engine, topic: Topic, *, batch: int, instance: str | None) -> ProjectorApp:
    """The Faust app, with every setting that matters written out."""
    app = ProjectorApp(
        f"{topic.name}.custody",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        # No tables, no leader, no web server, no topics of Faust's own.
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        web_enabled=False,
        # Where the database has no position yet, that is offset 0.
        consumer_auto_offset_reset="earliest",
        # Session <= request, or aiokafka refuses. A dead worker's partitions are taken over after the session.
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_request_timeout=60.0,
        # Kafka's commit only shows the lag; the position is in Postgres.
        broker_commit_interval=5.0,
        broker_commit_every=100_000,
        consumer_group_instance_id=instance,
        broker_max_poll_records=batch,
        consumer_max_fetch_size=4 * 1024**2,
        stream_buffer_maxsize=_BATCHES_WAITING,
        # Waiting for batches in flight would hang while the database is away; the position's row is the fence.
        stream_wait_empty=False,
        worker_redirect_stdouts=False,
    )
    projector = Projector(app, engine)
    app.load_positions = projector.load_positions
    app.watch = projector.watch
    source = app.topic(topic.name, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer=AsFetched())

    @app.agent(source, name="project", concurrency=1)
    async def project(stream: Any) -> None:
        async for event in stream.noack().events():
            await projector.take(event)

    return app


def _records(fetched: Sequence[Any]) -> Sequence[LogRecord]:
    """A fetched batch in order, each offset once: after a rebalance one can come twice."""
    by_offset = {one.offset: one for one in fetched}
    return [
        LogRecord(one.partition, one.offset, one.key or b"", one.value or b"") for _, one in sorted(by_offset.items())
    ]


def _wait_for_parts(work: Callable[[], None]) -> None:
    failures = 0
    while True:
        try:
            work()
            return
        except Unavailable as unavailable:
            pause = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
            failures += 1
            _say.warning("start waits", reason=str(unavailable), pause_seconds=pause)
            time.sleep(pause)


def _command() -> int:
    parser = argparse.ArgumentParser(prog="python -m services.custody.worker", description=main.__doc__)
    parser.add_argument("--bootstrap", required=True, help="HOST:PORT of a Kafka broker")
    parser.add_argument("--database-env", required=True, help="the environment variable that holds the database's URL")
    parser.add_argument("--topic", default=EVENTS.name, help="default: %(default)s")
    parser.add_argument(
        "--batch", type=int, default=BATCH, help="records per transaction, at most; default: %(default)s"
    )
    parser.add_argument("--instance", help="a name of its own for each worker of the topic")
    arguments = parser.parse_args()
    topic = EVENTS._replace(name=arguments.topic)
    url = os.environ[arguments.database_env]
    return main(arguments.bootstrap, url, topic, batch=arguments.batch, instance=arguments.instance)


def _end(code: int, reason: str, **fields: object) -> NoReturn:
    _say.error("projector ends", reason=reason, exit_code=code, **fields)
    os._exit(code)


if __name__ == "__main__":
    sys.exit(_command())

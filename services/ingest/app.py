"""The write door as an application: `create_app(settings)`. Importing this opens no connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI

from schemas.errors import LastintactError
from schemas.topics import EVENTS
from services.edge import health, roles
from services.edge.build import build_version
from services.edge.database import Engine, make_engine, unavailable_when_lost
from services.edge.keyring import KeyRing
from services.edge.keys import load_pepper
from services.edge.metrics import Metrics
from services.edge.web import new_app
from services.ingest import routes, store
from services.ingest.door import Door
from services.ingest.settings import IngestSettings
from services.log import clock
from services.log.port import EventLog
from services.log.table import TableLog, bound_topic


class WrongLog(LastintactError):
    """The archive is another log's: what this door recorded would never be projected. The message says what to do."""


# A statement that takes longer has lost its caller already.
_STATEMENT_SECONDS = 8.0


def make_door(settings: IngestSettings) -> Door:
    """The write door of this installation. Raises `Unavailable`; `WrongClock` and `WrongLog` on another's log."""
    engine = make_engine(
        settings.database_url,
        # One for each request at work and a few for looking up keys and answering probes.
        pool_size=settings.concurrent_posts + 2,
        statement_timeout_seconds=_STATEMENT_SECONDS,
        application_name="lastintact-ingest",
    )
    try:
        with unavailable_when_lost("opening the door"):
            clock.claim(engine, story_clock=settings.story_clock)
        store.purge_refused(engine, datetime.now(UTC))
        return Door(_make_log(settings, engine), engine, build_version(), story_clock=settings.story_clock)
    except BaseException:
        engine.dispose()
        raise


def _make_log(settings: IngestSettings, engine: Engine) -> EventLog:
    table = TableLog(engine)
    # Empty is how a deployment's file says None; the projector takes it so too.
    if not settings.kafka_bootstrap:
        if table.topic_id is not None:
            raise WrongLog("This archive belongs to a Kafka topic: name the broker (LASTINTACT_KAFKA_BOOTSTRAP).")
        return table
    if table.topic_id is None and any(table.ends().values()):
        raise WrongLog("This archive was written by the table log: start without Kafka, or with an empty database.")
    # Needs the extra `kafka`.
    from services.log.kafka import KafkaLog

    return KafkaLog(settings.kafka_bootstrap, topic=EVENTS, log_id=table.log_id, topic_id=lambda: bound_topic(engine))


def make_router(settings: IngestSettings, door: Door, metrics: Metrics) -> APIRouter:
    """The door's routes with the bounds that the settings name."""
    return routes.router(
        door,
        metrics,
        concurrent_posts=settings.concurrent_posts,
        waiting_posts=settings.waiting_posts,
        answer_seconds=settings.append_seconds,
    )


def log_check(log: EventLog) -> health.Check:
    """Whether the log answers."""

    def check() -> None:
        log.ends()

    return check


def create_app(settings: IngestSettings) -> FastAPI:
    """The write door alone; raises `Unavailable` when the database is away at the start."""
    door, metrics = make_door(settings), Metrics()
    keys = KeyRing(door.engine, load_pepper(settings.pepper_file))
    checks = {"database": health.database_check(door.engine), "log": log_check(door.log)}

    @asynccontextmanager
    async def close_at_end(_: FastAPI) -> AsyncIterator[None]:
        yield
        door.log.close()
        door.engine.dispose()

    app = new_app("lastintact ingest", keys, metrics, checks, version=build_version(), lifespan=close_at_end)
    app.include_router(make_router(settings, door, metrics))
    return roles.seal(app)

"""Both HTTP doors on one port, as the embedded mode serves them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.edge import health, roles
from services.edge.build import build_version
from services.edge.database import make_engine
from services.edge.keyring import KeyRing
from services.edge.keys import load_pepper
from services.edge.metrics import Metrics
from services.edge.web import new_app
from services.ingest.app import log_check, make_door, make_router
from services.ingest.settings import IngestSettings
from services.query.app import STATEMENT_SECONDS
from services.query.repository import Repository
from services.query.routes import router
from services.query.settings import QuerySettings


def create_app(settings: IngestSettings, questions: QuerySettings) -> FastAPI:
    """The write door and the read door as one application; raises `Unavailable` when the database is away."""
    door, metrics = make_door(settings), Metrics()
    reading = make_engine(
        questions.database_url,
        pool_size=questions.pool_size,
        statement_timeout_seconds=STATEMENT_SECONDS,
        application_name="lastintact-query",
    )

    @asynccontextmanager
    async def close_at_end(_: FastAPI) -> AsyncIterator[None]:
        yield
        door.log.close()
        door.engine.dispose()
        reading.dispose()

    app = new_app(
        "lastintact",
        KeyRing(door.engine, load_pepper(settings.pepper_file)),
        metrics,
        {"database": health.database_check(door.engine), "log": log_check(door.log)},
        version=build_version(),
        lifespan=close_at_end,
    )
    app.include_router(make_router(settings, door, metrics))
    app.include_router(router(Repository(reading), build_version()))
    return roles.seal(app)


def load_settings() -> tuple[IngestSettings, QuerySettings]:
    """Both doors' settings from the environment."""
    return IngestSettings(), QuerySettings()

"""The read door as an application. Importing opens nothing; `create_app` reads the pepper and opens no connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.edge import roles
from services.edge.build import build_version
from services.edge.database import make_engine
from services.edge.health import database_check
from services.edge.keyring import KeyRing
from services.edge.keys import load_pepper
from services.edge.metrics import Metrics
from services.edge.web import new_app
from services.query.repository import Repository
from services.query.routes import router
from services.query.settings import QuerySettings

# A question takes milliseconds; one that takes this long keeps others from their connection.
STATEMENT_SECONDS = 5.0


def create_app(settings: QuerySettings) -> FastAPI:
    """The read door by itself. Both doors on one port: services/doors.py."""
    engine = make_engine(
        settings.database_url,
        pool_size=settings.pool_size,
        statement_timeout_seconds=STATEMENT_SECONDS,
        application_name="lastintact-query",
    )
    build = build_version()

    @asynccontextmanager
    async def close_at_end(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = new_app(
        "lastintact query",
        KeyRing(engine, load_pepper(settings.pepper_file)),
        Metrics(),
        {"database": database_check(engine)},
        version=build,
        lifespan=close_at_end,
    )
    app.include_router(router(Repository(engine), build))
    return roles.seal(app)

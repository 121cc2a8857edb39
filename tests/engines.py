"""Fixtures: engines on fresh databases."""

import contextlib
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, make_url, text

from services.edge.database import make_engine
from services.parts.postgres import create_database, drop_database


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url, pool_size=10)
    yield made
    made.dispose()


@pytest.fixture
def empty_archive(engine: Engine, postgres_server: str, template_database: str) -> Iterator[Callable[[], Engine]]:
    """Makes engines on further fresh databases whose log has the same name, as leaves need it."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(_same_log(engine, postgres_server, template_database))


@contextlib.contextmanager
def _same_log(engine: Engine, server: str, template: str) -> Iterator[Engine]:
    name = f"test_{uuid.uuid4().hex}"
    create_database(server, name, template)
    made = make_engine(make_url(server).set(database=name).render_as_string(hide_password=False), pool_size=10)
    try:
        with engine.connect() as connection:
            log_id = connection.execute(text("SELECT log_id FROM archive.log")).scalar_one()
        with made.begin() as connection:
            connection.execute(text("ALTER TABLE archive.log DISABLE TRIGGER USER"))
            connection.execute(text("UPDATE archive.log SET log_id = :log_id"), {"log_id": log_id})
            connection.execute(text("ALTER TABLE archive.log ENABLE TRIGGER USER"))
        yield made
    finally:
        made.dispose()
        drop_database(server, name)

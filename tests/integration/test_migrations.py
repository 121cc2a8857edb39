"""The migrated database: equal to the table definitions, made once whoever comes first, and guarded."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from schemas.errors import Unavailable
from schemas.readmodel import log_head, metadata, position, sweep_position
from schemas.topics import EVENTS
from services.custody.migrations import upgrade


@pytest.fixture
def migrated(empty_database_url: str) -> Engine:
    """A migrated database."""
    upgrade(empty_database_url)
    return create_engine(empty_database_url, poolclass=NullPool)


def test_migrated_tables_equal_the_definitions(migrated: Engine) -> None:
    options = {"include_schemas": True, "version_table_schema": "archive", "compare_server_default": True}

    with migrated.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert differences == []


def test_one_row_names_the_log_and_every_partition_starts_at_zero(migrated: Engine) -> None:
    with migrated.connect() as connection:
        logs = connection.execute(text("SELECT log_id, partitions, topic_id FROM archive.log")).all()
        starts = [
            connection.execute(select(table.c.partition, table.c.next_offset).order_by(table.c.partition)).all()
            for table in (log_head, position, sweep_position)
        ]

    assert len(logs) == 1
    assert logs[0].log_id.startswith("lastintact/")
    assert (logs[0].partitions, logs[0].topic_id) == (EVENTS.partitions, None)
    assert starts == [[(partition, 0) for partition in range(EVENTS.partitions)]] * 3


def test_migrating_again_keeps_the_name_of_the_log(empty_database_url: str, migrated: Engine) -> None:
    query = text("SELECT log_id FROM archive.log")
    with migrated.connect() as connection:
        before = connection.execute(query).all()

    upgrade(empty_database_url)

    with migrated.connect() as connection:
        assert connection.execute(query).all() == before


def test_processes_that_migrate_at_once_make_one_log(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(upgrade, empty_database_url) for _ in range(4)]:
            done.result()

    with create_engine(empty_database_url, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM archive.log")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM archive.log_head")).scalar_one() == EVENTS.partitions


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE archive.record SET value = ''",
        "DELETE FROM archive.record",
        "TRUNCATE archive.record",
        "UPDATE archive.log SET log_id = 'another'",
        "DELETE FROM archive.log",
    ],
)
def test_the_archive_is_only_added_to(migrated: Engine, change: str) -> None:
    with migrated.begin() as connection:
        connection.execute(text("INSERT INTO archive.record VALUES (0, 0, 'key', 'value')"))

    with pytest.raises(IntegrityError, match="is only ever added to"), migrated.begin() as connection:
        connection.execute(text(change))

    with migrated.connect() as connection:
        assert connection.execute(text("SELECT value FROM archive.record")).scalar_one() == b"value"


def test_a_topic_id_may_be_noted_later(migrated: Engine) -> None:
    with migrated.begin() as connection:
        connection.execute(text("UPDATE archive.log SET topic_id = 'abc'"))

    with migrated.connect() as connection:
        assert connection.execute(text("SELECT topic_id FROM archive.log")).scalar_one() == "abc"


def test_a_database_that_is_away_is_said_to_be_unavailable() -> None:
    with pytest.raises(Unavailable):
        upgrade("postgresql+psycopg://nobody@/nothing?host=/nonexistent")

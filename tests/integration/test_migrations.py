"""The migrated database: equal to the table definitions, made once whoever comes first, and guarded."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from schemas.errors import Unavailable
from schemas.readmodel import (
    event,
    log_head,
    metadata,
    parcel_case,
    position,
    stale,
    sweep_position,
    verdict_version,
    watch,
)
from schemas.topics import EVENTS
from services.custody import migrations
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


_OLD_ROWS = """
    INSERT INTO archive.record VALUES (0, 0, 'yto:YT1', 'value');
    INSERT INTO projection.event VALUES
        (0, 0, '2026-01-01Z', 'leaf', 'yto:YT1', 'event', NULL, 'i', 'c', 'e1', 's', 'custody.item_scanned.v1',
         '2026-01-01Z', 'C1');
    INSERT INTO projection.parcel_case VALUES
        ('yto:YT1', '2026-01-01Z', '2026-01-02Z', '[{"outcome": "SENDER"}]', '{DAMAGE}', 'SENDER', 'HIGH',
         '{C1,h1}', '{SHA.S1}', '0:1');
    INSERT INTO projection.verdict_version VALUES ('yto:YT1', 'DAMAGE whole', 1, '2026-01-02Z', 'e1', '{}');
    INSERT INTO projection.watch VALUES ('yto:YT2', '2026-02-01Z', 'promised_time');
    INSERT INTO projection.stale (subject) VALUES ('policy:DEFAULT'), ('yto:YT3');
    INSERT INTO access.refusal (key_id, reasons, body) VALUES ('k', '[]', 'body');
"""


def test_rows_of_the_first_version_are_kept_and_looked_at_again(empty_database_url: str) -> None:
    _upgrade_to(empty_database_url, "0001")
    database = create_engine(empty_database_url, poolclass=NullPool)
    with database.begin() as connection:
        connection.exec_driver_sql(_OLD_ROWS)

    upgrade(empty_database_url)

    with database.connect() as connection:
        (case,) = connection.execute(select(parcel_case)).mappings()
        (version,) = connection.execute(select(verdict_version)).mappings()
        (wait,) = connection.execute(select(watch)).mappings()
        (row,) = connection.execute(select(event)).mappings()
        marks = connection.execute(select(stale.c.subject, stale.c.itself, stale.c.others).order_by(stale.c.mark)).all()
        assert connection.execute(text("SELECT value FROM archive.record")).scalar_one() == b"value"
        assert connection.execute(text("SELECT count(*) FROM access.refusal")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM projection.mention")).scalar_one() == 0
    assert (case["subject"], case["journey"], case["incidents"], case["inside"]) == ("yto:YT1", 1, [], 0)
    assert case["verdicts"] == [{"outcome": "SENDER"}]
    assert case["rests_on"] == ["device:SHA.S1", "party:C1", "party:H1", "policy:DEFAULT"]
    assert (version["journey"], version["version"], version["because"]) == (1, 1, "e1")
    assert (wait["deadline"], wait["rests_on"], wait["since"].year) == ("promised_time", [], 9999)
    assert (row["event_id"], row["party"], row["sequence"]) == ("e1", "C1", None)
    assert {tuple(mark) for mark in marks} == {
        ("policy:DEFAULT", True, True),
        ("yto:YT3", True, True),
        ("yto:YT2", True, False),
        ("yto:YT1", True, False),
    }


def test_a_second_journey_fits_beside_the_case_of_the_first_version(empty_database_url: str) -> None:
    _upgrade_to(empty_database_url, "0001")
    database = create_engine(empty_database_url, poolclass=NullPool)
    with database.begin() as connection:
        connection.exec_driver_sql(_OLD_ROWS)
    upgrade(empty_database_url)

    with database.begin() as connection:
        for table in (parcel_case, verdict_version):
            (row,) = connection.execute(select(table)).mappings()
            connection.execute(insert(table).values(**{**row, "journey": 2}))
    with database.connect() as connection:
        (row, _) = connection.execute(select(parcel_case)).mappings()
        with pytest.raises(IntegrityError):
            connection.execute(insert(parcel_case).values(**row))


def _upgrade_to(url: str, revision: str) -> None:
    """Bring an empty database to an older version."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE SCHEMA archive"))
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

"""The log as a table, on a real Postgres."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from schemas.errors import Unavailable
from services.custody.migrations import upgrade
from services.log import table
from services.log.port import Entry, EventLog
from services.log.table import TableLog
from services.parts.postgres import LocalPostgres
from tests.contract.log_suite import LogContract, Outage, read_to_end, some_entries


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Connections to a migrated database of this test's own."""
    made = create_engine(database_url, pool_size=6)
    yield made
    made.dispose()


@pytest.fixture
def log(engine: Engine) -> TableLog:
    """An empty log."""
    return TableLog(engine)


class TestTableLog(LogContract):
    """The suite over `services.log.table`."""

    @pytest.fixture
    def reopen(self, engine: Engine) -> Callable[[], EventLog]:
        """The log after a restart."""
        return lambda: TableLog(engine)

    @pytest.fixture
    def outage(self) -> Iterator[Outage]:
        """A log on a server of its own, which is killed and started again."""
        data_dir = Path(tempfile.mkdtemp(prefix="lastintact-test-"))
        with LocalPostgres(data_dir) as server:
            upgrade(server.url())
            engine = create_engine(server.url(), pool_pre_ping=True)
            yield Outage(TableLog(engine), begin=server.kill, end=server.start)
            engine.dispose()
        shutil.rmtree(data_dir)


def test_a_log_without_a_server_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        TableLog(create_engine("postgresql+psycopg://nobody@/nothing?host=/nonexistent"))


def test_an_append_that_fails_leaves_no_trace(engine: Engine, log: TableLog) -> None:
    log.append(some_entries(40))
    before = log.ends()
    with engine.begin() as connection:
        # A record already stands where the next one of the last partition belongs: only damage by hand can do that.
        last = log.partitions - 1
        connection.execute(text("INSERT INTO archive.record VALUES (:p, :o, '', '')"), {"p": last, "o": before[last]})

    with pytest.raises(RuntimeError, match="fsck"):
        log.append(some_entries(100))

    assert log.ends() == before
    assert {partition: len(read_to_end(log, partition)) for partition in range(last)} == {
        partition: end for partition, end in before.items() if partition != last
    }


def test_an_appender_waits_a_bounded_time_for_another(engine: Engine) -> None:
    log = TableLog(engine, step_seconds=0.3)
    with engine.connect() as other:
        other.execute(text("SELECT * FROM archive.log_head FOR UPDATE"))

        with pytest.raises(Unavailable):
            log.append(some_entries(1))

        other.rollback()
    assert list(log.append([Entry(b"s10:A", b"now")]))


def test_an_append_wakes_who_listens(engine: Engine, log: TableLog) -> None:
    heard = threading.Event()

    def listen() -> None:
        driver = listening.connection.driver_connection
        assert driver is not None
        for _ in driver.notifies(timeout=30, stop_after=1):
            heard.set()

    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as listening:
        listening.execute(text(f"LISTEN {table.APPENDED}"))
        listener = threading.Thread(target=listen)
        listener.start()

        log.append(some_entries(1))

        assert heard.wait(30)
        listener.join()


def test_an_append_is_durable_even_where_the_server_is_set_to_be_lax(database_url: str) -> None:
    lax = create_engine(database_url, connect_args={"options": "-c synchronous_commit=off"})
    log = TableLog(lax)
    settings: list[str] = []

    @event.listens_for(lax, "commit")
    def note(connection: Connection) -> None:
        settings.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    log.append(some_entries(1))

    assert settings == ["on"]
    lax.dispose()

"""The long-running parts: they wake up when something happens, wait out a database that is away, and stop when told."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from schemas.readmodel import parcel_case, position, signature_check, stale
from services.custody import background, refresh, table_worker
from services.custody.store import OffsetHole
from services.log.table import TableLog
from tests.records import ACCEPTED, BAD, append, enrolment, entry
from tests.records import event as scan

_SECONDS = 30.0
_ROOT = Path(__file__).parents[3]


@contextmanager
def running(work: Callable[[threading.Event], None]) -> Iterator[list[BaseException]]:
    """Something running beside the test; it must have stopped within the bound at the end."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work(stop)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield failures
    finally:
        stop.set()
        thread.join(_SECONDS)
        assert not thread.is_alive()


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def projected(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.sum(position.c.next_offset))).scalar_one())


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM projection.{table}")).scalar_one())


def no_door(envelope: object) -> None:
    pytest.fail("nothing is due")


def test_what_is_appended_is_projected_attributed_and_swept(engine: Engine, database_url: str) -> None:
    append(engine, enrolment())
    with (
        running(lambda stop: table_worker.run(database_url, stop)) as worker_failures,
        running(lambda stop: background.run(database_url, no_door, stop)) as background_failures,
    ):
        until(lambda: projected(engine) == 1)
        TableLog(engine).append(
            [
                entry(scan("e1", "yto:YT1", at=1)),
                entry(scan("e2", "yto:YT1", ACCEPTED, at=2, mode="HUMAN_INSPECT", taker="H1", observations=BAD)),
            ]
        )

        until(lambda: projected(engine) == 3)
        until(lambda: count(engine, parcel_case.name) == 1 and count(engine, stale.name) == 0)
        until(lambda: count(engine, signature_check.name) == 2)
    assert not worker_failures
    assert not background_failures


def test_losing_every_connection_is_waited_out(engine: Engine, database_url: str) -> None:
    append(engine, enrolment())
    with (
        running(lambda stop: table_worker.run(database_url, stop)) as worker_failures,
        running(lambda stop: background.run(database_url, no_door, stop)) as background_failures,
    ):
        until(lambda: projected(engine) == 1)
        for _ in range(3):
            with engine.connect() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                        " AND application_name <> 'lastintact'"
                    )
                )
            before = projected(engine)
            append(engine, scan(f"e{before}", "yto:YT1", at=before))
            until(lambda: projected(engine) == before + 1)  # noqa: B023 - called before the loop goes on
    assert not worker_failures
    assert not background_failures


def test_a_hole_in_the_log_stops_the_projector(engine: Engine, database_url: str) -> None:
    append(engine, *(scan(f"e{number}", "yto:YT1") for number in range(3)))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive.record DISABLE TRIGGER USER"))
        connection.execute(text('DELETE FROM archive.record WHERE "offset" = 1'))

    with running(lambda stop: table_worker.run(database_url, stop)) as failures:
        until(lambda: failures)

    assert isinstance(failures[0], OffsetHole)
    assert projected(engine) == 0


def test_a_background_thread_that_dies_ends_the_others_and_tells(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bug(Exception):
        pass

    def broken(*_: object) -> None:
        raise Bug

    monkeypatch.setattr(refresh.Refresher, "step", broken)

    with running(lambda stop: background.run(database_url, no_door, stop)) as failures:
        until(lambda: failures)

    assert isinstance(failures[0], Bug)


_WORKING = """
import signal, sys, threading
from services.custody import background
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
background._STOP_SECONDS = 1.0
background.run(sys.argv[1], lambda envelope: None, stop)
"""


def test_stopped_while_the_database_is_frozen_the_work_ends_without_a_trace(engine: Engine, database_url: str) -> None:
    sessions = text(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'lastintact background'"
    )

    def serving() -> set[int]:
        with engine.connect() as connection:
            return set(connection.execute(sessions).scalars())

    frozen: set[int] = set()
    command = [sys.executable, "-c", _WORKING, database_url]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        try:
            until(lambda: len(serving()) >= 3)  # it works
            calm = time.monotonic() + 2.0
            while time.monotonic() < calm:
                # Only what serves that process stands still: the server is everybody's. It may open another session.
                for pid in serving() - frozen:
                    os.kill(pid, signal.SIGSTOP)
                    frozen.add(pid)
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=_SECONDS)
        finally:
            process.kill()
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)

    assert process.returncode == 0
    assert "left behind" in said
    assert "Traceback" not in said

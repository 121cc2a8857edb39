"""The real parts every test may ask for by name: a Postgres, a fresh database, a Kafka broker. What the session started
it stops.

Under pytest-xdist the workers share one server of each kind: the first that needs it starts it, and stops it once the
others have ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from services.parts.kafka import LocalKafka
from services.parts.postgres import LocalPostgres, create_database, drop_database
from tests.zygote import Zygote

# No test fails by luck: the same examples in every run, and none too slow on a busy machine. `make laws` searches, and
# `make mutation` has to run them many times.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("same", _UNTIMED, derandomize=True, database=None)
settings.register_profile("few", _UNTIMED, derandomize=True, database=None, max_examples=8)
settings.register_profile("search", _UNTIMED, max_examples=4000)
LAWS = os.environ.get("LASTINTACT_LAWS", "same")
settings.load_profile(LAWS)
if LAWS != "search":
    # Hypothesis also tries numbers that stand in the modules loaded so far, which depend on the tests that ran before.
    providers._get_local_constants = Constants

# How long the worker that started a server waits for the others to finish their tests.
_OTHERS_SECONDS = 1800.0

# Run when this process's session ends, newest first.
_at_end: list[Callable[[], object]] = []


def pytest_sessionfinish() -> None:
    """Leave the shared servers. Not in a fixture: the wait for other workers must not count as a test's time."""
    while _at_end:
        _at_end.pop()()


@pytest.fixture(scope="session")
def session_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory that all xdist workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def postgres_server(session_dir: Path) -> str:
    """The URL of a Postgres to make databases in: DATABASE_URL if set, else one started for this session."""
    return os.environ.get("DATABASE_URL") or _share("postgres", session_dir, _start_postgres)


@pytest.fixture(scope="session")
def kafka_bootstrap(session_dir: Path) -> str:
    """The address of a Kafka broker: KAFKA_BOOTSTRAP if set, else one started for this session. Make topics of your
    own.
    """
    return os.environ.get("KAFKA_BOOTSTRAP") or _share(
        "kafka", session_dir, lambda: _start_kafka(session_dir / "kafka")
    )


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Starts our own programs as processes to be killed. Importing what they need takes seconds: it is done once."""
    with Zygote(tmp_path_factory.mktemp("zygote") / "errors") as made:
        yield made


@pytest.fixture
def fresh_name() -> Callable[[str], str]:
    """Names nobody else uses, for topics and groups on the shared broker."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def template_database(postgres_server: str, session_dir: Path) -> str:
    """The name of a migrated database to copy; made and migrated once per session."""
    marker = session_dir / "template"
    with _locked(marker.with_suffix(".lock")):
        if not marker.exists():
            from services.custody import migrations

            name = f"template_{uuid.uuid4().hex}"
            create_database(postgres_server, name)
            migrations.upgrade(_with_database(postgres_server, name))
            marker.write_text(name, "utf-8")
    return marker.read_text("utf-8")


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """A fresh database with nothing in it, not even tables."""
    with _database(postgres_server, None) as url:
        yield url


@pytest.fixture
def database_url(postgres_server: str, template_database: str) -> Iterator[str]:
    """A fresh, migrated database: a copy of the template."""
    with _database(postgres_server, template_database) as url:
        yield url


@contextlib.contextmanager
def _database(server: str, template: str | None) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    create_database(server, name, template)
    try:
        yield _with_database(server, name)
    finally:
        drop_database(server, name)


def _with_database(url: str, name: str) -> str:
    address, mark, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{mark}{query}"


def _start_postgres() -> tuple[str, Callable[[], object]]:
    # Not below pytest's own directory: that one is closed to the account Postgres runs under when we are root.
    data_dir = Path(tempfile.mkdtemp(prefix="lastintact-test-"))
    # A server that is thrown away need not survive a power cut. Killing the process loses nothing even so.
    settings = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
    server = LocalPostgres(data_dir, settings=settings)

    def stop() -> None:
        server.stop()
        shutil.rmtree(data_dir)

    return server.start(), stop


def _start_kafka(data_dir: Path) -> tuple[str, Callable[[], object]]:
    broker = LocalKafka(data_dir, say=print)
    return broker.start(), broker.stop


def _share(kind: str, session_dir: Path, start: Callable[[], tuple[str, Callable[[], object]]]) -> str:
    """The address of the session's server of this kind, started by the first worker that asks.

    Each user keeps a shared lock on the `.users` file until its end, crash included; the starter waits to have it
    alone.
    """
    address = session_dir / f"{kind}.address"
    users = (session_dir / f"{kind}.users").open("ab")
    with _locked(session_dir / f"{kind}.lock"):
        fcntl.flock(users, fcntl.LOCK_SH)
        if address.exists():
            _at_end.append(users.close)
            return address.read_text("utf-8")
        found, stop = start()
        address.write_text(found, "utf-8")

    def leave() -> None:
        deadline = time.monotonic() + _OTHERS_SECONDS
        while not _left_alone(users, session_dir / f"{kind}.lock", address) and time.monotonic() < deadline:
            time.sleep(0.1)
        users.close()
        stop()

    _at_end.append(leave)
    return found


def _left_alone(users: IO[bytes], lock: Path, address: Path) -> bool:
    """Whether nobody else uses the server; if so its address is withdrawn, so that a late worker starts its own."""
    with _locked(lock):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A failed upgrade may have dropped the shared lock; what matters here is only the others'.
            return False
        address.unlink()
        return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

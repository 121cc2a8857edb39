"""The real parts start, survive a kill with their data, stop, and never outlive the process that started them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from services.parts import jars
from services.parts.kafka import LocalKafka
from services.parts.ports import HeldPort, free_port
from services.parts.postgres import LocalPostgres, create_database, drop_database
from services.parts.processes import PartFailed

# The processes below end within a second; a loaded machine gets more.
_END_SECONDS = 30.0


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A short directory another account may enter: pytest's own are private, and Postgres does not run as root."""
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="lastintact-test-"))
    yield path
    shutil.rmtree(path)


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited {_END_SECONDS:.0f} s for {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.fault
def test_postgres_keeps_committed_rows_through_a_kill(place: Path) -> None:
    with LocalPostgres(place) as server:
        url = server.create_database("depot")
        ask(url, "CREATE TABLE scan (n int)")
        ask(url, "INSERT INTO scan VALUES (1)")
        killed = server.pid

        server.kill()
        assert not is_alive(killed)
        server.start()

        assert ask(url, "SELECT n FROM scan") == [(1,)]
        assert ask(url, "SHOW fsync") == [("on",)]


@pytest.mark.fault
def test_postgres_kill_ends_an_open_transaction_uncommitted(place: Path) -> None:
    with LocalPostgres(place) as server:
        ask(server.url(), "CREATE TABLE scan (n int)")
        with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
            connection.execute("INSERT INTO scan VALUES (1)")
            backend = connection.info.backend_pid

            server.kill()

            assert not is_alive(backend)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
            connection.close()
        server.start()

        assert ask(server.url(), "SELECT n FROM scan") == []


def test_postgres_starts_again_on_its_data_from_another_object(place: Path) -> None:
    with LocalPostgres(place) as first:
        url = first.create_database("depot")
        ask(url, "CREATE TABLE scan (n int)")

    with LocalPostgres(place) as second:
        assert ask(second.url("depot"), "SELECT count(*) FROM scan") == [(0,)]


def test_postgres_on_a_port_wants_the_password(place: Path) -> None:
    with LocalPostgres(place, port=free_port()) as server:
        assert ask(server.tcp_url(), "SELECT 1") == [(1,)]

        with pytest.raises(psycopg.OperationalError, match="password"):
            ask(server.tcp_url().replace(server.tcp_url().split(":")[2].split("@")[0], "guess"), "SELECT 1")


def test_postgres_socket_is_closed_to_other_accounts(place: Path) -> None:
    with LocalPostgres(place):
        assert stat.S_IMODE((place / "socket").stat().st_mode) == 0o700
        assert stat.S_IMODE((place / "password").stat().st_mode) == 0o600


def test_postgres_works_from_a_path_too_long_for_a_socket(place: Path) -> None:
    with LocalPostgres(place / ("d" * 90)) as server:
        assert ask(server.url(), "SELECT 1") == [(1,)]


def test_second_postgres_on_the_same_data_is_refused_with_a_sentence(place: Path) -> None:
    with LocalPostgres(place) as server:
        with pytest.raises(PartFailed, match="Another Postgres runs on"):
            LocalPostgres(place).start()

        assert ask(server.url(), "SELECT 1") == [(1,)]


def test_postgres_that_cannot_start_says_why(place: Path) -> None:
    with pytest.raises(PartFailed, match="unrecognized configuration parameter"):
        LocalPostgres(place, settings={"no_such_setting": "1"}).start()


def test_database_is_a_copy_of_its_template(postgres_server: str, fresh_name: Callable[[str], str]) -> None:
    template, copy = fresh_name("template"), fresh_name("copy")
    base = postgres_server.rpartition("/postgres?")
    create_database(postgres_server, template)
    ask(f"{base[0]}/{template}?{base[2]}", "CREATE TABLE scan (n int)")

    create_database(postgres_server, copy, template)

    assert ask(f"{base[0]}/{copy}?{base[2]}", "SELECT count(*) FROM scan") == [(0,)]
    for name in (copy, template):
        drop_database(postgres_server, name)


OWNER = """
import sys
from pathlib import Path
from services.parts.postgres import LocalPostgres
server = LocalPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.fault
def test_postgres_ends_when_the_process_that_started_it_is_killed(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())

        owner.send_signal(signal.SIGKILL)

    wait_until(lambda: not is_alive(pid), "Postgres to end after its owner")


@pytest.mark.fault
def test_postgres_ends_when_its_warden_is_killed(place: Path) -> None:
    server = LocalPostgres(place)
    server.start()
    pid = server.pid
    warden = int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])

    os.kill(warden, signal.SIGKILL)

    wait_until(lambda: not is_alive(pid), "Postgres to end after its warden")
    server.stop()


def test_held_port_is_not_given_to_others_but_can_be_listened_on() -> None:
    import socket

    held = HeldPort()
    with socket.socket() as server, socket.socket() as rival:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", held.number))
        server.listen()

        with pytest.raises(OSError, match="in use"):
            rival.bind(("127.0.0.1", held.number))
    held.release()


def test_jar_whose_hash_is_not_the_locked_one_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = jars.Jar("org.example", "thing", "1", "0" * 64)
    wrong = tmp_path / "wrong.jar"

    def download(_jar: jars.Jar, _repository: Path) -> Path:
        wrong.write_bytes(b"not what was locked")
        return wrong

    monkeypatch.setattr(jars, "read_lock", lambda: [jar])
    monkeypatch.setattr(jars, "_download", download)

    with pytest.raises(PartFailed, match=r"its SHA-256 is .*, locked is 0000"):
        jars.fetch(tmp_path / "cache")

    assert not list((tmp_path / "cache").glob("*.jar"))


def test_lock_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text("# comment\nabc  a:b:c\n", "utf-8")

    with pytest.raises(PartFailed, match=r"some\.lock line 2"):
        jars.read_lock(lock)


@pytest.mark.kafka
@pytest.mark.fault
@pytest.mark.slow
def test_kafka_keeps_topics_and_acknowledged_records_through_a_kill(tmp_path: Path) -> None:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import KafkaAdminClient, NewTopic

    with LocalKafka(tmp_path) as broker:
        bootstrap = broker.bootstrap
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics([NewTopic("scans", 2, 1)])
        admin.close()
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        producer.send("scans", key=b"parcel", value=b"one", partition=1).get(timeout=20)
        producer.close()
        killed = broker.pid

        broker.kill()
        assert not is_alive(killed)
        assert broker.start() == bootstrap

        consumer = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=20_000)
        consumer.assign([TopicPartition("scans", 1)])
        consumer.seek_to_beginning()
        record = next(consumer)
        consumer.close()
        assert (record.offset, record.value) == (0, b"one")

        with pytest.raises(PartFailed, match="Another Kafka runs on"):
            LocalKafka(tmp_path).start()


@pytest.mark.kafka
def test_kafka_on_a_taken_port_is_refused_with_a_sentence(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(PartFailed, match=r"Port \d+ on 127.0.0.1 is taken"):
            LocalKafka(tmp_path, port=taken.getsockname()[1]).start()


@pytest.mark.kafka
def test_shared_broker_refuses_a_misspelt_topic(kafka_bootstrap: str, fresh_name: Callable[[str], str]) -> None:
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap, max_block_ms=2000)
    try:
        with pytest.raises(KafkaError):
            producer.send(fresh_name("misspelt"), b"x").get(timeout=10)
    finally:
        producer.close()

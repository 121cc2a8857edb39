"""A Faust worker as a process of its own, and what must be true of a log that was projected through Kafka."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, select

from schemas.codec import encode_record
from schemas.leaf import leaf
from schemas.readmodel import event, log, position, record
from schemas.topics import Topic
from services.log.port import Entry, EventLog, LogRecord
from tests import records
from tests.zygote import Victim, Zygote

SECONDS = 120.0


@contextmanager
def faust_worker(
    zygote: Zygote,
    bootstrap: str,
    url: str,
    topic: Topic,
    output: Path,
    *,
    batch: int = 5000,
    crash_at: str | None = None,
    instance: str = "one",
) -> Iterator[Victim]:
    """A running worker, killed at the end if it still lives. `output` gets what it says."""
    command = ["--bootstrap", bootstrap, "--topic", topic.name, "--database-env", "TEST_DATABASE"]
    worker = zygote.run(
        "services.custody.worker",
        *command,
        *("--batch", str(batch), "--instance", instance),
        crash_at=crash_at,
        output=output,
        environment={"TEST_DATABASE": url},
    )
    try:
        yield worker
    finally:
        worker.kill()


def wait_until(true: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Look until it is true; past the deadline the test fails and says what was waited for."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def projected(engine: Engine) -> int:
    """How many records are projected."""
    with engine.connect() as connection:
        return int(sum(connection.execute(select(position.c.next_offset)).scalars()))


def some_entries(count: int, first: int = 0) -> list[Entry]:
    """Scans of many parcels; every hundredth cannot be decoded, each in another way."""
    poison = (b"", b"\xff\xfe", b"{", b'{"specversion":"1.0"}', b"null", b"[" * 1000)
    entries = []
    for number in range(first, first + count):
        envelope = records.event(f"e{number}", f"yto:YT{number % 997:08}", keyid=None)
        value = poison[number // 100 % len(poison)] if number % 100 == 0 else encode_record(envelope)
        entries.append(Entry(envelope.subject.encode(), value))
    return entries


def everything(topic_log: EventLog) -> list[LogRecord]:
    """All records of the log, by partition and offset."""
    found: list[LogRecord] = []
    for partition in range(topic_log.partitions):
        start = 0
        while some := topic_log.read(partition, start, 1000):
            found += some
            start = some[-1].offset + 1
    return found


def assert_projected_exactly_once(engine: Engine, expected: list[LogRecord]) -> None:
    """Archive and projection hold every record of the log once, byte for byte, and nothing else."""
    with engine.connect() as connection:
        log_id = connection.execute(select(log.c.log_id)).scalar_one()
        archived = connection.execute(
            select(record.c.partition, record.c.offset, record.c.key, record.c.value).order_by(
                record.c.partition, record.c.offset
            )
        ).all()
        rows = connection.execute(
            select(event.c.partition, event.c.offset, event.c.leaf, event.c.standing).order_by(
                event.c.partition, event.c.offset
            )
        ).all()
    assert [LogRecord(*row) for row in archived] == expected
    assert [(row.partition, row.offset, row.leaf) for row in rows] == [
        (
            one.partition,
            one.offset,
            leaf(log_id, one.partition, one.offset, one.key, hashlib.sha256(one.value).digest()),
        )
        for one in expected
    ]
    assert {row.standing for row in rows} <= {"event", "repeat", "parked"}

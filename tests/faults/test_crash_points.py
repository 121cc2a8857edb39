"""Killed at every named point, many times, alone or with everything around it: an acknowledged event is recorded, once,
and projected, once.

The door speaks HTTP, the sender sends again what was not answered, as scanners do, and the database is durable.
"""

import contextlib
import json
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from schemas import codec
from schemas.readmodel import event, position, record
from schemas.topics import EVENTS
from services.custody import migrations
from services.custody.fsck import check
from services.custody.refresh import Refresher
from services.custody.replay import replay
from services.custody.table_worker import project_what_is_there
from services.edge.database import make_engine
from services.edge.keys import KeyStore
from services.log.crash import POINTS
from services.log.kafka import KafkaLog
from services.log.kafka_topic import declare
from services.log.table import TableLog
from services.parts.postgres import LocalPostgres
from tests.faust_worker import assert_projected_exactly_once, everything, faust_worker, projected, wait_until
from tests.readmodel_rows import built_rows
from tests.records import ACCEPTED, BAD, GOOD
from tests.records import event as scan
from tests.zygote import Victim, Zygote

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ROUNDS = 20
_DOOR_POINTS = ("parsed", "appended", "committed")
_DEADLINE_SECONDS = 60.0
_BATCH = 4


@dataclass
class Sender:
    """Posts batches of scans and sends a batch again until it is answered, as a scanner does."""

    key: str
    tag: str
    acknowledged: set[str] = field(default_factory=set)
    sent_again: set[str] = field(default_factory=set)
    _pending: list[codec.Envelope] = field(default_factory=list)
    _made: int = 0
    # Made once: it reads all the certificates of this machine. No connection is kept, as each door is another.
    _client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))
    )

    def post(self, port: int) -> bool:
        """Send the batch that is due to a door; whether it was answered."""
        if not self._pending:
            self._pending = [self._next() for _ in range(_BATCH)]
        ids = {envelope.id for envelope in self._pending}
        try:
            answer = self._client.post(
                f"http://127.0.0.1:{port}/v1/events",
                content=b"[" + b",".join(map(_structured, self._pending)) + b"]",
                headers={
                    "authorization": f"Bearer {self.key}",
                    "content-type": "application/cloudevents-batch+json",
                },
            )
        except httpx.TransportError:
            self.sent_again |= ids
            return False
        if answer.status_code not in (200, 202):
            # 503: nothing is promised.
            assert answer.status_code == 503, answer.text
            self.sent_again |= ids
            return False
        results = answer.json()
        outcomes = results if isinstance(results, list) else results["results"]
        assert {one["outcome"] for one in outcomes} <= {"recorded", "duplicate"}, answer.text
        self.acknowledged |= ids
        self._pending = []
        return True

    def _next(self) -> codec.Envelope:
        self._made += 1
        # A few parcels, so that several events of one come into a batch; some are bad, so that there are cases.
        looks = BAD if self._made % 17 == 0 else GOOD
        return scan(
            f"{self.tag}-{self._made}",
            f"yto:YT{self._made % 23}",
            ACCEPTED,
            at=self._made / 1e4,
            keyid=None,
            mode="HUMAN_INSPECT",
            taker=f"H{self._made % 5}",
            observations=looks,
        )


def _structured(envelope: codec.Envelope) -> bytes:
    names = ("id", "source", "type", "subject", "time", "datacontenttype")
    attributes = {"specversion": "1.0", **{name: getattr(envelope, name) for name in names}}
    return json.dumps({**attributes, "data": json.loads(envelope.data)}).encode()


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalPostgres]:
    """A durable Postgres of these tests' own, since they kill it."""
    # Not below pytest's own directory: that one is closed to the account Postgres runs under when we are root.
    with tempfile.TemporaryDirectory(prefix="lastintact-crash-") as directory, LocalPostgres(Path(directory)) as server:
        migrations.upgrade(server.create_database("template"))
        yield server


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_nothing_is_lost_and_nothing_counts_twice(
    cluster: LocalPostgres, zygote: Zygote, point: str, tmp_path: Path
) -> None:
    dice = random.Random(point)
    url = cluster.create_database(point, template="template")
    engine = make_engine(url, pool_size=4)
    pepper = tmp_path / "pepper"
    sender = Sender(KeyStore(engine, pepper).add(role="scanner", label="test", depot="SHA").text, point)
    living: dict[str, Victim] = {}
    victim = "door" if point in _DOOR_POINTS else "projector"

    for turn in range(ROUNDS):
        for work in ("door", "projector"):
            if work == victim or work not in living or living[work].code is not None:
                crash_at = f"{point}:{dice.randint(1, 4)}" if work == victim else None
                more: dict[str, Any] = {"pepper": str(pepper)} if work == "door" else {}
                living[work] = zygote.start(work, crash_at=crash_at, url=url, **more)
        _post_until_killed(sender, living["door"], living[victim])
        assert living[victim].code == -signal.SIGKILL
        if turn % 5 == 4:
            # Everything goes at once, Postgres included, which then recovers from its own log.
            for process in living.values():
                process.kill()
            cluster.kill()
            cluster.start()
            engine.dispose()
        elif turn % 5 == 2:
            # At a moment of chance: what comes by may be anywhere.
            living["door"].kill()
    for process in living.values():
        process.kill()

    last = zygote.start("door", url=url, pepper=str(pepper))
    assert sender.post(last.port)
    last.kill()
    project_what_is_there(engine, TableLog(engine), threading.Event())
    _assert_exactly_once(engine, sender)
    engine.dispose()


@pytest.mark.kafka
# kafka-python 3.0 leaves the socket of a refused connection to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_killed_at_each_point_through_kafka(
    cluster: LocalPostgres,
    zygote: Zygote,
    kafka_bootstrap: str,
    fresh_name: Callable[[str], str],
    tmp_path: Path,
) -> None:
    topic = EVENTS._replace(name=fresh_name("crash"))
    declare(kafka_bootstrap, topic)
    url = cluster.create_database("kafka", template="template")
    engine = make_engine(url, pool_size=4)
    pepper = tmp_path / "pepper"
    sender = Sender(KeyStore(engine, pepper).add(role="scanner", label="test", depot="SHA").text, "kafka")

    def door(crash_at: str | None) -> Victim:
        return zygote.start(
            "door", crash_at=crash_at, url=url, pepper=str(pepper), bootstrap=kafka_bootstrap, topic=topic.name
        )

    for point in _DOOR_POINTS:
        victim = door(f"{point}:2")
        _post_until_killed(sender, victim, victim)
        assert victim.code == -signal.SIGKILL, point
    living = door(None)
    for point in POINTS:
        if point in _DOOR_POINTS:
            continue
        for _ in range(20):
            assert sender.post(living.port)
        said = tmp_path / "said"
        with faust_worker(zygote, kafka_bootstrap, url, topic, said, batch=7, crash_at=f"{point}:2") as worker:
            assert worker.wait(_DEADLINE_SECONDS) == -signal.SIGKILL, point
    living.kill()
    with contextlib.closing(KafkaLog(kafka_bootstrap, topic, log_id=TableLog(engine).log_id)) as log:
        recorded = everything(log)
    with faust_worker(zygote, kafka_bootstrap, url, topic, tmp_path / "said"):
        wait_until(lambda: projected(engine) >= len(recorded), "the rest")

    assert_projected_exactly_once(engine, recorded)
    _assert_exactly_once(engine, sender)
    engine.dispose()


def _post_until_killed(sender: Sender, door: Victim, victim: Victim) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while victim.code is None:
        assert time.monotonic() < deadline, "it was never killed"
        sender.post(door.port)


def _assert_exactly_once(engine: Engine, sender: Sender) -> None:
    with engine.connect() as connection:
        archived = Counter(
            codec.decode_record(value).id for value in connection.execute(select(record.c.value)).scalars()
        )
        counting = Counter(connection.execute(select(event.c.event_id).where(event.c.standing == "event")).scalars())
        rows = connection.execute(select(event.c.partition, event.c.offset)).all()
        places = connection.execute(select(record.c.partition, record.c.offset)).all()
        ends = {row.partition: row.next_offset for row in connection.execute(select(position))}
    assert sender.acknowledged
    assert set(counting) >= sender.acknowledged
    assert set(counting.values()) == {1}
    # What was answered at once is there once. What had to be sent again may lie there as a repeat, which counts once.
    assert {archived[name] for name in sender.acknowledged - sender.sent_again} == {1}
    assert sorted(map(tuple, rows)) == sorted(map(tuple, places))
    assert sum(ends.values()) == len(rows)
    Refresher(engine).drain()
    assert check(engine) == []
    before = built_rows(engine)
    assert before["parcel_case"]
    replay(engine)
    again = built_rows(engine)
    # A wait that a clean scan did not move is renewed when it is due; until then it may be behind.
    for found in (again, before):
        del found["watch"]
    assert again == before

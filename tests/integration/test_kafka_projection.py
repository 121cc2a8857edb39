"""The Faust worker between a real broker and a real Postgres: each record once, whatever is killed in between."""

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.pool import NullPool

from schemas.readmodel import event
from schemas.topics import EVENTS, Topic
from services.custody.kafka_binding import ForeignTopic, bind_topic
from services.custody.worker import EXIT_AGAIN, EXIT_BUG, EXIT_WRONG_TOPIC
from services.log.kafka import KafkaLog
from services.log.kafka_topic import declare
from services.log.port import Entry
from services.log.table import TableLog
from tests.faust_worker import (
    SECONDS,
    assert_projected_exactly_once,
    everything,
    faust_worker,
    projected,
    some_entries,
    wait_until,
)
from tests.zygote import Victim, Zygote

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
]

_STOP_SECONDS = 30.0


@dataclass(frozen=True)
class World:
    """A topic and a database of this test's own."""

    bootstrap: str
    url: str
    topic: Topic
    log: KafkaLog
    engine: Engine
    output: Path
    zygote: Zygote

    def worker(
        self, *, batch: int = 5000, crash_at: str | None = None, instance: str = "one"
    ) -> AbstractContextManager[Victim]:
        """A worker on them."""
        return faust_worker(
            self.zygote,
            self.bootstrap,
            self.url,
            self.topic,
            self.output,
            batch=batch,
            crash_at=crash_at,
            instance=instance,
        )


@pytest.fixture
def world(
    kafka_bootstrap: str, database_url: str, fresh_name: Callable[[str], str], zygote: Zygote, tmp_path: Path
) -> Iterator[World]:
    """Everything but a worker."""
    topic = EVENTS._replace(name=fresh_name("events"))
    declare(kafka_bootstrap, topic)
    log = KafkaLog(kafka_bootstrap, topic, log_id="not used here")
    yield World(
        kafka_bootstrap,
        database_url,
        topic,
        log,
        create_engine(database_url, poolclass=NullPool),
        tmp_path / "worker.log",
        zygote,
    )
    log.close()


def append(world: World, count: int, first: int = 0) -> None:
    """Record so many events, in batches as a door would."""
    entries = some_entries(count, first)
    for start in range(0, count, 500):
        world.log.append(entries[start : start + 500])


def test_every_record_is_archived_and_projected_the_unreadable_ones_too(world: World) -> None:
    append(world, 5000)

    with world.worker() as worker:
        wait_until(lambda: projected(world.engine) >= 5000, "5000 records")
        append(world, 100, first=5000)
        wait_until(lambda: projected(world.engine) >= 5100, "what came later")
        worker.send_signal(signal.SIGTERM)

        assert worker.wait(_STOP_SECONDS) == 0

    recorded = everything(world.log)
    assert len({record.partition for record in recorded}) == EVENTS.partitions
    assert_projected_exactly_once(world.engine, recorded)
    with world.engine.connect() as connection:
        counts = connection.execute(select(event.c.standing, func.count()).group_by(event.c.standing))
        standings = {row[0]: row[1] for row in counts}
    assert standings == {"event": 5049, "parked": 51}


def test_a_worker_killed_again_and_again_projects_each_record_once(world: World) -> None:
    append(world, 5000)
    chance = random.Random(7)

    for _ in range(3):
        start = projected(world.engine)
        with world.worker(batch=50) as worker:
            wait_until(lambda: projected(world.engine) > start + chance.randrange(600), "progress")  # noqa: B023
            worker.kill()
        assert projected(world.engine) < 5000, "killed too late to show anything"
    with world.worker():
        wait_until(lambda: projected(world.engine) >= 5000, "the rest")

    assert_projected_exactly_once(world.engine, everything(world.log))


def test_a_worker_that_dies_at_any_named_point_loses_and_repeats_nothing(world: World) -> None:
    append(world, 2000)

    for point in ("read", "rows", "position", "projected", "acked"):
        with world.worker(batch=100, crash_at=f"{point}:3") as worker:
            assert worker.wait(SECONDS) == -signal.SIGKILL, point
    assert 0 < projected(world.engine) < 2000
    with world.worker():
        wait_until(lambda: projected(world.engine) >= 2000, "the rest")

    assert_projected_exactly_once(world.engine, everything(world.log))


def test_workers_that_come_and_go_share_the_partitions_without_a_hole(world: World) -> None:
    append(world, 3000)

    with world.worker(batch=20) as first:
        wait_until(lambda: projected(world.engine) > 200, "the first worker")
        with world.worker(batch=20, instance="two") as second:
            append(world, 3000, first=3000)
            wait_until(lambda: projected(world.engine) > 3500, "both workers")
            first.send_signal(signal.SIGTERM)
            assert first.wait(_STOP_SECONDS) == 0
            append(world, 1000, first=6000)
            wait_until(
                lambda: projected(world.engine) >= 7000 or second.code is not None, "the second worker alone", 150.0
            )
            # Faust may stop fetching at a rebalance without a word: then the watchdog ends the worker.
            assert second.code in (None, EXIT_AGAIN)
    if projected(world.engine) < 7000:
        with world.worker(batch=20, instance="two"):
            wait_until(lambda: projected(world.engine) >= 7000, "the second worker, started again")

    assert_projected_exactly_once(world.engine, everything(world.log))


def test_records_that_kafka_lost_stop_the_worker_instead_of_being_skipped(world: World) -> None:
    append(world, 500)
    admin = KafkaAdminClient(bootstrap_servers=world.bootstrap)
    admin.delete_records({TopicPartition(world.topic.name, 3): 2})
    admin.close()

    with world.worker() as worker:
        assert worker.wait(SECONDS) == EXIT_BUG

    assert "records are missing" in world.output.read_text("utf-8")


def test_a_topic_made_anew_is_noticed(world: World) -> None:
    append(world, 100)
    with world.worker() as worker:
        wait_until(lambda: projected(world.engine) >= 100, "100 records")
        worker.send_signal(signal.SIGTERM)
        worker.wait(_STOP_SECONDS)
    admin = KafkaAdminClient(bootstrap_servers=world.bootstrap)
    admin.delete_topics([world.topic.name])
    admin.close()

    with world.worker() as worker:
        assert worker.wait(SECONDS) == EXIT_WRONG_TOPIC

    assert "made anew" in world.output.read_text("utf-8")
    assert projected(world.engine) == 100


class TestBinding:
    """An archive belongs to one topic, or to the table log."""

    def test_the_first_topic_is_noted_and_any_other_refused(self, world: World) -> None:
        bind_topic(world.engine, "one")
        bind_topic(world.engine, "one")

        with pytest.raises(ForeignTopic, match="another broker"):
            bind_topic(world.engine, "two")

    def test_an_archive_of_the_table_log_is_refused(self, world: World) -> None:
        TableLog(world.engine).append([Entry(b"s10:A", b"recorded without Kafka")])

        with pytest.raises(ForeignTopic, match="table log"):
            bind_topic(world.engine, "one")

        with world.engine.connect() as connection:
            assert connection.execute(text("SELECT topic_id FROM archive.log")).scalar_one() is None

    def test_the_table_log_does_not_write_into_an_archive_of_kafka(self, world: World) -> None:
        bind_topic(world.engine, "one")

        with pytest.raises(RuntimeError, match="Kafka"):
            TableLog(world.engine).append([Entry(b"s10:A", b"astray")])

"""The log as a Kafka topic, on a real broker."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from schemas.errors import Unavailable
from schemas.topics import Topic
from services.log.kafka import RECORD_BYTES_MAX, KafkaLog
from services.log.kafka_topic import declare
from services.log.port import Entry, EventLog
from services.parts.kafka import LocalKafka
from services.parts.ports import free_port
from tests.contract.log_suite import LogContract, Outage, read_everything, some_entries

pytestmark = [
    pytest.mark.kafka,
]

LOG_ID = "lastintact/test"


@pytest.fixture
def topic(kafka_bootstrap: str, fresh_name: Callable[[str], str]) -> Topic:
    """A topic of this test's own."""
    made = Topic(fresh_name("contract"), partitions=4, retention_hours=1)
    declare(kafka_bootstrap, made)
    return made


@pytest.fixture
def log(kafka_bootstrap: str, topic: Topic) -> Iterator[KafkaLog]:
    """An empty log."""
    made = KafkaLog(kafka_bootstrap, topic, log_id=LOG_ID)
    yield made
    made.close()


class TestKafkaLog(LogContract):
    """The suite over `services.log.kafka`."""

    @pytest.fixture
    def reopen(self, kafka_bootstrap: str, topic: Topic) -> Callable[[], EventLog]:
        """The log after a restart."""
        return lambda: KafkaLog(kafka_bootstrap, topic, log_id=LOG_ID)

    @pytest.fixture
    def outage(self, tmp_path: Path) -> Iterator[Outage]:
        """A log on a broker of its own, which is killed and started again."""
        topic = Topic("outage", partitions=2, retention_hours=1)
        with LocalKafka(tmp_path) as broker:
            declare(broker.bootstrap, topic)
            log = KafkaLog(broker.bootstrap, topic, log_id=LOG_ID, deadline_seconds=4)

            def come_back() -> None:
                broker.start()
                # The broker answers before it leads its partitions again.
                declare(broker.bootstrap, topic)

            yield Outage(log, begin=broker.kill, end=come_back)
            log.close()


def test_a_log_without_a_broker_is_unavailable_within_the_deadline() -> None:
    log = KafkaLog(f"127.0.0.1:{free_port()}", log_id=LOG_ID, deadline_seconds=1)

    with pytest.raises(Unavailable):
        log.append(some_entries(1))
    with pytest.raises(Unavailable):
        log.ends()
    log.close()


def test_attempts_without_a_broker_leave_no_threads_and_sockets_behind() -> None:
    log = KafkaLog(f"127.0.0.1:{free_port()}", log_id=LOG_ID, deadline_seconds=0.3)
    before = threading.active_count()

    for _ in range(3):
        with pytest.raises(Unavailable):
            log.append(some_entries(1))
        with pytest.raises(Unavailable):
            log.ends()

    # A socket left open would be named by Python's ResourceWarning, which is an error here.
    assert threading.active_count() == before


def test_records_carry_their_content_type_and_no_other_header(
    kafka_bootstrap: str, topic: Topic, log: KafkaLog
) -> None:
    (position,) = log.append(some_entries(1))

    consumer = KafkaConsumer(bootstrap_servers=kafka_bootstrap)
    at = TopicPartition(topic.name, position.partition)
    consumer.assign([at])
    consumer.seek(at, position.offset)
    (record,) = consumer.poll(timeout_ms=10_000)[at]
    consumer.close()
    assert record.headers == [("content-type", b"application/cloudevents+json")]


def test_bytes_on_their_way_are_bounded_and_the_room_is_given_back(kafka_bootstrap: str, topic: Topic) -> None:
    log = KafkaLog(kafka_bootstrap, topic, log_id=LOG_ID, in_flight_bytes_max=40_000)
    entries = [Entry(b"s10:A", bytes(10_000))] * 3
    reasons: set[str] = set()

    def append(_number: int) -> bool:
        try:
            log.append(entries)
        except Unavailable as unavailable:
            reasons.add(str(unavailable))
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(append, range(40)))

    assert any(taken)
    assert not all(taken)
    assert all("on their way" in reason for reason in reasons), reasons
    assert len(read_everything(log)) == 3 * sum(taken)
    assert append(0), "nothing is on its way any more, so there is room"
    log.close()


def test_a_record_past_the_bound_is_a_bug_of_the_caller(log: KafkaLog) -> None:
    with pytest.raises(ValueError, match="longer"):
        log.append([Entry(b"s10:A", b"small"), Entry(b"s10:A", bytes(RECORD_BYTES_MAX + 1))])

    assert set(log.ends().values()) == {0}


def test_what_retention_removed_is_not_taken_for_the_end(kafka_bootstrap: str, topic: Topic, log: KafkaLog) -> None:
    positions = log.append([Entry(b"s10:A", b"x")] * 5)
    partition = positions[0].partition
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.delete_records({TopicPartition(topic.name, partition): 3})
    admin.close()

    with pytest.raises(LookupError, match="archive"):
        log.read(partition, 0, 10)

    assert [record.offset for record in log.read(partition, 3, 10)] == [3, 4]


class TestAnotherTopic:
    """Nothing is recorded in a topic that the archive does not belong to: no projector would read it."""

    def test_it_is_not_written_to(self, kafka_bootstrap: str, topic: Topic) -> None:
        log = KafkaLog(kafka_bootstrap, topic, log_id=LOG_ID, topic_id=lambda: "another")

        with pytest.raises(Unavailable, match="made anew"):
            log.append(some_entries(1))

        assert set(log.ends().values()) == {0}
        log.close()

    def test_nothing_is_written_before_the_archive_is_bound(self, kafka_bootstrap: str, topic: Topic) -> None:
        bound: list[str | None] = [None]
        log = KafkaLog(kafka_bootstrap, topic, log_id=LOG_ID, topic_id=lambda: bound[0])

        with pytest.raises(Unavailable, match="bound"):
            log.append(some_entries(1))
        bound[0] = declare(kafka_bootstrap, topic).topic_id

        assert len(log.append(some_entries(1))) == 1
        log.close()

    def test_a_topic_made_anew_under_a_writer_acknowledges_nothing(self, kafka_bootstrap: str, topic: Topic) -> None:
        log = KafkaLog(kafka_bootstrap, topic, log_id=LOG_ID, topic_id=lambda: declare_before)
        declare_before = declare(kafka_bootstrap, topic).topic_id
        log.append([Entry(b"s10:A", b"x")] * 5)
        admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        admin.delete_topics([topic.name])
        admin.close()
        declare(kafka_bootstrap, topic)

        def refused() -> str:
            try:
                log.append([Entry(b"s10:A", b"x")])
            except Unavailable as unavailable:
                return str(unavailable)
            return "acknowledged"

        told = [refused() for _ in range(3)]

        assert "acknowledged" not in told
        assert "made anew" in told[-1]
        log.close()


class TestDeclare:
    """`declare` makes the topic once and guards its shape."""

    def test_declaring_again_gives_the_same_id(self, kafka_bootstrap: str, fresh_name: Callable[[str], str]) -> None:
        topic = Topic(fresh_name("declared"), partitions=3, retention_hours=1)

        assert declare(kafka_bootstrap, topic) == declare(kafka_bootstrap, topic)

    def test_a_recreated_topic_has_another_id(self, kafka_bootstrap: str, topic: Topic) -> None:
        before = declare(kafka_bootstrap, topic).topic_id
        admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        admin.delete_topics([topic.name])
        admin.close()

        assert declare(kafka_bootstrap, topic).topic_id != before

    def test_another_number_of_partitions_is_refused(self, kafka_bootstrap: str, topic: Topic) -> None:
        with pytest.raises(RuntimeError, match="partitions"):
            declare(kafka_bootstrap, topic._replace(partitions=5))
        with pytest.raises(RuntimeError, match="partitions"):
            KafkaLog(kafka_bootstrap, topic._replace(partitions=5), log_id=LOG_ID).append(some_entries(1))

    def test_a_compacted_topic_is_refused(self, kafka_bootstrap: str, topic: Topic) -> None:
        admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, {"cleanup.policy": "compact"})])
        admin.close()

        with pytest.raises(RuntimeError, match="compacted"):
            declare(kafka_bootstrap, topic)

    def test_retention_is_brought_to_what_is_declared(self, kafka_bootstrap: str, topic: Topic) -> None:
        declare(kafka_bootstrap, topic._replace(retention_hours=7))

        admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        described = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic.name, {"retention.ms": None})]
        )
        admin.close()
        assert next(iter(described.values()))[topic.name]["retention.ms"]["value"] == str(7 * 3600 * 1000)

    def test_one_broker_keeps_one_copy_and_no_lagging_replica_ever_leads(
        self, kafka_bootstrap: str, topic: Topic
    ) -> None:
        declared = declare(kafka_bootstrap, topic)

        names = ("min.insync.replicas", "unclean.leader.election.enable")
        admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        described = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(names))], config_filter="all"
        )
        admin.close()
        assert declared.replicas == 1
        values = next(iter(described.values()))[topic.name]
        assert [values[name]["value"] for name in names] == ["1", "false"]

    def test_without_a_broker_it_is_unavailable(self) -> None:
        with pytest.raises(Unavailable):
            declare(f"127.0.0.1:{free_port()}", deadline_seconds=1)

"""The log as a Kafka topic, written and read with kafka-python.

One producer and one reading consumer per log, both made on first use, so that a broker that is away at the start is
the same as one that goes away later: `Unavailable`, and better the next time.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from schemas.codec import RECORD_CONTENT_TYPE
from schemas.errors import Unavailable
from schemas.positions import Position
from schemas.topics import EVENTS, Topic, partition_of
from services.log.crash import crash_point
from services.log.kafka_client import RECONNECT_MS_MAX, administering, connected, left_ms, unavailable
from services.log.kafka_topic import BATCH_BYTES_MAX, check_partitions, described, foreign
from services.log.port import Entry, LogRecord

RECORD_BYTES_MAX = 2 * 1024**2
"""Key and value of one record. The door's body limit is lower; a longer one is a bug and raises ValueError."""

_IN_FLIGHT_BYTES_MAX = 64 * 1024**2
"""kafka-python has no memory limit of its own; past this `append` says Unavailable at once."""

_HEADERS = [("content-type", RECORD_CONTENT_TYPE.encode())]
_RECORD_OVERHEAD_BYTES = 128
"""What a record costs beside key and value, roughly: headers, framing, its future."""


class KafkaLog:
    """A topic that was declared (services/log/kafka_topic.py). Thread-safe; make it after fork, one per process."""

    def __init__(
        self,
        bootstrap: str,
        topic: Topic = EVENTS,
        *,
        log_id: str,
        topic_id: Callable[[], str | None] | None = None,
        deadline_seconds: float = 10.0,
        in_flight_bytes_max: int = _IN_FLIGHT_BYTES_MAX,
    ) -> None:
        """Connect nothing yet. `deadline_seconds` bounds every call as a whole.

        `topic_id` says to which topic, by Kafka's id, the archive is bound; None: to none yet. Another topic of the
        same name is never written to.
        """
        self._bootstrap = bootstrap
        self._topic = topic
        self._log_id = log_id
        self._topic_id = topic_id
        self._made_anew = False
        self._written: dict[int, int] = {}
        self._deadline_seconds = deadline_seconds
        self._in_flight = _Budget(in_flight_bytes_max)
        self._closed = False
        self._producer: KafkaProducer | None = None
        self._producer_lock = threading.Lock()
        self._consumer: KafkaConsumer | None = None
        self._consumer_lock = threading.Lock()

    @property
    def log_id(self) -> str:
        """The name of this log, part of every leaf."""
        return self._log_id

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        return self._topic.partitions

    def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Send all entries and wait until all in-sync replicas have every one of them. Raises `Unavailable`."""
        if not entries:
            return []
        deadline = time.monotonic() + self._deadline_seconds
        sizes = [len(key) + len(value) + _RECORD_OVERHEAD_BYTES for key, value in entries]
        if max(sizes) > RECORD_BYTES_MAX:
            raise ValueError(f"a record of {max(sizes)} bytes is longer than {RECORD_BYTES_MAX}")
        with unavailable("append"), self._producing(deadline) as producer:
            before = dict(self._written)
            self._in_flight.take(sum(sizes))
            futures: list[Any] = []
            try:
                for key, value in entries:
                    partition = partition_of(key, self.partitions)
                    futures.append(
                        producer.send(self._topic.name, value=value, key=key, headers=_HEADERS, partition=partition)
                    )
                crash_point("appended")
                return self._checked([_position(future, deadline) for future in futures], before)
            finally:
                self._give_back(futures, sizes)

    def read(self, partition: int, start: int, limit: int) -> Sequence[LogRecord]:
        """Up to `limit` records from offset `start` on; empty at the end. Raises `Unavailable`.

        Raises LookupError for offsets that Kafka's retention has removed: the archive has them.
        """
        deadline = time.monotonic() + self._deadline_seconds
        at = TopicPartition(self._topic.name, partition)
        with self._consuming(deadline) as consumer:
            try:
                end = consumer.end_offsets([at], timeout_ms=left_ms(deadline))[at]
                if limit < 1 or start >= end:
                    return []
                if consumer.assignment() != {at} or consumer.position(at, timeout_ms=left_ms(deadline)) != start:
                    consumer.assign([at])
                    consumer.seek(at, start)
                while not (found := consumer.poll(timeout_ms=left_ms(deadline), max_records=limit)):
                    if time.monotonic() > deadline:
                        raise Unavailable(f"Kafka did not send {at} from {start} in time")
            except OffsetOutOfRangeError as error:
                raise LookupError(f"Kafka does not keep offset {start} of {at} any more; read the archive") from error
            return [LogRecord(partition, one.offset, one.key or b"", one.value or b"") for one in found[at]]

    def ends(self) -> Mapping[int, int]:
        """The next offset of every partition. Raises `Unavailable`."""
        deadline = time.monotonic() + self._deadline_seconds
        with self._consuming(deadline) as consumer:
            asked = [TopicPartition(self._topic.name, partition) for partition in range(self.partitions)]
            ends = consumer.end_offsets(asked, timeout_ms=left_ms(deadline))
            return {at.partition: end for at, end in ends.items()}

    def close(self) -> None:
        """Let what is in flight finish, within the deadline, and disconnect. Idle when called twice."""
        self._closed = True
        with self._producer_lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=self._deadline_seconds)
            except KafkaError:
                # Whoever still waits in `append` has been or will be told; now only let go.
                producer.close(timeout=0)
        with self._consumer_lock:
            self._drop_consumer()

    def _checked(self, positions: Sequence[Position], before: Mapping[int, int]) -> Sequence[Position]:
        """The positions, if each lies past what had been written to its partition before: offsets never go back."""
        for position in positions:
            if position.offset <= before.get(position.partition, -1):
                self._made_anew = True
            self._written[position.partition] = max(position.offset, self._written.get(position.partition, -1))
        if self._made_anew:
            raise foreign(self._topic)
        return positions

    @contextmanager
    def _producing(self, deadline: float) -> Iterator[KafkaProducer]:
        with _held(self._producer_lock, deadline):
            if self._closed:
                raise Unavailable("the log is closed")
            if self._made_anew:
                raise foreign(self._topic)
            if self._producer is None:
                self._producer = self._make_producer(deadline)
            producer = self._producer
        yield producer

    def _make_producer(self, deadline: float) -> KafkaProducer:
        # Some time is left for the records themselves.
        milliseconds = round(self._deadline_seconds * 1000)
        producer = connected(
            KafkaProducer,
            bootstrap_servers=self._bootstrap,
            bootstrap_timeout_ms=left_ms(deadline),
            acks="all",
            # Said aloud: an option that conflicts with it then raises instead of turning it off.
            enable_idempotence=True,
            linger_ms=5,
            batch_size=512 * 1024,
            max_request_size=RECORD_BYTES_MAX + 1024,
            compression_type="lz4",
            # At most one retry after a lost answer; the delivery timeout ends what `append` no longer waits for.
            request_timeout_ms=milliseconds // 2,
            delivery_timeout_ms=milliseconds,
            max_block_ms=min(1000, milliseconds),
            reconnect_backoff_max_ms=RECONNECT_MS_MAX,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        try:
            check_partitions(self._topic, len(producer.partitions_for(self._topic.name)))
            self._check_topic_id(deadline)
        except BaseException:
            producer.close(timeout=0)
            raise
        return producer

    def _check_topic_id(self, deadline: float) -> None:
        if self._topic_id is None:
            return
        bound = self._topic_id()
        if bound is None:
            raise Unavailable("no projector has bound the archive to this topic yet")
        with administering(self._bootstrap, deadline) as admin:
            if described(admin, self._topic)["topic_id"] != bound:
                raise foreign(self._topic)

    @contextmanager
    def _consuming(self, deadline: float) -> Iterator[KafkaConsumer]:
        """The consumer, to one caller at a time. After an error it is thrown away: its state is unknown."""
        with unavailable("read"), _held(self._consumer_lock, deadline):
            if self._closed:
                raise Unavailable("the log is closed")
            try:
                if self._consumer is None:
                    self._consumer = self._make_consumer(deadline)
                yield self._consumer
            except BaseException:
                self._drop_consumer()
                raise

    def _make_consumer(self, deadline: float) -> KafkaConsumer:
        return connected(
            KafkaConsumer,
            bootstrap_servers=self._bootstrap,
            bootstrap_timeout_ms=left_ms(deadline),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=BATCH_BYTES_MAX,
            request_timeout_ms=round(self._deadline_seconds * 1000),
            fetch_max_wait_ms=100,
            reconnect_backoff_max_ms=RECONNECT_MS_MAX,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    def _drop_consumer(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(autocommit=False, timeout_ms=1000)

    def _give_back(self, futures: Sequence[Any], sizes: Sequence[int]) -> None:
        """Count bytes out as soon as their fate is known; what was never sent, at once."""
        settled = sum(sizes[len(futures) :])
        for future, size in zip(futures, sizes, strict=False):
            if future.is_done:
                settled += size
            else:
                future.add_both(lambda _outcome, size=size: self._in_flight.give(size))
        self._in_flight.give(settled)


def _position(future: Any, deadline: float) -> Position:
    metadata = future.get(timeout=max(0.0, deadline - time.monotonic()))
    return Position(metadata.partition, metadata.offset)


@contextmanager
def _held(lock: threading.Lock, deadline: float) -> Iterator[None]:
    if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise Unavailable("Kafka is slow: others are waiting for it too")
    try:
        yield
    finally:
        lock.release()


class _Budget:
    """Bytes that are under way, and the bound on them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Count in, or raise `Unavailable`. A single request always fits when nothing else is under way."""
        with self._lock:
            if self._taken and self._taken + size > self._limit:
                raise Unavailable(f"{self._taken} bytes are on their way to Kafka already", retry_after_seconds=1)
            self._taken += size

    def give(self, size: int) -> None:
        """Count out."""
        with self._lock:
            self._taken -= size

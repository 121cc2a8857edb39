"""A log in memory: the public fake for tests, held to the same contract suite as the real ones."""

import threading
from collections.abc import Mapping, Sequence

from schemas.errors import Unavailable
from schemas.positions import Position
from schemas.topics import EVENTS, partition_of
from services.log.port import Entry, LogRecord


class MemoryLog:
    """Keeps records as long as it lives; `reopened` gives a new log over the same records, as a restart would.

    Set `away` to make every call raise `Unavailable`, as a broker that is down does.
    """

    def __init__(self, log_id: str = "lastintact/memory", partitions: int = EVENTS.partitions) -> None:
        """Start empty."""
        self.away = False
        self._log_id = log_id
        self._lock = threading.Lock()
        self._records: tuple[list[LogRecord], ...] = tuple([] for _ in range(partitions))
        self._closed = False

    @property
    def log_id(self) -> str:
        """The name of this log, part of every leaf."""
        return self._log_id

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        return len(self._records)

    def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Append all entries and say where they are. Raises `Unavailable` when `away` or closed."""
        self._check()
        positions = []
        with self._lock:
            for key, value in entries:
                partition = partition_of(key, self.partitions)
                records = self._records[partition]
                records.append(LogRecord(partition, len(records), key, value))
                positions.append(records[-1].position)
        return positions

    def read(self, partition: int, start: int, limit: int) -> Sequence[LogRecord]:
        """Up to `limit` records from offset `start` on. Raises `Unavailable` when `away` or closed."""
        self._check()
        with self._lock:
            return self._records[partition][start : start + limit]

    def ends(self) -> Mapping[int, int]:
        """The next offset of every partition. Raises `Unavailable` when `away` or closed."""
        self._check()
        with self._lock:
            return {partition: len(records) for partition, records in enumerate(self._records)}

    def close(self) -> None:
        """Refuse further calls. Idle when called twice."""
        self._closed = True

    def reopened(self) -> "MemoryLog":
        """Another log over the same records: what a process finds that starts after this one was closed."""
        other = MemoryLog(self._log_id, self.partitions)
        other._lock, other._records = self._lock, self._records
        return other

    def _check(self) -> None:
        if self._closed:
            raise Unavailable("the log is closed")
        if self.away:
            raise Unavailable("the log in memory is away, as the test asked")

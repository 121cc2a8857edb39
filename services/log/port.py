"""What every log can do: append durably, read in order. One contract suite holds all adapters to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from schemas.positions import Position


class Entry(NamedTuple):
    """Something to append. The key decides the partition (schemas.topics.partition_of)."""

    key: bytes
    value: bytes


class LogRecord(NamedTuple):
    """Something appended."""

    partition: int
    offset: int
    key: bytes
    value: bytes

    @property
    def position(self) -> Position:
        """Where it is."""
        return Position(self.partition, self.offset)


class EventLog(Protocol):
    """An append-only log of partitions. Adapters are thread-safe and block; callers choose the thread."""

    @property
    def log_id(self) -> str:
        """The name of this log, part of every leaf."""
        ...

    @property
    def partitions(self) -> int:
        """How many partitions it has; fixed for its life."""
        ...

    def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Append all entries, in order within each partition, and say where they are, in the order given.

        Returns only when every entry is durable. Raises `Unavailable` when that cannot be said in time: some or all
        may then have been written, and appending the same again is safe because identities are told apart later.
        """
        ...

    def read(self, partition: int, start: int, limit: int) -> Sequence[LogRecord]:
        """Up to `limit` records from offset `start` on, without a hole; empty at the end. Raises `Unavailable`."""
        ...

    def ends(self) -> Mapping[int, int]:
        """The next offset of every partition. Raises `Unavailable`."""
        ...

    def close(self) -> None:
        """Let go of connections and threads; nothing durable is lost. Idle when called twice."""
        ...

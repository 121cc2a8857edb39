"""The streams, their shape, and which partition a subject lives in."""

import zlib
from typing import NamedTuple


class Topic(NamedTuple):
    """A declared stream. Never compacted: every record is evidence."""

    name: str
    partitions: int
    retention_hours: int
    replicas: int = 3
    """Wanted; a smaller cluster has one on each broker."""
    in_sync_min: int = 2
    """Replicas that must have a record before it counts as recorded, where there are so many."""


EVENTS = Topic(name="lastintact.events", partitions=8, retention_hours=30 * 24)
"""Every event, keyed by its subject, so that one parcel's events stay in order."""


def partition_of(key: bytes, partitions: int = EVENTS.partitions) -> int:
    """CRC-32 (ISO 3309) of the key, modulo the number of partitions. The number is fixed for the life of a log."""
    return zlib.crc32(key) % partitions

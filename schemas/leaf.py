"""The transparency-log leaf of a record: a pure function of the record alone."""

import hashlib

from schemas.codec import length_prefixed

LEAF_PREFIX = b"\x00"
"""Domain separation of leaves from inner nodes (RFC 9162, 2.1.1)."""


def leaf(log_id: str, partition: int, offset: int, key: bytes, value_hash: bytes) -> bytes:
    """SHA-256 of 0x00 and the length-prefixed log id, partition (4 bytes), offset (8 bytes), key and SHA-256(value)."""
    entry = length_prefixed((log_id.encode(), partition.to_bytes(4, "big"), offset.to_bytes(8, "big"), key, value_hash))
    return hashlib.sha256(LEAF_PREFIX + entry).digest()

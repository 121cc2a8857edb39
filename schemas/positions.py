"""Places in the log: one record's position, a vector of them, and the moment or vector that a question asks about."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from schemas.errors import Undecodable


class Position(NamedTuple):
    """Where one record is. Written `3:120`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class Positions(dict[int, int]):
    """How far each partition is read: partition -> the next offset. Written `0:123,1:77`, sorted; absent means 0."""

    def __str__(self) -> str:
        return ",".join(f"{partition}:{offset}" for partition, offset in sorted(self.items()))

    def covers(self, position: Position) -> bool:
        """Whether the record at this position lies before the vector."""
        return position.offset < self.get(position.partition, 0)

    def reaches(self, other: Mapping[int, int]) -> bool:
        """Whether everything that `other` has read is read here too."""
        return all(self.get(partition, 0) >= offset for partition, offset in other.items())


def parse_positions(text: str, *, field: str = "as_of") -> Positions:
    """Read a position vector. Raises `Undecodable`."""
    vector = Positions()
    for part in text.split(","):
        partition, colon, offset = part.strip().partition(":")
        if not (colon and part.isascii() and partition.isdecimal() and offset.isdecimal() and len(part) < 30):
            raise Undecodable(
                f"{text[:60]!r} is no position vector",
                field=field,
                remedy="Send partition:offset pairs, for example 0:123,1:77.",
            )
        vector[int(partition)] = int(offset)
    return vector


class AsOf(NamedTuple):
    """What a question knows: events recorded up to an instant, and within a vector where one is given."""

    time: datetime
    positions: Positions | None = None

    def knows(self, record_time: datetime, position: Position) -> bool:
        """Whether an event with this effective record time and position is part of the answer."""
        return record_time <= self.time and (self.positions is None or self.positions.covers(position))

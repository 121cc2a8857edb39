"""Reads of which of a device's numbered records came in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from schemas.identifiers import Source
from schemas.positions import Position
from schemas.readmodel import event

HOLES_MAX = 100
"""Ranges told in one receipt: a device with more has another problem than a list would solve."""


@dataclass(frozen=True, slots=True)
class NumberedRecord:
    """A record and the number that its device gave it."""

    position: Position
    record_time: datetime
    event_time: datetime | None
    event_id: str | None
    sequence: int


@dataclass(frozen=True, slots=True)
class Received:
    """What of a device is projected."""

    first: int
    last: NumberedRecord
    """The one with the highest number."""
    holes: tuple[tuple[int, int], ...]
    """First and last missing number of each, in order; at most `HOLES_MAX` + 1."""


def received(connection: Connection, source: Source) -> Received | None:
    """Which numbers came in from a device; None: no numbered record did. The index by source holds those only."""
    numbered = (event.c.source == str(source), event.c.sequence.is_not(None))
    columns = (event.c.record_time, event.c.event_time, event.c.event_id, event.c.sequence)
    highest = (
        select(event.c.partition, event.c.offset, *columns)
        .where(*numbered)
        .order_by(event.c.sequence.desc(), event.c.record_time, event.c.partition, event.c.offset)
        .limit(1)
    )
    row = connection.execute(highest).first()
    if row is None:
        return None
    partition, offset, *others = row
    first = connection.execute(select(func.min(event.c.sequence)).where(*numbered)).scalar_one()
    return Received(first, NumberedRecord(Position(partition, offset), *others), _holes(connection, source))


def _holes(connection: Connection, source: Source) -> tuple[tuple[int, int], ...]:
    # Repeats carry a number twice; the window looks at the next row only, so they must go first.
    numbers = (
        select(event.c.sequence)
        .where(event.c.source == str(source), event.c.sequence.is_not(None))
        .distinct()
        .subquery()
    )
    following = func.lead(numbers.c.sequence).over(order_by=numbers.c.sequence)
    steps = select(numbers.c.sequence.label("here"), following.label("there")).subquery()
    query = (
        select(steps.c.here + 1, steps.c.there - 1)
        .where(steps.c.there > steps.c.here + 1)
        .order_by(steps.c.here)
        .limit(HOLES_MAX + 1)
    )
    return tuple((int(first), int(last)) for first, last in connection.execute(query))

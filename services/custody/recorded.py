"""Recorded facts as the core reads them: rows of the read model beside the bytes that they were made from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from schemas.errors import Undecodable
from schemas.positions import Position, Positions
from schemas.readmodel import event, record
from services.custody.core import projection
from services.custody.core.facts import Fact, Parked, fact_of

Found = tuple[Mapping[str, list[Fact]], Mapping[str, list[Parked]]]
"""Facts and parked records by subject."""

RECORDED: Select[Any] = (
    select(
        event.c.subject,
        event.c.partition,
        event.c.offset,
        event.c.record_time,
        event.c.standing,
        event.c.reason,
        record.c.value,
    )
    .join(record, (record.c.partition == event.c.partition) & (record.c.offset == event.c.offset))
    .where(event.c.standing != projection.REPEAT)
)
"""Every record that says something: repeats tell nothing new."""


def load_facts(connection: Connection, subjects: Sequence[str], positions: Positions | None = None) -> Found:
    """Everything about these subjects, in order of recording, up to the positions where given."""
    if not subjects:
        return {}, {}
    query = RECORDED.where(event.c.subject.in_(subjects)).order_by(
        event.c.record_time, event.c.partition, event.c.offset
    )
    return read(connection.execute(query), positions)


def read(rows: Iterable[Any], positions: Positions | None) -> Found:
    """Decode rows of `RECORDED`."""
    facts: dict[str, list[Fact]] = defaultdict(list)
    parked: dict[str, list[Parked]] = defaultdict(list)
    for subject, partition, offset, record_time, standing, reason, value in rows:
        place = Position(partition, offset)
        if positions is not None and not positions.covers(place):
            continue
        if standing == projection.PARKED:
            parked[subject].append(Parked(place, record_time, reason))
            continue
        try:
            facts[subject].append(fact_of(place, record_time, value))
        except Undecodable as undecodable:
            # Projected by a version that could read it. It stands as what nobody can read until a replay parks it.
            parked[subject].append(Parked(place, record_time, str(undecodable)))
    return facts, parked

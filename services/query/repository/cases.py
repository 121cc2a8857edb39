"""Reads of the worklist: cases by when they were opened or last changed, and what changed since a position."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER

from schemas.positions import Positions
from schemas.readmodel import INSTANT, event, parcel_case, verdict_version
from services.query.questions import CaseFilter, CaseKey, ChangedKey

# A row with neither a verdict nor an incident is the refresher's note, not a clerk's work.
_FOR_CLERKS = or_(parcel_case.c.outcome.is_not(None), func.cardinality(parcel_case.c.incidents) > 0)


@dataclass(frozen=True, slots=True)
class StoredCase:
    """One row of the worklist."""

    subject: str
    journey: int
    opened: datetime
    changed: datetime
    kinds: Sequence[str]
    incidents: Sequence[str]
    inside: int
    parties: Sequence[str]
    verdicts: Sequence[dict[str, Any]]
    positions: str

    @property
    def key(self) -> CaseKey:
        """Its place in the list by when cases were opened."""
        return CaseKey(self.opened, self.subject, self.journey)


_COLUMNS = tuple(parcel_case.c[name] for name in StoredCase.__dataclass_fields__)
_ID = (parcel_case.c.subject, parcel_case.c.journey)


def opened(connection: Connection, wanted: CaseFilter, after: CaseKey | None, limit: int) -> list[StoredCase]:
    """The worklist, last opened first. The key of a case never moves, so a walk meets each one once."""
    query = _filtered(select(*_COLUMNS), wanted)
    if after is not None:
        query = query.where(_after(parcel_case.c.opened, after.opened, after.subject, after.journey))
    query = query.order_by(parcel_case.c.opened.desc(), *_ID).limit(limit)
    return [StoredCase(*row) for row in connection.execute(query)]


def changed(
    connection: Connection, wanted: CaseFilter, as_of: datetime, after: ChangedKey | None, limit: int
) -> list[tuple[StoredCase, ChangedKey]]:
    """The worklist, last changed first, in the order as of `as_of`: a case that changes meanwhile keeps its place.

    Where a case stood then follows from the history of its answers, which later records do not rewrite. What a row
    tells beside its place is what stands now.
    """
    then = select(func.max(verdict_version.c.record_time)).where(
        verdict_version.c.subject == parcel_case.c.subject,
        verdict_version.c.journey == parcel_case.c.journey,
        verdict_version.c.record_time <= as_of,
    )
    place = case(
        (parcel_case.c.changed <= as_of, parcel_case.c.changed),
        else_=func.coalesce(then.scalar_subquery(), parcel_case.c.opened),
    )
    query = _filtered(select(*_COLUMNS, place.label("place")), wanted).where(parcel_case.c.opened <= as_of)
    if after is not None:
        query = query.where(_after(place, after.changed, after.subject, after.journey))
    rows = connection.execute(query.order_by(place.desc(), *_ID).limit(limit))
    found = []
    for *row, at in rows:
        stored = StoredCase(*row)
        found.append((stored, ChangedKey(as_of, at, stored.subject, stored.journey)))
    return found


def first_beyond(connection: Connection, vector: Positions, projected: Positions) -> datetime | None:
    """The earliest record time of what is projected beyond a vector; None: nothing is.

    Record times never go back within a partition, so whatever changed because of it changed at that time or later.
    """
    next_ones = [
        (partition, vector.get(partition, 0)) for partition, end in projected.items() if vector.get(partition, 0) < end
    ]
    if not next_ones:
        return None
    earliest = select(func.min(event.c.record_time)).where(tuple_(event.c.partition, event.c.offset).in_(next_ones))
    found: datetime | None = connection.execute(earliest).scalar_one()
    return found


def changed_from(
    connection: Connection, since: datetime, after: tuple[datetime, str, int] | None, limit: int
) -> list[StoredCase]:
    """Cases that changed at this record time or later, first changed first."""
    query = select(*_COLUMNS).where(_FOR_CLERKS, parcel_case.c.changed >= since)
    if after is not None:
        query = query.where(tuple_(parcel_case.c.changed, *_ID) > tuple_(*after))
    query = query.order_by(parcel_case.c.changed, *_ID).limit(limit)
    return [StoredCase(*row) for row in connection.execute(query)]


def more_than(connection: Connection, since: datetime, count: int) -> bool:
    """Whether more cases than `count` changed at this record time or later."""
    query = select(_ID[0]).where(_FOR_CLERKS, parcel_case.c.changed >= since).offset(count).limit(1)
    return connection.execute(query).first() is not None


def _filtered(query: Select[Any], wanted: CaseFilter) -> Select[Any]:
    query = query.where(_FOR_CLERKS)
    if wanted.kind is not None:
        query = query.where(_holds(parcel_case.c.kinds, wanted.kind.value))
    if wanted.outcome is not None:
        query = query.where(parcel_case.c.outcome == wanted.outcome.value)
    if wanted.confidence is not None:
        query = query.where(parcel_case.c.confidence == wanted.confidence.value)
    if wanted.party is not None:
        query = query.where(_holds(parcel_case.c.parties, wanted.party))
    if wanted.incident is not None:
        query = query.where(_holds(parcel_case.c.incidents, wanted.incident))
    return query


def _after(column: ColumnElement[Any], at: datetime, subject: str, journey: int) -> ColumnElement[bool]:
    """What comes after a place in a list whose instant falls and whose subject and journey rise."""
    instant = literal(at, INSTANT)
    place = tuple_(*_ID) > tuple_(literal(subject, Text), literal(journey, INTEGER))
    return or_(column < instant, and_(column == instant, place))


def _holds(column: Column[Any], word: str) -> ColumnElement[bool]:
    """Whether an array column holds the word, said so that a GIN index can answer."""
    return type_coerce(column, ARRAY(Text)).contains([word])

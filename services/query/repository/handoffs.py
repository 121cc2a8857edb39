"""Reads of one party's handoffs over some days, for its control record (R23)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select

from schemas.errors import Undecodable
from schemas.events import HandoffAccepted, HandoffReleased
from schemas.positions import AsOf, Position
from schemas.readmodel import event, event_identity, record
from services.custody.core.facts import fact_of
from services.custody.core.projection import EVENT
from services.custody.core.rules.control_record import Act, Entry, Kind, act_of
from services.query.repository.numbers import known

ACTS_MAX = 2000
"""Acts that are counted, the latest first: a big hub has more in a day, and its share of two thousand says as much."""

_HANDOFFS = {HandoffAccepted.TYPE: Kind.ACCEPT, HandoffReleased.TYPE: Kind.RELEASE}
# The index holds exactly these, and is used where they are spelt as it has them.
_IS_HANDOFF = event.c.type.in_([HandoffAccepted.TYPE, HandoffReleased.TYPE])
_IS_LOOK = event.c.type.startswith("custody.condition_observed.v", autoescape=True)


@dataclass(frozen=True, slots=True)
class Handoffs:
    """What was found of a party."""

    acts: Sequence[Act]
    cut: bool
    """There are more than `ACTS_MAX`."""
    around: Sequence[Entry]
    """Everything recorded about the same items, by anybody."""


def of_party(connection: Connection, party: str, since: datetime, as_of: AsOf, late_after: timedelta) -> Handoffs:
    """Its own acts that happened after `since` and up to the moment, as known at that moment."""
    rows = connection.execute(own(party, since, as_of)).all()
    acts = [act for row in rows[:ACTS_MAX] if (act := _act(row, late_after)) is not None]
    return Handoffs(acts, len(rows) > ACTS_MAX, _around(connection, {act.subject for act in acts}, as_of))


def own(party: str, since: datetime, as_of: AsOf) -> Select[Any]:
    """The records of its acts, the latest first; one more than are counted."""
    counts = (event_identity.c.partition == event.c.partition) & (event_identity.c.offset == event.c.offset)
    return (
        select(event.c.partition, event.c.offset, event.c.record_time, record.c.value)
        .join(record, (record.c.partition == event.c.partition) & (record.c.offset == event.c.offset))
        # Of two contents under one identity only one is the event.
        .join(event_identity, (event_identity.c.identity == event.c.identity) & counts)
        .where(event.c.party == party, _IS_HANDOFF, event.c.event_time > since, *_told_by(as_of))
        .order_by(event.c.event_time.desc(), event.c.partition, event.c.offset)
        .limit(ACTS_MAX + 1)
    )


def has_acted(connection: Connection, party: str) -> bool:
    """Whether any handoff was ever recorded in a party's name."""
    query = select(event.c.subject).where(event.c.party == party, _IS_HANDOFF).limit(1)
    return connection.execute(query).first() is not None


def _act(row: Any, late_after: timedelta) -> Act | None:
    try:
        return act_of(fact_of(Position(row.partition, row.offset), row.record_time, row.value), late_after)
    except Undecodable:
        # Projected by a version that could read it.
        return None


def _around(connection: Connection, subjects: set[str], as_of: AsOf) -> list[Entry]:
    if not subjects:
        return []
    query = select(event.c.subject, event.c.type, event.c.party, event.c.event_time).where(
        event.c.subject.in_(sorted(subjects)), or_(_IS_HANDOFF, _IS_LOOK), *_told_by(as_of)
    )
    return [
        Entry(subject, _HANDOFFS.get(type_, Kind.LOOK), party, event_time)
        for subject, type_, party, event_time in connection.execute(query)
    ]


def _told_by(as_of: AsOf) -> tuple[ColumnElement[bool], ...]:
    """What is an event that happened, and was known, by then."""
    return (event.c.standing == EVENT, event.c.event_time <= as_of.time, known(event, as_of))

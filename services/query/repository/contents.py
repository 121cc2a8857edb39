"""Reads of what was put into a unit: who, page by page, and how many were inside at an instant."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from schemas.positions import AsOf
from schemas.readmodel import mention
from services.custody.core.concerns import Naming
from services.custody.core.containment import DEPTH_MAX, LONGEST_STAY
from services.custody.core.instants import earlier
from services.query.repository.numbers import known

_MOVES = (Naming.PACKED.value, Naming.UNPACKED.value)


def packed(connection: Connection, unit: str, as_of: AsOf, after: str | None, limit: int) -> list[str]:
    """The items that were ever packed into the unit, in the order of their codes."""
    query = select(mention.c.subject).where(_packed(unit, as_of)).distinct()
    if after is not None:
        query = query.where(mention.c.subject > after)
    return list(connection.execute(query.order_by(mention.c.subject).limit(limit)).scalars())


def count(connection: Connection, unit: str, as_of: AsOf) -> int:
    """How many items were ever packed into the unit."""
    query = select(func.count(mention.c.subject.distinct())).where(_packed(unit, as_of))
    return connection.execute(query).scalar_one()


def inside_at(connection: Connection, unit: str, as_of: AsOf, t: datetime) -> int:
    """How many items were inside at an instant by what was recorded, those in units inside the unit too.

    The refresher counts the same way for a case (services/custody/inside.py), as of now.
    """
    found: set[str] = set()
    level = {unit}
    for _ in range(DEPTH_MAX):
        level = _inside(connection, level, as_of, t) - found - {unit}
        if not level:
            break
        found |= level
    return len(found) - _units_among(connection, found)


def _inside(connection: Connection, units: Collection[str], as_of: AsOf, t: datetime) -> set[str]:
    """What was last recorded as put into one of the units, and not so long ago that the stay had ended by itself."""
    move = mention.c
    last_moves = (
        select(move.subject, move.role)
        .where(
            move.other == func.any(sorted(units)),
            move.role.in_(_MOVES),
            move.event_time <= t,
            move.event_time > earlier(t, LONGEST_STAY),
            known(mention, as_of),
        )
        .ext(distinct_on(move.other, move.subject))
        .order_by(
            move.other,
            move.subject,
            move.event_time.desc(),
            move.role.desc(),
            move.record_time.desc(),
            move.offset.desc(),
        )
        .subquery()
    )
    query = select(last_moves.c.subject).where(last_moves.c.role == Naming.PACKED.value)
    return set(connection.execute(query).scalars())


def _units_among(connection: Connection, items: Collection[str]) -> int:
    """How many of these are units themselves: something was packed into them."""
    query = select(func.count(mention.c.other.distinct())).where(
        mention.c.other == func.any(sorted(items)), mention.c.role == Naming.PACKED.value
    )
    return connection.execute(query).scalar_one() if items else 0


def _packed(unit: str, as_of: AsOf) -> ColumnElement[bool]:
    return and_(mention.c.other == unit, mention.c.role == Naming.PACKED.value, known(mention, as_of))

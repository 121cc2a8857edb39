"""Reads of devices' numbers around a parcel's own: what came in as of a moment."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Table, and_, false, func, or_, select, union_all

from schemas.positions import AsOf
from schemas.readmodel import event
from services.custody.core.sequences import Hole, Numbered, Window, holes


def near(connection: Connection, windows: Sequence[Window], as_of: AsOf) -> tuple[Hole, ...]:
    """The holes in these windows, as of a moment."""
    return tuple(hole for window in windows for hole in holes(window, _came_in(connection, window, as_of)))


def known(table: Table, as_of: AsOf) -> ColumnElement[bool]:
    """Whether a record is part of an answer as of a moment; `AsOf.knows` in the database's words."""
    in_time = table.c.record_time <= as_of.time
    if as_of.positions is None:
        return in_time
    covered = [
        and_(table.c.partition == partition, table.c.offset < offset) for partition, offset in as_of.positions.items()
    ]
    return and_(in_time, or_(false(), *covered))


def _came_in(connection: Connection, window: Window, as_of: AsOf) -> list[Numbered]:
    """The numbers in a window, and the nearest before and after it."""
    number = event.c.sequence
    # A record that cannot be read came in all the same.
    when = func.coalesce(event.c.event_time, event.c.record_time)
    query = select(number, when).where(event.c.source == window.source, number.is_not(None), known(event, as_of))
    parts = (
        query.where(number < window.first).order_by(number.desc()).limit(1),
        query.where(number.between(window.first, window.last)),
        query.where(number > window.last).order_by(number).limit(1),
    )
    return [Numbered(*row) for row in connection.execute(union_all(*(part.subquery().select() for part in parts)))]

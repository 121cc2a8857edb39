"""Dead letters: records that this build cannot read. They keep their place, and are read again once a build can.

Nothing waits behind one: its neighbours are projected, and answers about its parcel say EVIDENCE_INCOMPLETE. So
reading it later changes no order: it counts where it was recorded.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, and_, func, insert, select, update

from schemas.errors import LastintactError
from schemas.positions import Position
from schemas.readmodel import event, log, operation, record
from services.custody.core import projection
from services.custody.core.projection import PARKED
from services.custody.store import copy_mentions, mark_touched, table_of, transaction
from services.log.port import LogRecord

DISCARDED = "dead_letter_discarded"


class NoDeadLetter(LastintactError):
    """There is no dead letter at that place."""

    def __init__(self, place: Position) -> None:
        super().__init__(f"There is no dead letter at {place}; `lastintact dlq list` names those that there are.")


class DeadLetter(NamedTuple):
    """One of them, as stored."""

    place: Position
    record_time: datetime
    """When it was recorded; never earlier than the record before it."""
    subject: str
    reason: str
    """Why it could not be read."""
    type: str | None
    source: str | None
    event_id: str | None
    """These three where at least the envelope could be read."""
    discarded: str | None
    """Why somebody set it aside for good; None: it still waits."""


class Reread(NamedTuple):
    """What this build makes of a dead letter."""

    letter: DeadLetter
    still: str | None
    """Why it stays one; None: it can be read now."""


_DISCARD = and_(
    operation.c.what == DISCARDED, operation.c.partition == event.c.partition, operation.c.offset == event.c.offset
)
_LETTERS: Select[Any] = (
    select(
        event.c.partition,
        event.c.offset,
        event.c.record_time,
        event.c.subject,
        event.c.reason,
        event.c.type,
        event.c.source,
        event.c.event_id,
        operation.c.reason.label("discarded"),
    )
    .outerjoin(operation, _DISCARD)
    .where(event.c.standing == PARKED)
    .order_by(event.c.record_time, event.c.partition, event.c.offset)
)


def waiting(connection: Connection) -> int:
    """How many there are, without those that were discarded."""
    letters = _LETTERS.where(operation.c.operation_id.is_(None)).order_by(None).subquery()
    return connection.execute(select(func.count()).select_from(letters)).scalar_one()


def listed(
    connection: Connection, *, subject: str | None = None, discarded: bool = False, limit: int | None = None
) -> list[DeadLetter]:
    """The oldest first; those discarded instead, if asked for."""
    query = _LETTERS.where(operation.c.operation_id.is_not(None) if discarded else operation.c.operation_id.is_(None))
    if subject is not None:
        query = query.where(event.c.subject == subject)
    return [_letter(row) for row in connection.execute(query.limit(limit))]


def found(connection: Connection, place: Position) -> tuple[DeadLetter, LogRecord]:
    """One of them with its bytes. Raises `NoDeadLetter`."""
    query = _LETTERS.where(event.c.partition == place.partition, event.c.offset == place.offset)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NoDeadLetter(place)
    bytes_ = connection.execute(
        select(record.c.key, record.c.value).where(
            record.c.partition == place.partition, record.c.offset == place.offset
        )
    ).one()
    return _letter(row), LogRecord(place.partition, place.offset, bytes_.key, bytes_.value)


def reread(connection: Connection, letters: Iterable[DeadLetter]) -> list[Reread]:
    """What this build makes of each, without changing anything."""
    return [_reread(*found(connection, letter.place)) for letter in letters]


def replay(engine: Engine, letters: Sequence[DeadLetter]) -> list[Reread]:
    """Project those that can be read now, in the order of recording, each in a transaction of its own.

    One that is done already, by whoever was quicker, is not done twice. Raises `Unavailable`; then those before it
    are done.
    """
    done = []
    for letter in sorted(letters, key=lambda each: (each.record_time, each.place)):
        with transaction(engine) as connection:
            done.append(_replay(connection, letter))
    return done


def discard(engine: Engine, letters: Iterable[DeadLetter], *, reason: str, by: str) -> None:
    """Note for good that these will not be read, and why. The records stay, and so does what answers say of them."""
    rows = [
        {
            "what": DISCARDED,
            "partition": letter.place.partition,
            "offset": letter.place.offset,
            "reason": reason,
            "done_by": by,
        }
        for letter in letters
    ]
    with transaction(engine) as connection:
        connection.execute(insert(operation), rows)


def _replay(connection: Connection, letter: DeadLetter) -> Reread:
    at = and_(event.c.partition == letter.place.partition, event.c.offset == letter.place.offset)
    standing = connection.execute(select(event.c.standing).where(at).with_for_update()).scalar_one()
    if standing != PARKED:
        return Reread(letter, None)
    letter, stored = found(connection, letter.place)
    read = _reread(letter, stored)
    if read.still is not None:
        return read
    log_id = connection.execute(select(log.c.log_id)).scalar_one()
    batch = projection.settle([projection.read(stored)], log_id, letter.record_time)
    (row,) = batch.rows
    changed = {"standing": row.standing, "reason": None, "event_time": row.event_time, "party": row.party}
    connection.execute(update(event).where(at).values(changed))
    mentions = batch.mentions()
    if mentions:
        copy_mentions(connection, table_of(connection, "mention"), mentions)
    mark_touched(connection, batch, frozenset((row.subject,)), {named.other for named in mentions})
    return read


def _reread(letter: DeadLetter, stored: LogRecord) -> Reread:
    reading = projection.read(stored)
    if reading.reason is not None:
        return Reread(letter, reading.reason)
    if letter.event_id is None:
        # Its time and its identity were unknown: records after it were placed without it.
        return Reread(letter, "readable now, but only as a whole: run `lastintact replay`")
    return Reread(letter, None)


def _letter(row: Row[Any]) -> DeadLetter:
    at = Position(row.partition, row.offset)
    return DeadLetter(at, row.record_time, row.subject, row.reason, row.type, row.source, row.event_id, row.discarded)

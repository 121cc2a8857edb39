"""Reads of records as they were recorded: by id, by subject, with who else claims their identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, tuple_

from schemas.positions import Position
from schemas.readmodel import event, event_identity, identity_clash, record
from services.query.questions import EventKey


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the read model beside the bytes it was made from."""

    position: Position
    record_time: datetime
    leaf: bytes
    subject: str
    standing: str
    reason: str | None
    identity: bytes | None
    content_hash: bytes | None
    value: bytes
    holder: Position | None
    """Where the record lies that counts for this identity."""
    rivals: tuple["Content", ...]
    """Every content recorded under this identity, where there is more than one."""


@dataclass(frozen=True, slots=True)
class Content:
    """One of several contents under an identity: where it was recorded first."""

    content_hash: bytes
    position: Position
    record_time: datetime
    subject: str


def with_id(connection: Connection, event_id: str, after: EventKey | None, limit: int) -> list[StoredEvent]:
    """Events of every source that gave them this id, by position."""
    wanted = event.c.event_id == event_id
    if after is not None:
        wanted = and_(wanted, tuple_(event.c.partition, event.c.offset) > tuple_(*after))
    return _events(connection, wanted, (event.c.partition, event.c.offset), limit)


def about(
    connection: Connection, subject: str, since: datetime | None, after: EventKey | None, limit: int
) -> list[StoredEvent]:
    """Records about a subject in the order of recording. They share a partition, so the order never changes."""
    wanted = event.c.subject == subject
    if since is not None:
        wanted = and_(wanted, event.c.record_time >= since)
    if after is not None:
        wanted = and_(wanted, tuple_(event.c.partition, event.c.offset) > tuple_(*after))
    return _events(connection, wanted, (event.c.record_time, event.c.partition, event.c.offset), limit)


def _events(connection: Connection, wanted: Any, order: Sequence[Any], limit: int) -> list[StoredEvent]:
    rows = connection.execute(
        select(
            event.c.partition,
            event.c.offset,
            event.c.record_time,
            event.c.leaf,
            event.c.subject,
            event.c.standing,
            event.c.reason,
            event.c.identity,
            event.c.content_hash,
            record.c.value,
        )
        .join(record, and_(record.c.partition == event.c.partition, record.c.offset == event.c.offset))
        .where(wanted)
        .order_by(*order)
        .limit(limit)
    ).all()
    identities = sorted({row.identity for row in rows if row.identity is not None})
    if not identities:
        return [_stored(row, None, ()) for row in rows]
    holders = {
        row.identity: Position(row.partition, row.offset)
        for row in connection.execute(
            select(event_identity.c.identity, event_identity.c.partition, event_identity.c.offset).where(
                event_identity.c.identity.in_(identities)
            )
        )
    }
    contents: dict[bytes, list[Content]] = {}
    clashes = connection.execute(
        select(identity_clash)
        .where(identity_clash.c.identity.in_(identities))
        .order_by(identity_clash.c.record_time, identity_clash.c.partition, identity_clash.c.offset)
    )
    for row in clashes:
        contents.setdefault(row.identity, []).append(
            Content(row.content_hash, Position(row.partition, row.offset), row.record_time, row.subject)
        )
    return [_stored(row, holders.get(row.identity), tuple(contents.get(row.identity, ()))) for row in rows]


def _stored(row: Any, holder: Position | None, rivals: tuple[Content, ...]) -> StoredEvent:
    return StoredEvent(
        position=Position(row.partition, row.offset),
        record_time=row.record_time,
        leaf=row.leaf,
        subject=row.subject,
        standing=row.standing,
        reason=row.reason,
        identity=row.identity,
        content_hash=row.content_hash,
        value=row.value,
        holder=holder,
        rivals=rivals,
    )

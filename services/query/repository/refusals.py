"""Reads of what the write door refused. A scanner's key sees its own depot: the query itself leaves the others out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from schemas.readmodel import refusal
from services.edge.callers import Caller, Role


@dataclass(frozen=True, slots=True)
class StoredRefusal:
    """One refused request or event, but for its bytes."""

    refusal_id: int
    refused: datetime
    key_id: str
    depot: str | None
    reasons: Sequence[dict[str, Any]]
    size: int


def listed(connection: Connection, caller: Caller, after: int | None, limit: int) -> list[StoredRefusal]:
    """What this caller may see, the latest first."""
    columns = (refusal.c.refusal_id, refusal.c.refused, refusal.c.key_id, refusal.c.depot, refusal.c.reasons)
    query = _seen_by(select(*columns, func.length(refusal.c.body)), caller)
    if after is not None:
        query = query.where(refusal.c.refusal_id < after)
    query = query.order_by(refusal.c.refusal_id.desc()).limit(limit)
    return [StoredRefusal(*row) for row in connection.execute(query)]


def body(connection: Connection, caller: Caller, refusal_id: int) -> bytes | None:
    """The refused bytes; None: there are none that this caller may see."""
    query = _seen_by(select(refusal.c.body), caller).where(refusal.c.refusal_id == refusal_id)
    found: bytes | None = connection.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def _seen_by(query: Select[Any], caller: Caller) -> Select[Any]:
    return query.where(refusal.c.depot == caller.depot) if caller.role is Role.SCANNER else query

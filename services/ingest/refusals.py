"""What was refused from known keys, kept 30 days with the reasons: nothing a depot sent is gone without a trace."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine, delete, insert

from schemas.errors import Reason
from schemas.readmodel import refusal
from services.edge.callers import Caller
from services.edge.database import unavailable_when_lost

KEEP = timedelta(days=30)


class Refused(NamedTuple):
    """Bytes that were not recorded, and why."""

    body: bytes
    reasons: tuple[Reason, ...]


def keep(engine: Engine, caller: Caller, refused: Sequence[Refused], at: datetime, *, bytes_max: int) -> None:
    """Store refused bytes, each cut at `bytes_max`. Raises `Unavailable`: then the request must be sent again."""
    if not refused:
        return
    rows = [
        {
            "refused": at,
            "key_id": caller.key_id,
            "depot": caller.depot,
            "reasons": msgspec.to_builtins(reasons),
            "body": body[:bytes_max],
        }
        for body, reasons in refused
    ]
    with unavailable_when_lost("keeping refused bytes"), engine.begin() as connection:
        connection.execute(insert(refusal), rows)


def purge(engine: Engine, now: datetime) -> int:
    """Delete what is older than 30 days; how many that were. Raises `Unavailable`."""
    with unavailable_when_lost("deleting old refusals"), engine.begin() as connection:
        return connection.execute(delete(refusal).where(refusal.c.refused < now - KEEP)).rowcount

"""What the write door reads and keeps in the database beside the log: known identities, and what it refused."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, Select, Table, bindparam, delete, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from schemas.errors import Reason
from schemas.positions import Position
from schemas.readmodel import event_identity, identity_clash, refusal
from services.edge.callers import Caller
from services.edge.database import Engine, unavailable_when_lost

KEEP = timedelta(days=30)


class Content(NamedTuple):
    """One content that is known under an identity, and where it was recorded first."""

    identity: bytes
    content_hash: bytes
    position: Position


def _contents_of(table: Table) -> Select[Any]:
    wanted = func.any(bindparam("identities", type_=ARRAY(LargeBinary)))
    columns = (table.c.identity, table.c.content_hash, table.c.partition, table.c.offset)
    return select(*columns).where(table.c.identity == wanted)


_HOLDERS = _contents_of(event_identity)
_RIVALS = _contents_of(identity_clash)


def known_contents(engine: Engine, identities: Collection[bytes]) -> list[Content]:
    """The contents projected under these identities; holders may come twice. Raises `Unavailable`.

    The projector may be behind: it has the last word on repeats and conflicts, not we.
    """
    found: list[Content] = []
    with unavailable_when_lost("looking up identities"), engine.connect() as pooled:
        # One statement is its own transaction: two round trips less per request.
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        for query in (_HOLDERS, _RIVALS):
            for identity, content_hash, partition, offset in connection.execute(
                query, {"identities": sorted(identities)}
            ):
                found.append(Content(bytes(identity), bytes(content_hash), Position(partition, offset)))
            # Only what has a holder can have rivals; nearly every request ends here.
            identities = {content.identity for content in found}
            if not identities:
                break
    return found


class Refused(NamedTuple):
    """Bytes that were not recorded, and why."""

    body: bytes
    reasons: tuple[Reason, ...]


def keep_refused(engine: Engine, caller: Caller, refused: Sequence[Refused], at: datetime, *, bytes_max: int) -> None:
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
        # Whoever adds takes away what is over its time, so that no timetable is needed.
        connection.execute(delete(refusal).where(refusal.c.refused < at - KEEP))


def purge_refused(engine: Engine, now: datetime) -> int:
    """Delete what is older than 30 days; how many that were. Raises `Unavailable`."""
    with unavailable_when_lost("deleting old refusals"), engine.begin() as connection:
        return connection.execute(delete(refusal).where(refusal.c.refused < now - KEEP)).rowcount

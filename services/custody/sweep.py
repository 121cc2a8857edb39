"""Checks signatures in the background, so that answers find the result ready: a cache of a pure question.

A check costs a Python core about 80 microseconds, too much for the write door and for the projector. An answer that
comes before the sweep makes its checks itself (services/custody/evidence.py), and keys enrolled later are left to it.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Engine, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from schemas import codec
from schemas.errors import Unavailable, Undecodable
from schemas.positions import Position
from schemas.readmodel import PROJECTED, event, position, record, signature_check, sweep_position
from services.custody.core import concerns, projection
from services.custody.core.signatures import valid
from services.custody.evidence import Checks
from services.custody.recorded import load_facts
from services.custody.store import transaction
from services.edge.listening import Listener

_LIMIT = 500
_IDLE_SECONDS = 5.0
_BACK_OFF_SECONDS = 2.0


class Sweep:
    """Goes over the events once, partition by partition. Two at once do each other's work twice, and no harm."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def step(self, limit: int = _LIMIT) -> int:
        """Check up to `limit` records of one partition that is behind; how many, so 0 when all is swept.

        Raises `Unavailable`; then nothing was written.
        """
        with transaction(self._engine) as connection:
            behind = connection.execute(
                select(sweep_position.c.partition)
                .join(position, position.c.partition == sweep_position.c.partition)
                .where(sweep_position.c.next_offset < position.c.next_offset)
                .order_by(sweep_position.c.next_offset)
                .limit(1)
            ).scalar_one_or_none()
            return 0 if behind is None else _sweep(connection, behind, limit)


def run(engine: Engine, stop: threading.Event) -> None:
    """Sweep until told to stop. Waits out a database that is away."""
    sweep = Sweep(engine)
    with Listener(engine, PROJECTED) as listener:
        while not stop.is_set():
            try:
                worked = sweep.step()
            except Unavailable:
                stop.wait(_BACK_OFF_SECONDS)
                continue
            if not worked:
                listener.wait(_IDLE_SECONDS, stop)


def keep(connection: Connection, checks: Checks) -> None:
    """Write down checks that were made; one that is known already is idle."""
    if not checks:
        return
    # In one order for everybody, so that refresher and sweep cannot wait for each other.
    columns = zip(*((*place, key, answer) for (place, key), answer in sorted(checks.items())), strict=True)
    given = (
        func.unnest(
            *(
                bindparam(None, list(values), ARRAY(column.type))
                for values, column in zip(columns, signature_check.c, strict=True)
            )
        )
        .table_valued(*signature_check.c.keys(), name="given")
        .render_derived()
    )
    connection.execute(
        upsert(signature_check).from_select(signature_check.c.keys(), select(given)).on_conflict_do_nothing()
    )


def _sweep(connection: Connection, partition: int, limit: int) -> int:
    # Locked, so that the position that is moved below is the one that was worked from.
    start, end = connection.execute(
        select(sweep_position.c.next_offset, position.c.next_offset)
        .join(position, position.c.partition == sweep_position.c.partition)
        .where(sweep_position.c.partition == partition)
        .with_for_update(of=sweep_position)
    ).one()
    stop = min(end, start + limit)
    query = (
        select(record.c.offset, record.c.value)
        .join(event, (event.c.partition == record.c.partition) & (event.c.offset == record.c.offset))
        .where(
            record.c.partition == partition,
            record.c.offset >= start,
            record.c.offset < stop,
            event.c.standing == projection.EVENT,
        )
    )
    envelopes = dict(_readable(connection.execute(query)))
    signed = {offset: envelope for offset, envelope in envelopes.items() if envelope.signature is not None}
    done = select(signature_check.c.offset, signature_check.c.public_key).where(
        signature_check.c.partition == partition,
        signature_check.c.offset >= start,
        signature_check.c.offset < stop,
    )
    known = {tuple(row) for row in connection.execute(done)}
    keep(
        connection,
        {
            (Position(partition, offset), key): valid(envelope, key)
            for offset, envelope, key in _questions(connection, signed)
            if (offset, key) not in known
        },
    )
    connection.execute(
        update(sweep_position)
        .where(sweep_position.c.partition == partition)
        .values(next_offset=func.greatest(start, stop))
    )
    return max(0, int(stop) - int(start))


def _readable(rows: Iterable[Any]) -> Iterator[tuple[int, codec.Envelope]]:
    """By offset, the envelopes that this version can read: an earlier one may have projected more."""
    for offset, value in rows:
        with contextlib.suppress(Undecodable):
            yield offset, codec.decode_record(value)


def _questions(
    connection: Connection, signed: Mapping[int, codec.Envelope]
) -> Sequence[tuple[int, codec.Envelope, str]]:
    """Which signature to check under which key: every one that the device has enrolled under the key id."""
    devices = {offset: concerns.device_subject(envelope.source) for offset, envelope in signed.items()}
    registered, _ = load_facts(connection, sorted({device for device in devices.values() if device}))
    enrolled = concerns.enrolled_keys(fact for found in registered.values() for fact in found)
    return [
        (offset, envelope, key)
        for offset, envelope in signed.items()
        for key in sorted(enrolled.get((devices[offset], envelope.keyid), ()))
    ]

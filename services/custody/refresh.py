"""Attributes: recomputes the cases of subjects that the projector marked, after its commit, and clears the marks.

Why nothing is lost (design 4.6: whoever commits last refreshes last). The projector marks a subject that has a case or
a mark, judged in one statement. The refresher

1. sees marks, then waits once for every projecting transaction that is under way (`_barrier`): those which began too
   early to see one of these marks have committed, so their events are visible from here on; later ones see the mark,
   or the case that replaces it, and add a mark of their own;
2. takes the subjects' locks, and only then reads positions and evidence, in statements that are fresh each (READ
   COMMITTED): so of two refreshers the second sees what the first wrote and read no less than it;
3. writes the cases and removes the marks of step 1 in one transaction. A mark added since then stays.
"""

import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Engine,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    union,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from schemas.errors import Unavailable
from schemas.identifiers import Source
from schemas.readmodel import event, parcel_case, position, stale, verdict_version, watch
from services.custody.core import concerns
from services.custody.core.casework import Casework, casework
from services.custody.evidence import Checks, load_many, read_positions
from services.custody.listening import Listener
from services.custody.store import PROJECTED, schema_of, transaction
from services.custody.sweep import keep

CHUNK = 200
"""Subjects per transaction: their locks are held for as long as it takes to compute all of them."""

_CHUNK_SECONDS = 5.0
"""Computing ends after this long, with what is done by then: the others keep their marks and come next."""
COMPUTING_SECONDS = 900.0
"""How long one subject may take at most, far beyond any history seen: with the bound of other transactions a parcel
with thousands of events would lose its session every time, and everybody behind it would wait for ever."""

_SUBJECT_LOCKS = 0x1A57_0001
"""Class of the advisory locks on subjects."""
_EXPANSION_LOCKS = 0x1A57_0002
"""Class of the lock that is shared while cases are written, and held alone while the cases that a registration bears
on are looked up. One per schema, as are the locks on subjects: replay works beside the live refresher."""

_IDLE_SECONDS = 1.0
_BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)


class Refresher:
    """Refreshes chunk by chunk. Several may work on one database at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def step(self, limit: int = CHUNK) -> int:
        """Work on up to `limit` marked subjects; the number of marks removed, so 0 when there is nothing to do.

        Raises `Unavailable`; then nothing was written, and the marks are still there.
        """
        with transaction(self._engine) as connection:
            seen = _marks(connection, limit)
        if not seen:
            return 0
        registries = {subject: marks for subject, marks in seen.items() if concerns.is_registry(subject)}
        parcels = {subject: marks for subject, marks in seen.items() if subject not in registries}
        removed = 0
        if registries:
            with transaction(self._engine) as connection:
                removed += _expand(connection, registries)
        if parcels:
            self._barrier()
            with transaction(self._engine, idle_seconds=COMPUTING_SECONDS) as connection:
                removed += refresh(connection, parcels)
        return removed

    def drain(self) -> int:
        """Step until no mark is left; the number removed. Ends only while the projector rests."""
        total = 0
        while removed := self.step():
            total += removed
        return total

    def _barrier(self) -> None:
        """Return when every projecting transaction that was under way has ended. Keeps none from beginning."""
        with transaction(self._engine) as connection:
            everything = set(connection.execute(select(position.c.partition)).scalars())
            resting = select(position.c.partition).with_for_update(key_share=True, read=True, skip_locked=True)
            busy = everything - set(connection.execute(resting).scalars())
        for partition in sorted(busy):
            # One at a time: holding one while waiting for the next would stop its projector.
            with transaction(self._engine) as connection:
                connection.execute(
                    select(position.c.partition)
                    .where(position.c.partition == partition)
                    .with_for_update(key_share=True, read=True)
                )


def run(engine: Engine, stop: threading.Event) -> None:
    """Refresh until told to stop; wakes up when something is projected. An error that is no `Unavailable` ends it."""
    refresher = Refresher(engine)
    failures = 0
    with Listener(engine, PROJECTED) as listener:
        while not stop.is_set():
            try:
                worked = refresher.step()
                failures = 0
            except Unavailable:
                stop.wait(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])
                failures += 1
                continue
            if not worked:
                listener.wait(_IDLE_SECONDS, stop)


def refresh(connection: Connection, seen: Mapping[str, Sequence[int]]) -> int:
    """Recompute the subjects' cases and remove the marks that were seen, inside the caller's transaction.

    At least one subject is dealt with, the one that has waited longest, and as many more as there is time for.
    """
    lock_subjects(connection, seen)
    pending = _still_there(connection, seen)
    subjects = sorted(pending, key=lambda subject: min(pending[subject]))
    if not subjects:
        return 0
    positions = read_positions(connection)
    made: Checks = {}
    bundles = load_many(connection, subjects, positions, made=made)
    works: dict[str, Casework] = {}
    deadline = time.monotonic() + _CHUNK_SECONDS
    for subject in subjects:
        works[subject] = casework(bundles[subject], positions)
        if time.monotonic() > deadline:
            break
    keep(connection, made)
    write(connection, works, str(positions))
    removed = [mark for subject in works for mark in pending[subject]]
    connection.execute(delete(stale).where(stale.c.mark == func.any(removed)))
    return len(removed)


def _marks(connection: Connection, limit: int) -> Mapping[str, list[int]]:
    """All marks of the subjects that have waited longest."""
    oldest = select(stale.c.subject).order_by(stale.c.mark).limit(limit).subquery()
    query = select(stale.c.subject, stale.c.mark).where(stale.c.subject.in_(select(oldest.c.subject)))
    return _by_subject(connection.execute(query))


def _still_there(connection: Connection, seen: Mapping[str, Sequence[int]]) -> Mapping[str, list[int]]:
    marks = [mark for seen_marks in seen.values() for mark in seen_marks]
    query = select(stale.c.subject, stale.c.mark).where(
        stale.c.mark == func.any(marks), stale.c.subject == func.any(list(seen))
    )
    return _by_subject(connection.execute(query))


def _by_subject(rows: Iterable[Any]) -> Mapping[str, list[int]]:
    marks: dict[str, list[int]] = defaultdict(list)
    for subject, mark in rows:
        marks[subject].append(mark)
    return marks


def lock_subjects(connection: Connection, subjects: Iterable[str]) -> None:
    """Be the only one who computes about these subjects until the transaction ends; read evidence only after it."""
    schema = schema_of(connection)
    connection.execute(select(func.pg_advisory_xact_lock_shared(_EXPANSION_LOCKS, _lock_key(schema))))
    # Locked in the order of the list: sorted, so that two refreshers cannot deadlock.
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:class, key) FROM unnest(CAST(:keys AS integer[])) AS key"),
        {"class": _SUBJECT_LOCKS, "keys": sorted({_lock_key(f"{schema} {subject}") for subject in subjects})},
    )


def _lock_key(name: str) -> int:
    """The key of an advisory lock, as Postgres' signed integer; two names may share one and then take turns."""
    return zlib.crc32(name.encode()) - 2**31


def _expand(connection: Connection, registries: Mapping[str, Sequence[int]]) -> int:
    """Hand marks on devices, parties and settings over to the subjects whose answers they bear on.

    No case may be on its way meanwhile: one that was computed before the registration could not be found yet.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_EXPANSION_LOCKS, _lock_key(schema_of(connection)))))
    connection.execute(insert(stale).from_select(["subject"], concerned_by(connection, registries)))
    removed = [mark for marks in registries.values() for mark in marks]
    return connection.execute(delete(stale).where(stale.c.mark == func.any(removed))).rowcount


def concerned_by(connection: Connection, registries: Iterable[str]) -> CompoundSelect[Any]:
    """The subjects whose cases may change with what is recorded about these devices, parties and settings."""
    registries = list(registries)
    devices = [subject.partition(":")[2] for subject in registries if subject.startswith("device:")]
    parties = [subject for subject in registries if subject.startswith("party:")]
    found = [
        select(parcel_case.c.subject).where(_share_some(parcel_case.c.devices, devices)),
        select(parcel_case.c.subject).where(_share_some(parcel_case.c.parties, _party_names(connection, parties))),
    ]
    if devices or parties:
        # What nobody answered for so far may be somebody's act now, and set a promise running.
        acting = (
            select(event.c.subject)
            .where(
                event.c.subject == watch.c.subject,
                or_(
                    func.upper(event.c.source).in_([_source(device).upper() for device in devices]),
                    func.upper(event.c.party).in_([subject.partition(":")[2] for subject in parties]),
                ),
            )
            .exists()
        )
        found.append(select(watch.c.subject).where(watch.c.deadline == concerns.AWAITED, acting))
    if concerns.POLICY in registries:
        # Settings may move a deadline of a parcel that has no case yet.
        found += (select(parcel_case.c.subject), select(watch.c.subject))
    return union(*found)


def _source(device: str) -> str:
    depot, _, name = device.partition(".")
    return str(Source(depot, name))


def _share_some(column: Column[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column.bool_op("&&")(cast(list(values), ARRAY(Text)))


def _party_names(connection: Connection, subjects: Sequence[str]) -> list[str]:
    """How the parties are spelt where they act: subjects are in upper case, party ids as they were given."""
    registered = load_many(connection, subjects).values() if subjects else ()
    named = concerns.named_parties(fact for bundle in registered for fact in bundle.facts)
    return sorted(named | {subject.partition(":")[2] for subject in subjects})


def write(connection: Connection, works: Mapping[str, Casework], positions: str) -> None:
    """Make the rows about these subjects equal to what was computed; the caller holds their locks."""
    closed = [subject for subject, work in works.items() if work.case is None]
    connection.execute(delete(parcel_case).where(parcel_case.c.subject == func.any(closed)))
    cases = [
        {"subject": subject, **work.case.columns, "positions": positions}
        for subject, work in works.items()
        if work.case is not None
    ]
    _upsert(connection, parcel_case, cases)
    _write_versions(connection, works)
    at_rest = [subject for subject, work in works.items() if work.watch is None]
    connection.execute(delete(watch).where(watch.c.subject == func.any(at_rest)))
    waits = [
        {"subject": subject, "due": work.watch[0], "deadline": work.watch[1]}
        for subject, work in works.items()
        if work.watch is not None
    ]
    _upsert(connection, watch, waits)


def _write_versions(connection: Connection, works: Mapping[str, Casework]) -> None:
    """Make the stored history equal to the computed one, touching only rows that differ."""
    key = (verdict_version.c.subject, verdict_version.c.finding, verdict_version.c.version)
    wanted = {(subject, *place): row for subject, work in works.items() for place, row in work.version_rows.items()}
    stored = {
        tuple(row)[:3]: {"record_time": row.record_time, "because": row.because, "verdict": row.verdict}
        for row in connection.execute(
            select(*key, verdict_version.c.record_time, verdict_version.c.because, verdict_version.c.verdict).where(
                verdict_version.c.subject == func.any(list(works))
            )
        )
    }
    gone = sorted(stored.keys() - wanted.keys())
    if gone:
        connection.execute(delete(verdict_version).where(tuple_(*key).in_(gone)))
    changed = [place for place, row in wanted.items() if stored.get(place) != row]
    _upsert(
        connection,
        verdict_version,
        [{"subject": place[0], "finding": place[1], "version": place[2], **wanted[place]} for place in changed],
    )


def _upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    key = [column.name for column in table.primary_key]
    statement = upsert(table)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=replaced), list(rows))

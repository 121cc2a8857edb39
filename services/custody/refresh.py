"""Attributes: recomputes the cases of subjects that the projector marked, after its commit, and clears the marks.

Why nothing is lost (design 4.6: whoever commits last refreshes last). The projector marks a subject that has a case or
a mark, judged in one statement. The refresher

1. sees marks, then waits once for every projecting transaction that is under way (`_barrier`): those which began too
   early to see one of these marks have committed, so their events are visible from here on; later ones see the mark,
   or the case that replaces it, and add a mark of their own;
2. takes the subjects' locks, and only then reads positions and evidence, in statements that are fresh each (READ
   COMMITTED): so of two refreshers the second sees what the first wrote and read no less than it;
3. writes the cases and removes the marks of step 1 in one transaction. A mark added since then stays.

A case also rests on others: devices, settings, the units that it was in, its other labels (`rests_on`). Marks on those
are handed over to the cases that rest on them, behind the same wait and while no case is on its way (`_expand`). An
event on a unit may be projected while the packing that makes it one is not committed yet, so that nobody marks the unit
for the event. Then the packing does: it marks its unit for sure; the mark is visible only when the packing is; and the
wait that comes after seeing it lasts until the event's transaction, which is older, has ended.
"""

import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Engine,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    select,
    text,
    true,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from schemas.errors import Unavailable
from schemas.readmodel import PROJECTED, parcel_case, position, stale, verdict_version, watch
from services.custody.aside import Parked, is_of_one_subject, set_aside
from services.custody.core import concerns
from services.custody.core.casework import Casework, casework
from services.custody.evidence import Checks, labels_of, load_many, read_positions
from services.custody.inside import with_inside
from services.custody.store import schema_of, transaction
from services.custody.sweep import keep
from services.edge.listening import Listener

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

_SETTINGS = "policy:"
_IDLE_SECONDS = 1.0
_BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)


class Mark(NamedTuple):
    """A row of `stale`."""

    mark: int
    subject: str
    itself: bool
    others: bool

    @property
    def spreads(self) -> bool:
        """Whether it is to be handed over to cases that rest on the subject."""
        return self.others or concerns.is_registry(self.subject)


class Refresher:
    """Refreshes chunk by chunk. Several may work on one database at once."""

    def __init__(self, engine: Engine, parked: Parked = lambda part: None) -> None:
        self._engine = engine
        self._parked = parked
        self._aside: set[int] = set()
        """Marks of subjects that the core failed on: they are tried again with the next mark, or by another process."""

    def step(self, limit: int = CHUNK) -> int:
        """Work on up to `limit` marked subjects; the number of marks dealt with, so 0 when there is nothing to do.

        Raises `Unavailable`; then nothing was written, and the marks are still there.
        """
        with transaction(self._engine) as connection:
            seen = _marks(connection, limit, self._aside)
        if not seen:
            return 0
        if not all(concerns.is_registry(mark.subject) for mark in seen):
            self._barrier()
        done = 0
        spreading = [mark for mark in seen if mark.spreads]
        if spreading:
            with transaction(self._engine) as connection:
                done += _expand(connection, spreading)
        return done + self._refresh(_by_subject(mark for mark in seen if mark.itself))

    def drain(self) -> int:
        """Step until no mark is left that can be dealt with; how many were. Ends only while the projector rests."""
        total = 0
        while done := self.step():
            total += done
        return total

    def _refresh(self, wanted: Mapping[str, Sequence[int]]) -> int:
        """Refresh these subjects, at once if that goes well; else one by one, and set aside those it fails for."""
        if not wanted:
            return 0
        try:
            with transaction(self._engine, idle_seconds=COMPUTING_SECONDS) as connection:
                return refresh(connection, wanted)
        except Exception as error:
            if not is_of_one_subject(error):
                raise
            if len(wanted) > 1:
                return sum(self._refresh({subject: marks}) for subject, marks in wanted.items())
            ((subject, marks),) = wanted.items()
            self._aside.update(marks)
            set_aside(self._engine, "refresher", subject, error, self._parked)
            return len(marks)

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


def run(engine: Engine, stop: threading.Event, parked: Parked = lambda part: None) -> None:
    """Refresh until told to stop; wakes up when something is projected.

    A subject that the core fails on is set aside. Any other error that is no `Unavailable` ends it.
    """
    refresher = Refresher(engine, parked)
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
    write(connection, with_inside(connection, works), str(positions))
    removed = [mark for subject in works for mark in pending[subject]]
    connection.execute(delete(stale).where(stale.c.mark == func.any(removed)))
    return len(removed)


def _marks(connection: Connection, limit: int, aside: Iterable[int]) -> list[Mark]:
    """All marks of the subjects that have waited longest. A mark that was set aside asks for nothing by itself."""
    aside = list(aside)
    oldest = select(stale.c.subject).order_by(stale.c.mark).limit(limit)
    if aside:
        oldest = oldest.where(stale.c.mark != func.all(cast(aside, ARRAY(stale.c.mark.type))))
    query = select(stale.c.mark, stale.c.subject, stale.c.itself, stale.c.others).where(
        stale.c.subject.in_(select(oldest.subquery().c.subject))
    )
    return [Mark(*row) for row in connection.execute(query)]


def _still_there(connection: Connection, seen: Mapping[str, Sequence[int]]) -> Mapping[str, list[int]]:
    marks = [mark for seen_marks in seen.values() for mark in seen_marks]
    query = select(stale.c.mark, stale.c.subject, stale.c.itself, stale.c.others).where(
        stale.c.mark == func.any(marks), stale.c.subject == func.any(list(seen))
    )
    return _by_subject(Mark(*row) for row in connection.execute(query))


def _by_subject(marks: Iterable[Mark]) -> Mapping[str, list[int]]:
    """The marks of what has a case of its own; a registry has none."""
    found: dict[str, list[int]] = defaultdict(list)
    for mark in marks:
        if not concerns.is_registry(mark.subject):
            found[mark.subject].append(mark.mark)
    return found


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


def _expand(connection: Connection, marks: Sequence[Mark]) -> int:
    """Hand marks over to those that rest on the marked: devices, parties, settings, sites, units, labels.

    No case may be on its way meanwhile: one that was computed before the event could not be found yet. What is marked
    here is not handed on: whoever rests on it rests on the marked as well. The number of marks that are done with.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_EXPANSION_LOCKS, _lock_key(schema_of(connection)))))
    found = concerned_by(connection, {mark.subject for mark in marks}).subquery()
    connection.execute(
        insert(stale).from_select(["subject", "itself", "others"], select(found.c.subject, true(), false()))
    )
    numbers = [mark.mark for mark in marks]
    # The subject's own look is still to come; if that takes another try, the others are not marked for it again.
    own = [mark.mark for mark in marks if mark.itself and not concerns.is_registry(mark.subject)]
    connection.execute(update(stale).where(stale.c.mark == func.any(own)).values(others=False))
    gone = delete(stale).where(stale.c.mark == func.any([number for number in numbers if number not in set(own)]))
    return connection.execute(gone).rowcount


def concerned_by(connection: Connection, subjects: Iterable[str]) -> CompoundSelect[Any]:
    """The subjects whose cases or waits may change with what is recorded about these others."""
    subjects = sorted(subjects)
    found = [
        select(parcel_case.c.subject).where(_share_some(parcel_case.c.rests_on, subjects)),
        select(watch.c.subject).where(_share_some(watch.c.rests_on, subjects)),
    ]
    if any(subject.startswith(_SETTINGS) for subject in subjects):
        # Settings may move a deadline of a parcel that has no case yet.
        found.append(select(watch.c.subject))
    items = [subject for subject in subjects if not concerns.is_registry(subject)]
    labels = {label for joined in labels_of(connection, items).values() if len(joined) > 1 for label in joined}
    if labels:
        # Which of an item's labels it is worked on under may change: all of them look.
        listed = func.unnest(bindparam(None, sorted(labels), ARRAY(Text))).table_valued("subject", name="listed")
        found.append(select(listed.render_derived().c.subject))
    return union(*found)


def _share_some(column: Column[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column.bool_op("&&")(cast(list(values), ARRAY(Text)))


def write(connection: Connection, works: Mapping[str, Casework], positions: str) -> None:
    """Make the rows about these subjects equal to what was computed; the caller holds their locks."""
    cases = {
        (subject, journey): {**columns, "positions": positions}
        for subject, work in works.items()
        for journey, columns in work.case_rows.items()
    }
    _make_equal(connection, parcel_case, works, cases)
    versions = {(subject, *place): row for subject, work in works.items() for place, row in work.version_rows.items()}
    _make_equal(connection, verdict_version, works, versions)
    waits = {(subject,): work.watch.columns for subject, work in works.items() if work.watch is not None}
    _make_equal(connection, watch, works, waits)


def _make_equal(
    connection: Connection, table: Table, subjects: Iterable[str], wanted: Mapping[tuple[Any, ...], Mapping[str, Any]]
) -> None:
    """Make the stored rows about the subjects equal to the wanted ones, by key, touching only rows that differ."""
    key = list(table.primary_key)
    stored = {
        tuple(row[column.name] for column in key): row
        for row in connection.execute(select(table).where(table.c.subject == func.any(list(subjects)))).mappings()
    }
    gone = sorted(stored.keys() - wanted.keys())
    if gone:
        connection.execute(delete(table).where(tuple_(*key).in_(gone)))
    changed = [
        {**dict(zip((column.name for column in key), place, strict=True)), **row}
        for place, row in wanted.items()
        if place not in stored or any(stored[place][name] != value for name, value in row.items())
    ]
    _upsert(connection, table, changed)


def _upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    key = [column.name for column in table.primary_key]
    statement = upsert(table)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=replaced), list(rows))

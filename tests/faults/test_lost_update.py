"""Whoever commits last refreshes last: projector and refresher side by side, every order of their commits forced.

Two transactions are stepped by hand. After each order the same law must hold: no mark left means that each case knows
every event of its parcel, in particular the one that was being projected while the case was being written.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import permutations

import pytest
from sqlalchemy import Connection, Engine, func, select, text

from schemas import codec
from schemas.errors import Unavailable
from schemas.positions import parse_positions
from schemas.readmodel import event, parcel_case, stale
from schemas.topics import partition_of
from services.custody.core import projection
from services.custody.core.casework import casework
from services.custody.core.projection import Reading
from services.custody.evidence import load_evidence
from services.custody.refresh import Refresher, refresh
from services.custody.store import project, project_batch
from services.log.port import LogRecord
from services.log.table import TableLog
from tests.projecting import project_all, subjects_apart
from tests.records import ACCEPTED, ANNOUNCED, BAD, POLICY, append, enrolment, records_of
from tests.records import event as scan

pytestmark = pytest.mark.fault

_DEADLINE_SECONDS = 20.0

UNIT_PACKED = "custody.unit_packed.v1"


@pytest.fixture
def parcel() -> str:
    return subjects_apart(2)[0]


@pytest.fixture
def elsewhere() -> str:
    """A parcel of another partition."""
    return subjects_apart(2)[1]


@pytest.fixture(autouse=True)
def _enrolled(engine: Engine) -> None:
    """The device that scans is known, so that its events count."""
    append(engine, enrolment())
    project_all(engine)
    Refresher(engine).drain()


def test_projector_first_then_the_refresher_that_was_waiting(engine: Engine, parcel: str) -> None:
    _report(engine, parcel)
    append(engine, scan("late", parcel, at=2))

    with _projecting(engine, parcel) as projector:
        refresher = _Background(lambda: Refresher(engine).step())
        refresher.is_blocked(engine)  # it waits for the projector that is under way
        projector.commit()
    refresher.done()

    assert _marks(engine)  # the projector's own, younger than what the refresher saw
    Refresher(engine).drain()
    _assert_nothing_lost(engine, parcel)


def test_refresher_first_while_the_projector_is_under_way(engine: Engine, parcel: str) -> None:
    _report(engine, parcel)
    with engine.connect() as refreshing:
        refresh(refreshing, _marks(engine))  # has read its evidence, has not committed
        append(engine, scan("late", parcel, at=2))

        with _projecting(engine, parcel) as projector:
            refreshing.commit()
            projector.commit()

    assert _marks(engine)  # the projector's own
    Refresher(engine).drain()
    _assert_nothing_lost(engine, parcel)


def test_projector_first_while_the_refresher_is_under_way(engine: Engine, parcel: str) -> None:
    _report(engine, parcel)
    with engine.connect() as refreshing:
        refresh(refreshing, _marks(engine))
        append(engine, scan("late", parcel, at=2))

        with _projecting(engine, parcel) as projector:
            projector.commit()
        refreshing.commit()

    assert _marks(engine)
    Refresher(engine).drain()
    _assert_nothing_lost(engine, parcel)


def test_the_last_case_is_closed_while_an_event_is_projected(engine: Engine, parcel: str) -> None:
    _report(engine, parcel)
    Refresher(engine).drain()
    append(engine, scan("late", parcel, at=2))

    with _projecting(engine, parcel) as projector:
        # No mark was there, but a case: that is enough to be marked.
        projector.commit()

    assert _marks(engine)
    Refresher(engine).drain()
    _assert_nothing_lost(engine, parcel)


def test_a_mark_from_another_partition_waits_for_the_projector_that_could_not_see_it(
    engine: Engine, parcel: str, elsewhere: str
) -> None:
    # The parcel has neither case nor mark when its clean scan is projected ...
    append(engine, scan("twice", parcel, at=1, mode="HUMAN_INSPECT", taker="C2", observations=BAD))
    _unmarked(engine)
    append(engine, scan("late", parcel, at=2))
    with _projecting(engine, parcel) as projector:
        # ... and gets one from elsewhere, by a clash of identities, before that scan is committed.
        append(engine, scan("twice", elsewhere, at=3))
        _project_partition_of(engine, elsewhere)
        assert parcel in _marks(engine)

        refresher = _Background(lambda: Refresher(engine).step())
        refresher.is_blocked(engine)
        projector.commit()
    refresher.done()

    _assert_nothing_lost(engine, parcel)


def test_a_wait_marked_by_new_settings_waits_for_the_projector_that_could_not_see_it(
    engine: Engine, parcel: str
) -> None:
    append(engine, scan("a1", parcel, ANNOUNCED, promised_after_hours=48), scan("e1", parcel, at=1))
    project_all(engine)
    Refresher(engine).drain()
    append(engine, scan("late", parcel, at=2), scan("s1", "policy:DEFAULT", POLICY, at=2, notice_days=3))
    with _projecting(engine, parcel) as projector:
        _project_partition_of(engine, "policy:DEFAULT")
        assert Refresher(engine).step() == 1  # expands the settings to the parcels that wait
        assert set(_marks(engine)) == {parcel}

        refresher = _Background(lambda: Refresher(engine).step())
        refresher.is_blocked(engine)
        projector.commit()
    refresher.done()

    assert not _marks(engine)


def test_two_refreshers_take_turns_and_the_second_reads_what_is_new(engine: Engine, parcel: str) -> None:
    _report(engine, parcel)
    seen = _marks(engine)
    with engine.connect() as first:
        refresh(first, seen)
        append(engine, scan("late", parcel, at=2))
        project_all(engine)
        second = _Background(lambda: Refresher(engine).step())
        second.is_blocked(engine)
        first.commit()
    second.done()

    _assert_nothing_lost(engine, parcel)


def test_two_refreshers_the_one_with_older_evidence_cannot_write_last(engine: Engine, parcel: str) -> None:
    _report(engine, parcel)
    old_marks = _marks(engine)
    append(engine, scan("late", parcel, at=2))
    project_all(engine)
    Refresher(engine).drain()

    with engine.connect() as late_comer:
        # It saw the first mark long ago; the work is done, so it must not touch anything.
        assert refresh(late_comer, old_marks) == 0
        late_comer.commit()

    _assert_nothing_lost(engine, parcel)


def test_a_registration_finds_the_case_that_is_on_its_way(engine: Engine, parcel: str) -> None:
    _report(engine, parcel)
    with engine.connect() as refreshing:
        refresh(refreshing, _marks(engine))  # read before the settings came, not committed
        append(engine, scan("s1", "policy:DEFAULT", POLICY, at=2, notice_days=3))
        project_all(engine)
        expanding = _Background(lambda: Refresher(engine).step())
        expanding.is_blocked(engine)
        refreshing.commit()
    expanding.done()

    assert parcel in _marks(engine)
    Refresher(engine).drain()
    with engine.connect() as connection:
        positions = connection.execute(select(parcel_case.c.positions)).scalar_one()
        settings = connection.execute(
            select(event.c.partition, event.c.offset).where(event.c.subject == "policy:DEFAULT")
        ).one()
    assert parse_positions(positions)[settings.partition] > settings.offset


def _report(engine: Engine, parcel: str) -> None:
    """Project a bad scan of the parcel, which marks it."""
    append(engine, scan("bad", parcel, ACCEPTED, at=1, mode="HUMAN_INSPECT", taker="C2", observations=BAD))
    project_all(engine)


def _unmarked(engine: Engine) -> None:
    """Project everything, then forget the marks: the state of a parcel that nothing was ever wrong with."""
    project_all(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM projection.stale"))


@contextmanager
def _projecting(engine: Engine, subject: str) -> Iterator[Connection]:
    """A projector that has written everything for the subject's partition, marks included, and has not committed."""
    with engine.connect() as connection:
        project(connection, _pending(engine, subject), archive=False)
        yield connection


def _project_partition_of(engine: Engine, subject: str) -> None:
    with engine.begin() as connection:
        project(connection, _pending(engine, subject), archive=False)


def _pending(engine: Engine, subject: str) -> list[Reading]:
    return [projection.read(record) for record in TableLog(engine).read(partition_of(subject.encode()), 0, 1000)]


def _marks(engine: Engine) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    with engine.connect() as connection:
        for subject, mark in connection.execute(select(stale.c.subject, stale.c.mark)):
            found.setdefault(subject, []).append(mark)
    return found


def _assert_nothing_lost(engine: Engine, parcel: str) -> None:
    assert not _marks(engine)
    with engine.connect() as connection:
        stored = connection.execute(select(parcel_case).where(parcel_case.c.subject == parcel)).one()
        latest = connection.execute(
            select(event.c.partition, func.max(event.c.offset).label("offset"))
            .where(event.c.subject == parcel)
            .group_by(event.c.partition)
        ).one()
        work = casework(load_evidence(connection, parcel), None)
    assert parse_positions(stored.positions)[latest.partition] > latest.offset
    assert work.case is not None
    assert stored.verdicts == work.case.columns["verdicts"]


class _Background:
    """Something that runs beside the test and may have to wait for it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._failures: list[BaseException] = []
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def is_blocked(self, engine: Engine) -> None:
        """Return once it waits for a lock; fail if it ends instead."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while time.monotonic() < deadline:
            assert self._thread.is_alive(), "it did not wait"
            with engine.connect() as connection:
                if connection.execute(waiting).scalar_one():
                    return
            time.sleep(0.01)
        raise AssertionError("it neither waited nor ended")

    def has_ended_or_waits(self, engine: Engine) -> None:
        """Return once it has ended, or waits for a lock."""
        with suppress(AssertionError):
            self.is_blocked(engine)

    def done(self) -> None:
        """Return once it has ended well."""
        self._thread.join(_DEADLINE_SECONDS)
        assert not self._thread.is_alive()
        assert not self._failures, self._failures

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._failures.append(error)


# What a case rests on beside its parcel: a unit, and what that is in. The projector of the unit's partition cannot see
# a packing that another one has not committed, so it marks nobody for the unit's event.


@pytest.fixture
def cage(parcel: str) -> str:
    """A unit of another partition than the parcel's."""
    return _apart(parcel, prefix="cage:C")


@pytest.fixture
def trailer(parcel: str, cage: str) -> str:
    """A unit of a third partition."""
    return _apart(parcel, cage, prefix="trailer:T")


def test_a_units_event_waits_for_the_case_of_its_child_that_is_on_its_way(
    engine: Engine, parcel: str, cage: str
) -> None:
    _pack(engine, parcel, cage)
    project_all(engine)
    Refresher(engine).drain()
    _report(engine, parcel)
    with engine.connect() as refreshing:
        refresh(refreshing, _marks(engine))  # has read its evidence, has not committed
        append(engine, _seen("of the unit", cage, at=1.5))
        project_all(engine)
        spreading = _Background(lambda: Refresher(engine).step())
        spreading.is_blocked(engine)
        refreshing.commit()
    spreading.done()

    assert parcel in _marks(engine)
    Refresher(engine).drain()
    _assert_knows(engine, parcel, "of the unit")


def test_a_packing_under_way_hides_the_units_event_and_the_case_knows_both(
    engine: Engine, parcel: str, cage: str
) -> None:
    _report(engine, parcel)
    append(engine, _seen("of the unit", cage, at=1.5))
    _pack(engine, parcel, cage)
    with _projecting(engine, parcel) as packing, _projecting(engine, cage) as unit:
        assert cage not in _marks(engine)  # nobody is in it as far as its projector can see
        packing.commit()
        refresher = _Background(Refresher(engine).drain)
        refresher.is_blocked(engine)
        unit.commit()
    refresher.done()

    _assert_knows(engine, parcel, "of the unit")


def test_a_units_event_that_began_behind_the_first_wait_is_known_in_the_end(
    engine: Engine, parcel: str, cage: str
) -> None:
    """The hole that marking the child and one wait leave: the packing sees no mark, the unit's projector no packing,
    and it begins only when the refresher has looked who is under way. The packing's own mark on the unit closes it.
    """
    append(engine, scan("twice", parcel, at=1, mode="HUMAN_INSPECT", taker="C2", observations=BAD))
    _unmarked(engine)
    _pack(engine, parcel, cage)
    other = _apart(parcel, cage, prefix="yto:X")
    append(engine, _seen("of the unit", cage, at=1.5))
    with _projecting(engine, parcel) as packing:  # does not mark the parcel: it has neither case nor mark
        append(engine, scan("twice", other, at=3))
        _project_partition_of(engine, other)  # marks it, by a clash of identities
        refresher = _Background(lambda: Refresher(engine).step())
        refresher.is_blocked(engine)  # has looked who is under way: the packing alone
        with _projecting(engine, cage) as unit:
            assert cage not in _marks(engine)
            packing.commit()
            refresher.done()
            assert cage in _marks(engine)
            rest = _Background(Refresher(engine).drain)
            rest.is_blocked(engine)
            unit.commit()
        rest.done()

    _assert_knows(engine, parcel, "of the unit")


def test_a_units_mark_is_handed_over_only_behind_the_wait(engine: Engine, parcel: str, cage: str) -> None:
    """With two refreshers: one has done its waiting and comes to the child when the other has the unit's mark."""
    append(engine, scan("twice", parcel, at=1, mode="HUMAN_INSPECT", taker="C2", observations=BAD))
    _unmarked(engine)
    _pack(engine, parcel, cage)
    other = _apart(parcel, cage, prefix="yto:X")
    append(engine, _seen("of the unit", cage, at=1.5), scan("twice", other, at=3))
    with _projecting(engine, parcel) as packing, _projecting(engine, cage) as unit:
        _project_partition_of(engine, other)
        childs = {parcel: _marks(engine)[parcel]}
        packing.commit()
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM projection.stale WHERE subject LIKE 'yto:X%'"))
        spreading = _Background(lambda: Refresher(engine).step())
        spreading.is_blocked(engine)
        with engine.begin() as refreshing:
            refresh(refreshing, childs)  # without the unit's event, which is not committed
        unit.commit()
    spreading.done()
    Refresher(engine).drain()

    _assert_knows(engine, parcel, "of the unit")


def test_the_same_two_units_deep_in_every_order_of_commits(
    engine: Engine, empty_archive: Callable[[], Engine], parcel: str, cage: str, trailer: str
) -> None:
    append(engine, scan("bad", parcel, ACCEPTED, at=1, mode="HUMAN_INSPECT", taker="C2", observations=BAD))
    _pack(engine, parcel, cage)
    _pack(engine, cage, trailer)
    append(engine, _seen("of the trailer", trailer, at=1.5))
    archive = records_of(TableLog(engine))
    for order in permutations((parcel, cage, trailer)):
        other = empty_archive()
        with ExitStack() as open_ones:
            under_way = {
                subject: open_ones.enter_context(_projecting_records(other, archive, subject))
                for subject in (trailer, cage, parcel)
            }
            _project_the_rest(other, archive, (parcel, cage, trailer))
            beside = []
            for subject in order:
                under_way[subject].commit()
                beside.append(_Background(_quietly(Refresher(other).step)))
                beside[-1].has_ended_or_waits(other)
        for refresher in beside:
            refresher.done()
        Refresher(other).drain()
        _assert_knows(other, parcel, "of the trailer")


def test_two_refreshers_and_projectors_at_once_lose_nothing(
    engine: Engine, empty_archive: Callable[[], Engine]
) -> None:
    """No order forced: whatever comes out must be what a calm projection of the same log says."""
    append(engine, enrolment("SHA.S2", party="C2"))
    for number in range(12):
        append(
            engine,
            scan(f"in {number}", f"yto:R{number}", UNIT_PACKED, at=2, mode="HUMAN_SCAN", party="C1", unit="cage:R1"),
            scan(f"bad {number}", f"yto:R{number}", ACCEPTED, at=3, mode="HUMAN_INSPECT", taker="C2", observations=BAD),
            _seen(f"cage {number}", "cage:R1", at=2.1 + number / 100),
            _seen(f"trailer {number}", "trailer:R1", at=2.1 + number / 100),
        )
        if number == 6:
            _pack(engine, "cage:R1", "trailer:R1", at=2.05)
    archive = records_of(TableLog(engine))
    project_all(engine)
    Refresher(engine).drain()
    other = empty_archive()
    ended = threading.Event()

    def project_one(records: list[LogRecord]) -> None:
        for start in range(0, len(records), 2):
            project_batch(other, records[start : start + 2], archive=True)

    def refresh_meanwhile() -> None:
        refresher = Refresher(other)
        while not ended.is_set():
            refresher.step()

    refreshers = [_Background(refresh_meanwhile) for _ in range(2)]
    projectors = [_Background(partial(project_one, records)) for records in archive.values() if records]
    for projector in projectors:
        projector.done()
    ended.set()
    for refresher in refreshers:
        refresher.done()
    Refresher(other).drain()

    assert len(_cases(engine)) == 12
    assert _cases(other) == _cases(engine)


def _apart(*subjects: str, prefix: str) -> str:
    taken = {partition_of(subject.encode()) for subject in subjects}
    return next(name for n in range(1000) if partition_of((name := f"{prefix}{n}").encode()) not in taken)


def _pack(engine: Engine, item: str, unit: str, at: float = 1.2) -> None:
    append(engine, scan(f"pack {item}", item, UNIT_PACKED, at=at, mode="HUMAN_SCAN", party="C1", unit=unit))


def _seen(event_id: str, subject: str, *, at: float) -> codec.Envelope:
    return scan(event_id, subject, "custody.item_scanned.v1", at=at, mode="AUTO_SCAN", party="C1")


@contextmanager
def _projecting_records(engine: Engine, archive: Mapping[int, list[LogRecord]], subject: str) -> Iterator[Connection]:
    with engine.connect() as connection:
        readings = [projection.read(record) for record in archive[partition_of(subject.encode())]]
        project(connection, readings, archive=True)
        yield connection


def _project_the_rest(engine: Engine, archive: Mapping[int, list[LogRecord]], apart_from: Sequence[str]) -> None:
    left_out = {partition_of(subject.encode()) for subject in apart_from}
    for partition, records in archive.items():
        if records and partition not in left_out:
            project_batch(engine, records, archive=True)


def _quietly(work: Callable[[], object]) -> Callable[[], None]:
    """A step beside the test: one that has waited too long for a lock is tried again by its loop."""

    def step() -> None:
        with suppress(Unavailable):
            work()

    return step


def _assert_knows(engine: Engine, parcel: str, event_id: str) -> None:
    """No mark is left, and the case was computed when the event had been projected, which it rests on."""
    assert not _marks(engine)
    with engine.connect() as connection:
        stored = connection.execute(select(parcel_case).where(parcel_case.c.subject == parcel)).one()
        there = connection.execute(
            select(event.c.partition, event.c.offset, event.c.subject).where(event.c.event_id == event_id)
        ).one()
        work = casework(load_evidence(connection, parcel), None)
    assert there.subject in stored.rests_on
    assert parse_positions(stored.positions)[there.partition] > there.offset
    assert work.case is not None
    assert stored.verdicts == work.case.columns["verdicts"]


def _cases(engine: Engine) -> dict[str, object]:
    with engine.connect() as connection:
        rows = connection.execute(select(parcel_case.c.subject, parcel_case.c.verdicts, parcel_case.c.rests_on))
        return {row.subject: (row.verdicts, row.rests_on) for row in rows}

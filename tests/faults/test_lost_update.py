"""Whoever commits last refreshes last: projector and refresher side by side, every order of their commits forced.

Two transactions are stepped by hand. After each order the same law must hold: no mark left means that each case knows
every event of its parcel, in particular the one that was being projected while the case was being written.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, func, select, text

from schemas.positions import parse_positions
from schemas.readmodel import event, parcel_case, stale
from services.custody.core import projection
from services.custody.core.casework import casework
from services.custody.core.projection import Reading
from services.custody.evidence import load_evidence
from services.custody.refresh import Refresher, refresh
from services.custody.store import project
from services.log.table import TableLog
from tests.projecting import project_all, subjects_apart
from tests.records import ACCEPTED, ANNOUNCED, BAD, POLICY, append, enrolment
from tests.records import event as scan

pytestmark = pytest.mark.fault

_DEADLINE_SECONDS = 20.0


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
    from schemas.topics import partition_of

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

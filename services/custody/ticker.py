"""Turns instants that went by into events: appends DeadlinePassed through the write door when a wait is due.

Time passes by events, so that an answer never depends on a clock. The event is derived from what is due, so a ticker
that is started twice, or killed between the append and its note of it, sends repeats and not second deadlines.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, Engine, delete, func, select

from schemas import codec
from schemas.errors import Unavailable
from schemas.events import DeadlinePassed
from schemas.identifiers import Source
from schemas.positions import AsOf
from schemas.readmodel import log, watch
from services.custody.aside import Parked, is_of_one_subject, latest_event, set_aside
from services.custody.core.attribution import next_deadline
from services.custody.core.casework import casework
from services.custody.core.journeys import last
from services.custody.evidence import load_evidence, read_positions
from services.custody.inside import with_inside
from services.custody.refresh import COMPUTING_SECONDS, lock_subjects, write
from services.custody.store import transaction
from services.edge.database import unavailable_when_lost

SOURCE = Source("SYSTEM", "ticker")

Append = Callable[[codec.Envelope], object]
"""The write door: returns when the event is recorded, raises `Unavailable` when that cannot be said."""
Clock = Callable[[], datetime]

_HOLDER_LOCK = 0x1A57_1147_AC70_0003
_TICK_SECONDS = 1.0
_BACK_OFF_SECONDS = 2.0
_LIMIT = 500


def server_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class Ticker:
    """Appends what is due, a bounded number per step."""

    def __init__(
        self, engine: Engine, append: Append, clock: Clock = server_clock, parked: Parked = lambda part: None
    ) -> None:
        self._engine = engine
        self._append = append
        self._clock = clock
        self._parked = parked
        self._aside: dict[tuple[str, datetime, str], str | None] = {}
        """Waits that the core failed on, and the latest event of the subject then: tried again behind another one."""

    def step(self, limit: int = _LIMIT) -> int:
        """Append the deadlines that are due by the clock; the number appended. Raises `Unavailable`."""
        now = self._clock()
        with transaction(self._engine) as connection:
            query = select(watch.c.subject, watch.c.due, watch.c.deadline).where(watch.c.due <= now)
            query = query.order_by(watch.c.due, watch.c.subject).limit(limit + len(self._aside))
            due = [(row.subject, row.due, row.deadline) for row in connection.execute(query)]
            due = [wait for wait in due if not self._is_aside(connection, wait)]
        appended = 0
        for subject, instant, deadline in due:
            try:
                if not self._still_waits(subject, instant, deadline):
                    continue
            except Exception as error:
                if not is_of_one_subject(error):
                    raise
                last_event = set_aside(self._engine, "ticker", subject, error, self._parked)
                self._aside[subject, instant, deadline] = last_event
                continue
            self._append(deadline_passed(subject, deadline, instant))
            with transaction(self._engine) as connection:
                # Noted after the append, never before: a repeat is idle, a deadline that nobody tells is lost.
                lock_subjects(connection, [subject])
                connection.execute(
                    delete(watch).where(
                        watch.c.subject == subject, watch.c.due == instant, watch.c.deadline == deadline
                    )
                )
            appended += 1
        return appended

    def _is_aside(self, connection: Connection, wait: tuple[str, datetime, str]) -> bool:
        return wait in self._aside and latest_event(connection, wait[0]) == self._aside[wait]

    def _still_waits(self, subject: str, due: datetime, deadline: str) -> bool:
        """Whether, by all that had been recorded before the instant, it was waited for; otherwise its row is renewed.

        Clean scans move no wait, so a parcel that was delivered in good time still has its row here.
        """
        with transaction(self._engine, idle_seconds=COMPUTING_SECONDS) as connection:
            lock_subjects(connection, [subject])
            positions = read_positions(connection)
            evidence = load_evidence(connection, subject, positions)
            before = AsOf(due - datetime.resolution, positions)
            if next_deadline(last(evidence, before), before) == (due, deadline):
                return True
            works = with_inside(connection, {subject: casework(evidence, positions)})
            write(connection, works, str(positions))
            return False


def deadline_passed(subject: str, deadline: str, due: datetime) -> codec.Envelope:
    """The event that says so: the same bytes to sign whenever and by whomever it is made."""
    instant = codec.format_instant(due)
    name = codec.length_prefixed((subject.encode(), deadline.encode(), instant.encode()))
    return codec.Envelope(
        id=f"deadline-{hashlib.sha256(name).hexdigest()[:40]}",
        source=str(SOURCE),
        type=DeadlinePassed.TYPE,
        subject=subject,
        time=instant,
        data=msgspec.json.encode({"deadline": deadline, "due": instant}),
    )


def run(
    engine: Engine,
    append: Append,
    stop: threading.Event,
    clock: Clock = server_clock,
    parked: Parked = lambda part: None,
) -> None:
    """Tick until told to stop, while no other process does. Waits out a database or a log that is away.

    Does nothing on a log of stories: their time is not the server's, and they tell themselves what passed.
    """
    ticker = Ticker(engine, append, clock, parked)
    while not stop.is_set():
        try:
            with _only_holder(engine) as connection:
                while connection is not None and not stop.wait(_TICK_SECONDS):
                    # The lock ends with its connection: no tick without having seen it alive.
                    told_by_stories = connection.execute(select(log.c.story_clock)).scalar_one()
                    connection.commit()
                    if not told_by_stories:
                        ticker.step()
        except Unavailable:
            stop.wait(_BACK_OFF_SECONDS)
            continue
        stop.wait(_BACK_OFF_SECONDS)


@contextmanager
def _only_holder(engine: Engine) -> Iterator[Connection | None]:
    """A connection that holds the ticker's lock for as long as it lives; None when another one does."""
    with unavailable_when_lost("ticker"), engine.connect() as connection:
        held = connection.execute(select(func.pg_try_advisory_lock(_HOLDER_LOCK))).scalar_one()
        connection.commit()
        try:
            yield connection if held else None
        finally:
            if held and not connection.invalidated:
                connection.execute(select(func.pg_advisory_unlock(_HOLDER_LOCK)))
                connection.commit()

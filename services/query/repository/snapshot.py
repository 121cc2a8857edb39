"""One frozen view of the read model: where reading is, which moment a question means, and what it may rest on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, func, join, select, true, tuple_

from schemas.errors import Unavailable
from schemas.positions import AsOf, Positions
from schemas.readmodel import event, log, log_head, position, stale
from services.custody.core.facts import Evidence
from services.custody.evidence import load_evidence, load_many
from services.edge.database import unavailable_when_lost

# What an empty log is dated: no record can have been made before.
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

_WHERE_WE_ARE = select(
    log.c.log_id,
    log.c.story_clock,
    log.c.topic_id,
    position.c.partition,
    position.c.next_offset,
    position.c.record_time,
).select_from(join(log, position, true()))

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Installation:
    """What this log is."""

    log_id: str
    story_clock: bool
    on_kafka: bool
    """The end of the log is then known to the broker only."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment that an answer is about, and how far reading had come when it was given."""

    as_of: AsOf
    positions: Positions | None
    """What the answer is bound to beside the instant; None where the instant alone fixes it for ever."""
    provisional: bool
    """A record that is not read yet may still change the answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """A parcel at a moment, and what was known of one of its journeys then."""

    subject: str
    moment: Moment
    evidence: Evidence
    """Of one journey."""
    journeys: int
    policy: str | None
    """The settings that the question names; None: those that hold."""


class Marks(NamedTuple):
    """The refresher's waiting work."""

    waiting: int
    oldest: int | None
    newest: int | None


class Repository:
    """The read model of one installation. Thread-safe; each `snapshot` takes one connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        """For whoever listens on it; questions go through `snapshot`."""
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def snapshot(self) -> Iterator["Snapshot"]:
        """One frozen view of everything. Raises `Unavailable`."""
        with unavailable_when_lost("reading"), self._engine.connect() as connection:
            yield Snapshot(connection)


class Snapshot:
    """Reads that agree with one another. The positions are read first; nothing newer is ever seen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # One statement, since it precedes every answer.
        rows = connection.execute(_WHERE_WE_ARE).all()
        if not rows:
            raise Unavailable("the database holds no log yet")
        self.installation = Installation(
            log_id=rows[0].log_id, story_clock=rows[0].story_clock, on_kafka=rows[0].topic_id is not None
        )
        self.projected = Positions({row.partition: row.next_offset for row in rows})
        self._read_to: dict[int, datetime] = {row.partition: row.record_time for row in rows if row.record_time}

    def read(self, ask: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What one of the readers beside this module finds in this snapshot."""
        return ask(self._connection, *args, **kwargs)

    @property
    def record_time(self) -> datetime | None:
        """Effective record time of the latest record projected; None where there is none."""
        return max(self._read_to.values(), default=None)

    def moment(self, asked: datetime | Positions | None) -> Moment:
        """The moment that a question means: an instant, a position vector, or None for what is projected now."""
        match asked:
            case None:
                vector = without_zeros(self.projected)
                return Moment(AsOf(self.record_time or _BEGINNING, vector), vector, provisional=False)
            case datetime():
                # An instant is settled once every partition has a record past it: record times never go back.
                settled = all(
                    partition in self._read_to and self._read_to[partition] > asked for partition in self.projected
                )
                return Moment(AsOf(asked), None if settled else without_zeros(self.projected), provisional=not settled)
            case Positions():
                vector = without_zeros(asked)
                return Moment(
                    AsOf(self._time_of(vector), vector), vector, provisional=not self.projected.reaches(vector)
                )

    def evidence(self, subject: str) -> Evidence:
        """Everything recorded that an answer about the subject may rest on."""
        return load_evidence(self._connection, subject)

    def evidence_of(self, subjects: Sequence[str]) -> Mapping[str, Evidence]:
        """The same about each of several subjects; what they share is loaded once."""
        return load_many(self._connection, subjects) if subjects else {}

    def recorded(self) -> Positions | None:
        """Where the log ends; None where only the broker knows."""
        if self.installation.on_kafka:
            return None
        rows = self._connection.execute(select(log_head.c.partition, log_head.c.next_offset))
        return Positions({row.partition: row.next_offset for row in rows})

    def marks(self) -> Marks:
        """Which marks wait for the refresher."""
        mark = stale.c.mark
        return Marks(*self._connection.execute(select(func.count(), func.min(mark), func.max(mark))).one())

    def _time_of(self, vector: Positions) -> datetime:
        """The record time that a position vector stands for: that of the latest record before it."""
        times = [self._read_to[p] for p, offset in vector.items() if p in self._read_to and offset >= self.projected[p]]
        inner = [(p, offset - 1) for p, offset in vector.items() if offset < self.projected.get(p, 0)]
        if inner:
            found = self._connection.execute(
                select(func.max(event.c.record_time)).where(tuple_(event.c.partition, event.c.offset).in_(inner))
            ).scalar_one()
            times.append(found)
        return max(times, default=_BEGINNING)


def without_zeros(positions: Positions) -> Positions:
    """The one way to write a vector: what is absent is not read."""
    return Positions({partition: offset for partition, offset in positions.items() if offset > 0})

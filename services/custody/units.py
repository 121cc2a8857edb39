"""Loads the events of the units that held an item: cage, trailer, whatever held those, for the time around its stay.

Units are shared: a chunk of parcels that travelled in one trailer loads the trailer once. Which stay counts, and when
it ended, is for the core (core/containment.py); here are windows that no moment's answer reaches beyond.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ARRAY, Connection, Text, and_, bindparam, func, or_, select
from sqlalchemy.sql.selectable import TableValuedAlias

from schemas.events import EventCorrected, UnitOpened, UnitPacked, UnitUnpacked
from schemas.positions import Position, Positions
from schemas.readmodel import INSTANT, event, mention
from services.custody.core import concerns
from services.custody.core.concerns import Naming
from services.custody.core.containment import DEPTH_MAX, REST_MAX, longest_stay, window
from services.custody.core.facts import Fact, Packing, Parked
from services.custody.core.instants import earlier, later
from services.custody.core.neighbours import Move, Traffic
from services.custody.recorded import RECORDED, read


class Span(NamedTuple):
    """A window of time."""

    since: datetime
    until: datetime

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies in it, both ends included."""
        return self.since <= instant <= self.until

    def is_near(self, instant: datetime) -> bool:
        """Whether a packing of the unit itself at that instant bears on what was in it then."""
        return earlier(self.since, REST_MAX) <= instant <= later(self.until, REST_MAX)


class _Stay(NamedTuple):
    """A packing as far as loading goes: who, into what, from when, and until when at most."""

    items: tuple[str, ...]
    unit: str
    packed: datetime
    window: Span


@dataclass(frozen=True, slots=True)
class Held:
    """What the units that held an item add to its evidence."""

    facts: tuple[Fact, ...] = ()
    neighbours: tuple[Packing, ...] = ()
    parked: tuple[Parked, ...] = ()


@dataclass(slots=True)
class _Shelf:
    """What is loaded about one unit."""

    facts: dict[Position, Fact] = field(default_factory=dict)
    parked: dict[Position, Parked] = field(default_factory=dict)

    def within(self, spans: Sequence[Span]) -> list[Fact]:
        """The facts in these windows by when they happened or were recorded, and what corrects one of them later."""
        found = [
            fact
            for fact in self.facts.values()
            if any(
                span.holds(fact.t)
                or span.holds(fact.record_time)
                or (isinstance(fact.data, (UnitPacked, UnitUnpacked)) and span.is_near(fact.t))
                for span in spans
            )
        ]
        known, since = {fact.id for fact in found}, min(span.since for span in spans)
        found += [
            fact
            for fact in self.facts.values()
            if isinstance(fact.data, EventCorrected) and fact.data.corrects in known and fact.record_time >= since
        ]
        return list({fact.position: fact for fact in found}.values())


_Shelves = defaultdict[str, _Shelf]


def held_by(
    connection: Connection,
    own: Mapping[str, Sequence[Fact]],
    labels: Mapping[str, Sequence[str]],
    settings: Mapping[str, Sequence[Fact]],
    positions: Positions | None,
) -> Mapping[str, Held]:
    """What the units of each subject add. One query per depth, and one for the neighbours; none where nobody packed."""
    longest = {subject: longest_stay(settings[subject]) for subject in own}
    level = {
        subject: found for subject, facts in own.items() if (found := _stays(facts, labels[subject], longest[subject]))
    }
    stays: dict[str, list[_Stay]] = defaultdict(list)
    shelves: _Shelves = defaultdict(_Shelf)
    for _ in range(DEPTH_MAX):
        if not level:
            break
        _fill(connection, shelves, [stay for found in level.values() for stay in found], positions)
        for subject, found in level.items():
            stays[subject] += found
        level = {
            subject: deeper
            for subject, found in level.items()
            if (deeper := _around(found, shelves, labels[subject], longest[subject]))
        }
    traffic = _traffic(connection, [stay for found in stays.values() for stay in found], positions)
    return {subject: _held(stays.get(subject, ()), shelves, traffic) for subject in own}


def _stays(facts: Iterable[Fact], items: Sequence[str], longest: timedelta) -> list[_Stay]:
    """Every packing of an item into a unit, with the window in which the unit's events may bear on the item."""
    packings: dict[str, list[datetime]] = defaultdict(list)
    unpackings: dict[str, list[datetime]] = defaultdict(list)
    for fact in facts:
        for unit, role in concerns.mentions(fact.subject, fact.data):
            if unit not in items:
                if role is Naming.PACKED:
                    packings[unit].append(fact.t)
                elif role is Naming.UNPACKED:
                    unpackings[unit].append(fact.t)
    return [
        _Stay(tuple(items), unit, packed, Span(*window(packed, unpacked, longest)))
        for unit, times in packings.items()
        for packed, unpacked in _with_ends(sorted(times), unpackings[unit])
    ]


def _with_ends(
    packings: Sequence[datetime], unpackings: Sequence[datetime]
) -> Iterator[tuple[datetime, datetime | None]]:
    """Each packing with the last unpacking that may end it at some moment: one may not be known yet, or taken back."""
    for place, packed in enumerate(packings):
        limit = packings[place + 2] if place + 2 < len(packings) else None
        ends = [t for t in unpackings if t >= packed and (limit is None or t <= limit)]
        yield packed, max(ends, default=None)


def _around(stays: Sequence[_Stay], shelves: _Shelves, labels: Sequence[str], longest: timedelta) -> list[_Stay]:
    """The stays of these units in others, each cut to the time for which the unit itself is of interest."""
    found = []
    for unit, spans in _by_unit(stays).items():
        for outer in _stays(shelves[unit].within(spans), (unit,), longest):
            if outer.unit in labels:
                continue
            for span in spans:
                since, until = max(span.since, outer.window.since), min(span.until, outer.window.until)
                if since < until:
                    found.append(outer._replace(window=Span(since, until)))
    return found


def _by_unit(stays: Iterable[_Stay]) -> dict[str, list[Span]]:
    """The windows of each unit, overlapping ones made one."""
    found: dict[str, list[Span]] = defaultdict(list)
    for stay in sorted(stays, key=lambda stay: (stay.unit, stay.window)):
        spans = found[stay.unit]
        if spans and stay.window.since <= spans[-1].until:
            spans[-1] = Span(spans[-1].since, max(spans[-1].until, stay.window.until))
        else:
            spans.append(stay.window)
    return found


def _fill(connection: Connection, shelves: _Shelves, stays: Sequence[_Stay], positions: Positions | None) -> None:
    """Load the units' events in the windows."""
    wanted = _wanted()
    corrected_later = and_(event.c.type == EventCorrected.TYPE, event.c.record_time >= wanted.c.since)
    packed_around = and_(
        event.c.type.in_((UnitPacked.TYPE, UnitUnpacked.TYPE)),
        event.c.event_time.between(wanted.c.since - REST_MAX, wanted.c.until + REST_MAX),
    )
    query = RECORDED.join(wanted, wanted.c.unit == event.c.subject).where(
        or_(
            event.c.event_time.between(wanted.c.since, wanted.c.until),
            event.c.record_time.between(wanted.c.since, wanted.c.until),
            corrected_later,
            packed_around,
        )
    )
    facts, parked = read(connection.execute(query, _parameters(stays)), positions)
    for unit, found in facts.items():
        shelves[unit].facts |= {fact.position: fact for fact in found}
    for unit, unread in parked.items():
        shelves[unit].parked |= {each.position: each for each in unread}


def _traffic(connection: Connection, stays: Sequence[_Stay], positions: Positions | None) -> Mapping[str, Traffic]:
    """What else went in and out of the units while somebody we ask about may have been inside."""
    if not stays:
        return {}
    wanted = _wanted()
    query = (
        select(
            mention.c.other,
            mention.c.subject,
            mention.c.role,
            mention.c.partition,
            mention.c.offset,
            mention.c.event_time,
            mention.c.record_time,
        )
        .join(wanted, wanted.c.unit == mention.c.other)
        .where(
            mention.c.event_time.between(wanted.c.since, wanted.c.until),
            mention.c.role.in_((Naming.PACKED.value, Naming.UNPACKED.value)),
        )
    )
    spans = _parameters(stay._replace(window=Span(stay.packed, stay.window.until)) for stay in stays)
    moves: dict[str, list[Move]] = defaultdict(list)
    for unit, item, role, partition, offset, event_time, record_time in connection.execute(query, spans):
        place = Position(partition, offset)
        if positions is None or positions.covers(place):
            packing = Packing(unit, event_time, role == Naming.PACKED.value, place, record_time)
            moves[unit].append(Move(item, packing))
    return {unit: Traffic(found) for unit, found in moves.items()}


def _held(stays: Sequence[_Stay], shelves: _Shelves, traffic: Mapping[str, Traffic]) -> Held:
    if not stays:
        return _NOTHING
    facts: list[Fact] = []
    parked: list[Parked] = []
    for unit, spans in _by_unit(stays).items():
        facts += shelves[unit].within(spans)
        parked += [
            each for each in shelves[unit].parked.values() if any(span.holds(each.record_time) for span in spans)
        ]
    opened = [(fact.subject, fact.t) for fact in facts if isinstance(fact.data, UnitOpened)]
    neighbours: set[Packing] = set()
    for stay in stays:
        if stay.unit in traffic:
            instants = [t for unit, t in opened if unit == stay.unit]
            neighbours |= traffic[stay.unit].bearing_on(stay.packed, stay.window.until, instants, stay.items)
    return Held(
        facts=tuple(sorted(facts, key=lambda fact: fact.order)),
        neighbours=tuple(sorted(neighbours, key=lambda each: (each.position, each.unit, each.packed))),
        parked=tuple(sorted(parked, key=lambda each: each.position)),
    )


_NOTHING = Held()


def _wanted() -> TableValuedAlias:
    """Units and windows as a table, in parallel arrays: one statement for however many."""
    arrays = (
        bindparam("units", type_=ARRAY(Text)),
        bindparam("sinces", type_=ARRAY(INSTANT)),
        bindparam("untils", type_=ARRAY(INSTANT)),
    )
    return func.unnest(*arrays).table_valued("unit", "since", "until", name="wanted").render_derived()


def _parameters(stays: Iterable[_Stay]) -> dict[str, list[object]]:
    rows = [(unit, *span) for unit, spans in _by_unit(stays).items() for span in spans]
    return {
        "units": [row[0] for row in rows],
        "sinces": [row[1] for row in rows],
        "untils": [row[2] for row in rows],
    }

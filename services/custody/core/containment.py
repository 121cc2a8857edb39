"""Containment: which unit an item was in when, from packings and unpackings in whatever order they became known (R9h).

Joined when reading: a scan of a cage is one record, and each parcel that was inside at that time has it in its own
timeline. A unit may be in a unit, up to `DEPTH_MAX` deep.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msgspec import Struct

from schemas.events import (
    HandoffReleased,
    ItemScanned,
    PolicySet,
    ReturnOrdered,
    Scan,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import Condition, Facet, UnitKind
from services.custody.core.concerns import canonical
from services.custody.core.facts import Fact, Packing
from services.custody.core.instants import BEGINNING, ENDLESS, earlier, later

DEPTH_MAX = 4
"""A parcel in a bag in a cage in a container on a trailer."""
MARGIN = timedelta(days=1)
"""How far around a stay a unit's events are loaded: device clocks and their sequence may move an event by so much."""
REST_MAX = timedelta(days=365)
"""How far from its contents' stay a unit's own packings are looked at: a unit may rest in another for months."""
LONGEST_STAY = timedelta(days=7)
"""`unit_max_stay` where no setting says otherwise."""


class Timed(Struct, frozen=True):
    """A fact that counts, at its effective time."""

    fact: Fact
    t: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Stay:
    """An item's time in one unit."""

    item: str
    unit: str
    kind: UnitKind
    since: datetime
    until: datetime
    packed: Fact
    unpacked: Fact | None
    """None: nobody recorded it; it ended by what comes first of what R9h names, or has not ended."""
    implied_by: Fact | None
    """What the implied end is read from, where it is an event of the item or of the unit."""
    depth: int
    """1: the item itself is in it; 2: in what it is in; ..."""

    @property
    def implied(self) -> bool:
        """Whether the end is inferred (IMPLIED_UNPACK, grade 1)."""
        return self.unpacked is None

    @property
    def hides(self) -> bool:
        """Whether the item cannot be seen inside. A manifest is a list, not a box."""
        return self.kind is not UnitKind.MANIFEST


@dataclass(frozen=True, slots=True)
class Containment:
    """Every stay of an item, and packings that cannot be."""

    stays: tuple[Stay, ...] = ()
    refused: tuple[tuple[Fact, str], ...] = ()
    """A packing that would put a unit into itself, or deeper than any load is, and why it does not count."""

    def of_unit(self, unit: str) -> Iterator[Stay]:
        """The item's stays in one unit."""
        return (stay for stay in self.stays if stay.unit == unit)


NOWHERE = Containment()
"""Of what was never packed into anything."""


def contain(
    item: str,
    own: Sequence[Timed],
    about_units: Mapping[str, Sequence[Timed]],
    neighbours: Sequence[Packing],
    unit_max_stay: timedelta,
    clock_skew: timedelta,
) -> Containment:
    """The stays of an item, in the order of depth and time.

    `own` are the item's events that count, under any of its labels; `about_units` those of every unit. The order in
    which they are given does not matter.
    """
    if not any(type(timed.fact.data) is UnitPacked for timed in own):
        return NOWHERE  # what is only taken out of a unit was in it for no time that anybody could tell
    found = _Finding(about_units, neighbours, unit_max_stay, clock_skew)
    stays = found.of_item(item, own)
    level = stays
    for depth in range(2, DEPTH_MAX + 2):
        level = [deeper for stay in level if stay.hides for deeper in found.around(stay, depth)]
        stays = [*stays, *(stay for stay in level if stay.depth <= DEPTH_MAX)]
    ordered = sorted(stays, key=lambda stay: (stay.depth, stay.since, stay.until, stay.unit))
    refused = {fact.position: (fact, why) for fact, why in sorted(found.refused, key=lambda each: each[0].order)}
    return Containment(tuple(ordered), tuple(refused.values()))


def window(packed: datetime, unpacked: datetime | None, longest: timedelta) -> tuple[datetime, datetime]:
    """Between which times a unit's events can bear on an item that was packed into it: what must be loaded.

    It begins so early because the unit may have been packed into another one before. A superset for every moment that
    may be asked about: at some, the unpacking is not known yet. The unit's own packings bear on it from `REST_MAX`
    before to `REST_MAX` after that.
    """
    stay_ends = later(packed, longest)
    ends = stay_ends if unpacked is None else max(stay_ends, unpacked)
    return earlier(packed, longest + MARGIN), later(ends, MARGIN)


def longest_stay(registry: Iterable[Fact]) -> timedelta:
    """The longest `unit_max_stay` that any setting among these facts ever named."""
    hours = [fact.data.unit_max_stay_hours for fact in registry if isinstance(fact.data, PolicySet)]
    return max([LONGEST_STAY, *(timedelta(hours=told) for told in hours if told is not None)])


class _Course:
    """The events of one item or unit, sorted once: what moved it, and what shows it out of any unit."""

    def __init__(self, events: Iterable[Timed]) -> None:
        given = list(events)
        self.moves = sorted((timed for timed in given if type(timed.fact.data) in _MOVES), key=_unpacking_first)
        self.move_times = [timed.t for timed in self.moves]
        self.sights = sorted((timed for timed in given if _is_sight(timed.fact)), key=_by_time)
        self.sight_times = [timed.t for timed in self.sights]


class _Load:
    """What a unit's own events and the packings of its other contents tell of what is in it, sorted once."""

    def __init__(self, about: Sequence[Timed], neighbours: Sequence[Packing]) -> None:
        self._empty = sorted((timed for timed in about if _is_empty(timed.fact)), key=_by_time)
        self._empty_times = [timed.t for timed in self._empty]
        stirred = [timed.t for timed in about if type(timed.fact.data) is UnitOpened]
        self._stirred = sorted([*stirred, *(each.t for each in neighbours if not each.packed)])
        self._packed = sorted(each.t for each in neighbours if each.packed)

    def empty_after(self, instant: datetime) -> Timed | None:
        """The first sight of the unit as empty."""
        coming = bisect_right(self._empty_times, instant)
        return self._empty[coming] if coming < len(self._empty) else None

    def anew_after(self, instant: datetime) -> datetime | None:
        """When it was loaded anew: the first packing into it after it was opened or something was taken out of it."""
        coming = bisect_right(self._stirred, instant)
        if coming == len(self._stirred):
            return None
        coming = bisect_right(self._packed, self._stirred[coming])
        return self._packed[coming] if coming < len(self._packed) else None


_End = tuple[datetime, Fact | None]
"""When a stay ends whose unpacking nobody recorded, and the event that shows it."""


class _Finding:
    """What the search for stays needs at every depth."""

    def __init__(
        self,
        about_units: Mapping[str, Sequence[Timed]],
        neighbours: Sequence[Packing],
        unit_max_stay: timedelta,
        clock_skew: timedelta,
    ) -> None:
        self._about_units = about_units
        self._neighbours: dict[str, list[Packing]] = {}
        for each in neighbours:
            self._neighbours.setdefault(each.unit, []).append(each)
        self._max_stay = unit_max_stay
        self._clock_skew = clock_skew
        self._paths: dict[Stay, tuple[str, ...]] = {}
        self._courses: dict[str, _Course] = {}
        self._loads: dict[str, _Load] = {}
        self._units: dict[str, str | None] = {}
        self._found: dict[tuple[str, int, int, int, int], list[Stay]] = {}
        self.refused: list[tuple[Fact, str]] = []

    def of_item(self, item: str, own: Iterable[Timed]) -> list[Stay]:
        """The stays of the item itself in units."""
        stays = self._direct(item, _Course(own), BEGINNING, ENDLESS, 1)
        for stay in stays:
            self._paths[stay] = (item, stay.unit)
        return stays

    def around(self, stay: Stay, depth: int) -> list[Stay]:
        """The stays of a unit in other units while it held the item, cut to that time."""
        path = self._paths[stay]
        found = []
        for outer in self._of_unit(stay.unit, earlier(stay.since, REST_MAX), later(stay.until, REST_MAX), depth):
            if outer.since >= stay.until or outer.until <= stay.since:
                continue
            if depth > DEPTH_MAX:
                self.refused.append((outer.packed, "TOO_DEEP"))
                continue
            if outer.unit in path:
                self.refused.append((outer.packed, "CONTAINMENT_CYCLE"))
                continue
            since, until = max(outer.since, stay.since), min(outer.until, stay.until)
            # Where the item comes out of what it is in sooner, it is that which ends its time in the outer one.
            ended = stay if stay.until < outer.until else outer
            cut = replace(outer, since=since, until=until, unpacked=ended.unpacked, implied_by=ended.implied_by)
            self._paths[cut] = (*path, outer.unit)
            found.append(cut)
        return found

    def _of_unit(self, unit: str, begin: datetime, end: datetime, depth: int) -> list[Stay]:
        """The stays of a unit by its events between two instants: the same wherever these are the same events."""
        course = self._courses.get(unit)
        if course is None:
            course = self._courses[unit] = _Course(self._about_units.get(unit, ()))
        first, last = bisect_left(course.move_times, begin), bisect_right(course.move_times, end)
        key = unit, depth, first, last, bisect_right(course.sight_times, end)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._direct(unit, course, begin, end, depth)
        return found

    def _direct(self, item: str, course: _Course, begin: datetime, end: datetime, depth: int) -> list[Stay]:
        """The stays of an item in units of its own, as its packings and unpackings between two instants tell them."""
        first, last = bisect_left(course.move_times, begin), bisect_right(course.move_times, end)
        stays: list[Stay] = []
        inside: dict[bool, Stay] = {}  # by whether it hides: an item may be on a list and in a bag at once
        ends: dict[Stay, _End] = {}

        def implied_end(stay: Stay) -> _End:
            if stay not in ends:
                ends[stay] = self._implied_end(stay, course, end)
            return ends[stay]

        for timed in course.moves[first:last]:
            data = timed.fact.data
            if isinstance(data, UnitUnpacked):
                unit = self._unit(data.unit)
                current = next((stay for stay in inside.values() if stay.unit == unit), None)
                if current is not None:
                    del inside[current.hides]
                    stays.append(replace(current, until=timed.t, unpacked=timed.fact))
                continue
            begun = self._begun(item, timed, depth)
            if begun is None:
                continue
            current = inside.get(begun.hides)
            if current is not None:
                if current.unit == begun.unit and timed.t < implied_end(current)[0]:
                    continue  # read once more while it was inside
                stays.append(_ended(current, implied_end(current), timed))
            inside[begun.hides] = begun
        stays += [_ended(current, implied_end(current)) for current in inside.values()]
        return [stay for stay in stays if stay.since < stay.until]

    def _unit(self, told: str) -> str | None:
        if told not in self._units:
            self._units[told] = canonical(told)
        return self._units[told]

    def _begun(self, item: str, timed: Timed, depth: int) -> Stay | None:
        data = timed.fact.data
        assert isinstance(data, UnitPacked)
        unit = self._unit(data.unit)
        if unit is None or unit == item:
            self.refused.append((timed.fact, "NO_SUCH_UNIT" if unit is None else "CONTAINMENT_CYCLE"))
            return None
        until = later(timed.t, self._max_stay)
        return Stay(item, unit, data.kind, timed.t, until, timed.fact, None, None, depth)

    def _implied_end(self, stay: Stay, course: _Course, end: datetime) -> _End:
        """R9h: when a stay ends whose unpacking nobody recorded, and what shows it among events up to some instant."""
        load = self._loads.get(stay.unit)
        if load is None:
            about = self._about_units.get(stay.unit, ())
            load = self._loads[stay.unit] = _Load(about, self._neighbours.get(stay.unit, ()))
        ends: list[_End] = [(stay.until, None)]
        empty = load.empty_after(stay.since)
        if empty is not None:
            ends.append((empty.t, empty.fact))
        loaded_anew = load.anew_after(stay.since)
        if loaded_anew is not None:
            ends.append((loaded_anew, None))
        if stay.hides:
            latest = min(end, *(t for t, _ in ends))
            seen = self._first_sight(stay, course, latest)
            if seen is not None:
                ends.insert(0, (seen.t, seen.fact))
        return min(ends, key=lambda each: (each[0], "" if each[1] is None else each[1].id))

    def _first_sight(self, stay: Stay, course: _Course, latest: datetime) -> Timed | None:
        """The first sight of the item outside the unit that it was packed into, no later than some instant."""
        coming = bisect_right(course.sight_times, later(stay.since, self._clock_skew))
        last = bisect_right(course.sight_times, latest)
        for at in range(coming, last):
            seen = course.sights[at]
            if not (isinstance(seen.fact.data, UnitPacked) and self._unit(seen.fact.data.unit) == stay.unit):
                return seen
        return None


def _ended(stay: Stay, implied: _End, moved_on: Timed | None = None) -> Stay:
    until, implied_by = implied
    if moved_on is not None and moved_on.t < until:
        until, implied_by = moved_on.t, moved_on.fact
    return replace(stay, until=until, implied_by=implied_by)


def _by_time(timed: Timed) -> tuple[datetime, str]:
    return timed.t, timed.fact.id


def _unpacking_first(timed: Timed) -> tuple[datetime, bool, str, str]:
    """At one instant an item comes out of one unit before it goes into the next."""
    return timed.t, isinstance(timed.fact.data, UnitPacked), timed.fact.id, timed.fact.envelope.source


def _is_sight(fact: Fact) -> bool:
    """Whether somebody had the item itself at hand, so that it was in no unit, save the one they packed it into."""
    data = fact.data
    if not isinstance(data, Scan) or data.inside is not None or type(data) in _UNSEEN:
        return False
    if type(data) is UnitPacked and data.kind is UnitKind.MANIFEST:
        return False
    return not (
        data.observations and any(seen.value is Condition.BAD and seen.facet in _GONE for seen in data.observations)
    )


_MOVES = (UnitPacked, UnitUnpacked)
_UNSEEN = (HandoffReleased, ReturnOrdered)
"""What can be entered without having the item at hand."""
_GONE = (Facet.PRESENCE, Facet.COUNT)


def _is_empty(fact: Fact) -> bool:
    return type(fact.data) is ItemScanned and fact.data.empty

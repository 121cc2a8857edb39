"""Containment: which unit an item was in when, from packings and unpackings in whatever order they became known (R9h).

Joined when reading: a scan of a cage is one record, and each parcel that was inside at that time has it in its own
timeline. A unit may be in a unit, up to `DEPTH_MAX` deep.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.events import ItemScanned, PolicySet, Scan, UnitOpened, UnitPacked, UnitUnpacked
from schemas.vocabulary import Condition, Facet, UnitKind
from services.custody.core.concerns import canonical
from services.custody.core.facts import Fact, Packing
from services.custody.core.instants import earlier, later

DEPTH_MAX = 4
"""A parcel in a bag in a cage in a container on a trailer."""
MARGIN = timedelta(days=1)
"""How far around a stay a unit's events are loaded: device clocks and their sequence may move an event by so much."""
REST_MAX = timedelta(days=365)
"""How far from its contents' stay a unit's own packings are looked at: a unit may rest in another for months."""
LONGEST_STAY = timedelta(days=7)
"""`unit_max_stay` where no setting says otherwise."""


class Timed(NamedTuple):
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
    found = _Finding(about_units, neighbours, unit_max_stay, clock_skew)
    stays = found.direct(item, own, (item,), 1)
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
        self._neighbours = neighbours
        self._max_stay = unit_max_stay
        self._clock_skew = clock_skew
        self._paths: dict[Stay, tuple[str, ...]] = {}
        self.refused: list[tuple[Fact, str]] = []

    def around(self, stay: Stay, depth: int) -> list[Stay]:
        """The stays of a unit in other units while it held the item, cut to that time."""
        path = self._paths[stay]
        found = []
        begin, end = earlier(stay.since, REST_MAX), later(stay.until, REST_MAX)
        about = [timed for timed in self._about_units.get(stay.unit, ()) if begin <= timed.t <= end]
        for outer in self.direct(stay.unit, about, path, depth):
            since, until = max(outer.since, stay.since), min(outer.until, stay.until)
            if since >= until:
                continue
            if depth > DEPTH_MAX:
                self.refused.append((outer.packed, "TOO_DEEP"))
                continue
            if outer.unit in path:
                self.refused.append((outer.packed, "CONTAINMENT_CYCLE"))
                continue
            # Where the item comes out of what it is in sooner, it is that which ends its time in the outer one.
            ended = stay if stay.until < outer.until else outer
            cut = replace(outer, since=since, until=until, unpacked=ended.unpacked, implied_by=ended.implied_by)
            self._paths[cut] = self._paths[outer]
            found.append(cut)
        return found

    def direct(self, item: str, own: Sequence[Timed], path: tuple[str, ...], depth: int) -> list[Stay]:
        """The stays of an item in units of its own, as its packings and unpackings tell them."""
        moves = sorted(
            (timed for timed in own if isinstance(timed.fact.data, (UnitPacked, UnitUnpacked))), key=_unpacking_first
        )
        stays: list[Stay] = []
        inside: dict[bool, Stay] = {}  # by whether it hides: an item may be on a list and in a bag at once
        for timed in moves:
            data = timed.fact.data
            if isinstance(data, UnitUnpacked):
                unit = canonical(data.unit)
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
                if current.unit == begun.unit and timed.t < self._implied_end(current, own)[0]:
                    continue  # read once more while it was inside
                stays.append(self._ended(current, own, timed))
            inside[begun.hides] = begun
        stays += [self._ended(current, own) for current in inside.values()]
        for stay in stays:
            self._paths[stay] = (*path, stay.unit)
        return [stay for stay in stays if stay.since < stay.until]

    def _begun(self, item: str, timed: Timed, depth: int) -> Stay | None:
        data = timed.fact.data
        assert isinstance(data, UnitPacked)
        unit = canonical(data.unit)
        if unit is None or unit == item:
            self.refused.append((timed.fact, "NO_SUCH_UNIT" if unit is None else "CONTAINMENT_CYCLE"))
            return None
        until = later(timed.t, self._max_stay)
        return Stay(item, unit, data.kind, timed.t, until, timed.fact, None, None, depth)

    def _ended(self, stay: Stay, own: Sequence[Timed], moved_on: Timed | None = None) -> Stay:
        until, implied_by = self._implied_end(stay, own)
        if moved_on is not None and moved_on.t < until:
            until, implied_by = moved_on.t, moved_on.fact
        return replace(stay, until=until, implied_by=implied_by)

    def _implied_end(self, stay: Stay, own: Sequence[Timed]) -> tuple[datetime, Fact | None]:
        """R9h: when a stay ends whose unpacking nobody recorded, and what shows it."""
        ends: list[tuple[datetime, Fact | None]] = [(stay.until, None)]
        settled = later(stay.since, self._clock_skew)
        if stay.hides:
            ends += [(timed.t, timed.fact) for timed in own if timed.t > settled and _is_sight(timed.fact, stay)]
        about = self._about_units.get(stay.unit, ())
        ends += [(timed.t, timed.fact) for timed in about if timed.t > stay.since and _is_empty(timed.fact)]
        loaded_anew = _new_load(stay, about, self._neighbours)
        if loaded_anew is not None:
            ends.append((loaded_anew, None))
        return min(ends, key=lambda end: (end[0], "" if end[1] is None else end[1].id))


def _unpacking_first(timed: Timed) -> tuple[datetime, bool, str, str]:
    """At one instant an item comes out of one unit before it goes into the next."""
    return timed.t, isinstance(timed.fact.data, UnitPacked), timed.fact.id, timed.fact.envelope.source


def _is_sight(fact: Fact, stay: Stay) -> bool:
    """Whether somebody had the item itself at hand, so that it was not inside any more."""
    data = fact.data
    if not isinstance(data, Scan) or data.inside is not None or data.TYPE in _UNSEEN:
        return False
    if isinstance(data, UnitPacked) and canonical(data.unit) == stay.unit:
        return False
    if isinstance(data, UnitPacked) and data.kind is UnitKind.MANIFEST:
        return False
    return not any(
        seen.value is Condition.BAD and seen.facet in (Facet.PRESENCE, Facet.COUNT) for seen in data.observations
    )


_UNSEEN = frozenset({"custody.handoff_released.v1", "custody.return_ordered.v1"})
"""What can be entered without having the item at hand."""


def _is_empty(fact: Fact) -> bool:
    return isinstance(fact.data, ItemScanned) and fact.data.empty


def _new_load(stay: Stay, about: Sequence[Timed], neighbours: Sequence[Packing]) -> datetime | None:
    """When the unit was loaded anew: the first packing into it after it was opened or something was taken out of it."""
    stirred = [timed.t for timed in about if timed.t > stay.since and isinstance(timed.fact.data, UnitOpened)]
    stirred += [each.t for each in neighbours if each.unit == stay.unit and not each.packed and each.t > stay.since]
    if not stirred:
        return None
    opened = min(stirred)
    return min(
        (each.t for each in neighbours if each.unit == stay.unit and each.packed and each.t > opened), default=None
    )

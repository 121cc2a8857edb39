"""PURE. Which packings of other items can end a stay (R9h), whatever moment is asked about: a handful out of thousands.

A unit is loaded anew at the first packing into it after it was opened or something was taken out of it. "First" depends
on what was recorded by then. Within a partition records become known in the order of their offsets, so one that is
recorded behind another and happened no earlier is never the first of the two: only the others are kept.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.positions import Position
from services.custody.core.facts import Packing


class Move(NamedTuple):
    """One packing or unpacking, and of which item."""

    item: str
    packing: Packing


class Traffic:
    """What went into one unit and came out of it; made once for however many items are asked about."""

    def __init__(self, moves: Iterable[Move]) -> None:
        moves = list(moves)
        self._packed = [_Lane(each) for each in _by_partition(move for move in moves if move.packing.packed)]
        self._unpacked = [_Lane(each) for each in _by_partition(move for move in moves if not move.packing.packed)]

    def bearing_on(
        self, since: datetime, until: datetime, opened: Collection[datetime], own: Collection[str]
    ) -> set[Packing]:
        """What can end a stay that began at `since` and lasts to `until` at most, the unit having been `opened` at
        these instants. `own` are the item's own labels: what it did itself is told by its own events.
        """
        stirring = {move.packing for lane in self._unpacked for move in lane.firsts(since, until, own)}
        found = set(stirring)
        for instant in {*(each.t for each in stirring), *(t for t in opened if since < t <= until)}:
            found |= {move.packing for lane in self._packed for move in lane.firsts(instant, until, own)}
        return found


class _Lane:
    """Moves of one direction and partition, in order of time."""

    def __init__(self, moves: Sequence[Move]) -> None:
        self._moves = sorted(moves, key=lambda move: (move.packing.t, move.packing.position))
        self._times = [move.packing.t for move in self._moves]
        self._next_known_before = _next_smaller([move.packing.position for move in self._moves])

    def firsts(self, after: datetime, until: datetime, own: Collection[str]) -> Iterator[Move]:
        """Each move that is, at some moment, the first one known past `after`."""
        place = bisect_right(self._times, after)
        end = bisect_right(self._times, until)
        best: Position | None = None
        while place < end:
            move = self._moves[place]
            if move.item in own or (best is not None and move.packing.position >= best):
                place += 1
            else:
                best = move.packing.position
                yield move
                place = self._next_known_before[place]


def _by_partition(moves: Iterable[Move]) -> Iterable[list[Move]]:
    found: dict[int, list[Move]] = {}
    for move in moves:
        found.setdefault(move.packing.position.partition, []).append(move)
    return found.values()


def _next_smaller(positions: Sequence[Position]) -> list[int]:
    """For each place the next one whose position is smaller; the length where there is none."""
    found = [len(positions)] * len(positions)
    waiting: list[int] = []
    for place, position in enumerate(positions):
        while waiting and positions[waiting[-1]] > position:
            found[waiting.pop()] = place
        waiting.append(place)
    return found

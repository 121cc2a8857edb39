"""SEQUENCE_GAP (R36): numbers that are missing near a parcel's own in the counts of the devices that recorded it.

Shown beside a verdict when it is read, never part of its history: it rests on records about other parcels. A hole says
that a device recorded something that did not come in, and that it may have been about this parcel.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from msgspec import structs

from schemas.errors import Undecodable
from schemas.identifiers import parse_source
from services.custody.core.facts import Fact
from services.custody.core.instants import BEGINNING
from services.custody.core.verdict import Verdict

NEAR = 200
"""How many numbers before and after each of the parcel's own are looked at."""
SHOWN_MAX = 20
"""Holes named in one verdict; the flag says that there are some, a receipt of the device lists them all."""

FLAG = "SEQUENCE_GAP"
_NUMBERS = 2**63


class Window(NamedTuple):
    """A range of a device's numbers that is looked at, both ends included."""

    source: str
    first: int
    last: int


class Numbered(NamedTuple):
    """A number that came in, and its event's effective time."""

    number: int
    t: datetime


class Hole(NamedTuple):
    """Numbers that did not come in, both ends included, and the times of those before and after."""

    device: str
    first: int
    last: int
    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{FLAG} {self.device} {self.first}-{self.last}"


def windows(facts: Iterable[Fact]) -> tuple[Window, ...]:
    """Where to look for holes, by the numbers of these events: ranges that do not overlap."""
    numbers: dict[str, set[int]] = {}
    for fact in facts:
        number = number_of(fact.envelope.sequence)
        if number is not None:
            numbers.setdefault(fact.envelope.source, set()).add(number)
    found: list[Window] = []
    for source in sorted(numbers):
        for number in sorted(numbers[source]):
            first, last = max(0, number - NEAR), min(number + NEAR, _NUMBERS - 1)
            if found and found[-1].source == source and first <= found[-1].last + 1:
                found[-1] = found[-1]._replace(last=last)
            else:
                found.append(Window(source, first, last))
    return tuple(found)


def number_of(sequence: str | None) -> int | None:
    """A device's count of its events; None where it gives none, or none that is a number."""
    if sequence is None or not (sequence.isascii() and sequence.isdecimal()):
        return None
    number = int(sequence)
    return number if number < _NUMBERS else None


def holes(window: Window, came_in: Iterable[Numbered]) -> tuple[Hole, ...]:
    """What is missing in a window. Give the nearest numbers beyond both its ends too: a hole has two ends.

    What lies beyond the last number that came in is no hole yet: it may still come.
    """
    times: dict[int, tuple[datetime, datetime]] = {}
    for number, t in came_in:
        earliest, latest = times.get(number, (t, t))
        times[number] = min(earliest, t), max(latest, t)
    present = sorted(times)
    device = _device(window.source)
    found = []
    for before, after in pairwise(present):
        if after - before > 1 and before < window.last and after > window.first:
            # A clock that was set back puts the later number first: between the two in any case.
            instants = (*times[before], *times[after])
            found.append(Hole(device, before + 1, after - 1, min(instants), max(instants)))
    return tuple(found)


def shown(verdict: Verdict, found: Sequence[Hole]) -> Verdict:
    """The verdict with the holes that overlap its bracket."""
    since = verdict.L.t if verdict.L is not None else BEGINNING
    until = verdict.U.t if verdict.U is not None else verdict.as_of
    bearing = sorted(hole for hole in found if hole.since <= until and hole.until >= since)
    if not bearing:
        return verdict
    return structs.replace(
        verdict,
        flags=(*verdict.flags, *(() if FLAG in verdict.flags else (FLAG,))),
        gaps=(*verdict.gaps, *(str(hole) for hole in bearing[:SHOWN_MAX])),
    )


def _device(source: str) -> str:
    try:
        return parse_source(source).device_id
    except Undecodable:
        return source

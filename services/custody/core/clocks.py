"""When it happened, as far as clocks can tell (R36): what a device's own count says, and how far its clock may be off.

A device numbers its events (`sequence`), and that count beats its clock: of two events about one subject the one with
the later number is the later one, whatever the clock said. So an earlier time is raised to the latest among the smaller
numbers. The count holds under one enrolment: a counter that starts anew, after a repair or another installation, needs
a new enrolment of the device.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from schemas.positions import Position
from services.custody.core.acts import Act
from services.custody.core.facts import Fact
from services.custody.core.policy import Policy
from services.custody.core.sequences import number_of

Times = Mapping[Position, datetime]


class Counted(NamedTuple):
    """An event in the count of the device that recorded it."""

    fact: Fact
    enrolled: datetime
    """Since when the device is enrolled as it was then; a count goes no further."""
    vouched: bool
    """Whether time and number stand under a good signature. Others are raised, and raise nobody: a note that is typed
    in later must not move what is on record."""


def is_in_doubt(facts: Iterable[Fact]) -> bool:
    """Whether a device's count and its clock disagree at all; mostly they do not, and `raised` need not be asked."""
    counts: dict[str, list[tuple[int, datetime]]] = {}
    for fact in facts:
        number = number_of(fact.envelope.sequence) if fact.envelope.sequence is not None else None
        if number is not None:
            counts.setdefault(fact.envelope.source, []).append((number, fact.t))
    for count in counts.values():
        count.sort()
        if any(after[1] < before[1] for before, after in pairwise(count)):
            return True
    return False


def raised(counted: Iterable[Counted]) -> Times:
    """The effective times of those events about one subject that their device's count moves to later.

    A time counts against a later number only where it can be right: what was recorded before it was not yet to come.
    So a clock that once ran ahead, or a counter that silently started anew, does not move what came in before.
    """
    counts: dict[tuple[str, datetime], list[tuple[int, Fact, bool]]] = {}
    for fact, enrolled, vouched in counted:
        number = number_of(fact.envelope.sequence)
        if number is not None:
            counts.setdefault((fact.envelope.source, enrolled), []).append((number, fact, vouched))
    moved: dict[Position, datetime] = {}
    for count in counts.values():
        moved.update(_raised_in(count))
    return moved


def _raised_in(count: list[tuple[int, Fact, bool]]) -> Iterator[tuple[Position, datetime]]:
    smaller: list[datetime] = []
    for _, same in groupby(sorted(count, key=lambda each: (each[0], each[1].position)), key=lambda each: each[0]):
        events = list(same)  # of one number: a device that counts twice says nothing of their order
        for _, fact, _ in events:
            possible = bisect_right(smaller, fact.record_time)
            if possible and smaller[possible - 1] > fact.t:
                yield fact.position, smaller[possible - 1]
        for _, fact, vouched in events:
            if vouched:
                insort(smaller, fact.t)


def is_raised(act: Act) -> bool:
    """Whether its device's count says that it happened later than its clock does."""
    return act.t != act.fact.t


def may_differ(one: Act, other: Act, policy: Policy) -> timedelta:
    """How far apart the times of two acts may be for it to be open which came first.

    Each clock's interval is as long as two clocks of its sort may differ, half of it to either side; so two that were
    measured are in doubt up to `clock_skew`, as R1 has it for a release and an acceptance.
    """
    interval, others = _interval(one.fact, policy), _interval(other.fact, policy)
    return interval if interval == others else (interval + others) / 2


def longest_interval(policy: Policy) -> timedelta:
    """No two acts that are further apart than this can have happened the other way round."""
    return max(policy.clock_skew, policy.clock_skew_unmeasured)


def _interval(fact: Fact, policy: Policy) -> timedelta:
    return policy.clock_skew if fact.envelope.clockoffsetms is not None else longest_interval(policy)


def are_in_doubt(one: Act, other: Act, policy: Policy) -> bool:
    """Whether two acts may have happened the other way round. Within one device its own clock and count tell."""
    if one.fact.envelope.source == other.fact.envelope.source:
        return False
    return abs(one.t - other.t) <= may_differ(one, other, policy)

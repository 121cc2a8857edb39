"""R36: what a device's own count of its events says of its clock, by its definition and its laws."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    Operator,
)
from schemas.positions import Position
from schemas.vocabulary import CaptureMode
from services.custody.core import clocks
from services.custody.core.clocks import Counted
from services.custody.core.facts import Fact
from tests.unit.custody.core.histories import (
    DAY_0,
    Told,
    fact_of,
)

HOUR = timedelta(hours=1)

EXAMINED: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": Operator(ref="p1")}


def counted(number: int | None, t: timedelta, recorded: timedelta, offset: int, device: str = "d") -> Fact:
    data = ConditionObserved(party="H1", **EXAMINED)
    sequence = str(number) if number is not None else None
    told = Told(f"e{offset}", "H1", t, recorded, data, sequence=sequence, device=device)
    return fact_of(told, Position(0, offset))


@st.composite
def counts(draw: st.DrawFn) -> list[Counted]:
    """Events of two devices under one or two enrolments each, with whatever numbers and clocks."""
    hours = st.integers(1, 20).map(lambda n: n * HOUR)
    found = []
    for offset in range(draw(st.integers(1, 7))):
        t = draw(hours)
        fact = counted(
            draw(st.sampled_from((None, 1, 2, 3, 4))), t, t + draw(hours) / 4, offset, draw(st.sampled_from("de"))
        )
        since = DAY_0 + draw(st.sampled_from((timedelta(), HOUR)))
        found.append(Counted(fact, since, draw(st.booleans())))
    return found


@given(counts(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(events: list[Counted], random: Any) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)

    assert clocks.raised(shuffled) == clocks.raised(events)


@given(counts())
def test_a_later_number_is_never_earlier_than_a_smaller_one_could_be(events: list[Counted]) -> None:
    """The definition, said slowly: the latest time among the smaller numbers of its count that can be right."""
    moved = clocks.raised(events)

    for event in events:
        number = event.fact.envelope.sequence
        before = [
            other.fact.t
            for other in events
            if number is not None
            and (other.fact.envelope.source, other.enrolled) == (event.fact.envelope.source, event.enrolled)
            and other.vouched
            and other.fact.envelope.sequence is not None
            and int(other.fact.envelope.sequence) < int(number)
            and other.fact.t <= event.fact.record_time
        ]
        assert moved.get(event.fact.position, event.fact.t) == max([event.fact.t, *before])


@given(counts(), counts())
def test_other_devices_and_what_nobody_vouches_for_move_nothing(events: list[Counted], others: list[Counted]) -> None:
    elsewhere = [
        Counted(replace(other.fact, position=Position(1, at)), DAY_0 - HOUR, other.vouched)
        for at, other in enumerate(others)
    ]
    words = [
        Counted(replace(other.fact, position=Position(2, at)), other.enrolled, vouched=False)
        for at, other in enumerate(others)
    ]

    moved = clocks.raised([*events, *elsewhere, *words])

    assert {position: t for position, t in moved.items() if position.partition == 0} == clocks.raised(events)


@given(counts())
def test_where_nothing_is_in_doubt_nothing_is_moved(events: list[Counted]) -> None:
    if not clocks.is_in_doubt(event.fact for event in events):
        assert clocks.raised(events) == {}

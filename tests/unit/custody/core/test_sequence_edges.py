"""SEQUENCE_GAP at the edges: which holes touch a window of numbers, and which a bracket of time."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from schemas.vocabulary import Confidence, FindingKind, Outcome
from services.custody.core.sequences import NEAR, Numbered, Window, holes, shown
from services.custody.core.verdict import Boundary, Explanation, Finding, Verdict

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOURCE = "/depots/H1/devices/d1"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        pytest.param((5, 7, 10), ["6-6", "8-9"], id="inside"),
        pytest.param((10, 13), [], id="behind the last number"),
        pytest.param((9, 13), ["10-12"], id="over the last number"),
        pytest.param((3, 5), [], id="before the first number"),
        pytest.param((3, 6), ["4-5"], id="over the first number"),
        pytest.param((3, 13), ["4-12"], id="over all of it"),
        pytest.param((5, 6, 7, 8, 9, 10), [], id="nothing is missing"),
        pytest.param((10, 5, 7), ["6-6", "8-9"], id="in whatever order they came in"),
    ],
)
def test_holes_that_touch_the_window_are_told_whole(numbers: tuple[int, ...], told: list[str]) -> None:
    found = holes(Window(SOURCE, 5, 10), [Numbered(number, at(number)) for number in numbers])

    assert [f"{hole.first}-{hole.last}" for hole in found] == told


def test_a_number_that_came_in_twice_spans_both_its_times() -> None:
    came_in = [Numbered(5, at(3)), Numbered(5, at(1)), Numbered(7, at(8)), Numbered(7, at(9))]

    [hole] = holes(Window(SOURCE, 0, 10), came_in)

    assert (hole.device, hole.since, hole.until) == ("H1.d1", at(1), at(9))


def test_a_source_that_names_no_device_is_told_as_it_was_sent() -> None:
    [hole] = holes(Window("somewhere", 0, NEAR), [Numbered(1, at(0)), Numbered(3, at(1))])

    assert str(hole) == "SEQUENCE_GAP somewhere 2-2"


def verdict(since: datetime | None, until: datetime | None) -> Verdict:
    def edge(t: datetime) -> Boundary:
        return Boundary(event="e", position="0:0", grade=3, t=t, how="direct")

    return Verdict(
        subject="yto:P",
        finding=Finding(FindingKind.DAMAGE),
        outcome=Outcome.UNDETERMINED,
        L=None if since is None else edge(since),
        U=None if until is None else edge(until),
        confidence=Confidence.NONE,
        as_of=at(100),
        explanation=Explanation("", ""),
    )


HOLE = holes(Window(SOURCE, 0, 10), [Numbered(1, at(10)), Numbered(3, at(20))])


@pytest.mark.parametrize(
    ("since", "until", "is_shown"),
    [
        (at(0), at(10), True),
        (at(0), at(9.9), False),
        (at(20), at(30), True),
        (at(20.1), at(30), False),
        (at(12), at(14), True),
        (None, at(10), True),
        (None, at(9), False),
        (at(20), None, True),
        (None, None, True),
    ],
)
def test_a_hole_bears_on_a_bracket_that_it_touches(
    since: datetime | None, until: datetime | None, is_shown: bool
) -> None:
    assert (shown(verdict(since, until), HOLE).flags == ("SEQUENCE_GAP",)) is is_shown


def test_a_bracket_without_an_end_ends_with_the_answer() -> None:
    later = holes(Window(SOURCE, 0, 10), [Numbered(1, at(100.1)), Numbered(3, at(200))])

    assert shown(verdict(at(0), None), later).flags == ()


def test_holes_are_told_in_order_and_the_flag_once() -> None:
    found = (
        *holes(Window("/depots/H2/devices/d9", 0, 10), [Numbered(4, at(1)), Numbered(6, at(2))]),
        *holes(Window(SOURCE, 0, 10), [Numbered(7, at(1)), Numbered(9, at(2)), Numbered(11, at(3))]),
    )
    marked = structs.replace(verdict(at(0), at(50)), flags=("SEQUENCE_GAP", "OTHER"), gaps=("before",))

    told = shown(marked, found)

    assert told.flags == ("SEQUENCE_GAP", "OTHER")
    assert told.gaps == (
        "before",
        "SEQUENCE_GAP H1.d1 8-8",
        "SEQUENCE_GAP H1.d1 10-10",
        "SEQUENCE_GAP H2.d9 5-5",
    )

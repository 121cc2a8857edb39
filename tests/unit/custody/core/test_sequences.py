"""SEQUENCE_GAP: what is missing between two numbers that came in is shown, and nothing that may still come."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas.codec import Envelope
from schemas.events import ItemScanned
from schemas.positions import Position
from schemas.vocabulary import CaptureMode, Confidence, FindingKind, Outcome
from services.custody.core import sequences
from services.custody.core.facts import Fact, fact_of
from services.custody.core.sequences import NEAR, Numbered, Window, holes, number_of, shown, windows
from services.custody.core.verdict import Boundary, Explanation, Finding, Verdict

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOURCE = "/depots/H1/devices/d1"
WHOLE = Window(SOURCE, 0, 10_000)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def scan(number: str | None, source: str = SOURCE) -> Fact:
    told = Envelope(
        id=f"e{number}",
        source=source,
        type=ItemScanned.TYPE,
        subject="yto:P",
        time=codec.format_instant(NOON),
        data=msgspec.json.encode(ItemScanned(mode=CaptureMode.HUMAN_SCAN, party="H1")),
        sequence=number,
        recordedtime=codec.format_instant(NOON),
        recordedby="test",
        recordeddepot="H1",
        recordedparty="H1",
    )
    return fact_of(Position(0, 0), NOON, codec.encode_record(told))


def verdict(since: datetime | None, until: datetime) -> Verdict:
    def edge(t: datetime) -> Boundary:
        return Boundary(event="e", position="0:0", grade=3, t=t, how="direct")

    return Verdict(
        subject="yto:P",
        finding=Finding(FindingKind.DAMAGE),
        outcome=Outcome.UNDETERMINED,
        L=None if since is None else edge(since),
        U=edge(until),
        confidence=Confidence.NONE,
        flags=("OTHER",),
        gaps=("before",),
        as_of=at(1_000),
        explanation=Explanation("", ""),
    )


@given(st.sets(st.integers(0, 60)), st.integers(0, 60), st.integers(0, 60))
def test_holes_are_exactly_what_is_missing_between_two_that_came_in(present: set[int], one: int, two: int) -> None:
    window = Window(SOURCE, min(one, two), max(one, two))
    # As the store gives them: what is inside, and the nearest beyond either end.
    inside = [number for number in present if window.first <= number <= window.last]
    below = [number for number in present if number < window.first]
    above = [number for number in present if number > window.last]
    given_numbers = [*inside, *([max(below)] if below else []), *([min(above)] if above else [])]

    found = holes(window, [Numbered(number, at(number)) for number in given_numbers])

    missing = {number for hole in found for number in range(hole.first, hole.last + 1)}
    assert missing.isdisjoint(present)
    between = set(range(min(present), max(present))) - present if present else set()
    assert missing & set(range(window.first, window.last + 1)) == between & set(range(window.first, window.last + 1))


def test_a_hole_lies_between_the_times_of_its_neighbours_whatever_their_clock_did() -> None:
    (hole,) = holes(WHOLE, [Numbered(7, at(30)), Numbered(10, at(10))])

    assert (hole.since, hole.until) == (at(10), at(30))
    assert str(hole) == "SEQUENCE_GAP H1.d1 8-9"


def test_what_lies_beyond_the_last_number_is_no_hole() -> None:
    assert holes(WHOLE, [Numbered(7, NOON)]) == ()
    assert holes(WHOLE, [Numbered(7, NOON), Numbered(8, NOON), Numbered(8, NOON)]) == ()


@given(st.lists(st.integers(0, 5_000), max_size=12))
def test_windows_cover_what_is_near_each_number_and_do_not_overlap(numbers: list[int]) -> None:
    found = windows([scan(f"{number:08d}") for number in numbers])

    covered = [number for window in found for number in range(window.first, window.last + 1)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {near for number in numbers for near in range(max(0, number - NEAR), number + NEAR + 1)}


def test_devices_have_windows_of_their_own_and_unnumbered_events_none() -> None:
    other = "/depots/H1/devices/d2"

    assert windows([scan("5"), scan("6", other), scan(None), scan("six"), scan("٣")]) == (
        Window(SOURCE, 0, 205),
        Window(other, 0, 206),
    )


def test_a_number_is_told_by_its_digits() -> None:
    assert number_of("00000123") == 123
    assert [number_of(text) for text in (None, "", "-1", "1.5", "²", str(2**63))] == [None] * 6


def test_a_verdict_shows_the_holes_that_overlap_its_bracket() -> None:
    found = holes(
        WHOLE, [Numbered(1, at(0)), Numbered(3, at(10)), Numbered(5, at(20)), Numbered(7, at(30)), Numbered(9, at(40))]
    )

    told = shown(verdict(at(12), at(25)), found)

    assert told.flags == ("OTHER", "SEQUENCE_GAP")
    assert told.gaps == ("before", "SEQUENCE_GAP H1.d1 4-4", "SEQUENCE_GAP H1.d1 6-6")


def test_a_bracket_without_a_sound_look_begins_with_the_sender() -> None:
    found = holes(WHOLE, [Numbered(1, at(0)), Numbered(3, at(10))])

    assert "SEQUENCE_GAP" in shown(verdict(None, at(5)), found).flags


def test_a_verdict_without_holes_is_told_as_it_stands() -> None:
    plain = verdict(at(12), at(25))

    assert shown(plain, holes(WHOLE, [Numbered(1, at(0)), Numbered(3, at(10))])) is plain


def test_very_many_holes_are_told_in_part() -> None:
    found = holes(WHOLE, [Numbered(2 * number, at(number)) for number in range(100)])

    assert len(shown(verdict(None, at(1_000)), found).gaps) == 1 + sequences.SHOWN_MAX

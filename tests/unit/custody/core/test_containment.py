"""Containment: what packings and unpackings say about where an item was, in whatever order they became known."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas.events import Event, ItemScanned, Observation, UnitOpened, UnitPacked, UnitUnpacked
from schemas.positions import Position
from schemas.vocabulary import CaptureMode, Condition, Facet, UnitKind
from services.custody.core.containment import DEPTH_MAX, Containment, Stay, Timed, contain
from services.custody.core.facts import Fact, Packing, fact_of

DAY_0 = datetime(2026, 3, 1, tzinfo=UTC)
ITEM = "test:PARCEL"
WEEK = timedelta(days=7)
SKEW = timedelta(seconds=120)
SCAN = CaptureMode.HUMAN_SCAN
_numbers = itertools.count()


def told(subject: str, hours: float, data: Event) -> Fact:
    """A fact about a subject that happened so many hours after day 0."""
    number = next(_numbers)
    t = DAY_0 + timedelta(hours=hours)
    envelope = codec.Envelope(
        id=f"e{number}",
        source="/depots/H1/devices/d",
        type=data.TYPE,
        subject=subject,
        time=codec.format_instant(t),
        data=msgspec.json.encode(data),
    )
    return fact_of(Position(0, number), t, codec.encode_record(envelope))


def packed(hours: float, unit: str, *, item: str = ITEM, kind: UnitKind = UnitKind.BAG) -> Fact:
    return told(item, hours, UnitPacked(mode=SCAN, party="H1", unit=unit, kind=kind))


def unpacked(hours: float, unit: str, *, item: str = ITEM) -> Fact:
    return told(item, hours, UnitUnpacked(mode=SCAN, party="H2", unit=unit))


def scanned(hours: float, *, item: str = ITEM, empty: bool = False) -> Fact:
    return told(item, hours, ItemScanned(mode=SCAN, party="H2", empty=empty))


def found(*facts: Fact, neighbours: Sequence[Packing] = ()) -> Containment:
    """The item's stays by these facts, about itself and about units."""
    about: dict[str, list[Timed]] = {}
    for fact in facts:
        about.setdefault(fact.subject, []).append(Timed(fact, fact.t))
    return contain(ITEM, about.pop(ITEM, []), about, neighbours, WEEK, SKEW)


def spans(contained: Containment) -> list[tuple[str, float, float, bool]]:
    """Unit, from hour, to hour, and whether the end is inferred."""

    def hour(t: datetime) -> float:
        return (t - DAY_0) / timedelta(hours=1)

    return [(stay.unit, hour(stay.since), hour(stay.until), stay.implied) for stay in contained.stays]


def neighbour(hours: float, unit: str, *, is_packed: bool) -> Packing:
    t = DAY_0 + timedelta(hours=hours)
    return Packing(unit, t, is_packed, Position(1, next(_numbers)), t)


def test_a_packing_and_its_unpacking_make_a_stay() -> None:
    assert spans(found(packed(1, "u:B1"), unpacked(5, "u:B1"))) == [("u:B1", 1, 5, False)]


def test_a_stay_lasts_no_longer_than_the_setting_when_nobody_recorded_the_unpacking() -> None:
    assert spans(found(packed(1, "u:B1"))) == [("u:B1", 1, 169, True)]


def test_an_unpacking_on_record_beats_the_longest_stay() -> None:
    assert spans(found(packed(1, "u:B1"), unpacked(400, "u:B1"))) == [("u:B1", 1, 400, False)]


@pytest.mark.parametrize(
    "end",
    [
        scanned(6),
        scanned(6, item="u:B1", empty=True),
        packed(6, "u:B2"),
    ],
    ids=["the item is scanned by itself", "the unit is scanned empty", "the item is packed into another unit"],
)
def test_a_forgotten_unpacking_is_inferred_from(end: Fact) -> None:
    stays = found(packed(1, "u:B1"), end).stays

    assert (stays[0].until, stays[0].implied, stays[0].implied_by) == (end.t, True, end)


def test_a_new_load_ends_what_was_left_in_the_unit_by_record() -> None:
    later_load = [neighbour(4, "u:B1", is_packed=False), neighbour(9, "u:B1", is_packed=True)]

    assert spans(found(packed(1, "u:B1"), neighbours=later_load)) == [("u:B1", 1, 9, True)]


def test_more_of_the_same_load_ends_nothing() -> None:
    same_load = [neighbour(2, "u:B1", is_packed=True), neighbour(3, "u:B1", is_packed=True)]

    assert spans(found(packed(1, "u:B1"), neighbours=same_load)) == [("u:B1", 1, 169, True)]


def test_an_opening_before_a_packing_makes_it_a_new_load() -> None:
    opened = told("u:B1", 4, UnitOpened(mode=SCAN, party="H2"))

    stays = found(packed(1, "u:B1"), opened, neighbours=[neighbour(6, "u:B1", is_packed=True)])

    assert spans(stays) == [("u:B1", 1, 6, True)]


def test_a_statement_that_it_is_missing_is_no_sight_of_it() -> None:
    missing = ItemScanned(
        mode=CaptureMode.HUMAN_INSPECT,
        party="H2",
        observations=(Observation(facet=Facet.PRESENCE, value=Condition.BAD),),
    )

    assert spans(found(packed(1, "u:B1"), told(ITEM, 5, missing))) == [("u:B1", 1, 169, True)]


def test_reading_the_label_once_more_while_packing_ends_nothing() -> None:
    assert spans(found(packed(1, "u:B1"), scanned(1.01), packed(2, "u:B1"), unpacked(5, "u:B1"))) == [
        ("u:B1", 1, 5, False)
    ]


def test_the_same_unit_is_used_again_next_day() -> None:
    stays = found(packed(1, "u:B1"), unpacked(5, "u:B1"), packed(25, "u:B1"), unpacked(29, "u:B1"))

    assert spans(stays) == [("u:B1", 1, 5, False), ("u:B1", 25, 29, False)]


def test_an_unpacking_nobody_packed_for_is_no_stay() -> None:
    assert spans(found(unpacked(5, "u:B1"))) == []


def test_a_list_hides_nothing_and_ends_at_no_scan() -> None:
    (stay,) = found(packed(1, "u:M1", kind=UnitKind.MANIFEST), scanned(6)).stays

    assert not stay.hides
    assert stay.until == DAY_0 + timedelta(hours=1) + WEEK


def test_an_item_may_be_on_a_list_and_in_a_bag_at_once() -> None:
    stays = found(packed(1, "u:M1", kind=UnitKind.MANIFEST), packed(2, "u:B1"), unpacked(4, "u:B1"))

    assert spans(stays) == [("u:M1", 1, 169, True), ("u:B1", 2, 4, False)]


def test_a_unit_in_a_unit_is_joined_while_both_hold() -> None:
    stays = found(
        packed(2, "u:B1"),
        unpacked(20, "u:B1"),
        packed(1, "u:CAGE", item="u:B1", kind=UnitKind.CAGE),
        unpacked(10, "u:CAGE", item="u:B1"),
        packed(5, "u:TRAILER", item="u:CAGE", kind=UnitKind.TRAILER),
        unpacked(30, "u:TRAILER", item="u:CAGE"),
    )

    assert spans(stays) == [
        ("u:B1", 2, 20, False),
        ("u:CAGE", 2, 10, False),
        ("u:TRAILER", 5, 10, False),
    ]
    assert [stay.depth for stay in stays.stays] == [1, 2, 3]


@pytest.mark.parametrize(
    ("cycle", "refused"),
    [
        ([packed(1, ITEM)], 1),
        ([packed(1, "u:A"), packed(2, "u:A", item="u:A")], 1),
        ([packed(1, "u:A"), packed(2, "u:B", item="u:A"), packed(3, "u:A", item="u:B")], 1),
        ([packed(1, "u:A"), packed(2, ITEM, item="u:A")], 1),
    ],
    ids=["the item in itself", "a unit in itself", "two units in each other", "the unit in the item"],
)
def test_what_would_hold_itself_is_refused_with_a_reason(cycle: Sequence[Fact], refused: int) -> None:
    assert [why for _, why in found(*cycle).refused] == ["CONTAINMENT_CYCLE"] * refused


def test_units_that_hold_each_other_at_different_times_are_no_cycle() -> None:
    stays = found(
        packed(1, "u:A"),
        unpacked(20, "u:A"),
        packed(2, "u:B", item="u:A"),
        unpacked(5, "u:B", item="u:A"),
        packed(8, "u:A", item="u:B"),
        unpacked(9, "u:A", item="u:B"),
    )

    assert spans(stays) == [("u:A", 1, 20, False), ("u:B", 2, 5, False)]
    assert stays.refused == ()


def test_a_load_is_at_most_so_deep() -> None:
    boxes = [ITEM, *(f"u:L{depth}" for depth in range(1, DEPTH_MAX + 2))]

    stays = found(
        *(packed(1 + at / 10, outer, item=inner) for at, (inner, outer) in enumerate(itertools.pairwise(boxes)))
    )

    assert [stay.depth for stay in stays.stays] == [1, 2, 3, 4]
    assert [why for _, why in stays.refused] == ["TOO_DEEP"]


moves = st.lists(
    st.tuples(
        st.sampled_from([ITEM, "u:A", "u:B", "u:C"]),
        st.integers(0, 24 * 20),
        st.booleans(),
        st.sampled_from(["u:A", "u:B", "u:C", "u:D"]),
    ),
    max_size=12,
)


def _facts(drawn: Sequence[tuple[str, int, bool, str]]) -> list[Fact]:
    return [packed(h, unit, item=item) if into else unpacked(h, unit, item=item) for item, h, into, unit in drawn]


@given(moves, st.randoms(use_true_random=False))
def test_the_order_in_which_packings_become_known_changes_nothing(
    drawn: list[tuple[str, int, bool, str]], chance: Random
) -> None:
    facts = _facts(drawn)
    shuffled = list(facts)
    chance.shuffle(shuffled)

    assert spans(found(*facts)) == spans(found(*shuffled))


@given(moves)
def test_an_item_is_in_one_closed_unit_at_a_time_and_never_in_itself(drawn: list[tuple[str, int, bool, str]]) -> None:
    contained = found(*_facts(drawn))

    own = [stay for stay in contained.stays if stay.depth == 1]
    assert all(not _overlap(one, other) for one, other in itertools.combinations(own, 2))
    assert all(stay.unit != ITEM and stay.since < stay.until and stay.depth <= DEPTH_MAX for stay in contained.stays)


@given(moves)
def test_what_holds_the_unit_holds_the_item_for_no_longer_than_the_unit_does(
    drawn: list[tuple[str, int, bool, str]],
) -> None:
    stays = found(*_facts(drawn)).stays

    for deeper in (stay for stay in stays if stay.depth > 1):
        inner = [stay for stay in stays if stay.unit == deeper.item and stay.depth == deeper.depth - 1]
        assert any(stay.since <= deeper.since and deeper.until <= stay.until for stay in inner)


def _overlap(one: Stay, other: Stay) -> bool:
    return one.since < other.until and other.since < one.until

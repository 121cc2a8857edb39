"""Journeys: carriers use codes again, so that the events under one code are told apart by parcel."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas.events import (
    Event,
    HandoffAccepted,
    ItemScanned,
    NoticeGiven,
    ParcelAnnounced,
    ParcelDropped,
    PolicySet,
)
from schemas.positions import AsOf, Position
from schemas.vocabulary import RECIPIENT, CaptureMode, DropPlace
from services.custody.core.facts import Evidence, Fact, fact_of
from services.custody.core.journeys import cut, last

DAY_0 = datetime(2024, 1, 1, tzinfo=UTC)
EVER = AsOf(datetime(2100, 1, 1, tzinfo=UTC))
SCAN = CaptureMode.HUMAN_SCAN
_numbers = itertools.count()


def told(day: float, data: Event, *, recorded: float | None = None, subject: str = "yto:YT1") -> Fact:
    """A fact of day `day`, recorded then or on another day."""
    number = next(_numbers)
    t = DAY_0 + timedelta(days=day)
    envelope = codec.Envelope(
        id=f"e{number}",
        source="/depots/H1/devices/d",
        type=data.TYPE,
        subject=subject,
        time=codec.format_instant(t),
        data=msgspec.json.encode(data),
    )
    record_time = t if recorded is None else DAY_0 + timedelta(days=recorded)
    return fact_of(Position(0, number), record_time, codec.encode_record(envelope))


def announced(day: float) -> Fact:
    return told(day, ParcelAnnounced())


def accepted(day: float, taker: str = "C1", *, recorded: float | None = None) -> Fact:
    return told(day, HandoffAccepted(mode=SCAN, taker=taker), recorded=recorded)


def scanned(day: float, *, recorded: float | None = None) -> Fact:
    return told(day, ItemScanned(mode=SCAN, party="C1"), recorded=recorded)


def days(*facts: Fact, settings: PolicySet | None = None) -> list[list[float]]:
    """The days of the events of each journey."""
    registry = (told(0, settings, subject="policy:DEFAULT"),) if settings is not None else ()
    found = cut(Evidence("yto:YT1", facts, registry=registry), EVER)
    assert [journey.journey for journey in found] == list(range(1, len(found) + 1))
    return [[(fact.t - DAY_0) / timedelta(days=1) for fact in journey.facts] for journey in found]


def test_a_year_after_the_delivery_a_pick_up_is_another_parcels() -> None:
    assert days(accepted(0), accepted(3, RECIPIENT), accepted(369), scanned(370)) == [[0, 3], [369, 370]]


def test_paperwork_opens_a_journey_too() -> None:
    assert days(accepted(0), accepted(3, RECIPIENT), announced(370), accepted(371)) == [[0, 3], [370, 371]]


def test_within_a_year_it_is_the_same_parcel() -> None:
    assert days(accepted(0), accepted(3, RECIPIENT), accepted(360)) == [[0, 3, 360]]


def test_a_late_notice_does_not_keep_the_code_in_use() -> None:
    notice = told(300, NoticeGiven(party=RECIPIENT))

    assert days(accepted(0), accepted(3, RECIPIENT), notice, accepted(370)) == [[0, 3, 300], [370]]


def test_a_drop_counts_as_delivery_here() -> None:
    dropped = told(3, ParcelDropped(mode=SCAN, party="C1", place=DropPlace.DOOR))

    assert days(accepted(0), dropped, accepted(369)) == [[0, 3], [369]]


def test_without_a_delivery_the_last_event_counts() -> None:
    assert days(accepted(0), scanned(200), accepted(400)) == [[0, 200, 400]]


def test_a_sight_after_a_year_opens_nothing() -> None:
    assert days(accepted(0), accepted(3, RECIPIENT), scanned(500)) == [[0, 3, 500]]


def test_the_setting_decides_how_long() -> None:
    settings = PolicySet(reuse_after_days=30)

    assert days(accepted(0), accepted(3, RECIPIENT), accepted(40), settings=settings) == [[0, 3], [40]]


def test_a_clock_that_is_years_wrong_opens_no_journey() -> None:
    behind = accepted(-700, recorded=1)
    ahead = accepted(900, recorded=2)

    assert days(behind, accepted(0), ahead, accepted(3, RECIPIENT)) == [[-700, 0, 900, 3]]


def test_a_late_event_goes_to_the_journey_that_it_happened_in() -> None:
    late = scanned(2, recorded=300)

    assert days(accepted(0), accepted(3, RECIPIENT), accepted(400), late) == [[0, 3, 2], [400]]


def test_what_was_not_recorded_yet_cuts_nothing() -> None:
    evidence = Evidence("yto:YT1", (accepted(0), accepted(3, RECIPIENT), accepted(400)))

    assert last(evidence, AsOf(DAY_0 + timedelta(days=10))).journey == 1
    assert last(evidence, EVER).journey == 2


_drawn = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(["accept", "deliver", "scan", "announce"])), max_size=8
)


def _facts(drawn: list[tuple[int, str]]) -> list[Fact]:
    makers = {
        "accept": accepted,
        "deliver": lambda day: accepted(day, RECIPIENT),
        "scan": scanned,
        "announce": announced,
    }
    return [makers[what](day) for day, what in drawn]


@given(_drawn, st.randoms(use_true_random=False))
def test_every_event_is_in_one_journey_whatever_the_order(drawn: list[tuple[int, str]], chance: Random) -> None:
    facts = _facts(drawn)
    shuffled = list(facts)
    chance.shuffle(shuffled)

    journeys = days(*facts)

    assert sorted(day for journey in journeys for day in journey) == sorted(day for day, _ in drawn)
    assert [sorted(journey) for journey in journeys] == [sorted(journey) for journey in days(*shuffled)]

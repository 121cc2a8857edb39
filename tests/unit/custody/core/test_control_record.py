"""R23 counts how handoffs were recorded: two sides, a look, in time, by a scanner. It counts and says no more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas.codec import Envelope
from schemas.events import ConditionObserved, Event, HandoffAccepted, HandoffReleased, Observation
from schemas.positions import Position
from schemas.vocabulary import RECIPIENT, SENDER, CaptureMode, Condition, Facet
from services.custody.core.facts import Fact, fact_of
from services.custody.core.rules.control_record import Act, Count, Entry, Kind, act_of, control_record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(hours=2)
DAY = timedelta(hours=24)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def act(kind: Kind, hours: float = 0, *, item: str = "yto:A", other: str | None = "H1", **told: bool) -> Act:
    """H2's."""
    flags = {"examined": False, "late": False, "typed_in": False} | told
    return Act(item, kind, at(hours), other, **flags)


def entry(kind: Kind, party: str, hours: float = 0, *, item: str = "yto:A") -> Entry:
    return Entry(item, kind, party, at(hours))


def counted(acts: list[Act], *around: Entry) -> dict[str, str]:
    """Each count as `1/2`; the party's own acts are around, as in the database."""
    own = [Entry(one.subject, one.kind, "H2", one.t) for one in acts]
    record = control_record("H2", acts, [*own, *around], WINDOW)
    return {name: f"{value.count}/{value.of}" for name, value in _fields(record).items()}


def _fields(record: msgspec.Struct) -> dict[str, Count]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


@pytest.mark.parametrize(
    ("release", "taken"),
    [
        ((), "0/1"),
        ((entry(Kind.RELEASE, "H1", -0.1),), "1/1"),
        ((entry(Kind.RELEASE, "H1", 2),), "1/1"),  # the edge of the window belongs to it
        ((entry(Kind.RELEASE, "H1", -2.1),), "0/1"),  # an ordinary look (R7)
        ((entry(Kind.RELEASE, "H2", 0),), "0/1"),  # nobody hands over to himself
        ((entry(Kind.RELEASE, "H1", 0, item="yto:B"),), "0/1"),
        ((entry(Kind.LOOK, "H1", 0),), "0/1"),
    ],
)
def test_what_it_took_has_two_sides_where_the_giver_released_it_near_by(release: tuple[Entry, ...], taken: str) -> None:
    assert counted([act(Kind.ACCEPT)], *release)["taken"] == taken


@pytest.mark.parametrize(
    ("giver", "around", "taken"),
    [
        (SENDER, (), "0/0"),
        (RECIPIENT, (), "0/0"),
        (None, (), "0/0"),  # nobody had it before, for all that is known: a pick-up
        (None, (entry(Kind.LOOK, "H1", -1),), "0/0"),
        (None, (entry(Kind.ACCEPT, RECIPIENT, -9),), "0/0"),
        (None, (entry(Kind.ACCEPT, "H1", -9),), "0/1"),
        (None, (entry(Kind.RELEASE, "H1", 1),), "1/1"),
        (None, (entry(Kind.ACCEPT, "LH", 9),), "0/0"),  # the one after it
    ],
)
def test_what_it_took_from_a_person_is_left_out(giver: str | None, around: tuple[Entry, ...], taken: str) -> None:
    assert counted([act(Kind.ACCEPT, other=giver)], *around)["taken"] == taken


@pytest.mark.parametrize(
    ("taker", "around", "given"),
    [
        ("LH", (), "0/1"),
        ("LH", (entry(Kind.ACCEPT, "LH", 1),), "1/1"),
        (None, (entry(Kind.ACCEPT, "LH", -2),), "1/1"),
        ("LH", (entry(Kind.ACCEPT, "LH", 3),), "0/1"),
        ("LH", (entry(Kind.ACCEPT, "H2", 1),), "0/1"),
        (RECIPIENT, (), "0/0"),
        (None, (entry(Kind.ACCEPT, RECIPIENT, 1),), "0/0"),
    ],
)
def test_what_it_released_has_two_sides_where_a_business_took_it_near_by(
    taker: str | None, around: tuple[Entry, ...], given: str
) -> None:
    assert counted([act(Kind.RELEASE, other=taker)], *around)["given"] == given


@pytest.mark.parametrize(
    ("around", "given"),
    [
        ((), "0/0"),
        ((entry(Kind.ACCEPT, "LH", 5),), "0/1"),
        ((entry(Kind.ACCEPT, "LH", 5), entry(Kind.ACCEPT, "H3", 9)), "0/1"),  # the next is another's to release
        ((entry(Kind.ACCEPT, RECIPIENT, 5),), "0/0"),
        ((entry(Kind.ACCEPT, "H2", 4), entry(Kind.ACCEPT, "LH", 5)), "0/0"),  # it took it again: counted there
        ((entry(Kind.ACCEPT, "LH", -5),), "0/0"),
        ((entry(Kind.RELEASE, "H2", 7), entry(Kind.ACCEPT, "LH", 5)), "0/0"),  # released, though out of these days
        ((entry(Kind.RELEASE, "H2", 8), entry(Kind.ACCEPT, "LH", 5)), "0/1"),
        ((entry(Kind.RELEASE, "H1", 4), entry(Kind.ACCEPT, "LH", 5)), "0/1"),
    ],
)
def test_what_another_took_from_it_without_its_release_is_counted_against_two_sides(
    around: tuple[Entry, ...], given: str
) -> None:
    assert counted([act(Kind.ACCEPT)], *around)["given"] == given


def test_a_released_handoff_is_counted_once_however_late_it_was_taken() -> None:
    acts = [act(Kind.ACCEPT), act(Kind.RELEASE, 4, other="LH")]

    assert counted(acts, entry(Kind.ACCEPT, "LH", 5))["given"] == "1/1"
    assert counted(acts, entry(Kind.ACCEPT, "LH", 50))["given"] == "0/1"


def test_looks_late_and_typed_records_are_counted_over_its_own_acts() -> None:
    acts = [
        act(Kind.ACCEPT, examined=True),
        act(Kind.RELEASE, 9, late=True, typed_in=True),
        act(Kind.ACCEPT, item="yto:B"),
        act(Kind.ACCEPT, item="yto:C", late=True),
    ]
    looks = (
        entry(Kind.LOOK, "H2", 2, item="yto:B"),
        entry(Kind.LOOK, "H2", 2.1, item="yto:C"),
        entry(Kind.LOOK, "H1", 0, item="yto:C"),
    )

    told = counted(acts, *looks)

    assert (told["examined"], told["late"], told["typed_in"]) == ("2/4", "2/4", "1/4")


def test_a_share_is_told_to_a_thousandth_and_none_where_there_is_nothing() -> None:
    acts = [act(Kind.ACCEPT, item=f"yto:{number}", late=number == 0) for number in range(3)]

    assert control_record("H2", acts, [], WINDOW).late == Count(count=1, of=3, share=0.333)
    assert control_record("H2", [], [], WINDOW).late == Count(count=0, of=0, share=None)


# --- from the record to the act -------------------------------------------------------------------------------------


def fact(data: Event, *, recorded: float = 0) -> Fact:
    envelope = Envelope(
        id="e1",
        source="/depots/H2/devices/d1",
        type=data.TYPE,
        subject="yto:A",
        time=codec.format_instant(NOON),
        data=msgspec.json.encode(data),
        recordedtime=codec.format_instant(at(recorded)),
        recordedby="test",
    )
    return fact_of(Position(0, 0), at(recorded), codec.encode_record(envelope))


def accepted(**told: Any) -> HandoffAccepted:
    return HandoffAccepted(**({"mode": CaptureMode.HUMAN_INSPECT, "taker": "H2", "giver": "H1"} | told))


def test_both_sides_of_a_handoff_are_acts_and_nothing_else_is() -> None:
    release = HandoffReleased(mode=CaptureMode.HUMAN_SCAN, giver="H2", taker="LH")
    look = ConditionObserved(mode=CaptureMode.HUMAN_INSPECT, party="H2")

    assert act_of(fact(accepted()), DAY) == Act("yto:A", Kind.ACCEPT, NOON, "H1", False, False, False)
    assert act_of(fact(release), DAY) == Act("yto:A", Kind.RELEASE, NOON, "LH", False, False, False)
    assert act_of(fact(look), DAY) is None


@pytest.mark.parametrize(
    ("look", "examined"),
    [
        (Observation(Facet.OUTER, Condition.OK), True),
        (Observation(Facet.SEAL, Condition.BAD), True),
        (Observation(Facet.PRESENCE, Condition.OK), False),  # every scan says that much
        (Observation(Facet.OUTER, Condition.UNEXAMINED), False),
    ],
)
def test_examined_is_what_says_more_than_a_scan(look: Observation, examined: bool) -> None:
    told = act_of(fact(accepted(observations=(look,))), DAY)

    assert told is not None
    assert told.examined is examined


@pytest.mark.parametrize(("recorded", "late"), [(24, False), (24.1, True)])
def test_late_is_what_was_recorded_after_more_than_the_settings_allow(recorded: float, late: bool) -> None:
    told = act_of(fact(accepted(), recorded=recorded), DAY)

    assert told is not None
    assert told.late is late


@pytest.mark.parametrize("mode", CaptureMode)
def test_typed_in_is_manual_entry_alone(mode: CaptureMode) -> None:
    told = act_of(fact(accepted(mode=mode)), DAY)

    assert told is not None
    assert told.typed_in is (mode is CaptureMode.MANUAL_ENTRY)


# --- laws -----------------------------------------------------------------------------------------------------------

parties = st.sampled_from(["H1", "H2", "LH", SENDER, RECIPIENT])
entries = st.builds(
    Entry,
    st.sampled_from(["yto:A", "yto:B"]),
    st.sampled_from(Kind),
    parties,
    st.integers(0, 12).map(at),
)


def of_h2(around: list[Entry]) -> list[Act]:
    return [
        Act(one.subject, one.kind, one.t, None, False, False, False)
        for one in around
        if one.party == "H2" and one.kind is not Kind.LOOK
    ]


@given(st.lists(entries, max_size=12), st.randoms())
def test_the_order_in_which_records_come_counts_for_nothing(around: list[Entry], chance: Any) -> None:
    # Two records of one instant have no order; give each an instant of its own.
    around = [one._replace(t=one.t + timedelta(seconds=index)) for index, one in enumerate(around)]
    shuffled = chance.sample(around, len(around))

    assert control_record("H2", of_h2(shuffled), shuffled, WINDOW) == control_record(
        "H2", of_h2(around), around, WINDOW
    )


@given(st.lists(entries, max_size=12))
def test_what_is_recorded_about_other_items_counts_for_nothing(around: list[Entry]) -> None:
    acts = [one for one in of_h2(around) if one.subject == "yto:A"]

    alone = control_record("H2", acts, [one for one in around if one.subject == "yto:A"], WINDOW)

    assert control_record("H2", acts, around, WINDOW) == alone


@given(st.lists(entries, max_size=12))
def test_a_part_is_never_more_than_the_whole(around: list[Entry]) -> None:
    acts = of_h2(around)
    record = control_record("H2", acts, around, WINDOW)

    assert record.late.of == record.typed_in.of == record.examined.of == len(acts)
    assert all(0 <= told.count <= told.of for told in _fields(record).values())
    assert record.taken.of <= len(acts)

"""What is kept about a parcel beside its events: under which label, resting on what, waiting for what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.events import (
    ConditionObserved,
    Event,
    HandoffAccepted,
    NoticeGiven,
    Observation,
    Operator,
    ParcelAnnounced,
    ParcelRelabelled,
    PolicySet,
    Redirected,
    UnitPacked,
)
from schemas.positions import AsOf, Position, Positions
from schemas.vocabulary import SENDER, CaptureMode, Condition, Facet
from services.custody.core.casework import FAR_FUTURE, Case, casework, filed_under, latest, rests_on
from services.custody.core.facts import Evidence, Packing, Parked, Rival
from tests.gathering import gather
from tests.unit.custody.core.histories import DAY_0, PHOTO, SUBJECT, History, Told, evidence, record, registry

SCAN = CaptureMode.HUMAN_SCAN
HOUR = timedelta(hours=1)


def told(id_: str, by: str, day: float, data: Event, subject: str = SUBJECT) -> Told:
    return Told(id_, by, timedelta(days=day), timedelta(days=day), data, subject=subject)


def took(id_: str, by: str, day: float, giver: str | None = None, **more: Any) -> Told:
    return told(id_, by, day, HandoffAccepted(mode=SCAN, taker=by, giver=giver, **more))


def torn(id_: str, by: str, day: float) -> Told:
    seen = (Observation(facet=Facet.OUTER, value=Condition.BAD, media=(PHOTO,)),)
    looked = ConditionObserved(
        mode=CaptureMode.HUMAN_INSPECT, operator=Operator(ref="p1"), party=by, observations=seen, site=f"{by}-DOCK"
    )
    return told(id_, by, day, looked)


def of(*acts: Told, policy: PolicySet | None = None) -> Evidence:
    return evidence(History(acts, registry(policy or PolicySet())))


PAPER = told("paper", "OFFICE", 0.1, ParcelAnnounced(contracting="C1", promised_after_hours=48.0))


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_a_promise_waits_for_whoever_takes_the_parcel_over_first() -> None:
    wait = casework(of(PAPER), None).watch

    assert wait is not None
    assert (wait.due, wait.deadline, wait.since) == (FAR_FUTURE, "first_acceptance", FAR_FUTURE)
    assert wait.rests_on == ("device:OFFICE.D", "party:C1", "party:H1", *OTHERS)
    assert wait.columns == {
        "due": FAR_FUTURE,
        "deadline": "first_acceptance",
        "since": FAR_FUTURE,
        "rests_on": list(wait.rests_on),
    }


OTHERS = ("party:H2", "party:LH", "party:RCP", "party:SENDER", "party:SVY", "policy:DEFAULT")


def test_once_it_is_taken_over_the_promise_is_waited_for() -> None:
    wait = casework(of(PAPER, took("a1", "C1", 1, SENDER)), None).watch

    assert wait is not None
    assert (wait.due, wait.deadline) == (DAY_0 + timedelta(days=3), "promised_time")
    assert (wait.since, wait.rests_on) == (DAY_0 + timedelta(days=1), ())


def test_what_was_delivered_or_never_promised_waits_for_nothing() -> None:
    assert casework(of(took("a1", "C1", 1, SENDER)), None).watch is None
    delivered = took("a2", "RCP", 2, "C1")
    assert casework(of(PAPER, took("a1", "C1", 1, SENDER), delivered), None).watch is None


def test_a_wait_of_its_own_is_set_by_what_counts_as_lost() -> None:
    wait = casework(of(took("a1", "C1", 1, SENDER), policy=PolicySet(deemed_lost_hours=72.0)), None).watch

    assert wait is not None
    assert wait.deadline == "deemed_lost"
    assert wait.since == DAY_0 + timedelta(days=1)


def test_a_new_address_may_promise_what_the_contract_did_not() -> None:
    redirected = told("g1", "C1", 0.2, Redirected(party="C1", address="new", promised_after_hours=24.0))

    wait = casework(of(redirected), None).watch

    assert wait is not None
    assert wait.deadline == "first_acceptance"


# --- the case ---------------------------------------------------------------------------------------------------------

TORN = (took("a1", "C1", 1, SENDER), took("a2", "LH", 2, "C1"), torn("i1", "LH", 2.5))


def test_nothing_reported_is_no_case() -> None:
    assert casework(of(*TORN[:2]), None).cases == ()
    assert casework(of(*TORN[:2]), None).case is None


def test_a_case_is_opened_by_the_report_and_changed_by_what_followed() -> None:
    case = casework(of(*TORN), None).case

    assert case is not None
    assert case.opened == case.changed == DAY_0 + timedelta(days=2.5)
    row = case.columns
    assert (row["kinds"], row["outcome"], row["confidence"]) == (["DAMAGE"], "SEGMENT", "MODERATE")
    assert (row["incidents"], row["inside"]) == ([], 0)
    assert row["parties"] == ["C1", "H1", "H2", "LH", "RCP", "SENDER", "SVY"]
    assert [verdict["liable"] for verdict in row["verdicts"]] == [[{"party": "LH", "share": "1"}]]
    assert [device for device in row["rests_on"] if device.startswith("device:")] == ["device:C1.D", "device:LH.D"]
    assert [site for site in row["rests_on"] if site.startswith("site:")] == ["site:LH-DOCK"]


def test_a_report_that_does_not_count_keeps_its_case_open() -> None:
    unknown = told("n1", "NOBODY", 2, ConditionObserved(mode=SCAN, party="NOBODY", observations=BAD))

    case = casework(of(TORN[0], unknown), None).case

    assert case is not None
    assert (case.verdicts, case.opened) == ((), DAY_0 + timedelta(days=2))
    assert (case.columns["outcome"], case.columns["confidence"], case.columns["kinds"]) == (None, None, [])


BAD = (Observation(facet=Facet.OUTER, value=Condition.BAD),)


def test_every_version_of_an_answer_is_a_row() -> None:
    rows = casework(of(*TORN, torn("i0", "C1", 1.5)), None).version_rows

    assert [(journey, finding, number) for journey, finding, number in rows] == [
        (1, "DAMAGE/whole/any/any", 1),
        *((1, "DAMAGE/whole/any/any", number) for number in range(2, len(rows) + 1)),
    ]
    first = rows[1, "DAMAGE/whole/any/any", 1]
    assert (first["record_time"], first["because"]) == (DAY_0 + timedelta(days=1.5), "i0")
    assert first["verdict"]["outcome"] in ("SEGMENT", "JOINT", "SENDER", "UNDETERMINED")


def test_what_was_inside_a_unit_is_counted_and_rested_on_once() -> None:
    case = casework(of(*TORN), None).case
    assert case is not None

    counted = case.holding(7, ["test:B9", "test:B1", "party:C1"])

    assert counted.inside == counted.columns["inside"] == 7
    assert counted.rests_on == tuple(sorted({*case.rests_on, "test:B1", "test:B9"}))
    assert replace(counted, inside=0, rests_on=case.rests_on) == case
    assert isinstance(counted, Case)


# --- its label --------------------------------------------------------------------------------------------------------


def relabelled(id_: str, day: float, old: str, new: str) -> Told:
    return told(id_, "H1", day, ParcelRelabelled(mode=SCAN, party="H1", old=old, new=new), old)


def test_a_parcel_is_filed_under_the_label_that_it_was_given_last() -> None:
    second, third = relabelled("b1", 1, SUBJECT, "test:P2"), relabelled("b2", 2, "test:P2", "TEST: p3")
    facts, signatures = record(History((second, third, torn("i1", "H1", 0.5)), registry(PolicySet())))
    found = gather(SUBJECT, facts, (), signatures)

    assert filed_under(found) == "test:P3"
    assert casework(found, None).cases == ()
    last = gather("test:P3", facts, (), signatures)
    assert filed_under(last) == "test:P3"
    assert casework(last, None).case is not None
    assert filed_under(of(*TORN)) == SUBJECT


# --- what it rests on -------------------------------------------------------------------------------------------------


def test_an_answer_rests_on_the_unit_and_on_the_parcel_whose_goods_it_holds() -> None:
    packed = told("p1", "H1", 1, UnitPacked(mode=SCAN, party="H1", unit="test:B1", site="H1-DOCK"))
    notice = told("n1", "RCP", 3, NoticeGiven(party="RCP", holds="test:OTHER"))
    other = told("x1", "H2", 1, HandoffAccepted(mode=SCAN, taker="H2"), "test:OTHER")
    facts, signatures = record(History((packed, notice, other), registry(PolicySet())))

    found = rests_on(gather(SUBJECT, facts, (), signatures))

    assert {"test:B1", "test:OTHER", "site:H1-DOCK", "device:H1.D", "device:H2.D", "device:RCP.D"} <= set(found)
    assert SUBJECT not in found
    assert list(found) == sorted(found)


THEN = DAY_0 + timedelta(days=50)
PLACE = Position(3, 7)


@pytest.mark.parametrize(
    "more",
    [
        {"neighbours": (Packing("test:B1", DAY_0, True, PLACE, THEN),)},
        {"rivals": (Rival(b"", b"", PLACE, THEN),)},
        {"parked": (Parked(PLACE, THEN, "UNKNOWN_VERSION"),)},
        {"linked": (evidence(History((told("x1", "H2", 50, PAPER.data),), ())),)},
        {"linked": (evidence(History((), ())), evidence(History((told("x1", "H2", 50, PAPER.data),), ())))},
        {"unit_facts": evidence(History((told("x1", "H2", 50, PAPER.data),), ())).facts},
        {"registry": evidence(History((told("x1", "H2", 50, PAPER.data),), ())).facts},
    ],
    ids=[
        "a neighbour",
        "a rival",
        "an unreadable record",
        "a linked parcel",
        "one of two",
        "its unit",
        "a registration",
    ],
)
def test_the_moment_of_an_answer_is_that_of_the_newest_thing_known(more: dict[str, Any]) -> None:
    positions = Positions({3: 8})

    assert latest(replace(of(*TORN), **more), positions) == AsOf(THEN, positions)


def test_of_what_nothing_is_known_there_is_no_moment() -> None:
    assert latest(Evidence("test:NONE", ()), None) is None
    assert casework(Evidence("test:NONE", ()), None).watch is None


def test_a_day_that_never_comes_lies_beyond_every_deadline() -> None:
    assert datetime(9999, 1, 1, tzinfo=UTC) < FAR_FUTURE

"""R36: what a device's count says of its clock, and answers that hang on an order which no clock can tell."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    Countersignature,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    Observation,
    Operator,
    PolicySet,
)
from schemas.vocabulary import CaptureMode, Condition, Confidence, Facet, FindingKind, Outcome
from services.custody.core import attribution
from services.custody.core.case import Case
from services.custody.core.ground import lay
from services.custody.core.history import history as versions
from services.custody.core.idle import Standstill
from services.custody.core.rules import clocks as rule
from services.custody.core.rules import findings
from services.custody.core.verdict import Finding, Verdict
from tests.unit.custody.core.histories import (
    BAD,
    CARRIERS,
    DAY_0,
    History,
    Told,
    evidence,
    histories,
    law,
    registry,
)

DAMAGE = Finding(FindingKind.DAMAGE)
PERSON = Operator(ref="p1")
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
MEASURED = timedelta(milliseconds=1)
"""An offset that was measured and found to be next to nothing."""


EXAMINED: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": PERSON}


def look(id_: str, by: str, t: timedelta, value: Condition, **how: Any) -> Told:
    data = ConditionObserved(party=by, observations=(Observation(facet=Facet.OUTER, value=value),), **EXAMINED)
    return told(id_, by, t, data, **how)


def accept(id_: str, by: str, t: timedelta, value: Condition | None = None, **how: Any) -> Told:
    giver, signers = how.pop("giver", None), how.pop("countersigned", ())
    seen = (Observation(facet=Facet.OUTER, value=value),) if value is not None else ()
    data = HandoffAccepted(taker=by, giver=giver, observations=seen, countersigned=signers, **EXAMINED)
    return told(id_, by, t, data, **how)


def told(id_: str, by: str, t: timedelta, data: Any, **how: Any) -> Told:
    """Recorded at once by a device whose clock was measured, unless said otherwise."""
    offset = how.pop("offset", MEASURED)
    usual: dict[str, Any] = {"recorded": t + SECOND, "offset": offset}
    return Told(id_, by, t + offset, data=data, **(usual | how))


def answer(*events: Told, policy: PolicySet | None = None) -> Verdict:
    history = History(events, registry(policy or PolicySet()))
    found = attribution.assess(evidence(history), history.as_of, DAMAGE)
    assert found is not None
    return found


def liable(verdict: Verdict) -> dict[str, str]:
    return {share.party: share.share for share in verdict.liable}


PICKED_UP = accept("pick", "C1", HOUR, Condition.OK)


def test_a_later_number_beats_an_earlier_time_and_is_flagged() -> None:
    """H1's clock was set back between two looks; its count shows that it saw the carton sound first."""
    sound = look("sound", "H1", 5 * HOUR, Condition.OK, sequence="8")
    torn = look("torn", "H1", 3 * HOUR, Condition.BAD, sequence="9", recorded=6 * HOUR)
    events = [PICKED_UP, accept("a", "H1", 2 * HOUR, sequence="7"), sound, torn, accept("b", "LH", 8 * HOUR)]

    verdict = answer(*events)

    assert verdict.L is not None
    assert verdict.U is not None
    assert (verdict.L.event, verdict.U.event, verdict.U.t) == ("sound", "torn", DAY_0 + 5 * HOUR)
    assert "CLOCK_SKEW" in verdict.flags
    without = answer(*(replace(event, sequence=None) for event in events))
    assert without.L is not None
    assert without.L.event == "a"
    assert "CLOCK_SKEW" not in without.flags


@pytest.mark.parametrize("signature", [None, BAD])
def test_a_note_without_a_good_signature_moves_no_other_event(signature: str | None) -> None:
    torn = look("torn", "H1", 3 * HOUR, Condition.BAD, sequence="9", recorded=6 * HOUR)
    note = look("note", "H1", 5 * HOUR, Condition.OK, sequence="8", signature=signature)

    verdict = answer(PICKED_UP, accept("a", "H1", 2 * HOUR), torn, note)

    assert verdict.U is not None
    assert verdict.U.t == DAY_0 + 3 * HOUR


def test_a_counter_that_starts_anew_does_not_move_what_came_in_before() -> None:
    torn = look("torn", "H1", 3 * HOUR, Condition.BAD, sequence="900")
    anew = look("anew", "H1", 9 * HOUR, Condition.BAD, sequence="1")

    verdict = answer(PICKED_UP, accept("a", "H1", 2 * HOUR), torn, anew)

    assert verdict.U is not None
    assert (verdict.U.event, verdict.U.t) == ("torn", DAY_0 + 3 * HOUR)
    assert verdict.flags == ()


# --- an order that no clock can tell ---------------------------------------------------------------------------------


def takings(apart: timedelta, **how: Any) -> tuple[Told, ...]:
    """Two parties took it shortly after each other, neither from whom it says; torn in the hands of the later."""
    first = accept("a", "H1", 5 * HOUR, **how)
    second = accept("b", "LH", 5 * HOUR + apart, **how)
    return PICKED_UP, first, second, look("torn", "SVY", 9 * HOUR, Condition.BAD)


def test_two_takings_within_the_skew_of_clocks_name_both() -> None:
    verdict = answer(*takings(MINUTE))

    assert verdict.outcome is Outcome.JOINT
    assert liable(verdict) == {"H1": "1/2", "LH": "1/2"}
    assert verdict.confidence is Confidence.LOW
    assert "CLOCK_DOUBT" in verdict.flags
    assert "R36" in verdict.rules
    assert "R36" in [doubt.rule for doubt in verdict.doubt]
    assert {"a", "b"} <= set(verdict.evidence)
    assert "R36" in verdict.explanation.en
    assert set(liable(verdict)) <= set(verdict.proved)


@pytest.mark.parametrize(
    ("apart", "how"),
    [
        pytest.param(timedelta(seconds=121), {}, id="further apart than measured clocks may differ"),
        pytest.param(timedelta(minutes=10, seconds=1), {"offset": timedelta()}, id="than any clocks may differ"),
    ],
)
def test_takings_far_enough_apart_are_in_no_doubt(apart: timedelta, how: dict[str, Any]) -> None:
    verdict = answer(*takings(apart, **how))

    assert liable(verdict) == {"LH": "1"}
    assert "CLOCK_DOUBT" not in verdict.flags


def test_clocks_that_were_never_measured_may_differ_by_more() -> None:
    unmeasured = answer(*takings(5 * MINUTE, offset=timedelta()))
    measured = answer(*takings(5 * MINUTE))
    as_agreed = answer(*takings(5 * MINUTE, offset=timedelta()), policy=PolicySet(clock_skew_unmeasured_seconds=60.0))

    assert set(liable(unmeasured)) == {"H1", "LH"}
    assert set(liable(measured)) == {"LH"}
    assert set(liable(as_agreed)) == {"LH"}


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"giver": "H1"}, id="the taker names its giver"),
        pytest.param({"countersigned": (Countersignature(party="H1"),)}, id="the giver signs to it"),
    ],
)
def test_who_gave_it_to_whom_tells_the_order_without_a_clock(how: dict[str, Any]) -> None:
    pick, first, _, torn = takings(MINUTE)

    verdict = answer(pick, first, accept("b", "LH", 5 * HOUR + MINUTE, **how), torn)

    assert liable(verdict) == {"LH": "1"}
    assert "CLOCK_DOUBT" not in verdict.flags


def test_the_two_sides_of_a_handoff_are_one_event() -> None:
    released = HandoffReleased(giver="C1", taker="H1", observations=(OK,), **EXAMINED)
    events = (PICKED_UP, told("r", "C1", 5 * HOUR, released), accept("a", "H1", 5 * HOUR + MINUTE, Condition.BAD))

    verdict = answer(*events)

    assert "CLOCK_DOUBT" not in verdict.flags
    assert "R7b" in verdict.rules


OK = Observation(facet=Facet.OUTER, value=Condition.OK)


def test_the_givers_look_comes_before_the_taking() -> None:
    seen = look("seen", "C1", 5 * HOUR, Condition.OK)

    verdict = answer(PICKED_UP, seen, accept("a", "H1", 5 * HOUR + MINUTE, Condition.BAD))

    assert liable(verdict) == {"C1": "1"}
    assert "CLOCK_DOUBT" not in verdict.flags


def test_one_device_is_in_no_doubt_about_itself_and_two_of_one_party_are() -> None:
    """Torn before or after signing for it: before, it was the giver's."""
    taken = accept("a", "H1", 5 * HOUR)
    by_the_same = answer(PICKED_UP, taken, look("torn", "H1", 5 * HOUR + MINUTE, Condition.BAD))
    by_another = answer(PICKED_UP, taken, look("torn", "H1", 5 * HOUR + MINUTE, Condition.BAD, device="e"))

    assert set(liable(by_the_same)) == {"H1"}
    assert set(liable(by_another)) == {"C1", "H1"}
    assert "CLOCK_DOUBT" in by_another.flags


def test_where_one_order_names_nobody_nobody_is_added() -> None:
    """Sound a minute before it was torn, by other clocks: the other way round nobody had seen it sound (R16)."""
    taken = accept("pick", "C1", HOUR)
    sound = look("sound", "SVY", 5 * HOUR, Condition.OK)
    torn = look("torn", "C1", 5 * HOUR + MINUTE, Condition.BAD)
    reserved = History((taken, sound, torn), registry(PolicySet(auto_accept_is_clean=False)))

    verdict = attribution.assess(evidence(reserved), reserved.as_of, DAMAGE)

    assert verdict is not None
    assert liable(verdict) == {"C1": "1"}
    if "CLOCK_DOUBT" in verdict.flags:
        assert verdict.confidence is Confidence.LOW


# --- the bound -------------------------------------------------------------------------------------------------------


@st.composite
def crowded(draw: st.DrawFn) -> History:
    """Histories whose acts come in bursts, some by clocks that were measured and some not."""
    history = draw(histories(max_size=6))
    bursts = [HOUR * hour for hour in (2, 5, 30)]
    moved = []
    for at, event in enumerate(history.told):
        if event.id in ("paper", "pickup"):
            moved.append(event)
            continue
        t = draw(st.sampled_from(bursts)) + SECOND * draw(st.sampled_from((0, 20, 70, 150, 400, 590)))
        offset = draw(st.sampled_from((timedelta(), MEASURED)))
        lateness = event.recorded - event.happened if event.recorded > event.happened else timedelta()
        moved.append(replace(event, t=t + offset, offset=offset, recorded=t + lateness + SECOND * at))
    return replace(history, told=tuple(moved))


def every_move(case: Case) -> list[rule.Move]:
    """Every other order there is in which one act is put just past another, without crossing a known order."""
    acts = case.scene.acts
    return [
        move
        for at, after in combinations(range(len(acts)), 2)
        if rule.is_open(case, acts[at], acts[after])
        for move in rule.moves(case, acts, at, after)
    ]


def _answerable(case: Case | None) -> frozenset[str]:
    return frozenset(case.answerable) if case is not None else frozenset()


def answered(case: Case, move: rule.Move) -> frozenset[str]:
    """Who answers in that order."""
    return _answerable(attribution.reasoned(rule.Trials(case.ground).ground(move, case), case.finding))


@given(crowded())
def test_the_bound_misses_no_order_that_decides(history: History) -> None:
    ground = lay(evidence(history), history.as_of)
    for finding in findings.reported(ground):
        case = attribution.reasoned(ground, finding)
        if case is None or finding.kind is FindingKind.DELAY:
            continue
        tried = {move.placed for move in rule.open_moves(case)}
        for move in every_move(case):
            if move.placed not in tried:
                assert answered(case, move) == _answerable(case), f"{move.one.id} past {move.other.id}: {finding}"


@given(crowded())
def test_no_order_that_is_tried_turns_a_known_one_round(history: History) -> None:
    """Neither within one device nor between the sides of a handoff; an entry's typed time is no clock's."""
    ground = lay(evidence(history), history.as_of)
    for finding in findings.reported(ground):
        case = attribution.reasoned(ground, finding)
        if case is None or finding.kind is FindingKind.DELAY:
            continue
        for move in rule.open_moves(case):
            moved = rule.Trials(ground).ground(move, case).scene.acts
            place = {act.fact.position: at for at, act in enumerate(moved)}
            for one, other in combinations(case.scene.acts, 2):
                if one.standing.entry or other.standing.entry or rule.is_open(case, one, other):
                    continue
                assert place[one.fact.position] < place[other.fact.position]


@given(crowded())
def test_in_doubt_means_that_another_order_names_others(history: History) -> None:
    """CLOCK_DOUBT by its definition, over every order there is; where more are open than are tried, only that."""
    ground = lay(evidence(history), history.as_of)
    for verdict in attribution.judge_all(ground):
        if verdict.finding.kind is FindingKind.DELAY:
            continue
        case = attribution.reasoned(ground, verdict.finding)
        assert case is not None
        if len(list(rule.open_moves(case))) > rule.TRIED_MAX:
            assert "CLOCK_DOUBT" in verdict.flags
            continue
        named = _answerable(case)
        others = [found for move in every_move(case) if (found := answered(case, move)) != named]
        assert ("CLOCK_DOUBT" in verdict.flags) == bool(others)
        if others:
            assert verdict.confidence in (Confidence.LOW, Confidence.NONE)
            expected = named.union(*others) if named else named
            assert {share.party for share in verdict.liable} == expected


# --- an order that is known, and notes that have no clock ------------------------------------------------------------

DAY = timedelta(days=1)


def torn_after_taking(seen: Condition | None) -> tuple[Told, ...]:
    """H1 takes it and by the same device notes it torn three minutes later."""
    taken = accept("a2", "H1", 2 * DAY, seen, giver="C1")
    return accept("a1", "C1", DAY, Condition.OK), taken, look("i1", "H1", 2 * DAY + 3 * MINUTE, Condition.BAD)


def note(by: str, t: timedelta, *seen: Observation, signature: str | None = None) -> Told:
    """Typed on another device, whose clock nobody measured, and recorded a month later."""
    data = ConditionObserved(party=by, observations=seen, mode=CaptureMode.MANUAL_ENTRY, operator=PERSON)
    return told("n9", by, t, data, recorded=30 * DAY, offset=timedelta(), device="e", signature=signature)


@pytest.mark.parametrize("seen", [Condition.OK, None])
@pytest.mark.parametrize("by", ["H1", "C1"])
@pytest.mark.parametrize("minutes", [-2, -1, 1, 2, 4])
def test_a_late_empty_note_moves_nothing(seen: Condition | None, by: str, minutes: int) -> None:
    before = answer(*torn_after_taking(seen))

    verdict = answer(*torn_after_taking(seen), note(by, 2 * DAY + minutes * MINUTE))

    assert before.outcome is Outcome.SEGMENT
    assert liable(before) == {"H1": "1"}
    assert before.confidence is (Confidence.HIGH if seen is not None else Confidence.MODERATE)
    assert (verdict.outcome, verdict.liable, verdict.confidence) == (before.outcome, before.liable, before.confidence)
    assert "CLOCK_DOUBT" not in verdict.flags
    assert [each.why for each in verdict.excluded] == ["SELF_SERVING"]


@pytest.mark.parametrize("seen", [Condition.OK, None])
@pytest.mark.parametrize("by", ["H1", "C1"])
def test_a_gates_scan_does_not_part_what_one_device_counts_in_order(seen: Condition | None, by: str) -> None:
    scan = ItemScanned(party=by, mode=CaptureMode.AUTO_SCAN)
    gate = told("s1", by, 2 * DAY - 2 * MINUTE, scan, offset=timedelta(), device="e")

    verdict = answer(*torn_after_taking(seen), gate)

    assert liable(verdict) == {"H1": "1"}
    assert verdict.confidence is answer(*torn_after_taking(seen)).confidence
    assert "CLOCK_DOUBT" not in verdict.flags


@law
@given(crowded(), st.lists(st.tuples(st.sampled_from(CARRIERS), st.sampled_from("de"), st.integers(0, 12)), max_size=4))
def test_a_scan_that_may_have_come_before_another_is_never_passed_over(
    history: History, scans: list[tuple[str, str, int]]
) -> None:
    """core/idle.py leaves out scans that change nothing; one whose order is open may change who answers."""
    more = []
    for at, (by, device, minutes) in enumerate(scans):
        t = 30 * HOUR + MINUTE * minutes + SECOND * at
        scan = ItemScanned(party=by, mode=CaptureMode.HUMAN_SCAN)
        more.append(Told(f"scan{at}", by, t, t + 20 * SECOND, scan, device=device))
    known = evidence(replace(history, told=(*history.told, *more)))

    short = versions(known, history.as_of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Standstill, "goes_on", lambda _self, _fact: False)
        long = versions(known, history.as_of)

    assert short == long


def test_more_open_pairs_than_are_tried_leave_it_in_doubt() -> None:
    """Every second another party says that it took it: nobody tries some hundred orders."""
    crowd: Sequence[Told] = [
        accept(f"a{at}", CARRIERS[at % 4], 5 * HOUR + SECOND * at, device="de"[at // 4 % 2]) for at in range(16)
    ]

    verdict = answer(PICKED_UP, *crowd, look("torn", "SVY", 9 * HOUR, Condition.BAD))

    assert "CLOCK_DOUBT" in verdict.flags
    assert verdict.confidence is Confidence.LOW

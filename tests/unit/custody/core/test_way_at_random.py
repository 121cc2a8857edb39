"""Laws over made-up ways: drops, refusals, returns, waits, redirections and pieces in any mixture."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import (
    DeliveryAttempted,
    DeliveryRefused,
    Event,
    HandoffAccepted,
    HandoffReleased,
    HoldPlaced,
    ItemScanned,
    NoticeGiven,
    Observation,
    Operator,
    ParcelAnnounced,
    ParcelDropped,
    ParcelRelabelled,
    PlannedLeg,
    PolicySet,
    Redirected,
    ReturnOrdered,
    SealApplied,
)
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Condition,
    DropPlace,
    Facet,
    FindingKind,
    HoldReason,
    Outcome,
    Proof,
)
from services.custody.core.attribution import assess, next_deadline, verdicts
from services.custody.core.timeline import timeline
from tests.unit.custody.core.histories import (
    CARRIERS,
    PHOTO,
    SUBJECT,
    History,
    Told,
    answers,
    evidence,
    histories,
    registry,
    without_positions,
)

law = settings(max_examples=40, deadline=None)

PIECES = st.sampled_from(((), (), (), ("p1",), ("p2",), ("p1", "p2")))
FINAL = st.sampled_from((RECIPIENT, RECIPIENT, SENDER))


def _looks(draw: st.DrawFn) -> tuple[Observation, ...]:
    seen = st.builds(
        Observation,
        facet=st.sampled_from((Facet.OUTER, Facet.CONTENTS, Facet.PRESENCE, Facet.COUNT)),
        value=st.sampled_from((Condition.OK, Condition.BAD)),
        media=st.sampled_from(((), (PHOTO,))),
    )
    return tuple(draw(st.lists(seen, max_size=2)))


@st.composite
def happenings(draw: st.DrawFn, index: int) -> Told:
    """One thing that may happen on the way."""
    carrier = draw(st.sampled_from(CARRIERS))
    scan: dict[str, Any] = {
        "mode": draw(st.sampled_from((CaptureMode.HUMAN_INSPECT, CaptureMode.HUMAN_SCAN, CaptureMode.MANUAL_ENTRY))),
        "operator": Operator(ref="p1"),
        "observations": _looks(draw),
        "pieces": draw(PIECES),
    }
    yes = st.sampled_from((None, True, True, False))
    by: str = carrier
    data: Event
    match draw(st.integers(0, 11)):
        case 0 | 1:
            data = HandoffAccepted(taker=carrier, **scan)
        case 2 | 3:
            by = draw(FINAL)
            person = draw(st.sampled_from((None, None, "neighbour")))
            data = HandoffAccepted(taker=by, person=person, consent=draw(yes), unattended=draw(st.booleans()), **scan)
        case 4 | 5:
            place, to = draw(st.sampled_from(DropPlace)), draw(st.sampled_from((None, "H2")))
            address = draw(st.sampled_from((None, None, "old", "new")))
            data = ParcelDropped(party=carrier, place=place, to=to, consent=draw(yes), address=address, **scan)
        case 6:
            by = draw(FINAL)
            data = DeliveryRefused(party=by, **scan)
        case 7:
            by = draw(st.sampled_from((carrier, RECIPIENT)))
            data = draw(st.sampled_from((ReturnOrdered(party=by, **scan), HandoffReleased(giver=carrier, **scan))))
            by = carrier if isinstance(data, HandoffReleased) else by
        case 8:
            data = HoldPlaced(party=carrier, hours=draw(st.integers(1, 80)), because=draw(st.sampled_from(HoldReason)))
        case 9:
            by = draw(st.sampled_from((SENDER, carrier)))
            plan = draw(st.sampled_from(((), (PlannedLeg(party="C1", dwell_hours=20.0),))))
            hours = draw(st.sampled_from((None, 24.0, 200.0)))
            data = Redirected(party=by, address="new", promised_after_hours=hours, plan=plan)
        case 10:
            relabelled = ParcelRelabelled(party=carrier, old=SUBJECT, new="test:OTHER", **scan)
            data = draw(
                st.sampled_from(
                    (
                        relabelled,
                        DeliveryAttempted(party=carrier, **scan),
                        SealApplied(party=carrier, **scan),
                        ItemScanned(party=carrier, overage=draw(st.booleans()), **scan),
                    )
                )
            )
        case _:
            by = draw(FINAL)
            proof = draw(st.sampled_from(Proof))
            data = NoticeGiven(party=by, observations=scan["observations"], pieces=scan["pieces"], proof=proof)
    t = timedelta(minutes=draw(st.integers(60, 14 * 24 * 60)))
    late = draw(st.sampled_from((0, 0, 0, 5, 60 * 30)))
    signature = draw(st.sampled_from(("good", "good", "good", None)))
    return Told(f"e{index}", by, t, t + timedelta(minutes=late, seconds=index), data, signature)


@st.composite
def ways(draw: st.DrawFn) -> History:
    """A contract, a pick-up, then anything."""
    announced = ParcelAnnounced(
        contracting="C1",
        promised_after_hours=draw(st.sampled_from((None, 48.0))),
        plan=draw(
            st.sampled_from(((), (PlannedLeg(party="C1", dwell_hours=10.0), PlannedLeg(party="H1", dwell_hours=5.0))))
        ),
        pieces=draw(st.sampled_from(((), (), ("p1", "p2")))),
        address=draw(st.sampled_from((None, "old"))),
    )
    picked_up = HandoffAccepted(
        mode=CaptureMode.HUMAN_INSPECT, operator=Operator(ref="p1"), taker="C1", giver=SENDER,
        observations=(Observation(facet=Facet.OUTER, value=Condition.OK),),
    )  # fmt: skip
    told = [
        Told("paper", "OFFICE", timedelta(), timedelta(minutes=20), announced, None),
        Told("pickup", "C1", timedelta(minutes=30), timedelta(minutes=30, seconds=50), picked_up),
        *(draw(happenings(index)) for index in range(draw(st.integers(1, 9)))),
    ]
    policy = PolicySet(deemed_lost_hours=draw(st.sampled_from((None, 24.0 * 10))), drop_is_delivery=draw(st.booleans()))
    return History(tuple(told), registry(policy))


@law
@given(ways(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_answers(way: History, random: Any) -> None:
    recorded = evidence(way)
    facts = list(recorded.facts)
    random.shuffle(facts)

    shuffled = replace(recorded, facts=tuple(facts))

    assert verdicts(shuffled, way.as_of) == verdicts(recorded, way.as_of)
    assert timeline(shuffled, way.as_of) == timeline(recorded, way.as_of)


@law
@given(ways())
def test_whoever_answers_held_it_and_the_parts_make_one(way: History) -> None:
    for verdict in answers(way):
        liable = {share.party: Fraction(share.share) for share in verdict.liable}
        assert sum(liable.values(), Fraction(0)) == (0 if verdict.outcome is Outcome.UNDETERMINED else 1)
        if not {"R7b", "R36"} & set(verdict.rules):
            assert liable.keys() <= set(verdict.proved), verdict
        if verdict.finding.kind is FindingKind.DELAY:
            assert liable.keys() == verdict.delay_h.keys()


@law
@given(ways())
def test_each_answer_is_the_answer_to_its_own_question(way: History) -> None:
    recorded = evidence(way)

    for verdict in verdicts(recorded, way.as_of):
        assert assess(recorded, way.as_of, verdict.finding) == verdict


@law
@given(ways())
def test_every_answer_is_told_in_both_languages_without_holes(way: History) -> None:
    for verdict in answers(way):
        for text in (verdict.explanation.en, verdict.explanation.zh):
            assert not {"{", "}"} & set(text)
            assert "None" not in text


@law
@given(ways())
def test_custody_has_no_hole_and_no_overlap(way: History) -> None:
    line = timeline(evidence(way), way.as_of)

    ends = [segment.until for segment in line.segments[:-1]]
    assert ends == [segment.since for segment in line.segments[1:]]
    assert line.segments[-1].until is None
    for drop in line.on_the_way:
        if drop.what == "drop" and not drop.agreed:
            assert drop.event not in [segment.event for segment in line.segments if segment.how != "implied"]


@law
@given(ways(), st.integers(0, 20 * 24))
def test_a_deadline_lies_ahead(way: History, hours: int) -> None:
    recorded = evidence(way)
    moment = way.as_of._replace(time=way.as_of.time - timedelta(days=60) + timedelta(hours=hours))

    due = next_deadline(recorded, moment)

    assert due is None or due[0] > moment.time


@law
@given(histories())
def test_what_was_there_before_pieces_and_drops_is_answered_as_ever(history: History) -> None:
    """A way without any of it is one piece, and nobody dropped it."""
    for verdict in answers(history):
        assert verdict.finding.piece is None
        assert (
            not {"R24", "R25", "R26", "R27", "R28", "R32", "R33", "R34"} & set(verdict.rules) or "R24" in verdict.rules
        )
    assert without_positions(timeline(evidence(history), history.as_of).pieces) == []

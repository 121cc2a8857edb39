"""What the questions promise beside the stories: pending rules, unreadable records, deadlines, history, timeline."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from schemas.events import ConditionObserved, EventCorrected, HandoffAccepted, Observation, Operator, PolicySet, Seal
from schemas.positions import AsOf, Position
from schemas.vocabulary import CaptureMode, Condition, Confidence, Facet, FindingKind
from services.custody.core.attribution import assess, next_deadline, verdicts
from services.custody.core.facts import Parked
from services.custody.core.history import history
from services.custody.core.timeline import timeline
from services.custody.core.verdict import Finding, Verdict
from services.scenario.build import Compiled, compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of
from tests.unit.custody.core.histories import DAY_0, History, Told, evidence, registry

STORIES = Path(__file__).parents[3] / "scenarios"


def story(start: str) -> Compiled:
    [path] = STORIES.glob(f"{start}-*.yaml")
    return compile_story(parse_story(path.read_text(encoding="utf-8")))


def at(compiled: Compiled, days: float) -> AsOf:
    return AsOf(compiled.instant(timedelta(days=days)))


def accepted(event_id: str, taker: str, day: float, **fields: object) -> Told:
    t = timedelta(days=day)
    data = HandoffAccepted(
        **{"mode": CaptureMode.HUMAN_INSPECT, "operator": Operator(ref="p1"), "taker": taker, **fields}  # type: ignore[arg-type]  # fields vary by test
    )
    return Told(event_id, taker, t, t, data)


def seen(facet: Facet, value: Condition) -> Observation:
    return Observation(facet=facet, value=value)


SOUND = (seen(Facet.OUTER, Condition.OK), seen(Facet.CONTENTS, Condition.OK))


def test_a_seal_says_nothing_about_damage() -> None:
    told = (
        accepted("a1", "C1", 1, observations=SOUND, seal=Seal(number="111")),
        accepted("a2", "H1", 2, observations=(seen(Facet.OUTER, Condition.BAD),)),
    )
    made = History(told, registry(PolicySet()))

    verdict = assess(evidence(made), made.as_of, Finding(FindingKind.DAMAGE))

    assert verdict is not None
    assert verdict.flags == ()


def test_a_record_that_cannot_be_read_is_told() -> None:
    compiled = story("02")
    parked = Parked(Position(0, 99), compiled.instant(timedelta(days=2)), "unknown type")
    unread = replace(evidence_of(compiled), parked=(parked,))

    [verdict] = verdicts(unread, at(compiled, 5))
    [before] = verdicts(unread, at(compiled, 5)._replace(time=compiled.instant(timedelta(days=5))))

    assert "EVIDENCE_INCOMPLETE" in verdict.flags
    assert verdict == before


def test_the_next_deadline_is_the_promise_then_the_loss_then_none() -> None:
    compiled = story("06")
    recorded = evidence_of(compiled)

    assert next_deadline(recorded, at(compiled, 0.5)) is None  # nothing taken over yet
    assert next_deadline(recorded, at(compiled, 1)) == (compiled.instant(timedelta(days=3)), "promised_time")
    assert next_deadline(recorded, at(compiled, 3)) == (compiled.instant(timedelta(days=19)), "deemed_lost")
    assert next_deadline(recorded, at(compiled, 19)) is None


def test_time_alone_opens_a_loss_at_the_instant_that_was_foretold() -> None:
    compiled = story("06")
    recorded = evidence_of(compiled)
    due = next_deadline(recorded, at(compiled, 3))
    assert due is not None

    just_before = assess(recorded, AsOf(due[0] - timedelta(microseconds=1)), Finding(FindingKind.LOSS))
    then = assess(recorded, AsOf(due[0]), Finding(FindingKind.LOSS))

    assert just_before is None
    assert then is not None


def test_a_delivered_parcel_has_no_deadline() -> None:
    compiled = story("34")

    assert next_deadline(evidence_of(compiled), at(compiled, 3.5)) is None


def test_history_tells_what_replaced_what_and_why() -> None:
    compiled = story("11")

    versions = [v for v in history(evidence_of(compiled), at(compiled, 9)) if v.finding.kind is FindingKind.DAMAGE]

    assert [version.version for version in versions] == [1, 2]
    assert [version.because for version in versions] == ["e4", "i1"]
    assert versions[0].verdict is not None
    assert versions[1].verdict is not None
    assert versions[0].verdict.replaces is None
    assert versions[1].verdict.replaces is not None
    assert versions[1].verdict.replaces.version == 1
    assert versions[1].verdict.replaces.because == "i1"
    assert [share.party for share in versions[1].verdict.liable] == ["H1"]


def test_history_tells_that_a_finding_stands_no_more() -> None:
    compiled = story("36b")

    versions = history(evidence_of(compiled), at(compiled, 2.5))

    assert [(v.version, v.verdict is None, v.because) for v in versions] == [(1, False, "i2"), (2, True, "c1")]


def test_the_timeline_tells_segments_zones_and_gaps() -> None:
    compiled = story("13")

    told = timeline(evidence_of(compiled), at(compiled, 4))

    assert [(segment.party, segment.how) for segment in told.segments] == [
        ("SENDER", "origin"),
        ("C1", "accepted"),
        ("H1", "accepted"),
        ("FRY", "implied"),
    ]
    assert [(zone.giver, zone.taker) for zone in told.zones] == [("H1", "FRY")]
    assert "no ACCEPT by FRY" in [gap.text for gap in told.gaps]
    assert told.holder == "FRY"
    assert told.delivered_at is None
    assert msgspec.to_builtins(told)["segments"][0]["since"] is None


def test_a_gate_scan_shortly_before_the_signature_opens_no_zone() -> None:
    compiled = story("35c")

    told = timeline(evidence_of(compiled), at(compiled, 4))

    assert told.zones == ()
    assert [segment.party for segment in told.segments] == ["SENDER", "C1", "HUB", "LH"]


def test_a_late_exit_scan_within_the_clocks_tolerance_takes_nothing_back() -> None:
    told = (
        accepted("a1", "C1", 1, observations=SOUND),
        accepted("a2", "H1", 2),
        Told(
            "s1",
            "C1",
            timedelta(days=2, seconds=90),
            timedelta(days=2, seconds=90),
            ConditionObserved(mode=CaptureMode.AUTO_SCAN, party="C1"),
        ),
    )
    made = History(told, registry(PolicySet()))

    assert [segment.party for segment in timeline(evidence(made), made.as_of).segments] == ["SENDER", "C1", "H1"]


def test_an_offset_of_the_devices_clock_is_taken_off() -> None:
    made = History((accepted("a1", "C1", 1), accepted("a2", "H1", 2)), registry(PolicySet()))
    recorded = evidence(made)
    shifted = tuple(
        replace(fact, envelope=msgspec.structs.replace(fact.envelope, clockoffsetms=3_600_000))
        if fact.id == "a2"
        else fact
        for fact in recorded.facts
    )

    told = timeline(replace(recorded, facts=shifted), made.as_of)

    assert told.handoffs[-1].t == DAY_0 + timedelta(days=2) - timedelta(hours=1)


def test_an_author_whose_clock_is_fast_may_still_take_back_its_report() -> None:
    slip = accepted("a2", "H1", 2, observations=(seen(Facet.OUTER, Condition.BAD),))
    t = timedelta(days=2, minutes=10)
    taken_back = Told("c1", "H1", t + timedelta(hours=1), t, EventCorrected(party="H1", corrects="a2"))
    made = History((accepted("a1", "C1", 1, observations=SOUND), slip, taken_back), registry(PolicySet()))
    recorded = evidence(made)
    measured = tuple(
        replace(fact, envelope=msgspec.structs.replace(fact.envelope, clockoffsetms=3_600_000))
        if fact.id == "c1"
        else fact
        for fact in recorded.facts
    )

    assert len(verdicts(recorded, made.as_of)) == 1
    assert verdicts(replace(recorded, facts=measured), made.as_of) == ()


@pytest.mark.parametrize("path", sorted(STORIES.glob("*.yaml")), ids=lambda path: path.stem[:4])
def test_an_answer_that_is_not_sure_says_why_in_both_languages(path: Path) -> None:
    compiled = compile_story(parse_story(path.read_text(encoding="utf-8")))
    for verdict in verdicts(evidence_of(compiled), at(compiled, 60)):
        assert verdict.doubt or verdict.confidence is Confidence.HIGH or _only_machines_looked(verdict)
        for doubt in verdict.doubt:
            assert doubt.rule in verdict.rules or doubt.zh == "本版本尚未实现" or doubt.rule == "R18"
            assert doubt.en
            assert any("\u4e00" <= letter <= "\u9fff" for letter in doubt.zh)


def _only_machines_looked(verdict: Verdict) -> bool:
    return verdict.L is not None and verdict.U is not None and verdict.L.grade == verdict.U.grade == 3


def test_findings_are_told_the_gravest_first() -> None:
    told = (
        accepted("a1", "C1", 1, observations=SOUND),
        accepted("a2", "H1", 2, observations=(seen(Facet.OUTER, Condition.BAD),)),
        Told(
            "i1",
            "H1",
            timedelta(days=3),
            timedelta(days=3),
            ConditionObserved(
                mode=CaptureMode.HUMAN_INSPECT,
                operator=Operator(ref="p1"),
                party="H1",
                observations=(seen(Facet.PRESENCE, Condition.BAD),),
            ),
        ),
    )
    made = History(told, registry(PolicySet()))

    assert [verdict.finding.kind for verdict in verdicts(evidence(made), made.as_of)] == [
        FindingKind.LOSS,
        FindingKind.DAMAGE,
    ]


def test_goods_of_another_parcel_are_told_as_wrong_content() -> None:
    compiled = story("44")

    assert [verdict.finding.kind for verdict in verdicts(evidence_of(compiled, "A"), at(compiled, 7))] == [
        FindingKind.WRONG_CONTENT
    ]

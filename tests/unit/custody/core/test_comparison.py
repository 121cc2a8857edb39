"""Two rulesets compared: exactly what makes a new version counts as another answer, and what came later counts not."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.positions import AsOf, Position, Positions
from schemas.vocabulary import Confidence, FindingKind, Outcome
from services.custody.core.casework import FAR_FUTURE, casework
from services.custody.core.comparison import Answers, Kind, answers, compare
from services.custody.core.difference import Told
from services.custody.core.facts import Evidence, Parked
from services.custody.core.verdict import Boundary, Explanation, Finding, Share, Verdict
from services.scenario.build import compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of

STORIES = sorted((Path(__file__).parents[3] / "scenarios").glob("0*.yaml"))
T = datetime(2026, 1, 5, tzinfo=UTC)
EDGE = Boundary(event="e2", position="0:1", grade=4, t=T, how="direct")
VERDICT = Verdict(
    subject="yto:A",
    finding=Finding(FindingKind.DAMAGE),
    outcome=Outcome.SEGMENT,
    liable=(Share("H1", "1"),),
    proved=("H1", "LH"),
    L=EDGE,
    U=msgspec.structs.replace(EDGE, event="e3"),
    confidence=Confidence.HIGH,
    rules=("R3", "R4"),
    flags=("UNSIGNED", "CLOCK_SKEW"),
    as_of=T,
    explanation=Explanation(zh="", en=""),
)
OTHER: dict[str, Any] = {
    "outcome": Outcome.JOINT,
    "liable": (Share("LH", "1"),),
    "confidence": Confidence.LOW,
    "L": None,
    "U": msgspec.structs.replace(EDGE, event="e9"),
    "proved": ("H1",),
    "flags": ("UNSIGNED",),
}
"""What makes a new version, each with another value."""


def changed(**fields: Any) -> Verdict:
    return msgspec.structs.replace(VERDICT, **fields)


def test_every_field_that_makes_a_new_version_is_tried_here() -> None:
    assert set(OTHER) == set(Told._fields)


@pytest.mark.parametrize("name", OTHER)
def test_another_value_of_one_field_is_told_as_that_field(name: str) -> None:
    (differing,) = compare([VERDICT], [changed(**{name: OTHER[name]})])

    assert differing.kinds == (Kind(name),)
    assert differing.is_new_version


def test_several_fields_are_told_together() -> None:
    (differing,) = compare([VERDICT], [changed(**OTHER)])

    assert set(differing.kinds) == {Kind(name) for name in OTHER}


def test_what_makes_no_new_version_makes_no_difference() -> None:
    now = changed(
        explanation=Explanation(zh="别的话", en="other words"),
        gaps=("no RELEASE by H1",),
        footage=({"site": "H1"},),
        evidence=("e1",),
        ruleset="another",
        flags=tuple(reversed(VERDICT.flags)),
        rules=tuple(reversed(VERDICT.rules)),
    )

    assert compare([VERDICT], [now]) == ()


def test_the_same_answer_by_other_rules_is_no_new_version() -> None:
    (differing,) = compare([VERDICT], [changed(rules=("R4", "R9b"))])

    assert differing.kinds == (Kind.RULES,)
    assert not differing.is_new_version
    assert (differing.speaks_now, differing.silent_now) == (("R9b",), ("R3",))


def test_findings_that_open_and_close_are_told_by_name() -> None:
    loss = changed(finding=Finding(FindingKind.LOSS), rules=("R10",))

    closed, opened = compare([VERDICT], [loss])

    assert (closed.finding.kind, closed.kinds, closed.after) == (FindingKind.DAMAGE, (Kind.CLOSED,), None)
    assert (opened.finding.kind, opened.kinds, opened.before) == (FindingKind.LOSS, (Kind.OPENED,), None)
    assert (closed.silent_now, closed.speaks_now) == (("R3", "R4"), ())
    assert (opened.silent_now, opened.speaks_now) == ((), ("R10",))


def evidence_from(path: Path) -> Evidence:
    return evidence_of(compile_story(parse_story(path.read_text(encoding="utf-8"))))


def everything(evidence: Evidence) -> Positions:
    found = Positions()
    places = [fact.position for fact in (*evidence.facts, *evidence.unit_facts, *evidence.registry)]
    for place in (*places, *(packing.position for packing in evidence.neighbours)):
        found[place.partition] = max(found.get(place.partition, 0), place.offset + 1)
    return found


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_asked_anew_a_case_is_answered_as_it_was_stored(path: Path) -> None:
    evidence = evidence_from(path)
    positions = everything(evidence)
    cases = casework(evidence, positions).cases
    # What only time opens is no case before its deadline is recorded.
    assert cases or path.stem.startswith("06")

    for case in cases:
        assert answers(evidence, case.journey, positions) == Answers(case.verdicts, case.incidents)


@given(path=st.sampled_from(STORIES), data=st.data())
def test_what_was_read_after_the_case_was_stored_changes_nothing(path: Path, data: st.DataObject) -> None:
    evidence = evidence_from(path)
    full = everything(evidence)
    positions = Positions({partition: data.draw(st.integers(0, end)) for partition, end in full.items()})

    told = answers(evidence, 1, positions)

    assert told == answers(evidence.known_at(AsOf(FAR_FUTURE, positions)), 1, positions)
    # Not even that it cannot be read.
    later = Parked(Position(99, 7), T, "MALFORMED")
    assert told == answers(replace(evidence, parked=(*evidence.parked, later)), 1, positions)


def test_a_journey_that_these_rules_do_not_find_has_no_answer() -> None:
    evidence = evidence_from(STORIES[0])

    assert answers(evidence, 2, everything(evidence)) == Answers()
    assert answers(evidence, 1, Positions()) == Answers()

"""Little histories at the edges of rules: equal instants, window ends, sister firms, parties that appear twice."""

from datetime import timedelta
from pathlib import Path

import pytest

from schemas.positions import AsOf
from schemas.vocabulary import FindingKind
from services.custody.core.attribution import verdicts
from services.scenario.build import compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of, shortfalls

EDGES = {path.stem: path for path in (Path(__file__).parent / "edges").glob("*.yaml")}


@pytest.mark.parametrize("name", sorted(EDGES))
def test_the_core_answers_as_the_rule_says(name: str) -> None:
    assert shortfalls(parse_story(EDGES[name].read_text(encoding="utf-8"))) == []


def test_what_a_question_answers_is_listed_without_being_asked() -> None:
    compiled = compile_story(parse_story(EDGES["R10-typed-sight-after-it-counted-as-lost"].read_text(encoding="utf-8")))
    evidence, as_of = evidence_of(compiled), AsOf(compiled.instant(timedelta(days=31)))

    assert [verdict.finding.kind for verdict in verdicts(evidence, as_of)] == [FindingKind.LOSS]

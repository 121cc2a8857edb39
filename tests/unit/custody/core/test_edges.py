"""Little histories at the edges of rules: equal instants, window ends, sister firms, parties that appear twice."""

from pathlib import Path

import pytest

from services.scenario.story import parse_story
from tests.scenarios.core import shortfalls

EDGES = {path.stem: path for path in (Path(__file__).parent / "edges").glob("*.yaml")}


@pytest.mark.parametrize("name", sorted(EDGES))
def test_the_core_answers_as_the_rule_says(name: str) -> None:
    assert shortfalls(parse_story(EDGES[name].read_text(encoding="utf-8"))) == []

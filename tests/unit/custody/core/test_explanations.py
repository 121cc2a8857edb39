"""The explanations word for word, as claims staff would send them. A changed word is a changed golden file."""

from pathlib import Path

import pytest

from schemas.positions import AsOf
from services.custody.core.attribution import assess
from services.scenario.build import compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of, finding_of

GOLDEN = Path(__file__).parent / "explanations"
STORIES = Path(__file__).parents[3] / "scenarios"
EDGES = Path(__file__).parent / "edges"

TOLD = sorted(path.stem for path in GOLDEN.glob("*.txt"))


def explanation(name: str) -> str:
    places = (folder / f"{name}.yaml" for folder in (GOLDEN, STORIES, EDGES))
    path = next(path for path in places if path.exists())
    compiled = compile_story(parse_story(path.read_text(encoding="utf-8")))
    ask = compiled.story.asks[-1]
    verdict = assess(evidence_of(compiled), AsOf(compiled.instant(ask.as_of)), finding_of(ask.finding, ask.fields))
    assert verdict is not None
    return f"{verdict.explanation.en}\n\n{verdict.explanation.zh}\n"


def test_there_are_goldens() -> None:
    assert len(TOLD) >= 8


@pytest.mark.parametrize("name", TOLD)
def test_the_explanation_reads_as_agreed(name: str) -> None:
    assert explanation(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")

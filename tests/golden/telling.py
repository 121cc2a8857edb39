"""Tells the explanations of a story: every question of it to which there is an answer, Chinese first."""

from pathlib import Path

from services.custody.core.verdict import Verdict
from services.scenario.build import compile_story
from services.scenario.story import Ask, parse_story
from tests.scenarios.core import answer

FOLDER = Path(__file__).parent / "explanations"
_TESTS = Path(__file__).parents[1]
_STORIES = (FOLDER, _TESTS / "scenarios", _TESTS / "unit" / "custody" / "core" / "edges")


def names() -> list[str]:
    """The stories that are told word for word."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def stories() -> list[str]:
    """Every story that asks the core something."""
    found = {path.stem for folder in _STORIES for path in folder.glob("*.yaml") if "-amount-" not in path.stem}
    return sorted(found)


def golden(name: str) -> Path:
    """Where the agreed words of a story are."""
    return FOLDER / f"{name}.txt"


def source(name: str) -> Path:
    """Where a story is told."""
    return next(path for folder in _STORIES if (path := folder / f"{name}.yaml").exists())


def answers(name: str) -> list[tuple[Ask, Verdict]]:
    """Every question of a story with its answer; those to which nothing stands are left out."""
    compiled = compile_story(parse_story(source(name).read_text(encoding="utf-8")))
    found = ((ask, answer(compiled, ask)) for ask in compiled.story.asks)
    return [(ask, verdict) for ask, verdict in found if verdict is not None]


def told(name: str) -> str:
    """The explanations of a story as the golden file has them."""
    parts = []
    for ask, verdict in answers(name):
        about = " ".join([ask.finding.value, *(str(value) for value in ask.fields.values())])
        days = f"{ask.as_of.total_seconds() / 86400:.3f}".rstrip("0").rstrip(".")
        parts.append(f"# {about}, as of day {days}\n\n{verdict.explanation.zh}\n\n{verdict.explanation.en}\n")
    return "\n".join(parts)

"""Every story through the pure core."""

from pathlib import Path

import pytest

from services.scenario.story import Story, parse_story
from tests.scenarios.core import shortfalls

FOLDER = Path(__file__).parent

AMOUNTS = frozenset(
    [
        "12a-amount-over-declared",
        "12b-amount-total-loss",
        "12c-amount-headline-computer",
        "12d-amount-uninsured-post",
        "12e-amount-uninsured-express",
        "12f-amount-gross-negligence",
        "12g-amount-under-declared",
        "12h-amount-cmr-25-kg",
        "12i-amount-montreal-2-4-kg",
        "12j-amount-hague-visby-one-package",
    ]
)
"""Not yet: claim amounts, which are no verdicts and belong to services/claims."""

STORIES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem not in AMOUNTS)
"""Those that ask who is liable."""


def read(name: str) -> Story:
    return parse_story((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", STORIES)
def test_the_core_answers_as_the_story_expects(name: str) -> None:
    told = read(name)

    assert told.asks
    assert shortfalls(told) == []


@pytest.mark.parametrize("name", sorted(AMOUNTS))
def test_an_amount_story_is_read_and_asks_the_core_nothing(name: str) -> None:
    story = read(name)

    assert story.amounts
    assert not story.asks

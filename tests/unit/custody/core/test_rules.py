"""The list of rules: complete, and in both languages."""

import pytest

from services.custody.core.attribution import STEPS
from services.custody.core.rules import RULES, rule
from services.custody.core.rules.rule import Rule


def test_the_rules_are_r0_to_r36_in_order() -> None:
    assert [each.id for each in RULES] == [f"R{number}" for number in range(37)]


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.id)
def test_a_rule_has_a_name_a_source_and_a_text_in_both_languages(each: Rule) -> None:
    assert each.name
    assert each.source
    assert each.en.endswith(".")
    assert each.zh.endswith("。")
    assert any("\u4e00" <= character <= "\u9fff" for character in each.zh)


@pytest.mark.parametrize(
    ("part", "whole"), [("R7c", "R7"), ("R13b", "R13"), ("R14a", "R14"), ("R5", "R5"), ("R36", "R36")]
)
def test_a_part_of_a_rule_is_found_by_its_rule(part: str, whole: str) -> None:
    assert rule(part).id == whole


def test_the_steps_follow_the_order_table() -> None:
    assert [step.number for step in STEPS] == list(range(5, 14))

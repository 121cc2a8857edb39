"""What is said when an answer changes: what brought it on, and what is told otherwise, case by case."""

import pytest

from tests.golden import changes


@pytest.mark.parametrize("name", changes.names())
def test_a_change_is_put_as_agreed(name: str) -> None:
    """`python -m tests.golden --write` takes over what is said now."""
    assert changes.told(name) == changes.golden(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", changes.names())
def test_a_change_is_told_in_whole_sentences_in_both_languages(name: str) -> None:
    for told in changes.golden(name).read_text(encoding="utf-8").strip().split("\n\n"):
        _, en, zh = told.split("\n")
        assert en[0].isupper() or en[0] == "“"
        assert en.endswith(".")
        assert zh.endswith("。")

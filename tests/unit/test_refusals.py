"""Whatever is refused, flagged or parked is answered in agreed words: which field, why, and what to do about it."""

import pytest

from tests.golden import refusals


@pytest.mark.parametrize("name", refusals.names())
def test_a_fault_is_answered_as_agreed(name: str) -> None:
    """`python -m tests.golden --write` takes over what is said now."""
    assert refusals.told(name) == refusals.golden(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", refusals.names())
def test_whoever_must_act_reads_whole_sentences(name: str) -> None:
    lines = refusals.golden(name).read_text(encoding="utf-8").splitlines()

    remedies = [line.removeprefix("-> ") for line in lines if line.startswith("-> ")]
    assert [told for told in remedies if not told[:1].isupper() or not told.endswith((".", ".)"))] == []

"""The Hypothesis profile: by default a law sees the same examples in every run, so that none fails by luck."""

import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(not settings().derandomize, reason="LASTINTACT_LAWS asks for a search")


def test_examples_do_not_depend_on_what_else_has_been_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[int]] = []

    @settings(max_examples=300)
    @given(st.lists(st.integers(0, 100_000), min_size=5))
    def draw(numbers: list[int]) -> None:
        drawn.append(numbers)

    draw()
    before = list(drawn)
    drawn.clear()
    _import(tmp_path / "numbers_nobody_else_uses.py", f"NUMBERS = {list(range(70_001, 70_501))}", monkeypatch)
    draw()

    assert drawn == before


def test_nothing_is_remembered_from_run_to_run_and_nothing_is_timed() -> None:
    assert settings().database is None
    assert settings().deadline is None


def _import(path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)

"""What `make mutation` says of its results: by names that can be looked up, and red where a reason is missing."""

import importlib
from collections.abc import Mapping

import pytest

from tests.mutation.__main__ import GOAL, Mutant, Survivor, _known, _pattern, _tell
from tests.unit.test_purity import PURE

ONE = "services.custody.core.instants"


def mutants(killed: int, survived: int) -> list[Mutant]:
    outcomes = ["killed"] * killed + ["survived"] * survived
    return [Mutant(ONE, f"{ONE}.x_later__mutmut_{number}", outcome) for number, outcome in enumerate(outcomes)]


def told(killed: int, survived: int, known: Mapping[Survivor, str]) -> int:
    found = mutants(killed, survived)
    survivors = {mutant: Survivor(ONE, "later", "- a\n+ b") for mutant in found if mutant.outcome == "survived"}
    return _tell(found, survivors, known)


@pytest.mark.parametrize(
    ("name", "function"),
    [("x_later__mutmut_12", "later"), ("x__count__mutmut_1", "_count"), ("xǁHistoryǁasked__mutmut_3", "History.asked")],
)
def test_a_mutant_is_told_by_the_function_that_was_changed(name: str, function: str) -> None:
    assert Mutant(ONE, f"{ONE}.{name}", "killed").function == function


def test_enough_and_all_explained_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    reason = {Survivor(ONE, "later", "- a\n+ b"): "the same"}

    assert told(killed=17, survived=3, known=reason) == 0
    assert f"{GOAL:.1%}" in capsys.readouterr().out


def test_a_survivor_without_a_reason_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(killed=99, survived=1, known={}) == 1

    assert f"{ONE} later\n- a\n+ b" in capsys.readouterr().out


def test_too_few_fail_whatever_the_reasons() -> None:
    assert told(killed=16, survived=4, known={Survivor(ONE, "later", "- a\n+ b"): "the same"}) == 1


def test_a_reason_that_is_no_longer_needed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(killed=1, survived=0, known={Survivor(ONE, "later", "- a\n+ b"): "the same"}) == 0

    assert "to be taken out" in capsys.readouterr().out


def test_every_known_survivor_is_in_a_module_that_is_there_and_has_a_reason() -> None:
    for what, reason in _known().items():
        importlib.import_module(what.module)
        assert any(what.module == one or what.module.startswith(f"{one}.") for one in PURE)
        assert what.change.startswith(("+ ", "- "))
        assert len(reason) > 10


def test_every_pure_module_can_be_found() -> None:
    assert all(_pattern(module).endswith(".py") for module in PURE)
    with pytest.raises(SystemExit, match="no module"):
        _pattern("services.nothing")

"""Before a build with other rules goes live: which open cases it would decide otherwise, and nothing is written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from typer.testing import CliRunner

from schemas.positions import Positions
from services.cli import app
from services.custody import compare_rulesets as comparing
from services.custody.compare_rulesets import CannotCompare, CaseDifference, Summary, compare_rulesets
from services.custody.core import attribution
from services.custody.core.facts import Evidence
from services.custody.core.rules import receipt
from services.custody.core.verdict import RULESET
from services.custody.evidence import load_many
from services.edge.database import make_engine
from tests.integration.query_world import World, accept, crushed, day, envelope, registrations
from tests.readmodel_rows import built_rows

OLD = "2000.1"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    made = World(database_url, tmp_path)
    made.tell(*registrations())
    yield made
    made.engine.dispose()


def decide(world: World, *parcels: str) -> None:
    """Tell of parcels, and store what this build's rules say of them under the old name."""
    for parcel in parcels:
        world.tell(*crushed(parcel))
    world.refresh()
    assert rename(world) == len(parcels)


def decide_without_clean_receipt(world: World, monkeypatch: pytest.MonkeyPatch, *parcels: str) -> None:
    """The same by a ruleset that has no R5: whoever was silent shares with whoever was silent before."""
    steps = tuple(
        step._replace(rules=tuple(rule for rule in step.rules if rule is not receipt.clean_receipt))
        for step in attribution.STEPS
    )
    assert steps != attribution.STEPS
    with monkeypatch.context() as patched:
        patched.setattr(attribution, "STEPS", steps)
        decide(world, *parcels)


def rename(world: World, name: str = OLD) -> int:
    """Store the answers under another ruleset; how many cases have one."""
    return change(
        world,
        "UPDATE projection.parcel_case SET verdicts = (SELECT jsonb_agg(verdict || jsonb_build_object('ruleset', "
        f"CAST('{name}' AS text))) FROM jsonb_array_elements(verdicts) AS verdict) "
        f"WHERE jsonb_array_length(verdicts) > 0 AND verdicts -> 0 ->> 'ruleset' = '{RULESET}'",
    )


def change(world: World, statement: str) -> int:
    with world.engine.begin() as connection:
        return connection.execute(text(statement)).rowcount


def compared(world: World) -> tuple[Summary, list[CaseDifference]]:
    found: list[CaseDifference] = []
    return compare_rulesets(world.engine, OLD, RULESET, found.append), found


def test_a_case_that_the_new_rules_decide_otherwise_is_told_with_both_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_without_clean_receipt(world, monkeypatch, "yto:A")
    before = built_rows(world.engine)

    summary, (difference,) = compared(world)

    assert (difference.subject, difference.journey) == ("yto:A", 1)
    (finding,) = difference.findings
    assert finding.before is not None
    assert finding.after is not None
    assert {share.party for share in finding.before.liable} == {"C1", "H1"}
    assert {share.party for share in finding.after.liable} == {"H1"}
    assert {"outcome", "liable", "confidence", "L"} <= difference.kinds
    assert "R5" in finding.speaks_now
    told = "\n".join(comparing.lines(difference))
    assert "yto:A journey 1 DAMAGE/whole/any/any: JOINT C1 1/2 H1 1/2 LOW -> SEGMENT H1 1 MODERATE" in told
    assert "speaks now: R5 clean receipt" in told
    assert (summary.cases, summary.decided_otherwise, summary.exit_code) == (1, 1, 1)
    # As the caller will find it: nothing was written.
    assert built_rows(world.engine) == before


def test_the_same_rules_under_another_name_decide_nothing_otherwise(world: World) -> None:
    decide(world, "yto:A", "yto:B")

    summary, found = compared(world)

    assert found == []
    assert (summary.cases, summary.decided_otherwise, summary.other_rules_only, summary.exit_code) == (2, 0, 0, 0)


def test_the_same_answer_by_other_rules_is_counted_apart(world: World) -> None:
    decide(world, "yto:A")
    change(world, "UPDATE projection.parcel_case SET verdicts = jsonb_set(verdicts, '{0,rules}', '[\"R99\"]')")

    summary, (difference,) = compared(world)

    assert difference.findings[0].silent_now == ("R99",)
    told = list(comparing.lines(difference))
    assert told[0].endswith("same answer")
    assert "    no more: R99" in told
    assert (summary.decided_otherwise, summary.other_rules_only, summary.exit_code) == (0, 1, 0)


def test_findings_and_incidents_that_come_and_go_are_told(world: World) -> None:
    decide(world, "yto:A", "yto:B")
    change(world, "UPDATE projection.parcel_case SET verdicts = '[]' WHERE subject = 'yto:A'")
    change(
        world,
        "UPDATE projection.parcel_case SET incidents = '{SENSOR}', "
        "verdicts = jsonb_set(verdicts, '{0,finding,component}', '\"lid\"') WHERE subject = 'yto:B'",
    )

    summary, (a, b) = compared(world)

    assert a.kinds == {"opened"}
    assert b.kinds == {"closed", "opened", "incidents"}
    told = [*comparing.lines(a), *comparing.lines(b)]
    assert any("yto:A journey 1 DAMAGE/whole/any/any: nothing stands -> SEGMENT" in line for line in told)
    assert any("DAMAGE/lid/any/any: SEGMENT H1 1 MODERATE -> nothing stands" in line for line in told)
    assert "yto:B journey 1 incidents: SENSOR -> none" in told
    assert dict(summary.by_kind) == {"opened": 2, "closed": 1, "incidents": 1}


def test_what_came_in_after_an_answer_was_stored_is_no_difference_of_the_rules(world: World) -> None:
    decide(world, "yto:A")
    # A look that would clear C1 and H1 of it; nobody has refreshed the case since.
    world.tell(envelope("yto:A", "late", accept("LH"), day(2.5), depot="LH"))

    summary, found = compared(world)

    assert (summary.cases, found) == (1, [])


def test_cases_under_a_third_ruleset_are_left_out_and_counted(world: World) -> None:
    decide(world, "yto:A")
    world.tell(*crushed("yto:B", day(5)), *crushed("yto:C", day(5)))
    world.refresh()
    change(
        world,
        "UPDATE projection.parcel_case SET verdicts = jsonb_set(verdicts, '{0,ruleset}', '\"1999.9\"') "
        "WHERE subject = 'yto:B'",
    )

    summary, found = compared(world)

    assert (summary.cases, summary.left_out, found) == (1, 2, [])
    assert "2 open cases are stored under another ruleset and were left out." in comparing.summary_lines(summary)


def test_any_number_of_cases_is_read_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    parcels = [f"yto:A{number}" for number in range(5)]
    decide_without_clean_receipt(world, monkeypatch, *parcels)
    sizes: list[int] = []

    def counted(connection: Connection, subjects: Sequence[str], positions: Positions) -> Mapping[str, Evidence]:
        sizes.append(len(subjects))
        return load_many(connection, subjects, positions)

    monkeypatch.setattr("services.custody.compare_rulesets._CASES", 2)
    monkeypatch.setattr("services.custody.compare_rulesets.load_many", counted)
    said: list[str] = []
    found: list[CaseDifference] = []

    compare_rulesets(world.engine, OLD, RULESET, found.append, say=said.append)

    assert [difference.subject for difference in found] == parcels
    assert sizes == [2, 2, 1]
    assert said[-1] == "5 of 5 open cases"


def test_a_rule_that_fails_names_the_case_it_failed_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(world, "yto:A")

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(attribution, "judge_all", fail)
    monkeypatch.setattr(attribution, "judge", fail)
    with pytest.raises(ZeroDivisionError) as failed:
        compared(world)

    assert "yto:A, journey 1" in failed.value.__notes__[0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (OLD, "2999.1", f"This build decides by {RULESET} and cannot say what 2999.1 would"),
        (RULESET, RULESET, "lastintact fsck"),
        ("1999.1", RULESET, rf"No open case is stored under 1999\.1\. .*under: {OLD} \(1\)\. This build has {RULESET}"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_there_is(world: World, old: str, new: str, told: str) -> None:
    decide(world, "yto:A")

    with pytest.raises(CannotCompare, match=told):
        compare_rulesets(world.engine, old, new, lambda difference: pytest.fail(str(difference)))


def test_where_nothing_is_answered_there_is_nothing_to_compare(world: World) -> None:
    with pytest.raises(CannotCompare, match="No open case has an answer at all"):
        compared(world)


def test_an_answer_in_a_form_that_nobody_knows_is_refused(world: World) -> None:
    decide(world, "yto:A")
    change(world, "UPDATE projection.parcel_case SET verdicts = jsonb_set(verdicts, '{0,outcome}', '\"PERHAPS\"')")

    with pytest.raises(CannotCompare, match="yto:A has another form"):
        compared(world)


def test_a_database_of_another_version_is_refused(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url, pool_size=1)

    with pytest.raises(CannotCompare, match="lastintact migrate"):
        compare_rulesets(engine, OLD, RULESET, lambda difference: pytest.fail(str(difference)))
    engine.dispose()


def command(database_url: str, *arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["rules", "compare", *arguments, "--database", database_url])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_tells_people_and_programs_and_ends_with_what_it_found(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(world, "yto:A")
    assert command(database_url, OLD, RULESET)[0] == 0
    change(world, "DELETE FROM projection.parcel_case")
    decide_without_clean_receipt(world, monkeypatch, "yto:B")

    code, printed, progress = command(database_url, OLD, RULESET)
    assert code == 1
    assert "yto:B journey 1 DAMAGE" in printed
    assert "1 open cases compared: 1 are decided otherwise" in printed
    assert "1 of 1 open cases" in progress

    code, printed, _ = command(database_url, OLD, RULESET, "--json")
    assert code == 1
    case, summary = (json.loads(line) for line in printed.splitlines())
    assert case["subject"] == "yto:B"
    assert case["findings"][0]["before"]["liable"] == [
        {"party": "C1", "share": "1/2"},
        {"party": "H1", "share": "1/2"},
    ]
    assert case["findings"][0]["speaks_now"]
    assert summary["summary"]["decided_otherwise"] == 1
    assert summary["summary"]["by_kind"]["liable"] == 1

    code, printed, told = command(database_url, "1999.1", RULESET)
    assert (code, printed) == (2, "")
    assert told.startswith("lastintact: No open case is stored under 1999.1.")
    assert told.count("\n") == 1

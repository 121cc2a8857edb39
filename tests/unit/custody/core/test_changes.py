"""What changed between two moments: it adds up, it says why, and it reads as a claims clerk would write it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    DeviceRevoked,
    Event,
    HandoffAccepted,
    Observation,
    Operator,
    PolicySet,
)
from schemas.positions import AsOf, Position, Positions
from schemas.vocabulary import (
    SENDER,
    CaptureMode,
    Condition,
    Facet,
    RevocationReason,
)
from services.custody.core.attribution import verdicts
from services.custody.core.changes import Change, Head, changes
from services.custody.core.facts import Evidence, Parked
from services.custody.core.history import history, numbered
from services.custody.core.verdict import Finding
from services.scenario.build import compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of
from tests.unit.custody.core.eventful import eventful
from tests.unit.custody.core.histories import DAY_0, PHOTO, History, Told, evidence, law, registry

GOLDEN = Path(__file__).parent / "changes"
STORIES = Path(__file__).parents[3] / "scenarios"

# --- what the sentences say ------------------------------------------------------------------------------------------


def of_a_story(name: str) -> Callable[[], Evidence]:
    def read() -> Evidence:
        path = next(STORIES.glob(f"{name}-*.yaml"))
        return evidence_of(compile_story(parse_story(path.read_text(encoding="utf-8"))))

    return read


def look(id_: str, by: str, day: float, value: Condition, *, late_days: float = 0) -> Told:
    data = ConditionObserved(
        mode=CaptureMode.HUMAN_INSPECT,
        operator=Operator(ref="p1"),
        party=by,
        observations=(Observation(facet=Facet.OUTER, value=value, media=(PHOTO,)),),
    )
    return Told(id_, by, timedelta(days=day), timedelta(days=day + late_days, minutes=1), data)


def took(id_: str, by: str, day: float, giver: str) -> Told:
    data = HandoffAccepted(mode=CaptureMode.AUTO_SCAN, taker=by, giver=giver)
    return Told(id_, by, timedelta(days=day), timedelta(days=day, minutes=1), data)


# C1 picked it up and looked, H1 took it over in silence and photographed it sound, LH found it torn.
TORN = (
    took("a1", "C1", 1, SENDER),
    look("i1", "C1", 1.1, Condition.OK),
    took("a2", "H1", 2, "C1"),
    look("i2", "H1", 2.5, Condition.OK),
    took("a3", "LH", 3, "H1"),
    look("i3", "LH", 3.5, Condition.BAD),
)


def torn_and(*registered: Told, deemed_lost_hours: float | None = None) -> Evidence:
    return evidence(History(TORN, (*registry(PolicySet(deemed_lost_hours=deemed_lost_hours)), *registered)))


def told_by_the_office(id_: str, day: float, data: Event, subject: str) -> Told:
    return Told(id_, "OFFICE", timedelta(days=day), timedelta(days=day), data, None, subject)


RETIRED = DeviceRevoked(device="H1.d", reason=RevocationReason.RETIRED, cut_off=DAY_0 + timedelta(days=2.2))
UNREADABLE = Parked(Position(5, 0), DAY_0 + timedelta(days=6), "UNKNOWN_VERSION")

AFTER_THE_FIRST = timedelta(days=3.9)
"""When the clerk looked first: the carton had been found torn."""

CASES: dict[str, tuple[Callable[[], Evidence], timedelta, timedelta]] = {
    "late-signed-inspection": (of_a_story("11"), timedelta(days=4.5), timedelta(days=9)),
    "slip-corrected": (of_a_story("36b"), timedelta(days=2.29), timedelta(days=9)),
    "better-look-refutes-the-camera": (of_a_story("25"), timedelta(days=2.5), timedelta(days=9)),
    "key-retired-as-of-an-earlier-day": (
        lambda: torn_and(told_by_the_office("r1", 9, RETIRED, "device:H1.D")),
        AFTER_THE_FIRST,
        timedelta(days=9),
    ),
    "settings-changed": (
        lambda: torn_and(
            told_by_the_office("p1", 9, PolicySet(auto_accept_is_clean=False), "policy:DEFAULT"),
        ),
        AFTER_THE_FIRST,
        timedelta(days=9),
    ),
    "record-unreadable": (lambda: replace(torn_and(), parked=(UNREADABLE,)), AFTER_THE_FIRST, timedelta(days=9)),
    "lost-by-time-alone": (lambda: torn_and(deemed_lost_hours=24.0 * 5), AFTER_THE_FIRST, timedelta(days=8.5)),
    "lost-parcel-turns-up": (of_a_story("46"), timedelta(days=18), timedelta(days=21)),
}


def changed(name: str) -> tuple[Change, ...]:
    read, since, until = CASES[name]
    return changes(read(), AsOf(DAY_0 + since), AsOf(DAY_0 + until))


def words(told: tuple[Change, ...]) -> str:
    return "\n".join(f"{change.what.en}\n\n{change.what.zh}\n" for change in told)


def test_every_golden_text_is_told_and_every_case_has_one() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == sorted(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_change_reads_as_agreed(name: str) -> None:
    assert words(changed(name)) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_a_revocation_says_as_of_when_and_that_an_earlier_answer_changes() -> None:
    (change,) = changed("key-retired-as-of-an-earlier-day")

    assert change.because == "r1"
    assert (change.version_before, change.version_after) == (1, 2)
    assert "as of 3 January 2026, 04:48 UTC" in change.what.en
    assert "This changes an answer that had already been given." in change.what.en
    assert "已作出的结论因此改变。" in change.what.zh


def test_a_deadline_that_had_passed_is_not_laid_at_the_door_of_the_next_record() -> None:
    recorded = torn_and(
        told_by_the_office("p1", 9, PolicySet(notice_days=3), "policy:DEFAULT"), deemed_lost_hours=24.0 * 5
    )

    lost = [version for version in history(recorded, AsOf(DAY_0 + timedelta(days=9))) if version.finding.kind == "LOSS"]

    assert [version.because for version in lost] == ["p1"]
    assert "time alone did, by 10 January 2026, 00:00 UTC at the latest" in lost[0].change.en


# --- it adds up ------------------------------------------------------------------------------------------------------


def stood(recorded: Evidence, as_of: AsOf) -> dict[Finding, tuple[int, Head]]:
    standing = [numbered(recorded, as_of, verdict) for verdict in verdicts(recorded, as_of)]
    return {
        each.finding: (each.version, Head(outcome=each.outcome, liable=each.liable, confidence=each.confidence))
        for each in standing
    }


def carried_on(begun: dict[Finding, tuple[int, Head]], told: tuple[Change, ...]) -> dict[Finding, Head]:
    """What a reader holds who starts from the earlier answers and follows each change; each must fit on the last."""
    held = {finding: head for finding, (_, head) in begun.items()}
    for change in told:
        assert held.get(change.finding) == change.before
        if change.after is None:
            del held[change.finding]
        else:
            held[change.finding] = change.after
    return held


moments = st.tuples(st.integers(0, 24 * 20), st.integers(0, 24 * 20)).map(sorted)


@law
@given(eventful(max_size=8), moments)
def test_the_changes_lead_from_what_stood_then_to_what_stands_now(recorded: Evidence, hours: list[int]) -> None:
    since, until = (AsOf(DAY_0 + timedelta(hours=each)) for each in hours)
    now = stood(recorded, until)

    told = changes(recorded, since, until)

    assert carried_on(stood(recorded, since), told) == {finding: head for finding, (_, head) in now.items()}
    last = {change.finding: change for change in told}
    assert all(change.version_after == now[finding][0] for finding, change in last.items() if finding in now)
    assert [change.record_time for change in told] == sorted(change.record_time for change in told)


@law
@given(eventful(max_size=8), st.integers(0, 24 * 20))
def test_each_change_that_a_record_brought_on_is_a_version_of_the_history(recorded: Evidence, hours: int) -> None:
    since, until = AsOf(DAY_0 + timedelta(hours=hours)), AsOf(DAY_0 + timedelta(days=60))
    versions = {(version.finding, version.version): version for version in history(recorded, until)}

    for change in changes(recorded, since, until):
        version = versions.get((change.finding, change.version_after or 0))
        if version is None or change.record_time == until.time:
            continue  # by time alone
        assert (version.record_time, version.because) == (change.record_time, change.because)
        if change.version_before == version.version - 1 and change.before is not None:
            assert version.change.en.split(". ")[0] == change.what.en.split(". ")[0]


@law
@given(eventful(max_size=6), st.integers(0, 24 * 20))
def test_nothing_changes_between_a_moment_and_itself(recorded: Evidence, hours: int) -> None:
    moment = AsOf(DAY_0 + timedelta(hours=hours))

    assert changes(recorded, moment, moment) == ()


@law
@given(eventful(max_size=8), st.data())
def test_they_lead_there_also_where_some_partitions_were_read_less_far(recorded: Evidence, data: st.DataObject) -> None:
    facts = (*recorded.facts, *recorded.unit_facts, *recorded.registry)
    end = max(fact.position.offset for fact in facts) + 1
    since = AsOf(
        DAY_0 + timedelta(days=data.draw(st.integers(0, 20))),
        Positions({partition: data.draw(st.integers(0, end)) for partition in range(9)}),
    )
    until = AsOf(DAY_0 + timedelta(days=60), Positions(dict.fromkeys(range(9), end)))

    told = changes(recorded, since, until)

    now = {finding: head for finding, (_, head) in stood(recorded, until).items()}
    assert carried_on(stood(recorded, since), told) == now

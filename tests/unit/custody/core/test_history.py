"""The history is what it is defined to be, record by record, however it is worked out, and fast enough."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from msgspec import structs

from schemas.positions import AsOf
from services.custody.core.attribution import verdicts
from services.custody.core.facts import Evidence
from services.custody.core.history import history, numbered
from services.custody.core.verdict import Finding, Replaces, Verdict
from tests.unit.custody.core.eventful import eventful
from tests.unit.custody.core.histories import law

_RECORDED = ("facts", "unit_facts", "neighbours", "registry", "rivals", "parked")

Row = tuple[Finding, int, Any, str | None, Verdict | None]


def by_definition(recorded: Evidence) -> list[Row]:
    """The history as it is defined: ask anew after every record, with what had been recorded by then, and compare."""
    records = sorted((each for name in _RECORDED for each in getattr(recorded, name)), key=_place)
    told: list[Row] = []
    latest: dict[Finding, tuple[int, Verdict | None]] = {}
    for record in records:
        there: dict[str, Any] = {
            name: tuple(each for each in getattr(recorded, name) if _place(each) <= _place(record))
            for name in _RECORDED
        }
        known = replace(recorded, **there)
        standing = {verdict.finding: verdict for verdict in verdicts(known, AsOf(record.record_time))}
        because = record.id if hasattr(record, "envelope") else None
        for finding in dict.fromkeys((*latest, *standing)):
            number, before = latest.get(finding, (0, None))
            verdict = standing.get(finding)
            if _told(before) == _told(verdict):
                continue
            if verdict is not None:
                replaces = Replaces(number, because) if number else None
                verdict = structs.replace(verdict, version=number + 1, replaces=replaces)
            latest[finding] = (number + 1, verdict)
            told.append((finding, number + 1, record.record_time, because, verdict))
    return told


def _place(record: Any) -> Any:
    return (record.record_time, record.position)


def _told(verdict: Verdict | None) -> object:
    if verdict is None:
        return None
    flags = frozenset(verdict.flags)
    return verdict.outcome, verdict.liable, verdict.confidence, verdict.L, verdict.U, verdict.proved, flags


def latest(recorded: Evidence) -> AsOf:
    return AsOf(max(each.record_time for name in _RECORDED for each in getattr(recorded, name)))


@law
@given(eventful())
def test_the_history_is_what_asking_after_every_record_tells(recorded: Evidence) -> None:
    versions = history(recorded, latest(recorded))

    assert [(v.finding, v.version, v.record_time, v.because, v.verdict) for v in versions] == by_definition(recorded)


@law
@given(eventful(max_size=6))
def test_what_stands_at_the_end_has_the_number_of_its_last_version(recorded: Evidence) -> None:
    last = {version.finding: version for version in history(recorded, latest(recorded))}

    for verdict in verdicts(recorded, latest(recorded)):
        told, kept = numbered(recorded, latest(recorded), verdict), last[verdict.finding].verdict
        assert kept is not None
        assert (told.version, told.replaces) == (kept.version, kept.replaces)


@law
@given(eventful(max_size=6))
def test_every_version_says_what_changed_in_both_languages(recorded: Evidence) -> None:
    for version in history(recorded, latest(recorded)):
        for text in (version.change.en, version.change.zh):
            assert text
            assert "{" not in text


# --- fast enough -----------------------------------------------------------------------------------------------------

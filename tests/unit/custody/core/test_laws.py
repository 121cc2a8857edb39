"""Laws of order and time: arrival and repeats change no answer, and a replay tells what was told then."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.positions import AsOf, Positions
from services.custody.core.attribution import verdicts
from services.custody.core.history import history, numbered
from tests.unit.custody.core.histories import (
    DAY_0,
    SUBJECT,
    History,
    answers,
    evidence,
    histories,
    law,
    recorded_by,
    without_positions,
)


@law
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 7), st.integers(0, 7))
def test_any_arrival_order_gives_the_same_verdicts(history: History, random: Random, a: int, b: int) -> None:
    """Invariant (i)."""
    recorded = evidence(history)
    elsewhere = evidence(history, {SUBJECT: a, "policy:DEFAULT": b})
    facts, registry = list(elsewhere.facts), list(elsewhere.registry)
    random.shuffle(facts)
    random.shuffle(registry)
    shuffled = replace(elsewhere, facts=tuple(facts), registry=tuple(registry))

    assert without_positions(verdicts(shuffled, history.as_of)) == without_positions(verdicts(recorded, history.as_of))


@law
@given(histories(), st.data())
def test_an_event_sent_again_changes_nothing(history: History, data: st.DataObject) -> None:
    """Invariant (ii)."""
    again = data.draw(st.sampled_from(history.told))
    later = replace(again, recorded=again.recorded + timedelta(days=data.draw(st.integers(0, 20)), seconds=7))
    repeated = replace(history, told=(*history.told, later))

    assert without_positions(answers(repeated)) == without_positions(answers(history))


@law
@given(histories(max_size=6))
def test_one_by_one_equals_all_at_once(given_history: History) -> None:
    recorded = evidence(given_history)
    last = AsOf(max(fact.record_time for fact in (*recorded.facts, *recorded.registry)))

    versions = history(recorded, last)

    latest = {version.finding: version.verdict for version in versions}
    standing = {finding: verdict for finding, verdict in latest.items() if verdict is not None}
    at_once = {verdict.finding: verdict for verdict in verdicts(recorded, last)}
    assert standing.keys() == at_once.keys()
    for finding, verdict in standing.items():
        told, now = verdict, at_once[finding]
        assert (told.outcome, told.liable, told.confidence, told.L, told.U, told.proved) == (
            now.outcome,
            now.liable,
            now.confidence,
            now.L,
            now.U,
            now.proved,
        )
        assert set(told.flags) == set(now.flags)


@law
@given(histories(max_size=6))
def test_versions_are_numbered_without_a_hole_and_each_differs_from_the_one_before(given_history: History) -> None:
    recorded = evidence(given_history)

    versions = history(recorded, given_history.as_of)

    for finding in {version.finding for version in versions}:
        own = [version for version in versions if version.finding == finding]
        assert [version.version for version in own] == list(range(1, len(own) + 1))
        assert [version.verdict.version for version in own if version.verdict is not None] == [
            version.version for version in own if version.verdict is not None
        ]
    for verdict in verdicts(recorded, given_history.as_of):
        assert numbered(recorded, given_history.as_of, verdict).version >= 1


@law
@given(histories(), st.integers(0, 14 * 24))
def test_replay_to_a_moment_equals_what_had_been_recorded_by_then(history: History, hours: int) -> None:
    """Invariant (vi): nothing that was recorded later shows through."""
    moment = AsOf(DAY_0 + timedelta(hours=hours))

    asked_later = verdicts(evidence(history), moment)
    asked_then = verdicts(evidence(recorded_by(history, moment)), moment)

    assert asked_later == asked_then


@law
@given(histories(), st.integers(0, 14 * 24), st.integers(0, 7))
def test_replay_by_time_and_by_position_is_the_same(history: History, hours: int, partition: int) -> None:
    """Invariant (vi): an instant and the vector of what had been recorded by then ask for the same."""
    moment = AsOf(DAY_0 + timedelta(hours=hours))
    recorded = evidence(history, {SUBJECT: partition})
    known = [fact for fact in (*recorded.facts, *recorded.registry) if fact.record_time <= moment.time]
    vector = Positions()
    for fact in known:
        vector[fact.position.partition] = max(vector.get(fact.position.partition, 0), fact.position.offset + 1)

    assert verdicts(recorded, AsOf(moment.time, vector)) == verdicts(recorded, moment)


@law
@given(histories(), st.integers(0, 40), st.integers(0, 12))
def test_replay_to_a_vector_reads_nothing_beyond_it(history: History, registered: int, told: int) -> None:
    """Invariant (vi): for any vector, also one that no moment had, since partitions are read at their own pace."""
    recorded = evidence(history, {SUBJECT: 1})
    vector = Positions({0: registered, 1: told})
    covered = replace(
        recorded,
        facts=tuple(fact for fact in recorded.facts if vector.covers(fact.position)),
        registry=tuple(fact for fact in recorded.registry if vector.covers(fact.position)),
    )

    assert verdicts(recorded, AsOf(history.as_of.time, vector)) == verdicts(covered, history.as_of)


@law
@given(histories(max_size=6))
def test_replay_to_a_stored_answer_reproduces_it_byte_for_byte(given_history: History) -> None:
    """Invariant (vi): whatever was recorded since."""
    recorded = evidence(given_history)

    for version in history(recorded, given_history.as_of):
        then = AsOf(version.record_time)
        standing = {verdict.finding: numbered(recorded, then, verdict) for verdict in verdicts(recorded, then)}
        again = standing.get(version.finding)
        assert msgspec.json.encode(again) == msgspec.json.encode(version.verdict)


@law
@given(histories())
def test_the_same_question_is_answered_the_same_byte_for_byte(history: History) -> None:
    """Invariant (vi), for the same log read twice."""
    recorded = evidence(history)

    first = [msgspec.json.encode(verdict) for verdict in verdicts(recorded, history.as_of)]
    again = [msgspec.json.encode(verdict) for verdict in verdicts(evidence(history), history.as_of)]

    assert first == again

"""Laws of order, time and indifference on rich histories: arrival, repeats, replay, names and strangers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import DeviceEnrolled, HandoffAccepted, ItemScanned, PartyRegistered, Scan
from schemas.positions import AsOf, Positions
from schemas.vocabulary import CaptureMode
from services.custody.core.attribution import verdicts
from services.custody.core.facts import Evidence
from services.custody.core.history import history
from services.custody.core.idle import Standstill
from services.custody.core.verdict import Verdict
from tests.unit.custody.core.histories import (
    DAY_0,
    SUBJECT,
    History,
    Told,
    enrolled,
    evidence,
    recorded_by,
    without_positions,
)
from tests.unit.custody.core.rich import every_answer, law, rich
from tests.unit.custody.core.rich_teller import BAG, CAGE, OTHER, PARTIES

T = TypeVar("T")


@law
@given(rich(), st.data())
def test_any_arrival_order_gives_the_same_answers(told: History, data: st.DataObject) -> None:
    """Invariant (i)."""
    recorded = evidence(told)
    partitions = {subject: data.draw(st.integers(0, 3)) for subject in (SUBJECT, OTHER, BAG, CAGE, "policy:DEFAULT")}
    shuffled = _shuffled(evidence(told, partitions), data.draw(st.randoms(use_true_random=False)))

    assert without_positions(every_answer(shuffled, told.as_of)) == without_positions(
        every_answer(recorded, told.as_of)
    )


def _shuffled(recorded: Evidence, chance: Any) -> Evidence:
    def mixed(items: tuple[T, ...]) -> tuple[T, ...]:
        found = list(items)
        chance.shuffle(found)
        return tuple(found)

    return replace(
        recorded,
        facts=mixed(recorded.facts),
        unit_facts=mixed(recorded.unit_facts),
        neighbours=mixed(recorded.neighbours),
        registry=mixed(recorded.registry),
        linked=tuple(_shuffled(other, chance) for other in recorded.linked),
    )


@law
@given(rich(), st.data())
def test_an_event_sent_again_changes_nothing(told: History, data: st.DataObject) -> None:
    """Invariant (ii)."""
    again = data.draw(st.sampled_from(told.told))
    later = replace(again, recorded=again.recorded + timedelta(days=data.draw(st.integers(0, 20)), microseconds=7))
    repeated = replace(told, told=(*told.told, later))

    assert without_positions(every_answer(evidence(repeated), told.as_of)) == without_positions(
        every_answer(evidence(told), told.as_of)
    )


@law
@given(rich(), st.data())
def test_replay_to_a_moment_equals_what_had_been_recorded_by_then(told: History, data: st.DataObject) -> None:
    """Invariant (vi): nothing that was recorded later shows through."""
    after = data.draw(st.sampled_from(told.told))
    moment = AsOf(DAY_0 + after.recorded)

    asked_later = every_answer(evidence(told), moment)
    asked_then = every_answer(evidence(recorded_by(told, moment)), moment)

    assert msgspec.json.encode(asked_later) == msgspec.json.encode(asked_then)


@law
@given(rich(), st.data())
def test_replay_to_a_vector_equals_replay_to_its_moment(told: History, data: st.DataObject) -> None:
    """Invariant (vi)."""
    moment = AsOf(DAY_0 + data.draw(st.sampled_from(told.told)).recorded)
    recorded = evidence(told, {SUBJECT: 1, BAG: 2, OTHER: 3})
    vector = Positions()
    for part in (recorded, *recorded.linked):
        for fact in (*part.facts, *part.unit_facts, *part.registry):
            if fact.record_time <= moment.time:
                vector[fact.position.partition] = max(vector.get(fact.position.partition, 0), fact.position.offset + 1)

    assert every_answer(recorded, AsOf(moment.time, vector)) == every_answer(recorded, moment)


@law
@given(rich(max_steps=3))
def test_the_history_and_its_short_way_tell_what_is_asked_after_every_record(told: History) -> None:
    """Invariant (vi): each version is what stood then, byte for byte, also where records were passed over as idle."""
    recorded = evidence(told)
    last = AsOf(max(DAY_0 + each.recorded for each in (*told.told, *told.registry)))
    short = history(recorded, last)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Standstill, "goes_on", lambda _self, _fact: False)
        long = history(recorded, last)

    assert short == long
    for version in short:
        then = AsOf(version.record_time)
        standing = {verdict.finding: _unnumbered(verdict) for verdict in verdicts(recorded, then)}
        assert standing.get(version.finding) == _unnumbered(version.verdict)


def _unnumbered(verdict: Verdict | None) -> bytes | None:
    """The answer byte for byte, without its place in the history."""
    return msgspec.json.encode(msgspec.structs.replace(verdict, version=1, replaces=None)) if verdict else None


@law
@given(rich(max_steps=3), st.data())
def test_scans_at_the_end_are_passed_over_only_where_they_change_nothing(told: History, data: st.DataObject) -> None:
    more = []
    last = max(each.recorded for each in told.told)
    for number in range(data.draw(st.integers(1, 4))):
        party = data.draw(st.sampled_from(PARTIES))
        last += timedelta(hours=data.draw(st.sampled_from((1, 7))))
        move: Scan = data.draw(
            st.sampled_from(
                (
                    ItemScanned(mode=CaptureMode.AUTO_SCAN, party=party),
                    HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, taker=party),
                )
            )
        )
        more.append(Told(f"more{number}", party, last, last, move))
    recorded = evidence(replace(told, told=(*told.told, *more)))
    end = AsOf(DAY_0 + last)
    short = history(recorded, end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Standstill, "goes_on", lambda _self, _fact: False)
        long = history(recorded, end)

    assert short == long


@law
@given(rich())
def test_renaming_the_parties_changes_only_the_names(told: History) -> None:
    names = dict(zip(PARTIES, ("Q7", "ZZ", "A-1", "m_2", "B9", "K0"), strict=True))
    renamed = replace(
        told,
        told=tuple(_renamed(each, names) for each in told.told),
        registry=tuple(_renamed(each, names) for each in told.registry),
    )

    expected = [_core(verdict, names) for verdict in every_answer(evidence(told), told.as_of)]

    assert [_core(verdict, {}) for verdict in every_answer(evidence(renamed), told.as_of)] == expected


_NAMING = ("party", "taker", "giver", "to", "contracting", "keyid", "entity")


def _renamed(told: Told, names: dict[str, str]) -> Told:
    data = msgspec.convert(_with_names(msgspec.to_builtins(told.data), names), type(told.data))
    subject = told.subject
    if isinstance(told.data, DeviceEnrolled):
        again = enrolled(names.get(told.data.party, told.data.party), told.data.device.partition(".")[2])
        data, subject = again.data, again.subject
    elif isinstance(told.data, PartyRegistered):
        subject = f"party:{names.get(told.data.party, told.data.party).upper()}"
    return replace(told, by=names.get(told.by, told.by), data=data, subject=subject)


def _with_names(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            (names.get(key, key)): names.get(each, each)
            if key in _NAMING and isinstance(each, str)
            else _with_names(each, names)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_with_names(each, names) for each in value]
    return value


def _core(verdict: Verdict, names: dict[str, str]) -> tuple[object, ...]:
    def name(party: str) -> str:
        return names.get(party, party)

    return (
        verdict.finding,
        verdict.outcome,
        verdict.cause,
        [(name(share.party), share.share) for share in verdict.liable],
        [name(party) for party in verdict.proved],
        (verdict.L.event, verdict.L.how, verdict.L.t) if verdict.L else None,
        (verdict.U.event, verdict.U.how, verdict.U.t) if verdict.U else None,
        verdict.confidence,
        verdict.rules,
        verdict.flags,
        verdict.exposure,
        [(name(one), name(other)) for one, other in verdict.zones],
        [name(party) for party in verdict.open_alternatives],
        [name(party) for party in verdict.external_debtors],
        {name(party): hours for party, hours in verdict.delay_h.items()},
        verdict.evidence,
    )


@law
@given(rich(), rich(max_steps=2))
def test_events_about_parcels_that_nobody_links_to_it_change_nothing(told: History, another: History) -> None:
    """However many there are in the log, the evidence that is gathered gives the same answers."""
    elsewhere = tuple(
        replace(each, id=f"other-{each.id}", subject="test:THIRD", recorded=each.recorded + timedelta(microseconds=1))
        for each in another.told
        if each.subject == SUBJECT and not each.data.TYPE.startswith(("custody.unit_", "custody.parcel_relabelled"))
    )
    with_others = replace(told, told=(*told.told, *elsewhere))

    assert without_positions(every_answer(evidence(with_others), told.as_of)) == without_positions(
        every_answer(evidence(told), told.as_of)
    )

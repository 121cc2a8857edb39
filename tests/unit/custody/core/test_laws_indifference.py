"""Laws of indifference: names, strangers, other parcels and second contents under one identity change no answer."""

from dataclasses import replace
from datetime import timedelta

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.events import DeviceEnrolled, DeviceRevoked, PartyRegistered
from schemas.positions import Position
from schemas.vocabulary import PartyRole
from services.custody.core.attribution import verdicts
from services.custody.core.facts import Rival
from services.custody.core.verdict import Verdict
from tests.unit.custody.core.histories import (
    CARRIERS,
    DAY_0,
    History,
    Told,
    answers,
    enrolled,
    evidence,
    fact_of,
    histories,
    law,
    without_positions,
)


@law
@given(histories())
def test_renaming_the_parties_changes_only_the_names(history: History) -> None:
    names = dict(zip(CARRIERS, ("Q7", "ZZ", "A-1", "m_2"), strict=True))
    renamed = replace(
        history,
        told=tuple(_renamed(told, names) for told in history.told),
        registry=tuple(_renamed(told, names) for told in history.registry),
    )

    expected = [_core(verdict, names) for verdict in answers(history)]

    assert [_core(verdict, {}) for verdict in answers(renamed)] == expected


def _renamed(told: Told, names: dict[str, str]) -> Told:
    fields = msgspec.to_builtins(told.data)
    for name in ("party", "taker", "giver", "to", "contracting", "keyid"):
        if fields.get(name) in names:
            fields[name] = names[fields[name]]
    for signer in fields.get("countersigned", ()):
        signer["party"] = names.get(signer["party"], signer["party"])
    subject = told.subject
    if isinstance(told.data, DeviceEnrolled):
        again = enrolled(fields["party"], told.data.device.partition(".")[2])
        fields, subject = msgspec.to_builtins(again.data), again.subject
    elif isinstance(told.data, DeviceRevoked):
        party, _, device = told.data.device.partition(".")
        fields["device"] = f"{names[party]}.{device}"
        subject = f"device:{fields['device'].upper()}"
    elif isinstance(told.data, PartyRegistered):
        subject = f"party:{fields['party'].upper()}"
    data = msgspec.convert(fields, type(told.data))
    return replace(told, by=names.get(told.by, told.by), data=data, subject=subject)


def _core(verdict: Verdict, names: dict[str, str]) -> tuple[object, ...]:
    def name(party: str) -> str:
        return names.get(party, party)

    return (
        verdict.finding,
        verdict.outcome,
        [(name(share.party), share.share) for share in verdict.liable],
        [name(party) for party in verdict.proved],
        (verdict.L.event, verdict.L.how) if verdict.L else None,
        (verdict.U.event, verdict.U.how) if verdict.U else None,
        verdict.confidence,
        verdict.rules,
        verdict.flags,
        [name(party) for party in verdict.external_debtors],
    )


@law
@given(histories())
def test_registrations_and_records_that_concern_others_change_nothing(history: History) -> None:
    recorded = evidence(history)
    stranger = Told(
        "stranger",
        "OFFICE",
        timedelta(),
        timedelta(hours=1, seconds=17),
        PartyRegistered(party="ELSEWHERE", role=PartyRole.AUTHORITY, entity="C9"),
        None,
        "party:ELSEWHERE",
    )
    elsewhere = Rival(b"i" * 32, b"c" * 32, Position(5, 9), DAY_0)
    more = replace(
        recorded,
        registry=(*recorded.registry, fact_of(stranger, Position(6, 1))),
        rivals=(*recorded.rivals, elsewhere),
    )

    assert verdicts(more, history.as_of) == verdicts(recorded, history.as_of)


@law
@given(histories(), histories(max_size=4))
def test_events_about_another_parcel_change_nothing(history: History, another: History) -> None:
    elsewhere = tuple(
        replace(told, id=f"other-{told.id}", subject="test:ANOTHER", recorded=told.recorded + timedelta(microseconds=1))
        for told in another.told
    )
    with_others = replace(history, told=(*history.told, *elsewhere))

    assert without_positions(answers(with_others)) == without_positions(answers(history))


@law
@given(histories(), st.data())
def test_the_first_of_two_contents_counts_and_the_other_is_listed(history: History, data: st.DataObject) -> None:
    recorded = evidence(history)
    first = data.draw(st.sampled_from(recorded.facts))
    other = data.draw(st.sampled_from(recorded.facts))
    assume(first.identity != other.identity)
    rival = replace(
        other,
        identity=first.identity,
        content_hash=b"other".ljust(32),
        position=Position(7, 0),
        record_time=first.record_time + timedelta(seconds=3),
    )
    told_both = replace(recorded, facts=(*recorded.facts, rival))
    known_by_position = replace(
        recorded, rivals=(Rival(rival.identity, rival.content_hash, rival.position, rival.record_time),)
    )

    for with_rival, without in zip(verdicts(told_both, history.as_of), verdicts(recorded, history.as_of), strict=True):
        assert (with_rival.outcome, with_rival.liable, with_rival.L, with_rival.U) == (
            without.outcome,
            without.liable,
            without.L,
            without.U,
        )
        assert str(rival.position) in {excluded.position for excluded in with_rival.excluded}
    assert verdicts(known_by_position, history.as_of) == verdicts(recorded, history.as_of)

"""Laws of one record more on rich histories: a sound look narrows, a harm comes no later, a late note does nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    Cover,
    Event,
    LoggerReading,
    Observation,
    Operator,
    Repacked,
    Seal,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.positions import AsOf
from schemas.vocabulary import CaptureMode, Condition, Facet, FindingKind, OpeningReason
from services.custody.core.attribution import assess
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.rules.admission import admit
from services.custody.core.verdict import Finding
from tests.unit.custody.core.histories import CARRIERS, DAY_0, History, Told, evidence
from tests.unit.custody.core.rich import every_answer, law, rich
from tests.unit.custody.core.rich_teller import BAG, PARTIES

_PERSON = Operator(ref="p1")
_TOLD_BY_MOVEMENT = (FindingKind.LOSS, FindingKind.DELAY)


@law
@given(rich(), st.data())
def test_one_more_sound_look_by_the_holder_never_widens_the_bracket(told: History, data: st.DataObject) -> None:
    """Invariant (iv), the first half."""
    recorded = evidence(told)
    holder, t = _a_holder(told, recorded, data)
    looked = _look(holder, Condition.OK, Facet.OUTER, Facet.CONTENTS, Facet.PRESENCE)
    extra = evidence(replace(told, told=(*told.told, Told("extra", holder, t, t, looked))))

    for before in every_answer(recorded, told.as_of):
        if not _same_chain(recorded, extra, told.as_of, before.finding):
            continue
        after = assess(extra, told.as_of, before.finding)
        # R36 adds the brackets of other orders, where it names anybody at all.
        if after is None or after.U is None or {"R17", "R36"} & {*before.rules, *after.rules}:
            continue
        if before.U is not None and after.U.event == before.U.event:
            assert set(after.proved) <= set(before.proved), (before, after)


@law
@given(rich(), st.data())
def test_one_more_harm_seen_never_moves_the_end_of_the_bracket_later(told: History, data: st.DataObject) -> None:
    """Invariant (iv), the second half."""
    recorded = evidence(told)
    holder, t = _a_holder(told, recorded, data)
    looked = _look(holder, Condition.BAD, Facet.OUTER)
    extra = evidence(replace(told, told=(*told.told, Told("extra", holder, t, t, looked))))

    for before in every_answer(recorded, told.as_of):
        if not _same_chain(recorded, extra, told.as_of, before.finding):
            continue
        after = assess(extra, told.as_of, before.finding)
        if after is None or after.U is None or before.U is None or "R17" in {*before.rules, *after.rules}:
            continue
        if before.finding.kind is FindingKind.DAMAGE:
            assert after.U.t <= before.U.t, (before, after)


def _a_holder(told: History, recorded: Evidence, data: st.DataObject) -> tuple[str, timedelta]:
    """Some moment near the events of a history, and the carrier that had it then."""
    near = data.draw(st.sampled_from(told.told))
    t = near.happened + timedelta(minutes=data.draw(st.sampled_from((0.5, -1, 20, 700))), seconds=31)
    holder = lay(recorded, told.as_of).scene.chain.holder_at(DAY_0 + t).party
    assume(holder in CARRIERS)
    return holder, t


def _look(party: str, value: Condition, *facets: Facet) -> ConditionObserved:
    seen = tuple(Observation(facet=facet, value=value) for facet in facets)
    return ConditionObserved(mode=CaptureMode.HUMAN_INSPECT, operator=_PERSON, party=party, observations=seen)


def _same_chain(one: Evidence, other: Evidence, as_of: AsOf, finding: Finding) -> bool:
    """Whether custody is the same in both as the finding sees it: R18 may set a takeover aside for one finding only."""

    def held(recorded: Evidence) -> list[tuple[str, datetime]]:
        scene = admit(lay(recorded, as_of), finding)
        return [(segment.party, segment.start) for segment in scene.chain.segments]

    return held(one) == held(other)


def _notes(author: str) -> tuple[Event, ...]:
    """What somebody might type in afterwards to look better."""
    typed: dict[str, Any] = {"mode": CaptureMode.MANUAL_ENTRY, "operator": _PERSON, "party": author}
    seal = Seal(number="111", match=True)
    month = (Cover(DAY_0, DAY_0 + timedelta(days=60)),)
    return (
        *(ConditionObserved(**typed, observations=(Observation(facet, Condition.OK),)) for facet in Facet),
        ConditionObserved(**typed, observations=(Observation(Facet.WEIGHT, Condition.OK, grams=4200),)),
        ConditionObserved(**typed, logger=LoggerReading(month)),
        SealChecked(**typed, seal=seal, observations=(Observation(Facet.SEAL, Condition.OK),)),
        SealApplied(**typed, seal=seal),
        UnitOpened(**typed, because=OpeningReason.AUTHORITY),
        UnitPacked(**typed, unit=BAG, seal=seal),
        UnitUnpacked(**typed, unit=BAG),
        Repacked(**typed),
    )


@law
@given(rich(), st.data())
def test_a_late_unsigned_note_in_its_authors_favour_never_changes_an_answer(told: History, data: st.DataObject) -> None:
    """Invariant (viii)."""
    recorded = evidence(told)
    author = data.draw(st.sampled_from(PARTIES))
    near = data.draw(st.sampled_from(told.told))
    t = near.happened + timedelta(minutes=data.draw(st.sampled_from((0, -1, 20))), seconds=31)
    note = data.draw(st.sampled_from(_notes(author)))
    chain = lay(recorded, told.as_of).scene.chain
    takeovers = [segment.start for segment in chain.segments if segment.party == author]
    assume(takeovers)
    assume(all(DAY_0 + t > takeover for takeover in takeovers))  # else it admits that it was sound before
    subject = data.draw(st.sampled_from((near.subject, "test:PARCEL")))
    with_note = evidence(
        replace(told, told=(*told.told, Told("note", author, t, timedelta(days=40), note, None, subject)))
    )

    for before in every_answer(recorded, told.as_of):
        if before.finding.kind in _TOLD_BY_MOVEMENT or before.U is None:
            continue
        after = assess(with_note, told.as_of, before.finding)
        assert after is not None
        assert (after.outcome, after.liable, after.L, after.U, after.confidence, after.exposure) == (
            before.outcome,
            before.liable,
            before.L,
            before.U,
            before.confidence,
            before.exposure,
        ), (before, after)

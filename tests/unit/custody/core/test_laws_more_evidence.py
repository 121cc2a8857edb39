"""Laws of one record more: a sound look narrows, a harm comes no later, a note in one's own favour does nothing."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.events import ConditionObserved, HandoffAccepted, Observation, Operator, PolicySet
from schemas.positions import AsOf
from schemas.vocabulary import SENDER, CaptureMode, Condition, Facet, FindingKind, Outcome
from services.custody.core.attribution import assess, verdicts
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.rules.admission import admit
from services.custody.core.verdict import Finding
from tests.unit.custody.core.histories import (
    CARRIERS,
    DAY_0,
    History,
    Told,
    evidence,
    histories,
    law,
    registry,
)

AS_OF = AsOf(DAY_0 + timedelta(days=60))


@law
@given(histories(), st.integers(60, 14 * 24 * 60))
def test_one_more_sound_look_by_the_holder_never_widens_the_bracket(history: History, minutes: int) -> None:
    """Invariant (iv), the first half."""
    recorded = evidence(history)
    t = timedelta(minutes=minutes, seconds=31)
    holder = lay(recorded, history.as_of).scene.chain.holder_at(DAY_0 + t).party
    assume(holder in CARRIERS)
    looked = _look(holder, Condition.OK, Facet.OUTER, Facet.CONTENTS, Facet.PRESENCE)
    extra = evidence(replace(history, told=(*history.told, Told("extra", holder, t, t, looked))))

    for before in verdicts(recorded, history.as_of):
        if not _same_chain(recorded, extra, history.as_of, before.finding):
            continue
        after = assess(extra, history.as_of, before.finding)
        if after is None or after.U is None or "R17" in {*before.rules, *after.rules}:
            continue
        if before.U is not None and after.U.event == before.U.event:
            assert set(after.proved) <= set(before.proved)


def test_whoever_came_into_a_zone_is_in_the_bracket_before_anybody_looked_too() -> None:
    """Invariant (iv): C1 took it silently; H1, who never accepted it, found it broken inside.

    With C1's look in between, the bracket spans their zone, so that both are in it. Without it nothing can be
    determined, but the bracket is wider, so that both must be in it as well.
    """
    accepted = HandoffAccepted(mode=CaptureMode.HUMAN_INSPECT, operator=Operator(ref="p1"), taker="C1")
    told = (
        _at("a1", "C1", 60, accepted),
        _at("a2", "H1", 61, _look("H1", Condition.OK, Facet.OUTER, broken=True)),
    )
    looked = _at("extra", "C1", 60.5, _look("C1", Condition.OK, Facet.OUTER, Facet.CONTENTS))
    broken = Finding(FindingKind.CONCEALED)

    before = assess(evidence(History(told, registry(PolicySet()))), AS_OF, broken)
    after = assess(evidence(History((*told, looked), registry(PolicySet()))), AS_OF, broken)

    assert before is not None
    assert after is not None
    assert (before.outcome, before.proved) == (Outcome.UNDETERMINED, (SENDER, "C1", "H1"))
    assert (after.outcome, after.proved) == (Outcome.JOINT, ("C1", "H1"))


def _at(event_id: str, by: str, minutes: float, data: ConditionObserved | HandoffAccepted) -> Told:
    t = timedelta(minutes=minutes)
    return Told(event_id, by, t, t, data)


def _look(party: str, value: Condition, *facets: Facet, broken: bool = False) -> ConditionObserved:
    """A person looked at these facets; `broken`: and found the contents bad."""
    inside = (Observation(facet=Facet.CONTENTS, value=Condition.BAD),) if broken else ()
    return ConditionObserved(
        mode=CaptureMode.HUMAN_INSPECT,
        operator=Operator(ref="p1"),
        party=party,
        observations=(*(Observation(facet=facet, value=value) for facet in facets), *inside),
    )


@law
@given(histories(), st.integers(60, 14 * 24 * 60))
def test_one_more_harm_seen_never_moves_the_end_of_the_bracket_later(history: History, minutes: int) -> None:
    """Invariant (iv), the second half."""
    recorded = evidence(history)
    t = timedelta(minutes=minutes, seconds=31)
    holder = lay(recorded, history.as_of).scene.chain.holder_at(DAY_0 + t).party
    assume(holder in CARRIERS)
    looked = _look(holder, Condition.BAD, Facet.OUTER)
    extra = evidence(replace(history, told=(*history.told, Told("extra", holder, t, t, looked))))

    for before in verdicts(recorded, history.as_of):
        if not _same_chain(recorded, extra, history.as_of, before.finding):
            continue
        after = assess(extra, history.as_of, before.finding)
        if after is None or after.U is None or before.U is None or "R17" in {*before.rules, *after.rules}:
            continue
        if before.finding.kind is FindingKind.DAMAGE:
            assert after.U.t <= before.U.t


def _same_chain(one: Evidence, other: Evidence, as_of: AsOf, finding: Finding) -> bool:
    """Whether custody is the same in both as the finding sees it: R18 may set a takeover aside for one finding only."""

    def held(evidence: Evidence) -> list[tuple[str, datetime]]:
        scene = admit(lay(evidence, as_of), finding)
        return [(segment.party, segment.start) for segment in scene.chain.segments]

    return held(one) == held(other)


@law
@given(histories(), st.sampled_from(CARRIERS), st.integers(60, 14 * 24 * 60), st.sampled_from(Facet))
def test_a_late_unsigned_note_in_its_authors_favour_never_changes_an_answer(
    history: History, author: str, minutes: int, facet: Facet
) -> None:
    """Invariant (viii)."""
    recorded = evidence(history)
    note = Told(
        "note",
        author,
        timedelta(minutes=minutes),
        timedelta(days=40),
        ConditionObserved(
            mode=CaptureMode.MANUAL_ENTRY,
            operator=Operator(ref="p1"),
            party=author,
            observations=(Observation(facet=facet, value=Condition.OK),),
        ),
        None,
    )
    chain = lay(recorded, history.as_of).scene.chain
    takeovers = [segment.start for segment in chain.segments if segment.party == author]
    assume(all(DAY_0 + note.t > takeover for takeover in takeovers))  # else it admits that it was sound before
    with_note = evidence(replace(history, told=(*history.told, note)))

    for before in verdicts(recorded, history.as_of):
        if before.finding.kind in (FindingKind.LOSS, FindingKind.DELAY):
            continue
        after = assess(with_note, history.as_of, before.finding)
        assert after is not None
        assert (after.outcome, after.liable, after.L, after.U, after.confidence) == (
            before.outcome,
            before.liable,
            before.L,
            before.U,
            before.confidence,
        )
        if before.U is not None:  # else nothing direct had opened a dispute yet
            assert "note" in {excluded.event for excluded in after.excluded}

"""Laws of every answer by itself: shares, who may be liable, what the bracket rests on, and how sure it may be."""

from fractions import Fraction

from hypothesis import given

from schemas.events import ParcelAnnounced
from schemas.vocabulary import Confidence, Outcome
from services.custody.core.attribution import verdicts
from services.custody.core.ground import lay
from tests.unit.custody.core.histories import BAD, CARRIERS, History, answers, evidence, histories, law

BARS_HIGH = {"R5", "R7b", "R8", "R9a", "R9d", "R9g", "R10", "R11", "R13a", "R13b", "R13c", "R15", "R17"}
"""R21."""
BEYOND_THE_BRACKET = {"R7b", "R14b", "R30", "R35"}
"""Rules by which somebody may answer who did not hold it between L and U."""


@law
@given(histories())
def test_shares_sum_to_one_where_anybody_answers(history: History) -> None:
    """Invariant (iii)."""
    for verdict in answers(history):
        total = sum((Fraction(share.share) for share in verdict.liable), Fraction(0))
        assert total == (0 if verdict.outcome is Outcome.UNDETERMINED else 1)


@law
@given(histories())
def test_the_liable_held_it_inside_the_bracket(history: History) -> None:
    """Invariant (v)."""
    for verdict in answers(history):
        liable = {share.party for share in verdict.liable}
        if not BEYOND_THE_BRACKET & set(verdict.rules):
            assert liable <= set(verdict.proved), verdict


@law
@given(histories())
def test_the_bracket_rests_on_nothing_weak(history: History) -> None:
    """Invariant (vii)."""
    for verdict in answers(history):
        for edge in (verdict.L, verdict.U):
            if edge is None:
                continue
            if edge.event is None:
                assert edge.how == "R10"
            elif edge.rule in ("R5", "R9d", "R13c"):
                assert edge.grade == 2
            else:
                assert edge.grade is not None
                assert edge.grade >= 3


@law
@given(histories())
def test_the_bracket_does_not_end_before_it_begins(history: History) -> None:
    for verdict in answers(history):
        if verdict.L is not None and verdict.U is not None and "R7b" not in verdict.rules:
            assert verdict.L.t <= verdict.U.t


@law
@given(histories())
def test_high_needs_two_direct_ends_one_party_and_no_rule_that_bars_it(history: History) -> None:
    """Invariant (x)."""
    for verdict in answers(history):
        if verdict.confidence is not Confidence.HIGH:
            continue
        assert not BARS_HIGH & set(verdict.rules)
        assert "ADMISSION" not in verdict.flags
        assert len(verdict.liable) == 1
        assert verdict.U is not None
        assert "R7a" not in verdict.rules or verdict.U.grade == 5
        if verdict.cause != "pre_existing":
            assert verdict.L is not None
            assert verdict.L.how == "direct"
            assert max(verdict.L.grade or 0, verdict.U.grade or 0) >= 4


@law
@given(histories())
def test_confidence_follows_the_outcome(history: History) -> None:
    for verdict in answers(history):
        if verdict.outcome is Outcome.UNDETERMINED:
            assert verdict.confidence is Confidence.NONE
        elif verdict.outcome is Outcome.JOINT:
            assert verdict.confidence is Confidence.LOW
        else:
            assert verdict.confidence is not Confidence.NONE


@law
@given(histories())
def test_what_is_never_used_is_listed(history: History) -> None:
    """Invariant (ix)."""
    recorded = evidence(history)
    never = {fact.id for fact, _ in lay(recorded, history.as_of).scene.excluded.values()}
    for verdict in verdicts(recorded, history.as_of):
        assert never <= {excluded.event for excluded in verdict.excluded}


@law
@given(histories())
def test_what_carries_a_broken_signature_is_listed(history: History) -> None:
    """Invariant (ix), said without the core's own list."""
    broken = {told.id for told in history.told if told.signature == BAD and not isinstance(told.data, ParcelAnnounced)}
    for verdict in answers(history):
        assert broken <= {excluded.event for excluded in verdict.excluded}


@law
@given(histories())
def test_an_event_is_either_excluded_or_may_be_evidence(history: History) -> None:
    for verdict in answers(history):
        ends = {edge.event for edge in (verdict.L, verdict.U) if edge is not None and edge.event is not None}
        assert not ends & {excluded.event for excluded in verdict.excluded}
        assert ends <= set(verdict.evidence)


@law
@given(histories())
def test_custody_has_no_hole_and_starts_with_the_sender(history: History) -> None:
    chain = lay(evidence(history), history.as_of).scene.chain

    assert chain.segments[0].party == "SENDER"
    for one, following in zip(chain.segments, chain.segments[1:], strict=False):
        assert one.end == following.start
        assert one.start <= one.end


@law
@given(histories())
def test_both_languages_explain_every_answer(history: History) -> None:
    for verdict in answers(history):
        assert verdict.explanation.en.endswith("This is an evidence assessment, not legal advice.")
        assert verdict.explanation.zh.endswith("本结论为证据评估，不构成法律意见。")
        assert "{" not in verdict.explanation.en + verdict.explanation.zh
        for share in verdict.liable:
            if share.party in CARRIERS:
                assert share.party in verdict.explanation.en
                assert share.party in verdict.explanation.zh

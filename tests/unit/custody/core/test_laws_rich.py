"""Laws of every answer by itself, on histories with seals, scales, loggers, packing, customs, swaps and losses."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import ParcelAnnounced
from schemas.vocabulary import Confidence, Outcome
from services.custody.core.ground import lay
from services.custody.core.timeline import timeline
from services.custody.core.union import united
from tests.unit.custody.core.histories import BAD, SUBJECT, History, evidence
from tests.unit.custody.core.rich import every_answer, law, rich
from tests.unit.custody.core.rich_teller import CUSTOMS, PARTIES

BARS_HIGH = {"R5", "R7b", "R8", "R9a", "R9g", "R10", "R11", "R13a", "R13b", "R13c", "R15", "R17"}
"""R21. R9d bars it only where nobody looked in time."""
BEYOND_THE_BRACKET = {"R7b", "R14b", "R30", "R35"}
"""Rules by which somebody may answer who did not hold it between L and U."""
PRESUMED_BY = ("R5", "R9d", "R13c")
"""Rules that set L to something nobody saw."""


@law
@given(rich())
def test_shares_sum_to_one_where_anybody_answers(history: History) -> None:
    """Invariant (iii)."""
    for verdict in every_answer(evidence(history), history.as_of):
        shares = [Fraction(share.share) for share in verdict.liable]
        assert sum(shares, Fraction(0)) == (0 if verdict.outcome is Outcome.UNDETERMINED else 1), verdict
        assert all(share > 0 for share in shares)
        assert len({share.party for share in verdict.liable}) == len(shares)


@law
@given(rich())
def test_the_outcome_says_how_many_answer_and_who(history: History) -> None:
    for verdict in every_answer(evidence(history), history.as_of):
        liable = [share.party for share in verdict.liable]
        match verdict.outcome:
            case Outcome.SEGMENT:
                assert len(liable) == 1
                assert not {"SENDER", "RCP"} & set(liable), verdict
            case Outcome.JOINT | Outcome.SHARED:
                assert len(liable) > 1, verdict
            case Outcome.SENDER:
                assert liable == ["SENDER"]
            case Outcome.RECIPIENT:
                assert liable == ["RCP"]
            case _:
                assert not liable


@law
@given(rich())
def test_the_liable_held_it_inside_the_bracket(history: History) -> None:
    """Invariant (v)."""
    for verdict in every_answer(evidence(history), history.as_of):
        liable = {share.party for share in verdict.liable}
        if not BEYOND_THE_BRACKET & set(verdict.rules):
            assert liable <= set(verdict.proved), verdict


@law
@given(rich())
def test_an_authority_bears_nothing_where_somebody_presented_it(history: History) -> None:
    """R30."""
    for verdict in every_answer(evidence(history), history.as_of):
        assert CUSTOMS not in {share.party for share in verdict.liable}, verdict


@law
@given(rich())
def test_who_answers_is_no_open_alternative_as_well(history: History) -> None:
    for verdict in every_answer(evidence(history), history.as_of):
        assert not {share.party for share in verdict.liable} & set(verdict.open_alternatives), verdict


@law
@given(rich())
def test_the_bracket_rests_on_nothing_weak(history: History) -> None:
    """Invariant (vii)."""
    for verdict in every_answer(evidence(history), history.as_of):
        for edge in (verdict.L, verdict.U):
            if edge is None:
                continue
            if edge.event is None:
                assert edge.how == "R10"
            elif edge.grade == 2:
                assert edge.rule in PRESUMED_BY, verdict
            else:
                assert edge.grade is not None
                assert edge.grade >= 3, verdict


@law
@given(rich())
def test_the_bracket_does_not_end_before_it_begins(history: History) -> None:
    for verdict in every_answer(evidence(history), history.as_of):
        if verdict.L is not None and verdict.U is not None and "R7b" not in verdict.rules:
            assert verdict.L.t <= verdict.U.t, verdict


@law
@given(rich())
def test_the_exposure_lies_inside_the_bracket_in_order(history: History) -> None:
    for verdict in every_answer(evidence(history), history.as_of):
        for since, until in verdict.exposure:
            assert since < until
            assert verdict.L is None or verdict.L.t <= since, verdict
            assert verdict.U is not None
            assert until <= verdict.U.t, verdict
        assert list(verdict.exposure) == sorted(verdict.exposure)


@law
@given(rich())
def test_high_needs_two_direct_ends_one_party_and_no_rule_that_bars_it(history: History) -> None:
    """Invariant (x)."""
    for verdict in every_answer(evidence(history), history.as_of):
        if verdict.confidence is not Confidence.HIGH or verdict.finding.kind == "DELAY":
            continue
        assert not BARS_HIGH & set(verdict.rules), verdict
        assert "ADMISSION" not in verdict.flags, verdict
        assert len(verdict.liable) == 1
        assert verdict.U is not None
        assert "R7a" not in verdict.rules or verdict.U.grade == 5, verdict
        if verdict.cause != "pre_existing":
            assert verdict.L is not None
            assert verdict.L.how in ("direct", "seal")
            assert max(verdict.L.grade or 0, verdict.U.grade or 0) >= 4, verdict


@law
@given(rich())
def test_confidence_follows_the_outcome(history: History) -> None:
    for verdict in every_answer(evidence(history), history.as_of):
        if verdict.outcome is Outcome.UNDETERMINED:
            assert verdict.confidence is Confidence.NONE
        elif verdict.outcome is Outcome.JOINT:
            assert verdict.confidence is Confidence.LOW
        else:
            assert verdict.confidence is not Confidence.NONE


@law
@given(rich())
def test_what_is_never_used_is_listed(history: History) -> None:
    """Invariant (ix): by the core's own list, and, for a broken signature, without it."""
    recorded = evidence(history)
    never = {fact.id for fact, _ in lay(recorded, history.as_of).scene.excluded.values()}
    never |= {
        told.id
        for told in history.told
        if told.signature == BAD and told.subject == SUBJECT and _is_act(told.data.TYPE, told.data)
    }
    for verdict in every_answer(recorded, history.as_of):
        assert never <= {excluded.event for excluded in verdict.excluded}


def _is_act(kind: str, data: object) -> bool:
    paperwork = ("custody.hold_placed.v1", "claims.claim_paid.v1")
    return kind not in paperwork and not isinstance(data, ParcelAnnounced)


@law
@given(rich())
def test_an_event_is_either_excluded_or_may_be_evidence(history: History) -> None:
    for verdict in every_answer(evidence(history), history.as_of):
        ends = {edge.event for edge in (verdict.L, verdict.U) if edge is not None and edge.event is not None}
        assert not ends & {excluded.event for excluded in verdict.excluded}, verdict
        assert ends <= set(verdict.evidence)


@law
@given(rich())
def test_both_languages_explain_every_answer(history: History) -> None:
    for verdict in every_answer(evidence(history), history.as_of):
        assert verdict.explanation.en.endswith("This is an evidence assessment, not legal advice.")
        assert verdict.explanation.zh.endswith("本结论为证据评估，不构成法律意见。")
        assert "{" not in verdict.explanation.en + verdict.explanation.zh
        for share in verdict.liable:
            if share.party in PARTIES:
                assert share.party in verdict.explanation.en, verdict
                assert share.party in verdict.explanation.zh


@law
@given(rich(), st.data())
def test_one_answer_for_several_blows_holds_whoever_answers_for_one(history: History, data: st.DataObject) -> None:
    """R35: in equal parts, whatever the findings are, and one that is named twice is one."""
    recorded = evidence(history)
    answers = every_answer(recorded, history.as_of)
    chosen = data.draw(st.lists(st.sampled_from(answers), max_size=4)) if answers else []

    whole = united(lay(recorded, history.as_of), [verdict.finding for verdict in chosen])

    if not chosen:
        assert whole is None
        return
    assert whole is not None
    liable = {share.party for verdict in chosen for share in verdict.liable}
    assert {share.party for share in whole.liable} == liable
    if len({verdict.finding for verdict in chosen}) > 1:
        assert "R35" in whole.rules
        assert len({share.share for share in whole.liable}) <= 1
        assert not liable & set(whole.open_alternatives)
        assert (whole.confidence is Confidence.NONE) == (not liable)


@law
@given(rich())
def test_the_timeline_can_always_be_told_and_has_no_hole(history: History) -> None:
    told = timeline(evidence(history), history.as_of)

    assert told.segments[0].party == "SENDER"
    for one, following in zip(told.segments, told.segments[1:], strict=False):
        assert one.until == following.since

"""Laws of the verdict over made-up histories: what must hold whatever was recorded, and in whatever order it came."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.events import ConditionObserved, DeviceEnrolled, Observation, Operator, PartyRegistered
from schemas.positions import AsOf, Position
from schemas.vocabulary import CaptureMode, Condition, Confidence, Facet, FindingKind, Outcome, PartyRole
from services.custody.core.attribution import assess, verdicts
from services.custody.core.facts import Evidence, Rival
from services.custody.core.ground import lay
from services.custody.core.history import history, numbered
from services.custody.core.rules.admission import admit
from services.custody.core.verdict import Finding, Verdict
from tests.unit.custody.core.histories import (
    CARRIERS,
    DAY_0,
    SUBJECT,
    History,
    Told,
    answers,
    evidence,
    fact_of,
    histories,
    without_positions,
)

law = settings(max_examples=25, deadline=None)

BARS_HIGH = {"R5", "R7b", "R8", "R9a", "R9d", "R9g", "R10", "R11", "R13a", "R13b", "R13c", "R15", "R17"}


@law
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 7), st.integers(0, 7))
def test_any_arrival_order_gives_the_same_verdicts(history: History, random: object, a: int, b: int) -> None:
    recorded = evidence(history)
    elsewhere = evidence(history, {SUBJECT: a, "policy:DEFAULT": b})
    facts, registry = list(elsewhere.facts), list(elsewhere.registry)
    random.shuffle(facts)  # type: ignore[attr-defined]  # random.Random, which pure code may not name
    random.shuffle(registry)  # type: ignore[attr-defined]  # as above
    shuffled = replace(elsewhere, facts=tuple(facts), registry=tuple(registry))

    assert without_positions(verdicts(shuffled, history.as_of)) == without_positions(verdicts(recorded, history.as_of))


@law
@given(histories(), st.data())
def test_an_event_sent_again_changes_nothing(history: History, data: st.DataObject) -> None:
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
    moment = AsOf(DAY_0 + timedelta(hours=hours))
    by_then = replace(history, told=tuple(told for told in history.told if DAY_0 + told.recorded <= moment.time))

    asked_later = verdicts(evidence(history), moment)
    asked_then = verdicts(evidence(by_then), moment)

    assert without_positions(asked_later) == without_positions(asked_then)


@law
@given(histories())
def test_the_same_question_is_answered_the_same_byte_for_byte(history: History) -> None:
    recorded = evidence(history)

    first = [msgspec.json.encode(verdict) for verdict in verdicts(recorded, history.as_of)]
    again = [msgspec.json.encode(verdict) for verdict in verdicts(evidence(history), history.as_of)]

    assert first == again


@law
@given(histories())
def test_shares_sum_to_one_where_anybody_answers(history: History) -> None:
    for verdict in answers(history):
        total = sum((Fraction(share.share) for share in verdict.liable), Fraction(0))
        assert total == (0 if verdict.outcome is Outcome.UNDETERMINED else 1)


@law
@given(histories())
def test_the_liable_held_it_inside_the_bracket(history: History) -> None:
    for verdict in answers(history):
        liable = {share.party for share in verdict.liable}
        if "R7b" not in verdict.rules:
            assert liable <= set(verdict.proved), verdict


@law
@given(histories())
def test_the_bracket_rests_on_nothing_weak(history: History) -> None:
    for verdict in answers(history):
        for edge in (verdict.L, verdict.U):
            if edge is None:
                continue
            if edge.event is None:
                assert edge.how == "R10"
            elif edge.rule in ("R5", "R13c"):
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
    recorded = evidence(history)
    never = {fact.id for fact, _ in lay(recorded, history.as_of).scene.excluded.values()}
    for verdict in verdicts(recorded, history.as_of):
        assert never <= {excluded.event for excluded in verdict.excluded}


@law
@given(histories())
def test_an_event_is_either_excluded_or_may_be_evidence(history: History) -> None:
    for verdict in answers(history):
        ends = {edge.event for edge in (verdict.L, verdict.U) if edge is not None and edge.event is not None}
        assert not ends & {excluded.event for excluded in verdict.excluded}
        assert ends <= set(verdict.evidence)


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
    for name in ("party", "taker", "giver", "to", "contracting"):
        if fields.get(name) in names:
            fields[name] = names[fields[name]]
    for signer in fields.get("countersigned", ()):
        signer["party"] = names.get(signer["party"], signer["party"])
    if isinstance(told.data, DeviceEnrolled):
        party = fields["party"]
        fields["device"] = f"{party}.d"
        fields["keys"] = [{"keyid": party, "public_key": party.lower().encode().hex().ljust(64, "0")[:64]}]
        subject = f"device:{party.upper()}.D"
    elif isinstance(told.data, PartyRegistered):
        subject = f"party:{fields['party'].upper()}"
    else:
        subject = told.subject
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


@law
@given(histories(), st.sampled_from(CARRIERS), st.integers(60, 14 * 24 * 60), st.sampled_from(Facet))
def test_a_late_unsigned_note_in_its_authors_favour_never_changes_an_answer(
    history: History, author: str, minutes: int, facet: Facet
) -> None:
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


@law
@given(histories(), st.integers(60, 14 * 24 * 60))
def test_one_more_sound_look_by_the_holder_never_widens_the_bracket(history: History, minutes: int) -> None:
    recorded = evidence(history)
    t = timedelta(minutes=minutes, seconds=31)
    holder = lay(recorded, history.as_of).scene.chain.holder_at(DAY_0 + t).party
    assume(holder in CARRIERS)
    looked = ConditionObserved(
        mode=CaptureMode.HUMAN_INSPECT,
        operator=Operator(ref="p1"),
        party=holder,
        observations=tuple(Observation(facet=facet, value=Condition.OK) for facet in (Facet.OUTER, Facet.CONTENTS)),
    )
    extra = evidence(replace(history, told=(*history.told, Told("extra", holder, t, t, looked))))

    for before in verdicts(recorded, history.as_of):
        if not _same_chain(recorded, extra, history.as_of, before.finding):
            continue
        after = assess(extra, history.as_of, before.finding)
        if after is None or after.U is None or "R17" in {*before.rules, *after.rules}:
            continue
        if after.U.event == before.U.event if before.U else False:
            assert set(after.proved) <= set(before.proved)


@law
@given(histories(), st.integers(60, 14 * 24 * 60))
def test_one_more_harm_seen_never_moves_the_end_of_the_bracket_later(history: History, minutes: int) -> None:
    recorded = evidence(history)
    t = timedelta(minutes=minutes, seconds=31)
    holder = lay(recorded, history.as_of).scene.chain.holder_at(DAY_0 + t).party
    assume(holder in CARRIERS)
    looked = ConditionObserved(
        mode=CaptureMode.HUMAN_INSPECT,
        operator=Operator(ref="p1"),
        party=holder,
        observations=(Observation(facet=Facet.OUTER, value=Condition.BAD),),
    )
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

    def held(evidence: Evidence) -> list[tuple[str, object]]:
        scene = admit(lay(evidence, as_of), finding)
        return [(segment.party, segment.start) for segment in scene.chain.segments]

    return held(one) == held(other)


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

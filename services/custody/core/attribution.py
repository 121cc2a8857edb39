"""Attribution: from what was recorded to who answers. The order of the rules is `STEPS`; each rule is in rules/.

Each step reads only what the steps above it concluded. A rule that returns True ends the reasoning: the first end
wins, and what it settled stands. Nothing here sees a clock: `as_of` is the only one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from msgspec import structs

from schemas.positions import AsOf
from schemas.vocabulary import FindingKind
from services.custody.core import lateness, pieces
from services.custody.core.acts import Kind
from services.custody.core.case import Case, Ground
from services.custody.core.explain import NO_WORDS, words
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.rules import (
    admission,
    authority,
    boundary,
    candidates,
    clocks,
    delay_and_loss,
    delivery,
    facets,
    findings,
    first_bad,
    journey,
    last_intact,
    origin,
    possession,
    receipt,
    sealed_units,
    sensor,
    shares,
    swaps,
)
from services.custody.core.rules.confidence import confidence
from services.custody.core.verdict import Finding, Verdict, Witness


class Step(NamedTuple):
    """A row of the order table: what it gives, and the rules that give it."""

    number: int
    gives: str
    rules: tuple[Callable[[Case], bool], ...]


# Steps 1 to 4 make the case: the event set (ground.lay, R18 admission.admit), usable facets (condition, R6), the
# timeline (R1 folding.fold), and the findings that stand (R0, R19). They come before there is a bracket to speak of.
STEPS: tuple[Step, ...] = (
    Step(5, "own L, U", (delay_and_loss.delay, delay_and_loss.loss)),  # R22, R10
    Step(6, "U, dropped bads", (first_bad.earliest_bad, first_bad.repacked)),  # R17, R3; R15
    Step(7, "U final", (delivery.relates_back, facets.noted_late, boundary.conflict)),  # R13b, R26, R6, R7, R25
    Step(8, "L, proved, last_seen_intact", (last_intact.latest_ok, delivery.seen_before_delivery)),  # R4, R13d
    Step(
        9,
        "end",
        (
            delivery.noticed_too_late,  # R13c, R26
            origin.pre_existing,  # R14a
            boundary.release_prevails,  # R7b, R25
            origin.unproved_hidden,  # R16
        ),
    ),
    Step(
        10,
        "presumed L",
        (
            sealed_units.breached,  # R9b, by which the presumptions lapse
            receipt.clean_receipt,  # R5 with R13a
            sealed_units.looked_through,  # R9d
            origin.unproved_visible,  # R16
        ),
    ),
    Step(11, "exposure", (sealed_units.exposed,)),  # R9a, R9e, R9f, R9g; R9c
    Step(
        12,
        "candidates",
        (
            candidates.held_it,  # R8
            swaps.held_both,  # R29
            authority.presented,  # R30
            sensor.narrowed,  # R11
            origin.badly_packed,  # R14b
            sensor.excluded,  # R11
        ),
    ),
    Step(13, "shares", (shares.share_out,)),  # R20; R21, R23 and the record follow
)


Cases = dict[Finding, Case]
"""Cases whose answers have not been put into words, for whoever does that later, or never."""


def verdicts(evidence: Evidence, as_of: AsOf, *, later: Cases | None = None) -> tuple[Verdict, ...]:
    """Every finding that stands for the subject at that moment, the gravest first, then the first opened."""
    return judge_all(lay(evidence, as_of), later=later)


def assess(evidence: Evidence, as_of: AsOf, finding: Finding) -> Verdict | None:
    """The verdict about one finding at that moment; None when no such finding stands."""
    return judge(lay(evidence, as_of), finding)


def judge_all(ground: Ground, *, later: Cases | None = None) -> tuple[Verdict, ...]:
    """The same for a ground that is laid: `verdicts`."""
    trials = clocks.Trials(ground)
    found = (judge(ground, finding, trials, later=later) for finding in findings.reported(ground))
    return tuple(verdict for verdict in found if verdict is not None)


def next_deadline(evidence: Evidence, as_of: AsOf) -> tuple[datetime, str] | None:
    """The next instant after `as_of` at which time alone may change an answer, and its code; None when none is due."""
    ground = lay(evidence, as_of)
    found = pieces.scenes(ground)
    due: list[tuple[datetime | None, str]] = []
    for _, scene in found[1:] or found:
        if not scene.chain.delivered and scene.chain.taken_over_at is not None:
            if scene.chain.tendered_at is None:
                due.append((lateness.due_at(ground, scene), "promised_time"))
            due.append((findings.deemed_lost_at(ground, scene), "deemed_lost"))
    return min(((t, code) for t, code in due if t is not None and t > as_of.time), default=None)


def judge(
    ground: Ground, finding: Finding, trials: clocks.Trials | None = None, *, later: Cases | None = None
) -> Verdict | None:
    """The same for a ground that is laid: `assess`. `trials` of this ground are shared by its findings (R36).

    `later`: leave out footage, missing scans, doubts and explanation, which are a third of the work and change no
    answer, and put the case there, so that `in_words` may add them.
    """
    case = reasoned(ground, finding)
    if case is None:
        return None
    clocks.open_order(case, reasoned, trials if trials is not None else clocks.Trials(ground))  # R36
    verdict = _record(case)
    if later is None:
        return in_words(verdict, case)
    later[finding] = case
    return verdict


def in_words(verdict: Verdict, case: Case) -> Verdict:
    """The same answer with everything that a reader is told beside it."""
    told = words(case)
    return structs.replace(
        verdict,
        footage=told.footage,
        missing_scans=told.missing_scans,
        doubt=told.doubt,
        explanation=told.explanation,
    )


def reasoned(ground: Ground, finding: Finding) -> Case | None:
    """The case about a finding once a rule has ended it; None when no such finding stands."""
    case = Case(ground, admission.admit(ground, finding), finding)
    if not findings.stands(case):
        return None
    reason(case)
    return case


def reason(case: Case) -> None:
    """Walk the order table until a rule ends it."""
    for step in STEPS:
        for rule in step.rules:
            if step.number >= case.go_on_at and rule(case):
                return


def _record(case: Case) -> Verdict:
    """Write the case down as a verdict, not in words."""
    journey.note(case)
    facets.note_weighed(case)
    delay_and_loss.note_found(case)
    _note_circumstances(case)
    if case.finding.kind is not FindingKind.DELAY and case.U is not None:
        possession.note_named_givers(case)
    clocks.note_skew(case)
    assert case.outcome is not None
    witness = case.witness
    return Verdict(
        subject=case.ground.evidence.subject,
        journey=case.ground.evidence.journey,
        finding=case.finding,
        outcome=case.outcome,
        cause=case.cause,
        liable=shares.shares(case),
        proved=tuple(case.proved),
        L=case.L.boundary() if case.L else None,
        U=case.U.boundary() if case.U else None,
        last_seen_intact=(
            Witness(witness.id, str(witness.fact.position), witness.party, witness.t) if witness is not None else None
        ),
        confidence=confidence(case),
        exposure=tuple(case.exposure),
        rules=_rules(case),
        flags=tuple(case.flags),
        zones=tuple(case.zones),
        delay_h={party: float(hours) for party, hours in case.delay.items()},
        open_alternatives=tuple(party for party in case.alternatives if party not in case.answerable),
        excluded=case.excluded(),
        gaps=tuple(dict.fromkeys(case.gaps)),
        notice_status=delivery.notice_status(case),
        external_debtors=shares.external_debtors(case),
        applicable_regime=case.policy.regime.value,
        evidence=_evidence(case),
        as_of=case.ground.as_of.time,
        explanation=NO_WORDS.explanation,
    )


def _note_circumstances(case: Case) -> None:
    """Flags, gaps and weak reports that touch the bracket, whatever rule ended the reasoning."""
    if case.ground.evidence.parked:
        case.flag("EVIDENCE_INCOMPLETE")
    for act in admission.too_weak(case.scene, case.finding):
        case.set_aside(act, "NOT_DIRECT")
    if case.U is None:
        return
    for handoff in case.chain.handoffs:
        if case.since <= handoff.accept.t <= case.until:
            if handoff.skewed:
                case.flag("CLOCK_SKEW")
            if handoff.wrong_taker:
                case.flag("WRONG_TAKER")
    case.gaps += [gap.text for gap in case.chain.gaps if gap.touches(case.since, case.until)]
    ends = [edge.act for edge in (case.L, case.U) if edge is not None and edge.act is not None]
    if any(not (act.standing.signed or act.standing.entry or act.kind is Kind.NOTICE) for act in ends):
        case.flag("UNSIGNED")


def _rules(case: Case) -> tuple[str, ...]:
    """The rules that spoke. An end of the bracket carries the rule that set it; one that was replaced is not told."""
    ends = [edge.rule for edge in (case.L, case.U) if edge is not None]
    told = {*case.scene.rules, *case.fired, *ends}
    return tuple(sorted(told, key=lambda rule: (int(rule.strip("Rabcdefgh")), rule)))


def _evidence(case: Case) -> tuple[str, ...]:
    """Ids of the events that the answer rests on, in time order: both ends, the witness, and the handoffs between."""
    if case.finding.kind is FindingKind.DELAY:
        return _evidence_of_delay(case)
    if case.U is None:
        return tuple(dict.fromkeys(act.id for act, _ in case.openers))
    acts = [edge.act for edge in (case.L, case.U) if edge is not None and edge.act is not None]
    acts += [case.witness] if case.witness is not None else []
    acts += [case.contradicting] if case.contradicting is not None else []
    acts += [act for pair in case.doubtful for act in pair]
    since = min(act.t for act in acts) if acts else case.since
    acts += [handoff.accept for handoff in case.chain.handoffs if since <= handoff.accept.t <= case.until]
    acts += [drop.act for drop in case.chain.drops if since <= drop.act.t <= case.until]
    return tuple(dict.fromkeys(act.id for act in sorted(acts, key=lambda act: act.order)))


def _evidence_of_delay(case: Case) -> tuple[str, ...]:
    """Whatever opened a segment on the way, and the waits that were excused, in time order."""
    until = lateness.ended_at(case.ground, case.scene)
    opened = [segment.opened_by for segment in case.chain.segments if segment.start <= until]
    told = [(act.t, act.id) for act in opened if act is not None]
    told += [(hold.since, hold.event) for hold in case.ground.paper.holds if hold.since <= until]
    return tuple(dict.fromkeys(event for _, event in sorted(told)))

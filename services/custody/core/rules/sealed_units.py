"""Steps 10 and 11: closed units and seals. R9, with its parts (a) to (g); (h) is in core/containment.py."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.vocabulary import Confidence, FindingKind
from services.custody.core.acts import Act, Kind
from services.custody.core.bearing import stands_behind
from services.custody.core.case import Case, Edge
from services.custody.core.chain import Handoff
from services.custody.core.condition import is_apparent
from services.custody.core.grades import PRESUMED, VERIFIED
from services.custody.core.rules.boundary import lift_to_verified
from services.custody.core.rules.delivery import end_in_halves, end_with_taker
from services.custody.core.rules.last_intact import custodians
from services.custody.core.rules.rule import Rule
from services.custody.core.seals import Sealed, Sign
from services.custody.core.spans import Span, outside, union

R9 = Rule(
    id="R9",
    name="sealed unit",
    en=(
        "Inside a closed unit the item cannot be seen. For shortage, wrong contents and loss: (a) the time under an "
        "unbroken seal whose number was recorded is taken out of the bracket, and who held it in the rest is asked; "
        "(b) a seal that is missing, altered or another narrows the bracket to between its last good check and that "
        "one; (e) a seal whose number nobody wrote down proves nothing, numbered tape on the item counts like a seal; "
        "(f) an opening for an authority is open time of whoever held it, up to the recorded new seal; (g) where no "
        "time is left, the opener answers, with little certainty. For damage (c) a good seal excludes nothing. "
        "(d) What the opener finds soon after opening counts as found on opening; if it does not look in time, it is "
        "presumed to have got sound what could be seen. (h) Where nobody recorded the unpacking, it is inferred."
    ),
    zh=(
        "封闭总包内的快件不可见。就短少、内件不符和丢失：(a) 封志号有记录且封志完好的期间从责任区间中剔除，"
        "仅就其余时间追查保管方；(b) 封志缺失、毁损或不符的，责任区间缩至最后一次完好查验与该次查验之间；"
        "(e) 封志号未记录的，不证明连续性，件上有编号的封签视同封志；(f) 应机关要求开拆的，"
        "自开拆至记录重新施封为当时保管方的暴露时间；(g) 无剩余时间的，由开拆方承担，可信度低。"
        "就损坏：(c) 封志完好不排除任何一方。(d) 开拆方在期限内查验所见，视为开拆时所见；未按时查验的，"
        "推定其接收时外观完好。(h) 无取出记录的，按推定取出处理。"
    ),
    source="45 Stat. 2479 ¶18; 58 Stat. 1536; GS1 CBV completeness_inferred",
)
RULES = (R9,)

UNRECORDED_SEAL_GAP = "unrecorded seal"
_ACCESS = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT, FindingKind.LOSS)


class _Breach(NamedTuple):
    """Between which two signs somebody got through a seal, and the times in it when no other seal closed the item."""

    start: Edge
    end: Edge
    open: Sequence[Span]
    handoff: Handoff | None
    """Where it was found broken at a handoff: that one."""
    contradicting: Sign | None
    """The giver's release that calls the seal good where the taker calls it broken (R7b)."""


def breached(case: Case) -> bool:
    """R9b, before the presumptions of step 10, which lapse by it: a broken seal narrows the bracket to its window.

    Ends where giver and taker say different things of the seal and the taker's is no better (R7b).
    """
    if case.finding.kind not in _ACCESS:
        return False
    assert case.U is not None
    found = [breach for sealed in case.seals.sealed if (breach := _breach(sealed, case)) is not None]
    if not found:
        return False
    _note_unnumbered(case)
    last = max(found, key=lambda breach: breach.end.order)
    if last.end is not case.U:
        _forget_end(case, case.U)
    case.L, case.U = min((breach.start for breach in found), key=lambda edge: edge.order), last.end
    case.exposure = union(span for breach in found for span in breach.open)
    case.fire("R9b")
    if _is_admission(case.L) or _is_admission(case.U):
        case.fire("R18", Confidence.MODERATE)
        case.flag("ADMISSION")
    case.go_on_at = 12
    return _judge_boundary(last, case)


def _forget_end(case: Case, end: Edge) -> None:
    """What the rules made of an end of the bracket that another replaces: they have not spoken."""
    case.lapse(end.rule, "R6", "R7a", "R7b", "R13b", "R26")
    if case.contradicting is not None:
        case.dropped.pop(case.contradicting.fact.position, None)
        if not case.contested:
            case.flags.remove("CONTRADICTION")
        case.contradicting = None
    case.boundary = None
    case.alternatives.clear()
    if _is_admission(end) and not (case.L is not None and _is_admission(case.L)):
        case.lapse("R18")
        case.flags.remove("ADMISSION")


def _is_admission(end: Edge) -> bool:
    return end.act is not None and any(look.admission for look in end.act.looks)


def _breach(sealed: Sealed, case: Case) -> _Breach | None:
    """The part of a breach window inside the bracket; None where it was not broken there, or another seal held."""
    assert case.U is not None
    if sealed.broken is None:
        return None
    broken, good = sealed.broken, list(sealed.good)
    handoff = case.chain.handoff_by(broken.act)
    contradicting = None
    if handoff is not None and good[-1].act is handoff.release:
        contradicting = good.pop()
    if not good:
        return None
    start = _edge(good[-1])
    if case.L is not None and case.L.order > start.order:
        start = case.L
    end = _edge(broken)
    if case.U.order < end.order:
        end = case.U
    others = [
        other.span
        for other in case.seals.sealed
        if other is not sealed and other.span[0] < end.t and other.span[1] > start.t
    ]
    left = outside(others, start.t, end.t)
    return _Breach(start, end, left, handoff, contradicting) if left else None


def _edge(sign: Sign) -> Edge:
    return Edge(sign.act.t, sign.act.order, "R9b", "seal", sign.act, sign.grade)


def _judge_boundary(breach: _Breach, case: Case) -> bool:
    """R7 for seals: what the taker's word that it is broken is worth where the giver's release says otherwise."""
    handoff, broken = breach.handoff, breach.end
    if handoff is None or broken.act is not handoff.accept:
        return False
    if stands_behind(broken.act, handoff.giver, case.registry):
        lift_to_verified(broken)
        case.fire("R7c")
        return False
    if breach.contradicting is None:
        case.fire("R7a", Confidence.HIGH if broken.grade == VERIFIED else Confidence.MODERATE)
        return False
    release, grade = breach.contradicting
    case.flag("CONTRADICTION")
    case.fire("R7b", Confidence.MODERATE)
    if grade < (broken.grade or 0):
        case.set_aside(release, "OUTWEIGHED")
        return False
    if grade == broken.grade:
        return end_in_halves(case, handoff.giver, handoff.taker)
    case.L, case.exposure = Edge(release.t, release.order, "R7b", "direct", release, grade), []
    case.located = True
    return end_with_taker(case, handoff.taker)


def looked_through(case: Case) -> bool:
    """R9d: what the opener of a closed unit found in time was there on opening; else it is presumed to have got it so.

    The presumption is for what can be seen from outside only. Never ends.
    """
    assert case.U is not None
    opening = _last_opening(case)
    if opening is None:
        return False
    if _is_found_on_opening(case.U, opening, case):
        case.U.t, case.U.order = opening.t, opening.order
        case.fire("R9d")
    elif is_apparent(case.finding.kind, case.tampered):
        taken = _taking_of_the_unit(opening, case)
        if taken is not None and (case.L is None or case.L.order < taken.order):
            if case.L is not None:
                case.lapse(case.L.rule, "R13a")
            case.L = Edge(taken.t, taken.order, "R9d", "R9d", taken, PRESUMED)
            case.fire("R9d", Confidence.MODERATE)
    return False


def _last_opening(case: Case) -> Act | None:
    """The last opening in the bracket of a unit that the item lay in."""
    assert case.U is not None
    units = {stay.unit for stay in case.ground.contained.stays if stay.hides and stay.depth == 1}
    for act in reversed(case.scene.acts):
        if act.order >= case.U.order or act.unit not in units:
            continue
        if case.L is not None and act.order < case.L.order:
            return None
        own = act.fact.subject != act.unit
        if (own and act.kind is Kind.UNPACK) or (not own and act.kind is Kind.OPEN):
            return act
    return None


def _is_found_on_opening(end: Edge, opening: Act, case: Case) -> bool:
    """Whether the harm was found by the opener itself, in the time set for it, and before custody moved on."""
    act = end.act
    if act is None or end.rule not in _OWN_LOOK or act.kind is Kind.NOTICE:
        return False
    if case.registry.entity(act.party) != case.registry.entity(opening.party):
        return False
    looked_at = act.t if act.standing.signed else act.fact.record_time
    moved_on = any(opening.t < segment.start <= looked_at for segment in case.chain.segments)
    return looked_at - opening.t <= case.policy.opening_window and not moved_on


_OWN_LOOK = ("R3", "R10")
"""Rules that set U at the look that found the harm."""


def _taking_of_the_unit(opening: Act, case: Case) -> Act | None:
    """The opener's acceptance of the closed unit."""
    for handoff in reversed(case.chain.handoffs):
        accept = handoff.accept
        if accept.order < opening.order and not accept.exposed and accept.party == opening.party:
            return accept
    return None


def exposed(case: Case) -> bool:
    """R9a, e, f and g at step 11, R9c for damage: what seals leave of the bracket."""
    assert case.U is not None
    closing = [sealed for sealed in case.seals.sealed if _lies_in(sealed.span, case)]
    if case.finding.kind not in _ACCESS:
        if closing and case.finding.kind is not FindingKind.DELAY:
            case.fire("R9c")
        return False
    _note_unnumbered(case)
    if not closing:
        return False
    case.fire("R9a", Confidence.MODERATE)
    for opening in case.seals.openings:
        if opening.since < case.until and (opening.until or case.until) > case.since:
            case.fire("R9f")
            case.flag("AUTHORITY_OPENING")
    since = case.since if case.L is not None else case.chain.segments[0].end  # of a loss: since it left the sender
    case.exposure = outside((sealed.span for sealed in closing), since, case.until)
    return False if case.exposure else _residual(closing, case)


def _residual(closing: Sequence[Sealed], case: Case) -> bool:
    """R9g: no time is left in which anybody could have got at it: whoever opened it, or somebody measured wrong."""
    assert case.U is not None
    opening = _last_opening(case)
    opener = opening.party if opening is not None else (custodians(case) or case.proved)[-1]
    case.fire("R9g", Confidence.LOW)
    case.flag("RESIDUAL")
    case.located = True
    return end_with_taker(case, opener)


def _note_unnumbered(case: Case) -> None:
    """R9e: seals whose number nobody wrote down, and tape on the item, which counts like a seal."""
    unrecorded = [act for act in case.seals.unrecorded if case.since < act.t <= case.until]
    if unrecorded and UNRECORDED_SEAL_GAP not in case.gaps:
        case.gaps.append(UNRECORDED_SEAL_GAP)
    taped = any(sealed.unit is None and _lies_in(sealed.span, case) for sealed in case.seals.sealed)
    if unrecorded or taped:
        case.fire("R9e")


def lost_from(case: Case) -> Sealed | None:
    """R10: the sealed unit that the item was packed into and has not been seen out of since, if there is one."""
    assert case.U is not None
    found = [
        sealed
        for sealed in case.seals.sealed
        if sealed.unit is not None
        and (len(sealed.good) > 1 or sealed.broken is not None)
        and sealed.good[0].act.order < case.U.order
        and not _was_seen_out_of(sealed, case)
    ]
    return found[-1] if found else None


def _was_seen_out_of(sealed: Sealed, case: Case) -> bool:
    assert case.U is not None
    packed = sealed.good[0].act.order
    return any(
        packed < act.order < case.U.order and act.exposed and act.physical and act.unit is None
        for act in case.scene.acts
    )


def _lies_in(span: Span, case: Case) -> bool:
    return span[0] < case.until and span[1] > case.since and span[0] < span[1]

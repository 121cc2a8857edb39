"""Step 5: findings with ends of their own. R22 delay, R10 loss, R31 found again."""

from schemas.events import ClaimPaid
from schemas.vocabulary import RECIPIENT, SENDER, Confidence, FindingKind, Outcome
from services.custody.core import lateness
from services.custody.core.acts import Kind
from services.custody.core.case import Case, Edge
from services.custody.core.condition import FACETS, says_ok
from services.custody.core.rules import findings
from services.custody.core.rules.authority import stand_in
from services.custody.core.rules.delivery import AFTER_RETURN
from services.custody.core.rules.last_intact import in_chain_order, zones
from services.custody.core.rules.rule import POLICY, Rule
from services.custody.core.rules.sealed_units import lost_from
from services.custody.core.seals import Sealed, unit_around

R22 = Rule(
    id="R22",
    name="delay",
    en=(
        "A delay is split by what each carrier took beyond its plan; waits for customs, at the recipient's "
        "request, for a wrong address or by force majeure are excused. Where custody passed unseen, the two "
        "bear their hours in halves. Where no plan was recorded, nobody can say whose hours they were."
    ),
    zh=(
        "延误按各承运方超出计划的时间分担；因海关、收件人要求、地址错误或不可抗力的等待予以扣除；"
        "交接时刻不明的，双方合计后各半；未记录计划的，无法认定由谁造成。"
    ),
    source=POLICY,
)
R10 = Rule(
    id="R10",
    name="loss",
    en=(
        "A parcel that is missing is answered for by its last holder who cannot show onward acceptance or "
        "delivery. Without a report it counts as lost once the time set for that has gone by."
    ),
    zh="快件下落不明的，由不能证明已被下一方接收或已妥投的最后保管方承担；无人报告的，自约定期限届满之时视为丢失。",
    source="UPU Convention 1891 Art 8(3); Southern Ry v. Frank",
)
R31 = Rule(
    id="R31",
    name="found",
    en="A parcel that turns up is no longer lost; its delay goes on, and what it looked like before is not restored.",
    zh="快件被找回的，不再视为丢失；延误继续计算，此前的完好状态不因此恢复。",
    source=POLICY,
)
RULES = (R22, R10, R31)


def delay(case: Case) -> bool:
    """R22: whoever took longer than planned answers by the hours; nobody where no plan tells whose hours they were."""
    if case.finding.kind is not FindingKind.DELAY:
        return False
    since, until = case.chain.taken_over_at, lateness.ended_at(case.ground, case.scene)
    assert since is not None
    case.fire("R22")
    if findings.found_after(case.ground, case.scene) is not None:
        case.fire("R31")
        case.flag("FOUND")
    case.zones = [(zone.giver, zone.taker) for zone in case.chain.zones]
    if not case.ground.contract.has_plan:
        return case.end(Outcome.UNDETERMINED)
    entries = lateness.entries(case.ground, case.chain, since, until)
    case.delay = dict(lateness.hours_over(entries))
    if not case.delay:
        return case.end(Outcome.UNDETERMINED)
    case.proved = in_chain_order(case, [party for entry in entries for party in entry.parties])
    if any(len(entry.parties) > 1 for entry in entries if entry.excess):
        case.limit("R22", Confidence.LOW)
    case.measured = lateness.is_measured(case.chain, since, until)
    if len(case.delay) > 1:
        return case.end(Outcome.SHARED, *case.delay)
    case.located = True
    return case.end(Outcome.SEGMENT, *case.delay)


def loss(case: Case) -> bool:
    """R10: the last holder answers; from a direct report that it is missing, or from when it counted as lost before."""
    if case.finding.kind is not FindingKind.LOSS:
        return False
    missed = min((act for act, look in case.openers if look.direct), key=lambda act: act.order, default=None)
    instant = findings.deemed_lost_at(case.ground, case.scene) if findings.is_deemed_lost(case) else None
    if missed is not None and (instant is None or missed.t <= instant):
        grade = max(look.grade for act, look in case.openers if act is missed)
        case.U = Edge(missed.t, missed.order, "R10", "direct", missed, grade)
    elif instant is not None:
        case.U = Edge(instant, (instant, 0, "", ""), "R10", "R10")
    else:
        for opener, _ in case.openers:
            case.set_aside(opener, "NOT_DIRECT")
        case.fire("R3")
        return case.end(Outcome.UNDETERMINED)
    sealed = lost_from(case) if case.U.act is not None else None
    _last_seen(case, case.U, sealed)
    case.fire("R10", Confidence.MODERATE)
    holder = case.chain.segments[0]
    for segment in case.chain.segments:
        if segment.start < case.U.t:
            holder = segment
    held = [s.party for s in case.chain.segments if s.overlaps(case.since, case.U.t) or s is holder]
    zoned = [party for zone in zones(case) for party in (zone.giver, zone.taker)]
    case.proved = in_chain_order(case, [*held, *zoned])
    if sealed is not None:
        case.go_on_at = 10  # R9 first: who could get at it
        return False
    case.zones = [(zone.giver, zone.taker) for zone in case.chain.zones if zone.since < case.U.t]
    case.gaps = [gap.text for gap in case.chain.gaps if gap.t <= case.U.t and gap.text.startswith("no ACCEPT")]
    answering = stand_in(case, holder.party)
    if answering == RECIPIENT:
        return case.end(Outcome.RECIPIENT, RECIPIENT)
    if answering == SENDER:
        kept = holder is case.chain.segments[0]
        return case.end(Outcome.SENDER, SENDER, cause=None if kept else AFTER_RETURN)
    case.located = True
    return case.end(Outcome.SEGMENT, answering)


def note_found(case: Case) -> None:
    """R31: harm that was first seen on an item which had been lost; a loss that was paid stays paid (PAID_LOSS)."""
    if case.U is None or case.finding.kind in (FindingKind.DELAY, FindingKind.LOSS):
        return
    lost_at = findings.found_after(case.ground, case.scene)
    if lost_at is None or not case.since <= lost_at <= case.until:
        return
    case.fire("R31")
    paid = (fact.data for fact in case.ground.counted)
    if any(isinstance(data, ClaimPaid) and data.finding is FindingKind.LOSS for data in paid):
        case.flag("PAID_LOSS")


def _last_seen(case: Case, until: Edge, sealed: Sealed | None) -> None:
    """L of a loss: the latest direct sight of it before that.

    Where it is missing from a sealed unit, the packer's own scan of it into the unit is none (R9a).
    """
    for act, look in reversed(case.scene.oks):
        if sealed is not None and act.kind is Kind.PACK and unit_around(act) == sealed.unit:
            continue
        if act.order < until.order and look.direct and says_ok(look, case.finding, FACETS[FindingKind.LOSS]):
            case.L = Edge(act.t, act.order, "R4", "direct", act, look.grade)
            case.witness = act
            if look.admission:
                case.fire("R18", Confidence.MODERATE)
                case.flag("ADMISSION")
            return

"""Steps 7a and 9a: harm noticed after delivery. R13 delivery, R26 drops with consent."""

from datetime import timedelta
from typing import NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER, Confidence, FindingKind, Outcome
from services.custody.core.acts import Act, Kind, is_hindrance
from services.custody.core.case import Case, Edge
from services.custody.core.chain import Delivery
from services.custody.core.condition import clears, hidden, says_ok
from services.custody.core.grades import PRESUMED
from services.custody.core.rules.authority import stand_in, stand_ins
from services.custody.core.rules.facets import reserved
from services.custody.core.rules.rule import Rule

R13 = Rule(
    id="R13",
    name="delivery",
    en=(
        "(a) A recipient who takes the parcel without a remark is presumed to have got it outwardly sound; "
        "a courier's own entry is no such act. (b) Hidden harm that is shown within the notice days counts as "
        "there at delivery; (c) later it falls to the recipient. (d) A direct report from before delivery "
        "rebuts both. (e) A drop without consent is no delivery: custody and time limits wait for the real "
        "pick-up. On the way back all this goes for the sender."
    ),
    zh=(
        "(a) 收件人签收时未作批注的，推定外观完好，派件方自行录入的不算签收；(b) 隐蔽损失在通知期内以证据证明的，"
        "视为交付时已存在；(c) 逾期的由收件人承担；(d) 交付前已有直接不良记录的，不适用前述推定；"
        "(e) 未经同意的投放不构成交付，保管责任和期限均以实际取件为准。退回途中，以上规则适用于寄件人。"
    ),
    source="民法典 831; HGB §438; 快递市场管理办法 28",
)
R26 = Rule(
    id="R26",
    name="drop with consent",
    en=(
        "A drop that was agreed passes custody to a locker or station of another entity without a clean "
        "receipt; left at the door as asked, it is delivered. Visible harm shown soon after an unattended "
        "pick-up, or after such a delivery, relates back to it; shown later it falls to the recipient."
    ),
    zh=(
        "经同意的投放将保管责任转移至他方的快递柜或驿站，但不构成无批注接收；按要求放置于门口的，视为交付。"
        "无人值守取件或前述交付后短期内证明的外观损坏，追溯至取件或交付时；逾期证明的由收件人承担。"
    ),
    source="浙江省快递条例 31",
)
RULES = (R13, R26)

AFTER_RETURN = "after_return"
"""Cause: it happened once the sender had the parcel back (R24)."""


class Limit(NamedTuple):
    """Up to when harm that is shown after delivery counts as there at delivery, and by which rule."""

    rule: str
    time: timedelta


def relates_back(case: Case) -> bool:
    """R13b, R26: harm that could not be seen or remarked on at delivery, noticed in time: U moves back there."""
    delivery = _delivery_before_harm(case)
    limit = _limit(case, delivery) if delivery is not None else None
    if delivery is None or limit is None or _was_sound_since(case, delivery):
        return False
    assert case.U is not None
    assert case.U.act is not None
    if not _shown_in_time(case, delivery, case.U.act, limit):
        return False
    case.U.t, case.U.order = delivery.accept.t, delivery.accept.order
    case.U.rule = case.U.how = limit.rule
    case.limit(limit.rule, Confidence.MODERATE)
    if delivery.taker not in case.alternatives:
        case.alternatives.append(delivery.taker)
    return False


def end_in_halves(case: Case, giver: str, taker: str) -> bool:
    """Both sides of a handoff answer alike, whatever the policy; where one stands in for the other (R30), it alone."""
    parties = stand_ins(case, giver, taker)
    if len(parties) == 1:
        return end_with_taker(case, parties[0])
    case.halves = True
    return case.end(Outcome.JOINT, *parties)


def noticed_too_late(case: Case) -> bool:
    """R13c: the same, noticed after its time: whoever had taken it answers."""
    delivery = _delivery_before_harm(case)
    limit = _limit(case, delivery) if delivery is not None else None
    if delivery is None or limit is None or _was_sound_since(case, delivery):
        return False
    act = delivery.accept
    case.L = Edge(act.t, act.order, "R13c", "R13c", act, PRESUMED)
    case.fire("R13c", Confidence.MODERATE)
    if limit.rule == R26.id:
        case.fire(R26.id)
    return end_with_taker(case, delivery.taker)


def end_with_taker(case: Case, taker: str) -> bool:
    """It happened in the hands of whoever had taken it at the end of a way, or of the next carrier."""
    taker = stand_in(case, taker)
    if taker == RECIPIENT:
        return case.end(Outcome.RECIPIENT, RECIPIENT)
    if taker == SENDER:
        return end_with_sender(case)
    return case.end(Outcome.SEGMENT, taker)


def end_with_sender(case: Case) -> bool:
    """It happened in the sender's hands: after the return, if it was back and the bracket began on the way."""
    first, *others = case.chain.segments
    came_back = any(segment.party == SENDER for segment in others) and not first.overlaps(case.since, case.until)
    return case.end(Outcome.SENDER, SENDER, cause=AFTER_RETURN if came_back else None)


def seen_before_delivery(case: Case) -> bool:
    """R13d: a direct report from before delivery stands against the final taker's silence. Never ends."""
    assert case.U is not None
    harm = case.U.order
    delivery = next((each for each in case.chain.deliveries if each.accept.order > harm), None)
    if delivery is None:
        return False
    if any(opener.order > delivery.accept.order for opener, _ in case.openers):
        case.fire("R13d")
    return False


def _delivery_before_harm(case: Case) -> Delivery | None:
    """The delivery, where the harm was first seen after it and the final taker has not passed the parcel on."""
    if case.U is None or case.U.rule != "R3":
        return None
    delivery = case.chain.final_taking(case.U.order)
    if delivery is None or case.chain.holder_at(case.U.t).opened_by is not delivery.accept:
        return None
    return delivery


def _limit(case: Case, delivery: Delivery) -> Limit | None:
    """The time for showing it; None where the final taker's silence speaks against it (R13a)."""
    notice_days = Limit("R13b", timedelta(days=case.policy.notice_days))
    if hidden(case.finding.kind, case.tampered):
        return notice_days
    if case.finding.kind is FindingKind.DAMAGE and not delivery.dropped:
        act = reserved(delivery.accept, case)
        if act is not None and act.reservation is not None and is_hindrance(act.reservation, case.policy):
            return notice_days
    return Limit(R26.id, case.policy.locker_notice) if delivery.unattended else None


def _was_sound_since(case: Case, delivery: Delivery) -> bool:
    """Whether somebody found the facet sound at delivery or after: then the harm came later, nothing relates back."""
    assert case.U is not None
    facets = clears(case.finding.kind, case.bad_facets)
    return any(
        delivery.accept.order <= act.order < case.U.order and look.direct and says_ok(look, case.finding, facets)
        for act, look in case.scene.oks
    )


def _shown_in_time(case: Case, delivery: Delivery, first: Act, limit: Limit) -> bool:
    """Whether any direct report from after delivery was recorded in time, the earliest by its own time or another."""
    shown = [first, *(act for act, look in case.openers if look.direct and act.fact.position not in case.dropped)]
    return any(act.order > delivery.accept.order and _in_time(delivery, act, limit) for act in shown)


def _in_time(delivery: Delivery, notice: Act, limit: Limit) -> bool:
    """Within the time, counted from delivery to when the notice was recorded."""
    return notice.fact.record_time - delivery.accept.t <= limit.time


def notice_status(case: Case) -> tuple[dict[str, str], ...]:
    """Every notice about the finding: who gave it to whom, when it was recorded, and whether that was in time."""
    told: dict[str, dict[str, str]] = {}
    for act, _ in case.openers:
        if act.kind is not Kind.NOTICE:
            continue
        recorded = act.fact.record_time
        status = {
            "regime": case.policy.regime.value,
            "event": act.id,
            "by": act.party,
            "to": act.counterpart or "",
            "recorded": recorded.isoformat(),
        }
        taken = [each for each in case.chain.deliveries if each.taker == act.party]
        delivery = taken[-1] if taken else case.chain.delivery
        if delivery is not None:
            limit = _limit(case, delivery) or Limit("R13b", timedelta(days=case.policy.notice_days))
            status["days_after_delivery"] = str((recorded - delivery.accept.t).days)
            status["in_time"] = "yes" if _in_time(delivery, act, limit) else "no"
        told.setdefault(act.id, status)
    return tuple(told.values())

"""Steps 7a and 9a: harm noticed after delivery. R13 delivery, R26 drops with consent."""

from datetime import timedelta

from schemas.vocabulary import RECIPIENT, Confidence, FindingKind, Outcome
from services.custody.core.acts import Act, Kind, is_hindrance
from services.custody.core.case import Case, Edge
from services.custody.core.chain import Handoff
from services.custody.core.condition import clears, hidden, says_ok
from services.custody.core.grades import PRESUMED
from services.custody.core.rules.facets import reserved
from services.custody.core.rules.rule import Rule

R13 = Rule(
    id="R13",
    name="delivery",
    en=(
        "(a) A recipient who takes the parcel without a remark is presumed to have got it outwardly sound. "
        "(b) Hidden harm that is shown within the notice days counts as there at delivery; (c) later it "
        "falls to the recipient. (d) A direct report from before delivery rebuts both. (e) A drop without "
        "consent is no delivery."
    ),
    zh=(
        "(a) 收件人签收时未作批注的，推定外观完好；(b) 隐蔽损失在通知期内以证据证明的，视为交付时已存在；"
        "(c) 逾期的由收件人承担；(d) 交付前已有直接不良记录的，不适用前述推定；(e) 未经同意的投放不构成交付。"
    ),
    source="民法典 831; HGB §438; 快递市场管理办法 28",
    implemented=False,
)
R26 = Rule(
    id="R26",
    name="drop with consent",
    en=(
        "A drop that was agreed passes custody to a locker or station of another entity without a clean "
        "receipt. Visible harm shown soon after an unattended pick-up relates back to it."
    ),
    zh=(
        "经同意的投放将保管责任转移至他方的快递柜或驿站，但不构成无批注接收；"
        "无人值守取件后短期内证明的外观损坏，追溯至取件时。"
    ),
    source="浙江省快递条例 31",
    implemented=False,
)
RULES = (R13, R26)


def relates_back(case: Case) -> bool:
    """R13b: hidden harm, or harm that the recipient had reserved about, noticed in time: U moves back to delivery."""
    delivery = _delivery_before_harm(case)
    if delivery is None or not _may_relate_back(case, delivery) or _was_sound_since(case, delivery):
        return False
    assert case.U is not None
    assert case.U.act is not None
    if not _shown_in_time(case, delivery, case.U.act):
        return False
    case.U.t, case.U.order, case.U.rule, case.U.how = delivery.accept.t, delivery.accept.order, "R13b", "R13b"
    case.limit("R13b", Confidence.MODERATE)
    if RECIPIENT not in case.alternatives:
        case.alternatives.append(RECIPIENT)
    return False


def noticed_too_late(case: Case) -> bool:
    """R13c: the same, noticed after the notice days: the recipient answers."""
    delivery = _delivery_before_harm(case)
    if delivery is None or not _may_relate_back(case, delivery) or _was_sound_since(case, delivery):
        return False
    act = delivery.accept
    case.L = Edge(act.t, act.order, "R13c", "R13c", act, PRESUMED)
    case.fire("R13c", Confidence.MODERATE)
    return case.end(Outcome.RECIPIENT, RECIPIENT)


def seen_before_delivery(case: Case) -> bool:
    """R13d: a direct report from before delivery stands against the recipient's silence. Never ends."""
    delivery = case.chain.delivery
    assert case.U is not None
    if delivery is None or case.U.order >= delivery.accept.order:
        return False
    if any(opener.order > delivery.accept.order for opener, _ in case.openers):
        case.fire("R13d")
    return False


def _delivery_before_harm(case: Case) -> Handoff | None:
    """The delivery, where the harm was first seen after it and the recipient has not passed the parcel on."""
    delivery = case.chain.delivery
    if delivery is None or case.U is None or case.U.rule != "R3" or case.U.order <= delivery.accept.order:
        return None
    return delivery if case.chain.holder_at(case.U.t).party == RECIPIENT else None


def _may_relate_back(case: Case, delivery: Handoff) -> bool:
    if hidden(case.finding.kind, case.tampered):
        return True
    if case.finding.kind is not FindingKind.DAMAGE:
        return False
    act = reserved(delivery.accept, case)
    return act is not None and act.reservation is not None and is_hindrance(act.reservation, case.policy)


def _was_sound_since(case: Case, delivery: Handoff) -> bool:
    """Whether somebody found the facet sound at delivery or after: then the harm came later, nothing relates back."""
    assert case.U is not None
    facets = clears(case.finding.kind, case.bad_facets)
    return any(
        delivery.accept.order <= act.order < case.U.order and look.direct and says_ok(look, case.finding, facets)
        for act, look in case.scene.oks
    )


def _shown_in_time(case: Case, delivery: Handoff, first: Act) -> bool:
    """Whether any direct report from after delivery was recorded in time, the earliest by its own time or another."""
    shown = [first, *(act for act, look in case.openers if look.direct and act.fact.position not in case.dropped)]
    return any(act.order > delivery.accept.order and _in_time(case, delivery, act) for act in shown)


def _in_time(case: Case, delivery: Handoff, notice: Act) -> bool:
    """Within the notice days, counted from delivery to when the notice was recorded."""
    return notice.fact.record_time - delivery.accept.t <= timedelta(days=case.policy.notice_days)


def notice_status(case: Case) -> tuple[dict[str, str], ...]:
    """Every notice about the finding: who gave it to whom, when it was recorded, and whether that was in time."""
    delivery = case.chain.delivery
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
        if delivery is not None:
            status["days_after_delivery"] = str((recorded - delivery.accept.t).days)
            status["in_time"] = "yes" if _in_time(case, delivery, act) else "no"
        told.setdefault(act.id, status)
    return tuple(told.values())

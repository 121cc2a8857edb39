"""Step 6: where the harm is first seen. R3 U, R17 physical facts do not heal, R15 repacking."""

from schemas.vocabulary import Confidence, Outcome
from services.custody.acts import Act
from services.custody.case import Case, Edge
from services.custody.condition import Look, says_bad, says_ok
from services.custody.rules.rule import POLICY, Rule

R3 = Rule(
    id="R3",
    name="first seen bad",
    en=(
        "The bracket ends at the earliest direct report of the harm. A finding that only bare statements "
        "speak of stays undetermined."
    ),
    zh="责任区间止于最早的直接不良记录；仅有单方陈述而无直接证据的，不作认定。",
    source=POLICY,
)
R15 = Rule(
    id="R15",
    name="repacking",
    en=(
        "A new carton resets the outside, not the contents; whoever repacks without looking inside leaves "
        "the earlier tear standing."
    ),
    zh="重新包装只更新外包装状态，不更新内件状态；未查看内件即重新包装的，此前的外包装破损仍然有效。",
    source=POLICY,
    implemented=False,
)
R17 = Rule(
    id="R17",
    name="physical facts do not heal",
    en=(
        "A later report of sound does not undo an earlier report of harm, unless it is better and a later "
        "harm, reported by somebody else, explains the claim."
    ),
    zh=(
        "损坏不会自愈：其后的完好记录不能推翻此前的损坏记录，除非其证据等级更高，"
        "且另有他方此后报告的损坏足以解释本次索赔。"
    ),
    source=POLICY,
)
RULES = (R3, R15, R17)


def earliest_bad(case: Case) -> bool:
    """R3 with R17: U is the earliest surviving direct bad; without one, nothing can be determined."""
    bads = [(act, look) for act, look in case.scene.bads if look.direct and says_bad(look, case.finding)]
    while bads:
        act, look = bads[0]
        later_ok = _later_ok(case, act, look)
        if later_ok is None:
            break
        if not _is_false_alarm(case, look, *later_ok, bads):
            case.fire("R17", Confidence.LOW)
            case.flag("CONTRADICTION")
            break
        case.fire("R17", Confidence.MODERATE)
        case.set_aside(act, "FALSE_ALARM")
        bads = [bad for bad in bads if bad[0] is not act]
    if not bads:
        for opener, _ in case.openers:
            case.set_aside(opener, "NOT_DIRECT")
        case.fire("R3")
        return case.end(Outcome.UNDETERMINED)
    first = bads[0][0]
    looks = [look for act, look in bads if act is first]
    case.U = Edge(first.t, first.order, "R3", "direct", first, max(look.grade for look in looks))
    case.bad_facets = tuple(dict.fromkeys(look.facet for look in looks))
    case.tampered = any(look.tamper for look in looks)
    if any(look.admission for look in looks):
        case.limit("R18", Confidence.MODERATE)
        case.flag("ADMISSION")
    return False


def _later_ok(case: Case, bad: Act, look: Look) -> tuple[Act, Look] | None:
    """The best direct ok after a bad, on its facet and component. The release of the same handoff is left to R7."""
    handoff = case.chain.handoff_by(bad)
    best: tuple[Act, Look] | None = None
    for act, seen in case.scene.oks:
        if act.order <= bad.order or not seen.direct or (handoff is not None and act is handoff.release):
            continue
        if says_ok(seen, case.finding, (look.facet,)) and (best is None or seen.grade > best[1].grade):
            best = (act, seen)
    return best


def _is_false_alarm(case: Case, bad: Look, ok_act: Act, ok: Look, bads: list[tuple[Act, Look]]) -> bool:
    """Whether a better ok wins: only if somebody else's later direct bad explains the claim."""
    registry = case.registry
    return ok.grade > bad.grade and any(
        act.order > ok_act.order and registry.entity(act.party) != registry.entity(ok_act.party) for act, _ in bads
    )

"""Step 6: where the harm is first seen. R3 U, R17 physical facts do not heal, R15 repacking."""

from msgspec import structs

from schemas.vocabulary import Confidence, Facet, FindingKind, Outcome
from services.custody.core.acts import Act, Kind
from services.custody.core.case import Case, Edge
from services.custody.core.condition import Look, says_bad, says_ok
from services.custody.core.rules.rule import POLICY, Rule

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
        first = bads[0][0]
        contested = [(look, oks) for act, look in bads if act is first and (oks := _later_oks(case, act, look))]
        if not contested:
            break
        refuted = [look for look, oks in contested if any(_is_false_alarm(case, look, *ok, bads) for ok in oks)]
        if not refuted:
            case.fire("R17", Confidence.LOW)
            case.flag("CONTRADICTION")
            case.contested = True
            break
        case.fire("R17", Confidence.MODERATE)
        case.refuted = True
        bads = [(act, look) for act, look in bads if act is not first or look not in refuted]
        if all(act is not first for act, _ in bads):
            case.set_aside(first, "FALSE_ALARM")
    if not bads:
        for opener, _ in case.openers:
            case.set_aside(opener, "NOT_DIRECT")
        case.fire("R3")
        return case.end(Outcome.UNDETERMINED)
    first = bads[0][0]
    looks = [look for act, look in bads if act is first]
    case.U = Edge(first.t, first.order, "R3", "direct", first, max(look.grade for look in looks))
    case.bad_facets = tuple(dict.fromkeys(look.facet for look in looks))
    case.tampered = any(look.tamper and look.facet is Facet.OUTER for look in looks)  # R2: what shows from outside
    if any(look.admission for look in looks):
        case.fire("R18", Confidence.MODERATE)
        case.flag("ADMISSION")
    return False


def repacked(case: Case) -> bool:
    """R15: where the box was renewed without a look inside, an earlier harm of the old one is that of the contents.

    Never ends.
    """
    if case.finding.kind is not FindingKind.CONCEALED or case.U is None:
        return False
    torn = _torn_before_repacking(case, case.U)
    if torn is None:
        return False
    act, look = torn
    case.U = Edge(act.t, act.order, "R15", "R15", act, look.grade)
    case.bad_facets = (Facet.OUTER, Facet.CONTENTS)
    case.fire("R15", Confidence.MODERATE)
    return False


def _torn_before_repacking(case: Case, until: Edge) -> tuple[Act, Look] | None:
    """The first direct report that the box was bad, before it was renewed and since the contents were last seen."""
    last_look = max(
        (
            act.order
            for act, look in case.scene.oks
            if look.direct and says_ok(look, case.finding, (Facet.CONTENTS,)) and act.order < until.order
        ),
        default=None,
    )
    renewed = [act for act in case.scene.acts if act.kind is Kind.REPACK and act.order < until.order]
    outside = structs.replace(case.finding, kind=FindingKind.DAMAGE)
    for act, look in case.scene.bads:
        if look.facet is not Facet.OUTER or not look.direct or not says_bad(look, outside):
            continue
        if any(act.order < repack.order for repack in renewed) and (last_look is None or act.order > last_look):
            return act, look
    return None


def is_renewed_between(case: Case, one: Act, other: Act) -> bool:
    """R15: whether the box was renewed between two looks, so that they are about two boxes."""
    return any(act.kind is Kind.REPACK and one.order < act.order < other.order for act in case.scene.acts)


def _later_oks(case: Case, bad: Act, look: Look) -> list[tuple[Act, Look]]:
    """Every direct ok after a bad, on its facet and component. The release of the same handoff is left to R7."""
    handoff = case.chain.handoff_by(bad)
    release = handoff.release if handoff is not None else None
    return [
        (act, seen)
        for act, seen in case.scene.oks
        if act.order > bad.order
        and seen.direct
        and act is not release
        and says_ok(seen, case.finding, (look.facet,))
        and not (look.facet is Facet.OUTER and is_renewed_between(case, bad, act))
    ]


def _is_false_alarm(case: Case, bad: Look, ok_act: Act, ok: Look, bads: list[tuple[Act, Look]]) -> bool:
    """Whether a better ok wins: only if somebody else's later direct bad explains the claim."""
    registry = case.registry
    return ok.grade > bad.grade and any(
        act.order > ok_act.order and registry.entity(act.party) != registry.entity(ok_act.party) for act, _ in bads
    )

"""Steps 9 and 12: the sender's side. R14 sender, R16 origin unproved."""

from fractions import Fraction

from schemas.vocabulary import SENDER, Condition, Confidence, Facet, FindingKind, Outcome, PartyRole
from services.custody.core.case import Case
from services.custody.core.chain import Handoff
from services.custody.core.condition import Look
from services.custody.core.rules.first_bad import is_renewed_between
from services.custody.core.rules.rule import Rule
from services.custody.core.rules.sensor import felt_in, is_by_force, memory_of
from services.custody.core.rules.shares import divided, sharing

R14 = Rule(
    id="R14",
    name="sender",
    en=(
        "(a) Harm noted at the first acceptance was there before. (b) Bad packing that the sender signed to, "
        "or that a neutral survey found, explains breakage under a sound carton."
    ),
    zh="(a) 揽收时注明的损坏系交寄前已存在；(b) 寄件人签字确认或中立查勘证明的包装缺陷，可解释外包装完好而内件破损。",
    source="CMR 10, 17(4)(b), 18(2); HGB §411, §427; 邮政法 48",
)
R16 = Rule(
    id="R16",
    name="origin unproved",
    en=(
        "Where nobody is on record as having seen it sound, nobody can be named: the burden stays with the "
        "claimant. In China the missing check at pick-up is flagged, since the courier had to make it."
    ),
    zh="没有任何完好记录的，无法认定责任方，举证责任在索赔方；收寄验视缺失予以标注，因验视系揽收方的法定义务。",
    source="邮政法 25, 59; 快递市场管理办法 26(4)",
)
RULES = (R14, R16)

PACKAGING = "packaging"
"""Cause: the sender had packed it badly."""
INNER = "inner"
"""The component of packing that nobody sees from outside."""
NO_PICKUP_CHECK_GAP = "no pick-up check"


def pre_existing(case: Case) -> bool:
    """R14a: bad at the first acceptance is the sender's; sure where the sender signed to it."""
    first = case.chain.first_acceptance
    if first is None or case.boundary is not first or not _is_from_the_sender(first, case):
        return False
    signed = case.U is not None and case.U.act is not None and SENDER in case.U.act.joined
    case.fire("R14a", Confidence.HIGH if signed else Confidence.MODERATE)
    case.proved = [SENDER]
    return case.end(Outcome.SENDER, SENDER, cause="pre_existing")


def _is_from_the_sender(first: Handoff, case: Case) -> bool:
    """Whether the first acceptance on record is not, by its own word, from another carrier that signed nothing."""
    named = first.accept.counterpart
    return named in (None, SENDER, first.taker) or case.registry.role(named) is PartyRole.SENDER


def unproved_hidden(case: Case) -> bool:
    """R16 at step 9: what cannot be seen from outside needs a direct L."""
    if case.finding.kind is FindingKind.DAMAGE or case.L is not None or _is_of_the_box(case):
        return False
    return _undetermined(case)


def unproved_visible(case: Case) -> bool:
    """R16 at step 10: visible damage needs a direct or presumed L."""
    if case.L is not None or not (case.finding.kind is FindingKind.DAMAGE or _is_of_the_box(case)):
        return False
    return _undetermined(case)


def _is_of_the_box(case: Case) -> bool:
    """R15: whether the harm inside is taken to be that of a box which was renewed."""
    return case.U is not None and case.U.how == "R15"


def badly_packed(case: Case) -> bool:
    """R14b: bad packing inside a sound carton explains breakage; a blow that was felt shares in it."""
    if not is_by_force(case) or not _is_packing_shown(case) or not _arrived_sound_outside(case):
        return False
    memory = memory_of(case)
    bracket = [(case.since, case.until)]
    if memory is None or not felt_in(memory, bracket, case):
        case.fire("R14b", Confidence.MODERATE)
        return case.end(Outcome.SENDER, SENDER, cause=PACKAGING)
    carriers = sharing(case, case.candidates)
    own = Fraction(case.policy.packing_share)
    if own <= 0 and carriers:
        return False  # the terms leave it all to the carriers
    if not carriers or own >= 1:
        case.fire("R14b", Confidence.MODERATE)
        return case.end(Outcome.SENDER, SENDER, cause=PACKAGING)
    case.parts = {SENDER: own} | {party: part * (1 - own) for party, part in divided(case, carriers).items()}
    case.fire("R14b", Confidence.MODERATE if len(carriers) == 1 else Confidence.LOW)
    if len(carriers) > 1:
        case.fire("R20")
    case.flag("PACKING_17_5")
    case.located = len(carriers) == 1
    return case.end(Outcome.SHARED, *case.parts, cause=PACKAGING)


def _is_packing_shown(case: Case) -> bool:
    """Whether bad packing is on record with the sender's own word, or found inside by a neutral survey."""
    first = case.chain.first_acceptance
    if first is not None and SENDER in first.accept.joined and any(map(_is_bad_packing, first.accept.looks)):
        return True
    return any(act.neutral and _is_bad_packing(look) and look.component == INNER for act, look in case.scene.bads)


def _is_bad_packing(look: Look) -> bool:
    return look.facet is Facet.PACKING and look.value is Condition.BAD and look.direct


def _arrived_sound_outside(case: Case) -> bool:
    """Whether the final taker had it with a carton that it found sound, or was silent about."""
    delivery = case.chain.deliveries[-1] if case.chain.deliveries else None
    if delivery is None:
        return False
    said = delivery.accept.reservation
    if said is not None and said.facet is Facet.OUTER and said.grounds in case.policy.reservation_grounds:
        return False
    if any(look.facet is Facet.OUTER and look.value is Condition.BAD for look in delivery.accept.looks):
        return False
    # Silence after a report of harm outside is rebutted by it (R17), unless the box was renewed since (R15).
    return not any(
        look.direct
        and look.facet is Facet.OUTER
        and act.order < delivery.accept.order
        and not is_renewed_between(case, act, delivery.accept)
        for act, look in case.scene.bads
    )


def _looked_inside_at_pick_up(case: Case) -> bool:
    """Whether the check that the law asks of the courier is on record, whatever it showed."""
    first = case.chain.first_acceptance
    return first is not None and any(look.facet is Facet.CONTENTS and look.direct for look in first.accept.looks)


def _undetermined(case: Case) -> bool:
    case.fire("R16")
    if not _looked_inside_at_pick_up(case):
        case.gaps.append(NO_PICKUP_CHECK_GAP)
        if case.policy.chinese:
            case.flag("NO_PICKUP_CHECK")
    return case.end(Outcome.UNDETERMINED)

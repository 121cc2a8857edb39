"""Step 10: presumptions from silence. R5 clean receipt, with R13a where the recipient was silent."""

from schemas.vocabulary import RECIPIENT, SENDER, CaptureMode, Confidence, PartyRole
from services.custody.core.acts import Act
from services.custody.core.case import Case, Edge
from services.custody.core.condition import is_apparent, says_bad
from services.custody.core.grades import INFERRED, PRESUMED
from services.custody.core.rules.facets import reserved
from services.custody.core.rules.rule import Rule

R5 = Rule(
    id="R5",
    name="clean receipt",
    en=(
        "Whoever takes over an exposed parcel without a valid reservation is presumed to have got it "
        "outwardly sound. This never speaks for what cannot be seen from outside, nor for closed units."
    ),
    zh="接收外露快件而未作有效保留的，推定接收时外观完好；该推定不及于外观不可见的内容，也不及于封闭的总包或笼车。",
    source="CMR 9(2), 35; HGB §409(2); UPU Convention 1891 Art 8(3)",
)
RULES = (R5,)

_TAKERS = (PartyRole.CARRIER, PartyRole.RECIPIENT, PartyRole.SENDER)


def clean_receipt(case: Case) -> bool:
    """R5: the latest clean acceptance inside the bracket becomes L. Never ends."""
    assert case.U is not None
    if not (is_apparent(case.finding.kind, case.tampered) or case.U.how == "R15"):
        return False
    for handoff in reversed(case.chain.handoffs):
        accept = handoff.accept
        if accept.order >= case.U.order:
            continue
        if case.L is not None and accept.order <= case.L.order:
            break
        if not _speaks(case, accept):
            continue
        reservation = reserved(accept, case)
        if reservation is not None:
            case.reserved.append((accept, reservation))
            case.fire("R6", Confidence.HIGH if reservation is accept else Confidence.MODERATE)
            continue
        case.L = Edge(accept.t, accept.order, "R5", "presumed", accept, PRESUMED)
        case.limit("R5", Confidence.MODERATE)
        if accept.party in (RECIPIENT, SENDER):
            case.fire("R13a", Confidence.MODERATE)
        break
    return False


def _speaks(case: Case, accept: Act) -> bool:
    """Whether this taker's silence says anything: a carrier, recipient or sender who had the item itself before it."""
    if not accept.exposed or case.registry.role(accept.party) not in _TAKERS:
        return False
    if any(look.grade >= INFERRED and says_bad(look, case.finding) for look in accept.looks):
        return False  # a report too weak to be an end of the bracket still is no silence
    if accept.mode is CaptureMode.AUTO_SCAN:
        return case.policy.auto_accept_is_clean
    if accept.mode is CaptureMode.IMPORT and not accept.standing.signed:
        return case.policy.import_accept_is_clean
    return True

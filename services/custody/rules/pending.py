"""The safeguard: what only a rule that is not implemented yet can judge is flagged, never passed over in silence."""

from collections.abc import Iterator

from schemas.events import Scan
from schemas.vocabulary import RECIPIENT, SENDER, Condition, Confidence, Facet, FindingKind, PartyRole
from services.custody.acts import Act, Kind
from services.custody.case import Case

FLAG = "RULE_PENDING"
_ACCESS = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT, FindingKind.LOSS)
_BY_MASS = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT)
_BY_FORCE = (FindingKind.DAMAGE, FindingKind.CONCEALED)
_PACKING_GROUNDS = ("weak_box", "no_cushioning")


def note_pending(case: Case) -> None:
    """Flag the verdict with every rule that the events call for and that is not implemented, and keep it LOW."""
    for rule in sorted({*case.pending, *_called_for(case)}, key=lambda rule: int(rule[1:])):
        if rule not in case.pending:
            case.pending.append(rule)
    if case.pending:
        case.flag(FLAG)
        case.limit(FLAG, Confidence.LOW)


def _called_for(case: Case) -> Iterator[str]:
    for act in case.scene.acts:
        yield from _by_act(case, act)
    roles = {case.registry.role(segment.party) for segment in case.chain.segments}
    if PartyRole.AUTHORITY in roles:
        yield "R30"
    if PartyRole.LOCKER in roles:
        yield "R26"
    if any(segment.party == SENDER for segment in case.chain.segments[1:]) or _goes_on_after_delivery(case):
        yield "R24"


def _goes_on_after_delivery(case: Case) -> bool:
    delivery = case.chain.delivery
    return delivery is not None and any(h.accept.order > delivery.accept.order for h in case.chain.handoffs)


def _by_act(case: Case, act: Act) -> Iterator[str]:
    kind, data = case.finding.kind, act.fact.data
    if not act.exposed:
        yield "R9"
    if isinstance(data, Scan) and data.seal is not None and kind in _ACCESS:
        yield "R9"
    if act.claimed_acceptance == RECIPIENT:
        yield "R26"
    reservation = act.reservation
    if reservation is not None and reservation.grounds in _PACKING_GROUNDS and kind in _BY_FORCE:
        yield "R14"
    if act.kind is Kind.ACCEPT and reservation is not None and reservation.facet is Facet.COUNT:
        yield "R27"
    for look in act.looks:
        match look.facet:
            case Facet.SEAL if kind in _ACCESS:
                yield "R9"
            case Facet.SENSOR if kind in _BY_FORCE:
                yield "R11"
            case Facet.WEIGHT if look.weighed and kind in _BY_MASS:
                yield "R12"
            case Facet.PACKING if look.value is Condition.BAD and kind in _BY_FORCE:
                yield "R14"
            case Facet.COUNT if kind is FindingKind.LOSS:
                yield "R27"

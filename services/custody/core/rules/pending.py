"""The safeguard: what only a rule that is not implemented yet can judge is flagged, never passed over in silence."""

from collections.abc import Iterator

from schemas.events import Reservation, Scan
from schemas.vocabulary import RECIPIENT, SENDER, Condition, Confidence, Facet, FindingKind, PartyRole
from services.custody.core.case import Case
from services.custody.core.condition import Look

FLAG = "RULE_PENDING"
_ACCESS = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT, FindingKind.LOSS)
_BY_FORCE = (FindingKind.DAMAGE, FindingKind.CONCEALED)
_FORCE_FACETS = {Facet.SENSOR: "R11", Facet.PACKING: "R14"}
_CONTENT_FACETS = {Facet.SEAL: "R9", Facet.WEIGHT: "R12"}
_BY_FACET: dict[FindingKind, dict[Facet, str]] = {
    FindingKind.DAMAGE: _FORCE_FACETS,
    FindingKind.CONCEALED: _FORCE_FACETS,
    FindingKind.SHORTAGE: _CONTENT_FACETS,
    FindingKind.WRONG_CONTENT: _CONTENT_FACETS,
    FindingKind.LOSS: {Facet.SEAL: "R9", Facet.COUNT: "R27"},
    FindingKind.DELAY: {},
}
"""Facets that only a rule which is not implemented can judge."""
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
    by_facet = _BY_FACET[case.finding.kind]
    for act in case.scene.acts:
        if not act.exposed:
            yield "R9"
        if act.claimed_acceptance == RECIPIENT:
            yield "R26"
        for look in act.looks:
            if look.facet in by_facet and _calls(look):
                yield by_facet[look.facet]
        if act.reservation is not None:
            yield from _by_reservation(act.reservation, case.finding.kind)
        if case.finding.kind in _ACCESS and isinstance(act.fact.data, Scan) and act.fact.data.seal is not None:
            yield "R9"
    yield from _by_chain(case)


def _calls(look: Look) -> bool:
    """A mass in grams needs R12, and packing only where it is bad; the other facets always call for their rule."""
    if look.facet is Facet.WEIGHT:
        return look.weighed
    return look.facet is not Facet.PACKING or look.value is Condition.BAD


def _by_reservation(reservation: Reservation, kind: FindingKind) -> Iterator[str]:
    if reservation.grounds in _PACKING_GROUNDS and kind in _BY_FORCE:
        yield "R14"
    if reservation.facet is Facet.COUNT:
        yield "R27"


def _by_chain(case: Case) -> Iterator[str]:
    roles = {case.registry.role(segment.party) for segment in case.chain.segments}
    if PartyRole.AUTHORITY in roles:
        yield "R30"
    if PartyRole.LOCKER in roles:
        yield "R26"
    delivery = case.chain.delivery
    passed_on = delivery is not None and case.chain.handoffs[-1] is not delivery
    if passed_on or any(segment.party == SENDER for segment in case.chain.segments[1:]):
        yield "R24"

"""The safeguard: what only a rule that is not implemented yet can judge is flagged, never passed over in silence."""

from collections.abc import Iterator

from schemas.events import (
    ClaimPaid,
    ConditionObserved,
    Event,
    NoticeGiven,
    Repacked,
    Scan,
    SealApplied,
    SealChecked,
)
from schemas.vocabulary import Condition, Confidence, Facet, FindingKind, PartyRole
from services.custody.core.case import Case
from services.custody.core.condition import Look

FLAG = "RULE_PENDING"
_ACCESS = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT, FindingKind.LOSS)
_BY_FORCE = (FindingKind.DAMAGE, FindingKind.CONCEALED)
_IN_THE_BOX = (*_BY_FORCE, FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT)
_FORCE_FACETS = {Facet.SENSOR: "R11", Facet.PACKING: "R14"}
_CONTENT_FACETS = {Facet.SEAL: "R9", Facet.WEIGHT: "R12"}
_BY_FACET: dict[FindingKind, dict[Facet, str]] = {
    FindingKind.DAMAGE: _FORCE_FACETS,
    FindingKind.CONCEALED: _FORCE_FACETS,
    FindingKind.SHORTAGE: _CONTENT_FACETS,
    FindingKind.WRONG_CONTENT: _CONTENT_FACETS,
    FindingKind.LOSS: {Facet.SEAL: "R9"},
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
    kind = case.finding.kind
    by_facet = _BY_FACET[kind]
    for act in case.scene.acts:
        if not act.exposed and kind is not FindingKind.DELAY:
            yield "R9"
        for look in act.looks:
            if look.facet in by_facet and _calls(look):
                yield by_facet[look.facet]
        if kind in _BY_FORCE and act.reservation is not None and act.reservation.grounds in _PACKING_GROUNDS:
            yield "R14"
        yield from _by_event(act.fact.data, kind)
    if kind is FindingKind.LOSS and any(isinstance(fact.data, ClaimPaid) for fact in case.ground.counted):
        yield "R31"
    if any(case.registry.role(segment.party) is PartyRole.AUTHORITY for segment in case.chain.segments):
        yield "R30"


def _by_event(data: Event, kind: FindingKind) -> Iterator[str]:
    """By what sort of event it is, whatever it saw."""
    sealed = isinstance(data, (SealApplied, SealChecked)) or (isinstance(data, Scan) and data.seal is not None)
    if kind in _ACCESS and sealed:
        yield "R9"
    if kind in _BY_FORCE and isinstance(data, ConditionObserved) and data.logger is not None:
        yield "R11"
    if kind in _IN_THE_BOX and isinstance(data, Repacked):
        yield "R15"
    if kind is FindingKind.WRONG_CONTENT and isinstance(data, NoticeGiven) and data.holds is not None:
        yield "R29"


def _calls(look: Look) -> bool:
    """A mass in grams needs R12, and packing only where it is bad; the other facets always call for their rule."""
    if look.facet is Facet.WEIGHT:
        return look.weighed
    return look.facet is not Facet.PACKING or look.value is Condition.BAD

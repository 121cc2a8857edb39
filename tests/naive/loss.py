"""R10 and R31: when it counts as lost, what it was lost from, and whether it turned up again."""

from datetime import datetime

from schemas.events import (
    ClaimPaid,
    DeliveryRefused,
    HandoffAccepted,
    ParcelDropped,
    Scan,
    SealApplied,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import Condition, FindingKind
from tests.naive.case import Case, deemed_lost
from tests.naive.containment import Stay
from tests.naive.custody import PHYSICAL
from tests.naive.facts import Act, Look
from tests.naive.grades import says_not_here
from tests.naive.looks import FACETS


def r10_instant(case: Case) -> datetime | None:
    """R10: the instant at which it counts as lost, if that has come and nothing was delivered."""
    lost = deemed_lost(case)
    if lost is None or lost > case.question.as_of.time or case.custody.deliveries:
        return None
    return lost


def r31_found(case: Case, since: datetime) -> bool:
    """R31: a physical scan after it was lost; no loss stands any more."""
    return any(act.t > since and _is_at_hand(act) for act in case.acts)


def _is_at_hand(act: Act) -> bool:
    """A physical scan of the item itself."""
    at_hand = (*PHYSICAL, HandoffAccepted, ParcelDropped, DeliveryRefused)
    return (
        act.unit is None
        and not says_not_here(act)
        and isinstance(act.data, Scan)
        and (isinstance(act.data, at_hand) or bool(act.observations))
    )


def r31_was_lost(case: Case) -> bool:
    """R31: whether it was lost once and turned up again."""
    lost = deemed_lost(case)
    instants = [look.t for look in case.looks if says_lost(look) and look.direct]
    if (
        lost is not None
        and lost <= case.question.as_of.time
        and not any(each.t <= lost for each in case.custody.deliveries)
    ):
        instants.append(lost)
    return any(r31_found(case, since) for since in instants)


def says_lost(look: Look) -> bool:
    """Whether it reports that the parcel is not where it should be."""
    return look.facet in FACETS[FindingKind.LOSS] and look.value is Condition.BAD and look.grade >= 1


def r31_paid(case: Case) -> bool:
    """R31: somebody paid for the loss."""
    return any(isinstance(act.data, ClaimPaid) and act.data.finding is FindingKind.LOSS for act in case.everything)


def lost_from(case: Case, t: datetime, missed: Look | None) -> list[Stay]:
    """R10: the sealed unit that it was last packed into, where it was missed before it was seen out of it."""
    sealed = [
        stay
        for stay in case.stays
        if not stay.listed and not stay.outer and stay.start < t and _number_recorded(case, stay)
    ]
    if not sealed or missed is None:
        return []
    last = max(sealed, key=lambda stay: stay.start)
    seen_out = any(
        last.start < act.t < t and _is_at_hand(act) and not isinstance(act.data, (UnitPacked, UnitUnpacked))
        for act in case.acts
    )
    return [] if seen_out else [last]


def _number_recorded(case: Case, stay: Stay) -> bool:
    """Whether a number was written down when the unit was sealed."""
    acts = [act for act in case.everything if isinstance(act.data, SealApplied) and act.record.subject == stay.unit]
    return any(
        isinstance(act.data, Scan) and act.data.seal is not None and act.data.seal.number is not None
        for act in (*[act for act in acts if stay.start <= act.t <= stay.end], stay.packed)
    )

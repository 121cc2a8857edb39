"""Sights: what the looks of an act are worth once the kind of act is taken into account."""

from collections.abc import Iterator

from schemas.events import NoticeGiven, ParcelRelabelled
from schemas.vocabulary import Condition, Facet, Proof
from services.custody.core.acts import Act
from services.custody.core.condition import Look
from services.custody.core.grades import DIRECT, INFERRED

_MISSING = (Facet.PRESENCE, Facet.COUNT)


def is_unproved(act: Act) -> bool:
    """R28: whether a new label was put on without the old one having been seen with it."""
    return isinstance(act.fact.data, ParcelRelabelled) and not act.fact.data.both_seen


def looks(act: Act) -> Iterator[Look]:
    """What the act says, look by look."""
    data = act.fact.data
    if is_unproved(act):
        for look in act.looks:
            identity = look.facet is Facet.PRESENCE
            yield look._replace(grade=min(look.grade, INFERRED)) if identity else look
    elif isinstance(data, NoticeGiven):
        for look in act.looks:
            yield look._replace(grade=_shown(act, data, look))
    else:
        yield from act.looks


def _shown(act: Act, notice: NoticeGiven, look: Look) -> int:
    """That something is not there is shown by a picture of what is: the door, the boxes that did come (R10, R27)."""
    if look.facet not in _MISSING or look.value is not Condition.BAD or notice.proof is Proof.NONE:
        return look.grade
    pictured = any(seen.facet is look.facet and seen.media for seen in notice.observations)
    return min(DIRECT, act.standing.ceiling) if pictured else look.grade

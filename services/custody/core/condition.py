"""Facets: which of them speak for which finding, and what one look at one facet says about it."""

from typing import NamedTuple

from schemas.vocabulary import Condition, DamageMode, Facet, FindingKind, Severity
from services.custody.core.grades import DIRECT
from services.custody.core.verdict import Finding

WHOLE = "whole"

Facets = tuple[Facet, ...]

FACETS: dict[FindingKind, Facets] = {
    FindingKind.DAMAGE: (Facet.OUTER, Facet.CONTENTS),
    FindingKind.CONCEALED: (Facet.CONTENTS,),
    FindingKind.SHORTAGE: (Facet.CONTENTS, Facet.WEIGHT, Facet.COUNT, Facet.OUTER),
    FindingKind.WRONG_CONTENT: (Facet.CONTENTS, Facet.WEIGHT),
    FindingKind.LOSS: (Facet.PRESENCE, Facet.COUNT),
    FindingKind.DELAY: (),
}
"""R2: the facets that a finding is judged by."""

_SEVERITIES = tuple(Severity)
_MISSING_KINDS = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT)


class Mass(NamedTuple):
    """A gross mass in whole grams, and how far its scale may be off."""

    grams: int
    tolerance: int = 0


class Look(NamedTuple):
    """What one act says about one facet, with its grade."""

    facet: Facet
    value: Condition
    grade: int
    component: str = WHOLE
    damage: DamageMode | None = None
    severity: Severity | None = None
    tamper: bool = False
    mass: Mass | None = None
    """What a scale showed: by itself neither sound nor bad, until it is compared with an earlier one (R12)."""
    change: int = 0
    """Grams more than before, less than before where negative."""
    admission: bool = False
    """An unsigned entry against its author's own interest (R18)."""

    @property
    def direct(self) -> bool:
        """Whether it can be an end of the bracket."""
        return self.grade >= DIRECT


def says_bad(look: Look, finding: Finding) -> bool:
    """Whether the look reports what the finding is about; an unnamed mode or severity matches any."""
    if look.value is not Condition.BAD or look.facet not in FACETS[finding.kind] or look.component != finding.component:
        return False
    if finding.kind in _MISSING_KINDS:
        if look.facet is Facet.OUTER and not look.tamper:
            return False
        if look.change > 0 and finding.kind is FindingKind.SHORTAGE:
            return False  # heavier: nothing is missing, but the goods may be others (R29)
        return look.facet is not Facet.CONTENTS or look.damage is None
    return _same(look.damage, finding.damage) and _same(look.severity, finding.severity)


def says_ok(look: Look, finding: Finding, facets: Facets) -> bool:
    """Whether the look clears one of the facets for the finding; an ok of the whole covers every component."""
    if look.facet not in facets:
        return False
    if look.value is Condition.OK:
        if finding.kind is FindingKind.WRONG_CONTENT and look.facet is Facet.WEIGHT:
            return False  # equal weight never refutes substitution
        return look.component in (WHOLE, finding.component)
    return False


def is_slighter(look: Look, finding: Finding, facets: Facets) -> bool:
    """R35: whether the look shows a lesser harm of the same sort, so that the graver one was not there yet."""
    if look.value is not Condition.BAD or look.facet not in facets or look.component != finding.component:
        return False
    if look.severity is None or finding.severity is None or not _same(look.damage, finding.damage):
        return False
    return _SEVERITIES.index(look.severity) < _SEVERITIES.index(finding.severity)


def clears(kind: FindingKind, bad: Facets) -> Facets:
    """The facets on which an ok can set L: those that were bad, and for a shortage any that speak for it (R4)."""
    if kind is FindingKind.SHORTAGE:
        return tuple(facet for facet in FACETS[kind] if facet is not Facet.OUTER or facet in bad)
    return bad


def is_apparent(kind: FindingKind, tampered: bool) -> bool:
    """Whether it can be seen from outside, so that silence at a takeover speaks against its being there (R5)."""
    return kind is FindingKind.DAMAGE or (kind is FindingKind.SHORTAGE and tampered)


def hidden(kind: FindingKind, tampered: bool) -> bool:
    """Whether nobody could have seen it from outside: R5 never speaks then, R13b does."""
    return kind not in (FindingKind.LOSS, FindingKind.DELAY) and not is_apparent(kind, tampered)


def _same(seen: str | None, asked: str | None) -> bool:
    return seen is None or asked is None or seen == asked

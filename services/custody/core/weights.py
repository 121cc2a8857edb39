"""Masses on scales, each compared with the one before it: what turns a figure into sound, lighter or heavier (R12)."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.vocabulary import SENDER, Condition, Facet
from services.custody.core.acts import Act, Kind
from services.custody.core.condition import Look, Mass
from services.custody.core.grades import DIRECT
from services.custody.core.policy import Policy

TAU_GRAMS = 20
TAU_PART = 200
"""Where no setting says otherwise two weighings may differ by 20 g or by one part in 200, whichever is more."""


def compare(acts: Sequence[Act], policy: Policy, missing: int | None) -> Sequence[Act]:
    """R12: the acts, sorted by `Act.order`, with each mass compared with the last one of the same item or sealed unit.

    `missing`: the mass in grams that may be missing, where it is known; only then does an equal mass say anything. The
    mass that a lower one is compared with was the full one, so it is sound. One that differs is no measure for the
    next. An equal mass is sound only where the first was taken before anybody could have opened the item: by its
    sender, or at the first acceptance. A unit's masses are compared only while it stayed sealed; equal ones say nothing
    of what was in it when it was sealed.
    """
    if not any(look.mass is not None for act in acts for look in act.looks):
        return acts
    comparing = _Comparing(policy, missing)
    for act in acts:
        comparing.take(act)
    return [_judged(act, comparing.looks.get(act.fact.position)) for act in acts]


def compare_again(acts: Sequence[Act], policy: Policy, missing: int | None) -> Sequence[Act]:
    """The same once some acts are gone: whatever was read off by comparing with their masses is forgotten."""
    return compare([_unjudged(act) for act in acts], policy, missing)


class _Comparing:
    """The last full mass of the item and of every sealed unit, and what the comparisons gave so far."""

    def __init__(self, policy: Policy, missing: int | None) -> None:
        self._policy = policy
        self._missing = missing
        self._full: dict[str | None, tuple[Act, Look, Mass]] = {}
        self._is_whole = False
        """Whether the item's first mass was taken when it left its sender."""
        self._taken_over = False
        self._sealed: set[str] = set()
        self.looks: dict[tuple[int, int], Look] = {}

    def take(self, act: Act) -> None:
        """Compare what the act weighed, if it did."""
        unit = act.unit if act.unit is not None and act.fact.subject == act.unit else None
        packed = act.unit if act.kind is Kind.PACK and unit is None else None
        if (act.kind is Kind.SEAL and unit is not None) or (packed is not None and act.seal is not None):
            self._sealed.add(act.unit or "")
            self._full.pop(act.unit, None)
        for look in act.looks:
            if look.mass is not None and look.grade >= DIRECT and (unit is None or unit in self._sealed):
                self._weigh(unit, act, look, look.mass)
        self._taken_over = self._taken_over or act.party != SENDER
        if act.kind is Kind.OPEN and unit is not None:
            self._sealed.discard(unit)

    def _weigh(self, unit: str | None, act: Act, look: Look, mass: Mass) -> None:
        full = self._full.get(unit)
        if full is None:
            self._full[unit] = act, look, mass
            if unit is None:
                self._is_whole = not self._taken_over
            return
        before, before_look, before_mass = full
        change = mass.grams - before_mass.grams
        tau = tau_grams(self._policy, before_mass, mass)
        if abs(change) > tau:
            self._note(act, look._replace(value=Condition.BAD, change=change))
            if change < 0:
                self._note(before, before_look._replace(value=Condition.OK))
            return
        if unit is None and self._is_whole and self._missing is not None and self._missing > tau:
            self._note(act, look._replace(value=Condition.OK, change=change))
        self._full[unit] = act, look, mass

    def _note(self, act: Act, look: Look) -> None:
        self.looks[act.fact.position] = look._replace(grade=min(look.grade, DIRECT))


def tau_grams(policy: Policy, one: Mass, other: Mass) -> int:
    """By how many grams two weighings may differ and still be equal: the setting, or what their scales may be off."""
    tau = policy.tau_grams if policy.tau_grams is not None else max(TAU_GRAMS, one.grams // TAU_PART)
    return max(tau, one.tolerance + other.tolerance)


def _unjudged(act: Act) -> Act:
    if all(look.mass is None for look in act.looks):
        return act
    bare = [
        look._replace(value=Condition.UNEXAMINED, change=0) if look.mass is not None else look for look in act.looks
    ]
    return replace(act, looks=tuple(bare))


def _judged(act: Act, judged: Look | None) -> Act:
    if judged is None:
        return act
    return replace(act, looks=tuple(judged if look.facet is Facet.WEIGHT else look for look in act.looks))

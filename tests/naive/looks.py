"""What was seen: observations, reservations and masses as looks, and which of them speak of a finding."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from schemas.events import (
    ConditionObserved,
    HandoffAccepted,
    HandoffReleased,
    NoticeGiven,
    Observation,
    Reservation,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import Condition, Defect, Facet, FindingKind, Hindrance, Severity
from tests.naive.custody import Custody
from tests.naive.facts import WHOLE, Act, Look, Question
from tests.naive.grades import grade, is_unsigned, label_grade
from tests.naive.terms import Registry, Settings

FACETS = {
    FindingKind.DAMAGE: (Facet.OUTER, Facet.CONTENTS),
    FindingKind.CONCEALED: (Facet.CONTENTS,),
    FindingKind.SHORTAGE: (Facet.CONTENTS, Facet.WEIGHT, Facet.COUNT, Facet.OUTER),
    FindingKind.WRONG_CONTENT: (Facet.CONTENTS, Facet.WEIGHT),
    FindingKind.LOSS: (Facet.PRESENCE, Facet.COUNT),
    FindingKind.DELAY: (),
}
"""R2: the facets that each kind uses."""
GRAVER = {Severity.SLIGHT: 0, Severity.HEAVY: 1, Severity.TOTAL: 2}


def looks_of(acts: Sequence[Act], custody: Custody, registry: Registry, settings: Settings) -> list[Look]:
    """R2: every observation of the item itself; inside a closed unit it cannot be seen (R9)."""
    found: list[Look] = []
    for act in acts:
        if act.unit is not None or getattr(act.data, "inside", None) is not None:
            continue
        taking = _declared_at(act, acts, custody, registry, settings)
        observations = list(act.observations)
        reservation = getattr(act.data, "reservation", None)
        if reservation is not None:
            in_time = taking is not None or isinstance(act.data, HandoffAccepted)
            observations += _reserved(reservation, observations, settings, in_time=in_time)
        for seen in observations:
            if seen.facet is Facet.SEAL and isinstance(act.data, (UnitPacked, UnitUnpacked)):
                continue  # the unit's seal
            # A defect declared late counts as noted at the acceptance; a hindrance is no look at all.
            defect = reservation if reservation is not None and reservation.grounds in tuple(Defect) else None
            declared = defect is not None and seen.facet is defect.facet and seen.value is Condition.BAD
            noted = taking is not None and declared
            found.append(
                Look(
                    act,
                    seen.facet,
                    seen.value,
                    worth(act, seen, custody, registry, settings),
                    taking.t if noted and taking is not None else act.t,
                    seen.component or WHOLE,
                    seen.damage,
                    seen.severity,
                    seen.tamper,
                    reserved=noted,
                    weighed=seen.grams is not None,
                )
            )
        if label_grade(act, registry, settings):
            found.append(Look(act, Facet.PRESENCE, Condition.OK, _label_worth(act, custody, registry, settings), act.t))
    return sorted(found, key=lambda look: look.order)


def _label_worth(act: Act, custody: Custody, registry: Registry, settings: Settings) -> int:
    from tests.naive.eventset import is_admission

    admits = is_unsigned(act, registry) and is_admission(act, Facet.PRESENCE, Condition.OK, custody, registry, act.t)
    return label_grade(act, registry, settings, admission=admits)


def worth(act: Act, seen: Observation, custody: Custody, registry: Registry, settings: Settings) -> int:
    """An unsigned entry is worth 1, as an admission 3."""
    from tests.naive.eventset import is_admission

    plain = grade(act, seen, registry, settings)
    if not is_unsigned(act, registry) or not is_admission(act, seen.facet, seen.value, custody, registry, act.t):
        return plain
    return max(plain, grade(act, seen, registry, settings, admission=True))


def _reserved(
    reservation: Reservation, observations: Sequence[Observation], settings: Settings, *, in_time: bool
) -> list[Observation]:
    """R6: a hindrance is unexamined, a defect is bad, told late too; whatever names no agreed ground is void."""
    if not is_valid(reservation, settings):
        return []
    if any(
        seen.facet is reservation.facet
        and seen.value is not Condition.OK
        and (seen.component or WHOLE) == (reservation.component or WHOLE)
        for seen in observations
    ):
        return []
    value = Condition.UNEXAMINED if reservation.grounds in tuple(Hindrance) else Condition.BAD
    if value is Condition.UNEXAMINED and not in_time:
        return []
    return [Observation(facet=reservation.facet, value=value, component=reservation.component)]


def is_valid(reservation: Reservation, settings: Settings) -> bool:
    """R6: it names a facet and a code of `reservation_grounds`."""
    known = reservation.grounds in (*Hindrance, *Defect)
    return known and reservation.grounds in settings.reservation_grounds


def _declared_at(act: Act, acts: Sequence[Act], custody: Custody, registry: Registry, settings: Settings) -> Act | None:
    """R6: the acceptance at which a reservation counts that its taker declared soon after, before the next movement."""
    if not isinstance(act.data, ConditionObserved) or act.data.reservation is None:
        return None
    if not is_valid(act.data.reservation, settings):
        return None
    found = None
    for taking, _ in custody.takings:
        if taking.by == act.by and taking.t <= act.t <= taking.t + settings.reservation_window and taking.unit is None:
            found = taking
    if found is None:
        return None
    moved = any(s.start is not None and found.t < s.start <= act.t for s in custody.segments)
    said = act.data.reservation
    sound = any(
        seen.facet is said.facet
        and seen.value is Condition.OK
        and seen.component in (None, WHOLE, said.component)
        and grade(each, seen, registry, settings) >= 3
        for each in acts
        if found.order <= each.order < act.order and each.unit is None
        for seen in each.observations
    )
    return None if moved or sound else found


def reservation_at(
    taking: Act, looks: Sequence[Look], acts: Sequence[Act], custody: Custody, registry: Registry, settings: Settings
) -> list[Reservation]:
    """R6: the valid reservations that count at an acceptance."""
    found = []
    if isinstance(taking.data, HandoffAccepted) and taking.data.reservation is not None:
        found.append(taking.data.reservation)
    for act in acts:
        if _declared_at(act, acts, custody, registry, settings) is taking:
            assert isinstance(act.data, ConditionObserved)
            assert act.data.reservation is not None
            found.append(act.data.reservation)
    return [each for each in found if is_valid(each, settings)]


def weigh(
    looks: Sequence[Look], question: Question, settings: Settings, missing: int | None, first: Act | None
) -> list[Look]:
    """R12: masses against the latest direct weighing before; R29: off by more than tau either way is another thing.

    A mass that says nothing by itself stays as a reference: a later drop is measured from it.
    """
    found: list[Look] = []
    w0: Look | None = None
    for look in looks:
        grams = _grams(look)
        if grams is None:
            found.append(look)
            continue
        value, reference = Condition.OK, True
        if w0 is not None:
            before = _grams(w0) or 0
            tau = max(settings.tau(before), Fraction(_tolerance(w0) + _tolerance(look)))
            known = missing is not None and missing > tau
            early = first is not None and w0.t <= first.t
            if before - grams > tau or (question.kind is FindingKind.WRONG_CONTENT and grams - before > tau):
                value, reference = Condition.BAD, False
            elif abs(grams - before) <= tau:
                reference = not (known and early)
            else:
                continue
        found.append(replace(look, value=value, reference=reference))
        if look.direct and value is Condition.OK:
            w0 = look
    return found


def _tolerance(look: Look) -> int:
    seen = [each for each in look.act.observations if each.facet is Facet.WEIGHT]
    return (seen[0].tolerance_grams or 0) if seen else 0


def _grams(look: Look) -> int | None:
    if look.facet is not Facet.WEIGHT:
        return None
    return next((seen.grams for seen in look.act.observations if seen.facet is Facet.WEIGHT), None)


def weight_agrees(u: Look, looks: Sequence[Look], settings: Settings, missing: int | None) -> bool:
    """R12: the drop is the missing mass, within tau."""
    grams = _grams(u)
    before = [_grams(look) for look in looks if look.order < u.order and look.direct and _grams(look) is not None]
    if grams is None or not before or missing is None or before[-1] is None:
        return False
    return abs((before[-1] - grams) - missing) <= settings.tau(before[-1])


def speaks(look: Look, question: Question) -> Condition | None:
    """R2, R19, R35: what a look says of this finding: ok, bad, or nothing."""
    if look.facet not in FACETS[question.kind] or look.value is Condition.UNEXAMINED:
        return None
    if question.piece is not None and look.act.pieces and question.piece not in look.act.pieces:
        return None
    if look.value is Condition.OK:
        if question.kind is FindingKind.WRONG_CONTENT and look.facet is Facet.WEIGHT:
            return None
        return Condition.OK if look.component in (WHOLE, question.component) else None
    if look.component != question.component:
        return None
    if question.kind is FindingKind.SHORTAGE and look.facet is Facet.OUTER and not look.tamper:
        return None
    of_what_is_there = question.kind in (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT)
    if of_what_is_there and look.facet is Facet.CONTENTS and look.damage is not None:
        return None  # broken, wet or crushed, but there
    if None not in (look.damage, question.damage) and look.damage is not question.damage:
        return None
    if look.severity is not None and question.severity is not None and look.severity is not question.severity:
        return Condition.OK if GRAVER[look.severity] < GRAVER[question.severity] else None
    return Condition.BAD


def is_report(look: Look) -> bool:
    return isinstance(look.act.data, NoticeGiven)


def is_release(look: Look) -> bool:
    return isinstance(look.act.data, HandoffReleased)

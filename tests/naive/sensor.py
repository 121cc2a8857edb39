"""R11 and R14b: what a logger in the box felt, and what the packing has to do with it."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from schemas.events import ConditionObserved, LoggerReading, Repacked, Reservation
from schemas.vocabulary import SENDER, Condition, DamageMode, Facet, FindingKind
from tests.naive.bracket import Bracket
from tests.naive.case import Case
from tests.naive.custody import first_acceptance
from tests.naive.facts import Act
from tests.naive.grades import is_neutral_survey, other_side
from tests.naive.looks import reservation_at
from tests.naive.sharing import Candidates, r20_shares

DAWN = datetime(1, 1, 2, tzinfo=UTC)
"""Before everything."""


def readings(case: Case) -> list[LoggerReading]:
    """The loggers that lay inside the item."""
    return [
        act.data.logger
        for act in case.acts
        if isinstance(act.data, ConditionObserved)
        and act.data.logger is not None
        and act.data.logger.inside
        and act.unit is None
    ]


def _is_shock(case: Case, bracket: Bracket) -> bool:
    """Whether a shock fits: impact or breakage; a mode that nobody named matches any."""
    named = case.question.damage or (bracket.u.damage if bracket.u is not None else None)
    return named is None or named in (DamageMode.IMPACT, DamageMode.BREAKAGE)


def r11_narrowed(case: Case, bracket: Bracket, found: Candidates) -> list[str] | None:
    """R11: given damage with a fitting mechanism, keep who has an exceedance or a hole in the cover; None: silent."""
    if case.kind not in (FindingKind.DAMAGE, FindingKind.CONCEALED) or not _is_shock(case, bracket):
        return None
    loggers = readings(case)
    if not loggers or bracket.u_t is None:
        return None
    low = min((start for _, start, _ in found.spans if start is not None), default=None)
    high = max(end for _, _, end in found.spans)
    skew = case.settings.clock_skew
    kept: list[str] = []
    ruled_out: list[str] = []
    for party, start, end in (*found.spans, *found.beside):
        seen = any(
            felt - skew <= end and (start is None or start <= felt + skew)
            for reading in loggers
            for felt in _blows(low, high, reading)
        )
        unseen = any(since < end and (start is None or start < until) for since, until in _holes(low, high, loggers))
        (kept if start is None or seen or unseen else ruled_out).append(party)
    if any(party in kept for party in found.parties):
        found.alternatives -= set(ruled_out) - set(kept)
    return [party for party in found.parties if party in kept]


def _blows(low: datetime | None, high: datetime, logger: LoggerReading) -> list[datetime]:
    """When it felt something, in the bracket."""
    return [each.t for each in logger.exceedances if (low is None or low <= each.t) and each.t <= high]


def _holes(low: datetime | None, high: datetime, loggers: list[LoggerReading]) -> list[tuple[datetime, datetime]]:
    """When none was armed, in the bracket; less than a second is no time."""
    holes = []
    at = low or DAWN
    covers = [cover for logger in loggers for cover in logger.armed]
    for cover in sorted(covers, key=lambda each: each.since):
        if cover.since > at:
            holes.append((at, min(cover.since, high)))
        at = max(at, cover.until)
    holes.append((at, high))
    return [(since, until) for since, until in holes if until - since >= timedelta(seconds=1)]


def exceeded(case: Case, found: Candidates) -> bool:
    """R14b: whether a logger felt anything in the bracket."""
    low = min((start for _, start, _ in found.spans if start is not None), default=None)
    high = max((end for _, _, end in found.spans), default=DAWN)
    return any(_blows(low, high, each) for each in readings(case))


def r14b_packaging(
    case: Case, bracket: Bracket, found: Candidates, narrowed: list[str] | None
) -> dict[str, Fraction] | None:
    """R14b: bad packing that the sender signed to, or a neutral survey found inside, and an outside that is sound."""
    if case.kind not in (FindingKind.DAMAGE, FindingKind.CONCEALED) or not _is_shock(case, bracket):
        return None
    first = first_acceptance(case.custody)
    bad_packing = any(
        look.facet is Facet.PACKING
        and look.value is Condition.BAD
        and look.direct
        and (
            (first is not None and look.act.id == first.id and SENDER in other_side(look.act, case.registry))
            or (look.component == "inner" and is_neutral_survey(look.act, case.registry))
        )
        for look in case.looks
    )
    if not bad_packing or not _outside_sound_at_delivery(case):
        return None
    case.rules.add("R14b")
    if not exceeded(case, found) or not narrowed:
        return {SENDER: Fraction(1)}
    case.rules.add("R11")
    found.parties = narrowed
    mine = case.settings.packing_share
    rest = r20_shares(case, found, sealed_unit=False)
    return {SENDER: mine, **{party: share * (1 - mine) for party, share in rest.items()}}


def _outside_sound_at_delivery(case: Case) -> bool:
    """R14b: O ok at delivery, seen or silent; R17: a bad before it stands, whatever was said or kept silent later."""
    if not case.custody.deliveries:
        return False
    delivery = case.custody.deliveries[-1]
    if any(each.facet is Facet.OUTER for each in reserved_at_delivery(case, delivery.act)):
        return False
    at_door = [k for k in case.looks if k.act.id == delivery.act.id and k.facet is Facet.OUTER and k.direct]
    if any(k.value is not Condition.OK for k in at_door):
        return False
    packed = max((act.t for act in case.acts if isinstance(act.data, Repacked) and act.t < delivery.t), default=DAWN)
    return not any(
        look.facet is Facet.OUTER and look.value is Condition.BAD and look.direct and packed < look.t <= delivery.t
        for look in case.looks
    )


def reserved_at_delivery(case: Case, taking: Act) -> list[Reservation]:
    """What the recipient reserved about: it was not silent then."""
    return reservation_at(taking, case.looks, case.acts, case.custody, case.registry, case.settings)

"""R22 with R33: whether it came late, and whose hours made it so."""

from datetime import datetime, timedelta
from fractions import Fraction

from schemas.events import DeliveryRefused, HoldPlaced, PlannedLeg, Redirected, ReturnOrdered
from schemas.vocabulary import RECIPIENT, SENDER, Confidence, HoldReason, Outcome, PartyRole
from tests.naive.case import Case
from tests.naive.custody import Segment, Zone
from tests.naive.facts import Answer
from tests.naive.grades import is_unsigned

EXCUSING = (
    HoldReason.CUSTOMS,
    HoldReason.RECIPIENT_REQUEST,
    HoldReason.ADDRESS_ERROR,
    HoldReason.FORCE_MAJEURE,
)


def promise(case: Case) -> datetime | None:
    """R33: a redirection replaces the promise from when it is recorded."""
    promised = case.paper.promised(case.taken_over)
    for act in sorted(case.acts, key=lambda each: each.recorded):
        if isinstance(act.data, Redirected):
            if act.data.promised_at is not None:
                promised = act.data.promised_at
            elif act.data.promised_after_hours is not None and case.taken_over is not None:
                promised = case.taken_over + timedelta(hours=act.data.promised_after_hours)
    return promised


def plan(case: Case) -> dict[str, timedelta]:
    """R33: so does it the plan."""
    legs: tuple[PlannedLeg, ...] = case.paper.plan
    for act in sorted(case.acts, key=lambda each: each.recorded):
        if isinstance(act.data, Redirected) and act.data.plan:
            legs = act.data.plan
    return {leg.party: timedelta(hours=leg.dwell_hours) for leg in legs if leg.dwell_hours is not None}


def ends(case: Case) -> datetime:
    """When the promise's clock stopped: at delivery, refusal or return order by a claimant, else not yet."""
    stops = [each.t for each in case.custody.deliveries]
    stops += [
        act.t
        for act in case.acts
        if isinstance(act.data, (DeliveryRefused, ReturnOrdered)) and act.by in (RECIPIENT, SENDER)
    ]
    return min(stops, default=case.question.as_of.time)


def excused(case: Case, *, since: datetime | None = None) -> dict[str, timedelta]:
    """R22: holds for customs, at the recipient's request, for a wrong address, by force majeure; R30: authorities.

    `since`: only what of them came after that.
    """
    found: dict[str, timedelta] = {}
    for act in case.acts:
        if isinstance(act.data, HoldPlaced) and act.data.because in EXCUSING:
            begin = act.t if since is None else max(since, act.t)
            waited = _held(case, act.by, begin, act.t + timedelta(hours=act.data.hours))
            found[act.by] = found.get(act.by, timedelta()) + waited
    for segment in case.custody.segments:
        if case.registry.role(segment.party) is PartyRole.AUTHORITY and segment.start is not None:
            found[segment.party] = found.get(segment.party, timedelta()) + _length(segment, ends(case))
    return found


def _held(case: Case, party: str, begin: datetime, end: datetime) -> timedelta:
    """How long in this time the party had it, or may have had it."""
    spans = [(each.start, each.end or end) for each in case.custody.segments if each.party == party]
    spans += [(zone.start, zone.end) for zone in case.custody.zones if party in (zone.a, zone.b)]
    total = timedelta()
    for start, until in sorted((max(start or begin, begin), min(until, end)) for start, until in spans):
        total += max(until - max(start, begin), timedelta())
        begin = max(begin, until)
    return total


def _length(segment: Segment, end: datetime) -> timedelta:
    if segment.start is None or segment.start >= end:
        return timedelta()
    return min(segment.end or end, end) - segment.start


def r22_delay(case: Case) -> Answer | None:
    """R22: only if late after promise and excused holds; shares follow the excess, zones are halved."""
    promised, end = promise(case), ends(case)
    if promised is None or end <= promised + sum(excused(case).values(), timedelta()):
        return None
    case.rules.add("R22")
    planned = plan(case)
    hours: dict[str, Fraction] = {}
    entries = _entries(case)
    zoned = False
    for parties in entries:
        if any(party not in planned for party in parties):
            continue
        dwell = sum(
            (_length(segment, end) for segment in case.custody.segments if segment.party in parties), timedelta()
        )
        waits = excused(case, since=case.taken_over)
        allowed = sum((planned[party] + waits.get(party, timedelta()) for party in parties), timedelta())
        over = max(timedelta(), dwell - allowed)
        if over:
            zoned = zoned or len(parties) > 1
            for party in parties:
                hours[party] = Fraction(over // timedelta(microseconds=1), len(parties))
    total = sum(hours.values())
    zones = frozenset(frozenset((zone.a, zone.b)) for zone in case.custody.zones)
    if not total:
        return Answer(
            Outcome.UNDETERMINED,
            {},
            frozenset(),
            None,
            None,
            Confidence.NONE,
            flags=frozenset(case.flags),
            rules=frozenset(case.rules),
            zones=zones,
            excluded=frozenset(case.excluded),
        )
    liable = {party: micro / total for party, micro in hours.items()}
    return Answer(
        Outcome.SEGMENT if len(liable) == 1 else Outcome.SHARED,
        liable,
        frozenset(),
        None,
        None,
        Confidence.LOW if zoned else (Confidence.HIGH if _measured(case) else Confidence.MODERATE),
        flags=frozenset(case.flags),
        rules=frozenset(case.rules),
        zones=zones,
        delay_h={party: float(micro) / 3_600_000_000 for party, micro in hours.items()},
        excluded=frozenset(case.excluded),
    )


def zones_before(case: Case, end: datetime) -> list[Zone]:
    """The zones that begin while the promise's clock runs."""
    return [zone for zone in case.custody.zones if zone.start is None or zone.start < end]


def _measured(case: Case) -> bool:
    """R21: whether every boundary was measured: no zone, and each by a device that signed when it was."""
    if zones_before(case, ends(case)):
        return False
    return not any(
        is_unsigned(segment.act, case.registry)
        for segment in case.custody.segments
        if segment.act is not None and segment.act.t <= ends(case)
    )


def _entries(case: Case) -> list[tuple[str, ...]]:
    """The carriers, those of one zone together."""
    carriers = [
        segment.party
        for segment in case.custody.segments
        if case.registry.role(segment.party) in (PartyRole.CARRIER, PartyRole.LOCKER)
    ]
    entries = [{party} for party in dict.fromkeys(carriers)]
    for zone in zones_before(case, ends(case)):
        if zone.a in carriers and zone.b in carriers:
            entries = _join(entries, zone)
    return [tuple(sorted(entry)) for entry in entries]


def _join(entries: list[set[str]], zone: Zone) -> list[set[str]]:
    joined = set().union(*(entry for entry in entries if entry & {zone.a, zone.b}))
    return [entry for entry in entries if not entry & joined] + [joined]

"""Lateness: until when delivery is in time, what of the way is excused, and who took how long beyond plan (R22)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from schemas.vocabulary import PartyRole
from services.custody.core.case import Ground, Scene
from services.custody.core.chain import Chain
from services.custody.core.instants import later
from services.custody.core.spans import Span, union

_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)


def due_at(ground: Ground, scene: Scene) -> datetime | None:
    """When it becomes late: the promised time, put off by every excused wait that began before it was late."""
    due = ground.contract.promised(scene.chain.taken_over_at)
    if due is None or scene.chain.taken_over_at is None:
        return None
    for since, until in excused(ground, scene.chain):
        if since > due:
            break
        due = later(due, until - since)
    return due


def ended_at(ground: Ground, scene: Scene) -> datetime:
    """Up to when time runs against the carriers: they have delivered it, were told to keep it, or have it still."""
    tendered = scene.chain.tendered_at
    return ground.as_of.time if tendered is None else min(tendered, ground.as_of.time)


def excused(ground: Ground, chain: Chain, parties: Collection[str] | None = None) -> list[Span]:
    """When it waited without fault in the hands of these parties, or of any, as times apart from each other."""
    waits = []
    for hold in ground.paper.holds:
        if parties is None or hold.party in parties:
            held = held_by(chain, parties or {hold.party})
            waits += [(max(hold.since, since), min(hold.until, until)) for since, until in held]
    if parties is None:  # R30: an authority's time is nobody's fault
        authority = {s.party for s in chain.segments if ground.registry.role(s.party) is PartyRole.AUTHORITY}
        waits += [(s.start, s.end) for s in chain.segments if s.party in authority]
    return union(waits)


def held_by(chain: Chain, parties: Collection[str]) -> list[Span]:
    """When any of the parties had it, or may have had it (R8)."""
    spans = [(segment.start, segment.end) for segment in chain.segments if segment.party in parties]
    spans += [(zone.since, zone.until) for zone in chain.zones if zone.giver in parties or zone.taker in parties]
    return union(spans)


class Entry(NamedTuple):
    """Parties whose hours cannot be told apart, nearly always one, and what they took beyond plan and excuse."""

    parties: tuple[str, ...]
    excess: timedelta


def entries(ground: Ground, chain: Chain, since: datetime, until: datetime) -> list[Entry]:
    """R22: what every carrier took too long, in the order of the chain; the two parties of a zone are one entry."""
    found = []
    for parties in _told_together(ground, chain, since, until):
        # Not held_by: the time before an unseen takeover is the giver's here, who is in the same entry.
        spans = union((s.start, s.end) for s in chain.segments if s.party in parties)
        dwell = _length((max(a, since), min(b, until)) for a, b in spans)
        waited = _length((max(a, since), min(b, until)) for a, b in excused(ground, chain, parties))
        planned = _planned(ground, parties)
        over = dwell - planned - waited if planned is not None else timedelta()
        found.append(Entry(parties, max(over, timedelta())))
    return found


def hours_over(found: Sequence[Entry]) -> Mapping[str, Fraction]:
    """The same in hours by party; those who cannot be told apart bear equal parts."""
    return {
        party: Fraction(entry.excess // _MICROSECOND, _HOUR // _MICROSECOND) / len(entry.parties)
        for entry in found
        if entry.excess
        for party in entry.parties
    }


def _told_together(ground: Ground, chain: Chain, since: datetime, until: datetime) -> list[tuple[str, ...]]:
    groups: list[list[str]] = []
    for segment in chain.segments:
        is_carrier = ground.registry.role(segment.party) in (PartyRole.CARRIER, PartyRole.LOCKER)
        if is_carrier and segment.overlaps(since, until) and not any(segment.party in group for group in groups):
            groups.append([segment.party])
    for zone in chain.zones:
        if not zone.overlaps(since, until):
            continue
        for party in (zone.giver, zone.taker):
            is_carrier = ground.registry.role(party) in (PartyRole.CARRIER, PartyRole.LOCKER)
            if is_carrier and not any(party in group for group in groups):
                groups.append([party])
        joined = [group for group in groups if {zone.giver, zone.taker} & set(group)]
        if len(joined) > 1:
            groups = [group for group in groups if group not in joined]
            groups.append([party for group in joined for party in group])
    return [tuple(group) for group in groups]


def _planned(ground: Ground, parties: Collection[str]) -> timedelta | None:
    """The time planned for them; None where nobody planned for one of them: then nothing is too long."""
    total = timedelta()
    for party in parties:
        hours = [leg.dwell_hours for leg in ground.contract.announced.plan if leg.party == party]
        told = [each for each in hours if each is not None]
        if not told:
            return None
        total += timedelta(hours=sum(told))
    return total


def _length(spans: Iterable[Span]) -> timedelta:
    return sum((until - since for since, until in spans if since < until), timedelta())


def is_measured(chain: Chain, since: datetime, until: datetime) -> bool:
    """Whether every boundary on the way was recorded at the time, none inferred or typed in afterwards."""
    if any(zone.overlaps(since, until) for zone in chain.zones):
        return False
    opened = [segment for segment in chain.segments if since <= segment.start <= until]
    return all(
        not segment.implied and (segment.opened_by is None or segment.opened_by.standing.signed) for segment in opened
    )

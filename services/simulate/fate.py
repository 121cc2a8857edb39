"""What happens to one parcel: who has it when, what it rides in, and what harm it comes to. Nothing is written yet."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.vocabulary import RECIPIENT, SENDER, DamageMode, FindingKind, UnitKind
from services.simulate.dice import between
from services.simulate.habits import Habits
from services.simulate.network import Network
from services.simulate.truth import Harm

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

NESTS = (
    (UnitKind.BAG,),
    (UnitKind.CAGE,),
    (UnitKind.BAG, UnitKind.CAGE),
    (UnitKind.TRAILER,),
    (UnitKind.BAG, UnitKind.CAGE, UnitKind.TRAILER),
)
"""What a parcel rides the linehaul in, the innermost first."""
NEST_WEIGHTS = (35, 20, 20, 10, 15)

BY_HAND = (FindingKind.LOSS, FindingKind.SHORTAGE)
"""Harms that need a hand on the parcel: out of a sealed unit, only by breaking the seal."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One custodian, with the true instant at which it got hold of the parcel."""

    party: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Trip:
    """The linehaul in closed units, the innermost first: packed by the stop before it, opened by the stop after it."""

    units: tuple[tuple[str, UnitKind], ...]
    line: int
    """Which stop the linehaul is."""
    packed: datetime
    opened: datetime
    customs: tuple[datetime, datetime] | None
    """Between when an authority has all of them open."""

    def encloses(self, at: datetime) -> bool:
        """Whether nobody can reach the parcel then without breaking a seal."""
        if self.customs is not None and self.customs[0] <= at < self.customs[1]:
            return False
        return self.packed <= at < self.opened


@dataclass(frozen=True, slots=True)
class Fate:
    """All of it. `harm` has no sights yet."""

    stops: tuple[Stop, ...]
    trip: Trip | None
    harm: Harm | None
    content_grams: int
    gross_grams: int

    def holder_at(self, at: datetime) -> int:
        """Which stop has it then."""
        return max(number for number, stop in enumerate(self.stops) if number == 0 or stop.since <= at)

    def happened(self, kind: FindingKind, at: datetime) -> bool:
        """Whether it has come to this harm by then."""
        return self.harm is not None and self.harm.kind is kind and self.harm.at <= at

    def gone(self, at: datetime) -> bool:
        """Whether it is not there any more."""
        return self.happened(FindingKind.LOSS, at)


def decide(parcel: str, network: Network, habits: Habits, chance: random.Random, start: datetime) -> Fate:
    """Draw one parcel's fate."""
    stops = _stops(network, chance, start)
    trip = _trip(parcel, stops, habits, chance)
    content = chance.randint(200, 900)
    return Fate(
        stops=stops,
        trip=trip,
        harm=_harm(parcel, stops, trip, habits, chance),
        content_grams=content,
        gross_grams=content + chance.randint(150, 6000),
    )


def _stops(network: Network, chance: random.Random, start: datetime) -> tuple[Stop, ...]:
    at = start + between(chance, 2 * HOUR, 270 * MINUTE)
    stops = [Stop(SENDER, start)]
    for party in (*network.route(chance), RECIPIENT):
        stops.append(Stop(party, at))
        at += _dwell(party, chance)
    return tuple(stops)


def _dwell(party: str, chance: random.Random) -> timedelta:
    if party.startswith("LINE-"):
        return between(chance, 3 * HOUR, 6 * HOUR)
    if party.endswith("-HUB"):
        return between(chance, HOUR, 150 * MINUTE)
    return between(chance, 90 * MINUTE, 180 * MINUTE)


def _trip(parcel: str, stops: tuple[Stop, ...], habits: Habits, chance: random.Random) -> Trip | None:
    line = next((number for number, stop in enumerate(stops) if stop.party.startswith("LINE-")), None)
    closed, customs = chance.random() < habits.in_a_cage, chance.random() < habits.opened_by_customs
    if line is None or not closed:
        return None
    taken, handed_on = stops[line].since, stops[line + 1].since
    code = parcel.rpartition(":")[2]
    [kinds] = chance.choices(NESTS, NEST_WEIGHTS)
    opening = taken + (handed_on - taken) * chance.uniform(0.2, 0.6)
    return Trip(
        units=tuple((f"{kind}:{code}-{number}", kind) for number, kind in enumerate(kinds, start=1)),
        line=line,
        packed=taken - between(chance, 9 * MINUTE, 20 * MINUTE),
        opened=handed_on + between(chance, 4 * MINUTE, 7 * MINUTE),
        customs=(opening, opening + between(chance, 20 * MINUTE, HOUR)) if customs else None,
    )


def _harm(
    parcel: str, stops: tuple[Stop, ...], trip: Trip | None, habits: Habits, chance: random.Random
) -> Harm | None:
    if chance.random() >= habits.harmed:
        return None
    kind = _kind(habits, chance.random())
    draw = chance.random()
    carrier = chance.choice(range(1, len(stops) - 1))
    if kind in BY_HAND:
        where = carrier
    elif draw < habits.harm_by_sender:
        where = 0
    elif draw < habits.harm_by_sender + habits.harm_by_recipient:
        where = len(stops) - 1
    else:
        where = carrier
    begin = stops[where].since
    end = stops[where + 1].since if where + 1 < len(stops) else begin + 20 * MINUTE
    at = begin + between(chance, (end - begin) * 0.15, (end - begin) * 0.85)
    damage = chance.choice(tuple(DamageMode)[:4])
    shows = chance.random() < habits.theft_shows
    return Harm(
        parcel=parcel,
        kind=kind,
        culprit=stops[where].party,
        segment=where,
        at=at,
        damage={FindingKind.DAMAGE: damage, FindingKind.CONCEALED: DamageMode.BREAKAGE}.get(kind),
        traces=kind is FindingKind.SHORTAGE and shows,
        broke_seals=kind in BY_HAND and trip is not None and trip.encloses(at),
    )


def _kind(habits: Habits, draw: float) -> FindingKind:
    if draw < habits.harm_is_loss:
        return FindingKind.LOSS
    if draw < habits.harm_is_loss + habits.harm_is_shortage:
        return FindingKind.SHORTAGE
    if draw < habits.harm_is_loss + habits.harm_is_shortage + habits.harm_is_concealed:
        return FindingKind.CONCEALED
    return FindingKind.DAMAGE

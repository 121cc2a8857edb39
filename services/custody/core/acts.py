"""Acts: recorded events as the reasoning sees them: who did it, when, what was seen, what each look is worth."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from typing import NamedTuple

from schemas.events import (
    ConditionObserved,
    DeliveryAttempted,
    DeliveryRefused,
    Event,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    NoticeGiven,
    Observation,
    ParcelDropped,
    ParcelRelabelled,
    Repacked,
    Reservation,
    ReturnOrdered,
    Scan,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import CaptureMode, Condition, DamageMode, Defect, Facet, PartyRole
from services.custody.core.concerns import canonical
from services.custody.core.condition import WHOLE, Look, Mass
from services.custody.core.facts import Fact
from services.custody.core.grades import (
    DIRECT,
    EXAMINED,
    INFERRED,
    VERIFIED,
    Standing,
    grade_of,
    grade_of_claim,
    grade_of_label,
)
from services.custody.core.policy import Policy
from services.custody.core.registry import Registry


class Kind(Enum):
    """What sort of act it is."""

    RELEASE = "release"
    ACCEPT = "accept"
    SCAN = "scan"
    LOOK = "look"
    SEAL = "seal"
    CHECK = "check"
    PACK = "pack"
    UNPACK = "unpack"
    OPEN = "open"
    REPACK = "repack"
    RELABEL = "relabel"
    DROP = "drop"
    ATTEMPT = "attempt"
    REFUSE = "refuse"
    RETURN = "return"
    NOTICE = "notice"


AT_HAND = (
    Kind.SCAN,
    Kind.LOOK,
    Kind.SEAL,
    Kind.CHECK,
    Kind.PACK,
    Kind.UNPACK,
    Kind.OPEN,
    Kind.REPACK,
    Kind.RELABEL,
)
"""Kinds of act that take the item, or the unit it is in, at hand without being a handoff (R1: physical events)."""


Order = tuple[datetime, int, str, str]
"""Sorts acts by time; at the same instant releases, acceptances, the rest, by event id (R1)."""

_PEOPLE = (PartyRole.SENDER, PartyRole.RECIPIENT)
_NEUTRAL = (PartyRole.SURVEYOR, PartyRole.AUTHORITY)
_SILENT = (Kind.NOTICE, Kind.RELEASE, Kind.RETURN)
"""What can be done without having the item at hand."""
_GONE = (Facet.PRESENCE, Facet.COUNT)
_DEFECTS = frozenset(defect.value for defect in Defect)
_DAMAGE_OF = {Defect.WET: DamageMode.WET, Defect.CRUSHED: DamageMode.CRUSH}


class SealRead(NamedTuple):
    """A seal as somebody put it on or read it."""

    number: str | None
    match: bool | None
    """Whether it is the one that was put on, as the device judged it."""
    grade: int


@dataclass(slots=True, eq=False)
class Act:
    """One event that counts. Treat as frozen; only the functions of this module build one."""

    fact: Fact
    kind: Kind
    party: str
    """Whose act it is."""
    t: datetime
    """Effective event time: the device's clock, corrected by the offset it measured at upload (R36)."""
    order: Order
    standing: Standing
    looks: tuple[Look, ...] = ()
    counterpart: str | None = None
    """The other side as named: the taker of a release, the giver of an acceptance, the addressee of a notice."""
    joined: tuple[str, ...] = ()
    """Parties of other legal entities that stand behind the record too: the recording device, countersigners."""
    neutral: bool = False
    """A survey by somebody outside the chain."""
    exposed: bool = True
    """The item itself was at hand; False: it was inside a closed unit."""
    unit: str | None = None
    """The unit whose event this is, or into or out of which the item was packed: a seal looked at is this unit's."""
    seal: SealRead | None = None
    reservation: Reservation | None = None
    mode: CaptureMode | None = None
    site: str | None = None
    claimed_acceptance: str | None = None
    """Somebody else's acceptance that this act reports without that party's confirmation; it moves nothing (R13a)."""

    @property
    def id(self) -> str:
        """The event's id."""
        return self.fact.envelope.id

    @property
    def physical(self) -> bool:
        """Whether somebody had the item at hand: not a notice, an order, nor a statement that it is gone."""
        if self.kind in _SILENT:
            return False
        return not (self.looks and any(look.value is Condition.BAD and look.facet in _GONE for look in self.looks))


def reports_act(data: Event) -> bool:
    """Whether an event of this type reports that somebody did or saw something, or gave notice of it."""
    return type(data) in _KINDS


def act_of(
    fact: Fact,
    t: datetime,
    standing: Standing,
    registry: Registry,
    policy: Policy,
    *,
    unit: str | None = None,
    hidden: bool = False,
) -> Act | None:
    """Read a fact as an act; None for events that report no act, such as an announcement.

    `unit`: the fact is about this unit, which holds the item; `hidden`: the unit is closed, so that the item cannot be
    seen (R9).
    """
    data = fact.data
    kind = _KINDS.get(type(data))
    if kind is None:
        return None
    if kind is Kind.NOTICE:
        assert isinstance(data, NoticeGiven)
        if unit is not None:
            return None  # a claim about the unit says nothing of what is in it
        order = (t, 2, fact.envelope.id, fact.envelope.source)
        looks = tuple(_look(seen, grade_of_claim(seen, data, standing)) for seen in data.observations)
        return Act(fact, kind, data.party, t, order, standing, looks, data.to)
    assert isinstance(data, Scan)
    if unit is None and kind in _MOVED:
        assert isinstance(data, (UnitPacked, UnitUnpacked))
        unit = canonical(data.unit)
        return _scan_act(fact, data, kind, t, standing, registry, policy, unit=unit, inside=False, own=True)
    inside = hidden or data.inside is not None
    return _scan_act(fact, data, kind, t, standing, registry, policy, unit=unit, inside=inside, own=unit is None)


def _scan_act(
    fact: Fact,
    data: Scan,
    kind: Kind,
    t: datetime,
    standing: Standing,
    registry: Registry,
    policy: Policy,
    *,
    unit: str | None,
    inside: bool,
    own: bool,
) -> Act:
    party, counterpart = _sides(data, kind)
    reservation = _reservation(data) if kind in _RESERVING else None
    entity = registry.entity(party)
    sides = (standing.speaker, *[signer.party for signer in data.countersigned])
    reported = None
    if party not in sides and all(registry.entity(side) != entity for side in sides):
        # Recorded by another's device and confirmed by nobody: it is the speaker's statement, not the party's act.
        reported = party if kind is Kind.ACCEPT else None
        kind, party, counterpart, reservation = Kind.LOOK, standing.speaker, None, None
        entity = registry.entity(party)
    joined = tuple([side for side in sides if registry.entity(side) != entity]) if sides != (party,) else ()
    role = registry.role(party)
    neutral = role in _NEUTRAL and isinstance(data, ConditionObserved) and data.neutral
    identified = data.operator is not None or role in _PEOPLE
    corroborated = neutral or bool(joined)
    claimed = role in _PEOPLE and kind is not Kind.ACCEPT and not corroborated
    worth = partial(grade_of, scan=data, standing=standing, identified=identified, joined=corroborated, claimed=claimed)
    looks = [
        _look(seen, worth(seen))
        for seen in data.observations
        # Inside a closed unit only its seal can be seen, and its mass taken (R9, R12); a list shows nothing of a line.
        if (own and not inside) or seen.facet is Facet.SEAL or (inside and seen.facet is Facet.WEIGHT)
    ]
    if own and not inside and _read_the_label(data, kind):
        looks.append(Look(Facet.PRESENCE, Condition.OK, grade_of_label(data, standing)))
    sees_it = own or (reservation is not None and reservation.facet is Facet.SEAL)
    if reservation is not None and sees_it and is_defect(reservation, policy):
        seen = _reserved(reservation)
        noted = _AS_EXAMINED if data.mode is not CaptureMode.IMPORT else data
        if not any(_says_the_same(look, seen) for look in looks):
            looks.append(_look(seen, worth(seen, scan=noted)))
    order = (t, _rank(kind), fact.envelope.id, fact.envelope.source)
    return Act(
        fact, kind, party, t, order, standing, tuple(looks), counterpart, joined, neutral, not inside, unit,
        _seal_read(data, standing, identified=identified), reservation, data.mode, data.site, reported,
    )  # fmt: skip


def _seal_read(data: Scan, standing: Standing, *, identified: bool) -> SealRead | None:
    """What the act tells of a seal's number, and how good that is: a picture, a person, or a machine that read it."""
    if data.seal is None:
        return None
    if data.mode in _SCANNING:
        grade = DIRECT
    else:
        grade = EXAMINED if identified else INFERRED
    if grade >= DIRECT and data.seal.media is not None:
        grade = VERIFIED
    return SealRead(data.seal.number, data.seal.match, min(grade, standing.ceiling))


def _rank(kind: Kind) -> int:
    """Release before acceptance before the rest, where instants are equal (R1)."""
    if kind in AT_HAND:
        return 2
    return 0 if kind is Kind.RELEASE else 1 if kind in (Kind.ACCEPT, Kind.DROP) else 2


def _read_the_label(data: Scan, kind: Kind) -> bool:
    """Whether a label was read, which shows that the item was there also where nobody wrote that down."""
    if kind in (Kind.RELEASE, Kind.RETURN) or data.mode not in _SCANNING:
        return False
    return not any(seen.facet is Facet.PRESENCE for seen in data.observations)


def _look(seen: Observation, grade: int) -> Look:
    if seen.grams is not None:
        mass = Mass(seen.grams, seen.tolerance_grams or 0)
        return Look(seen.facet, Condition.UNEXAMINED, grade, seen.component or WHOLE, mass=mass)
    return Look(seen.facet, seen.value, grade, seen.component or WHOLE, seen.damage, seen.severity, seen.tamper)


def _says_the_same(look: Look, reserved: Observation) -> bool:
    """Whether the act observed already what it reserved about, with as much said of the mechanism."""
    same = (look.facet, look.value, look.component) == (reserved.facet, Condition.BAD, reserved.component or WHOLE)
    return same and reserved.damage in (None, look.damage)


def _reserved(reservation: Reservation) -> Observation:
    """A defect noted as a reservation is an observation of it (R6)."""
    return Observation(
        facet=reservation.facet,
        value=Condition.BAD,
        component=reservation.component,
        damage=mode_of(reservation),
    )


def mode_of(reservation: Reservation) -> DamageMode | None:
    """The mechanism that a defect names; most name none."""
    return _DAMAGE_OF.get(Defect(reservation.grounds))


def is_defect(reservation: Reservation, policy: Policy) -> bool:
    """Whether a reservation reports a bad state."""
    return reservation.grounds in _DEFECTS and reservation.grounds in policy.reservation_grounds


def is_hindrance(reservation: Reservation, policy: Policy) -> bool:
    """Whether a reservation says why nobody could look; codes that a tenant added count as such."""
    return reservation.grounds in policy.reservation_grounds and reservation.grounds not in _DEFECTS


def _reservation(data: Event) -> Reservation | None:
    assert isinstance(data, (HandoffAccepted, ConditionObserved))
    return data.reservation


def _sides(data: Event, kind: Kind) -> tuple[str, str | None]:
    if kind is Kind.ACCEPT:
        assert isinstance(data, HandoffAccepted)
        return data.taker, data.giver
    if kind is Kind.RELEASE:
        assert isinstance(data, HandoffReleased)
        return data.giver, data.taker
    assert isinstance(data, _BY_ONE_PARTY)
    return data.party, None


# What a fact reports is told by its exact type: asking whether it is an instance of one takes four times as long.
_KINDS: dict[type[Event], Kind] = {
    HandoffReleased: Kind.RELEASE,
    HandoffAccepted: Kind.ACCEPT,
    ItemScanned: Kind.SCAN,
    ConditionObserved: Kind.LOOK,
    SealApplied: Kind.SEAL,
    SealChecked: Kind.CHECK,
    UnitPacked: Kind.PACK,
    UnitUnpacked: Kind.UNPACK,
    UnitOpened: Kind.OPEN,
    Repacked: Kind.REPACK,
    ParcelRelabelled: Kind.RELABEL,
    ParcelDropped: Kind.DROP,
    DeliveryAttempted: Kind.ATTEMPT,
    DeliveryRefused: Kind.REFUSE,
    ReturnOrdered: Kind.RETURN,
    NoticeGiven: Kind.NOTICE,
}
_RESERVING = (Kind.ACCEPT, Kind.LOOK)
_MOVED = (Kind.PACK, Kind.UNPACK)
_SCANNING = (CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN)
_BY_ONE_PARTY = (
    ItemScanned,
    ConditionObserved,
    SealApplied,
    SealChecked,
    UnitPacked,
    UnitUnpacked,
    UnitOpened,
    Repacked,
    ParcelRelabelled,
    ParcelDropped,
    DeliveryAttempted,
    DeliveryRefused,
    ReturnOrdered,
)
_AS_EXAMINED = Scan(mode=CaptureMode.HUMAN_INSPECT)
"""Whoever notes a defect has looked, whatever mode the rest of the act was captured in."""

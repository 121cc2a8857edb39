"""Who held the item when: the fold of R1 with drops, deliveries, returns and zones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.events import (
    ConditionObserved,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    ParcelDropped,
    ParcelRelabelled,
    Redirected,
    Repacked,
    ReturnOrdered,
    Scan,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import RECIPIENT, SENDER, DropPlace, PartyRole, UnitKind
from tests.naive.facts import Act
from tests.naive.grades import is_neutral_survey, is_typed_in, other_side, says_not_here
from tests.naive.terms import Paper, Registry, Settings

PHYSICAL = (
    ItemScanned,
    ConditionObserved,
    SealApplied,
    SealChecked,
    UnitPacked,
    UnitUnpacked,
    UnitOpened,
    Repacked,
    ParcelRelabelled,
)
TAKING = (PartyRole.CARRIER, PartyRole.LOCKER, PartyRole.AUTHORITY)


@dataclass
class Segment:
    """One custodian's time. `start` None: from the beginning; `end` None: until now."""

    party: str
    start: datetime | None
    end: datetime | None
    act: Act | None


@dataclass
class Zone:
    """A time that belongs to two: from A's last act to B's first, or to B's later acceptance."""

    a: str
    b: str
    start: datetime | None
    end: datetime


@dataclass
class Delivery:
    """When it came into the final taker's hands, by which act."""

    t: datetime
    taker: str
    act: Act
    unattended: bool
    left: bool
    """Left there as asked: nobody took it."""


@dataclass
class Custody:
    """The timeline."""

    segments: list[Segment] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    takings: list[tuple[Act, str]] = field(default_factory=list)
    """Explicit acceptances that count, each with who held it before."""
    void_drops: list[Act] = field(default_factory=list)
    """Drops and hands that are no delivery (R13e)."""
    wrong: list[Act] = field(default_factory=list)
    """Acceptances by another than the giver had named."""

    def holder_before(self, act: Act) -> str:
        """Who held it when this acceptance took it."""
        return next((giver for taking, giver in self.takings if taking.id == act.id), SENDER)

    def holder_at(self, t: datetime) -> str:
        """Who held it just before an instant."""
        for segment in self.segments:
            if (segment.start is None or segment.start < t) and (segment.end is None or t <= segment.end):
                return segment.party
        return self.segments[-1].party


def is_proxy(act: Act) -> bool:
    """R34: taken by somebody whom the taker neither named nor agreed to; that is no taking (R13e)."""
    return isinstance(act.data, HandoffAccepted) and act.data.person is not None and act.data.consent is not True


def release_to(taking: Act, giver: str, acts: Sequence[Act], settings: Settings) -> Act | None:
    """R7: the giver's latest RELEASE to this taker within handoff_window either side of its ACCEPT."""
    found = None
    for act in acts:
        near = abs(act.t - taking.t) <= settings.handoff_window
        if isinstance(act.data, HandoffReleased) and act.by == giver and near and act.data.taker in (None, taking.by):
            found = act
    return found


def fold(acts: Sequence[Act], registry: Registry, settings: Settings, paper: Paper) -> Custody:
    """R1: custody moves on ACCEPT, at its time; whoever has it at hand without one took it over unseen."""
    custody = Custody([Segment(SENDER, None, None, None)])
    acts = sorted(acts, key=lambda each: each.order)
    for act in acts:
        data = act.data
        if isinstance(data, HandoffAccepted):
            if is_proxy(act):
                custody.void_drops.append(act)
            elif is_typed_in(act, registry, settings):
                _imply(custody, act, acts)
            else:
                _take(custody, act, acts, registry, settings)
        elif isinstance(data, ParcelDropped):
            _drop(custody, act, acts, registry, settings, paper)
        elif _handles(act, custody, settings) and _takes_over(custody, act, acts, registry, settings):
            _imply(custody, act, acts)
    return custody


def _take(custody: Custody, act: Act, acts: Sequence[Act], registry: Registry, settings: Settings) -> None:
    """R1: an explicit acceptance; after an implied takeover by the same party it ends or undoes the zone."""
    now = custody.segments[-1]
    giver = now.party
    if now.party == act.by:
        zone = custody.zones[-1] if custody.zones and now.act is not None else None
        if zone is None or zone.b != act.by or now.act is None or not _implied(now.act, registry, settings):
            custody.takings.append((act, act.by))
            return
        giver = zone.a
        by_a = any(registry.same(party, zone.a) for party in other_side(act, registry))
        if by_a or release_to(act, zone.a, acts, settings) is not None:
            custody.zones.remove(zone)
            custody.segments.pop()
            custody.segments[-1].end = None
            _move(custody, act.by, act)
        else:
            zone.end = act.t
            now.act = act
    else:
        _move(custody, act.by, act)
    custody.takings.append((act, giver))
    _note_wrong_taker(custody, act, giver, acts, settings)
    already = bool(custody.deliveries) and custody.deliveries[-1].left and custody.deliveries[-1].taker == act.by
    if not already and (act.by == RECIPIENT or (act.by == SENDER and len(custody.segments) > 1)):
        assert isinstance(act.data, HandoffAccepted)
        left = [each for each in acts if isinstance(each.data, ParcelDropped) and each.order < act.order]
        in_locker = bool(left) and isinstance(left[-1].data, ParcelDropped) and left[-1].data.place is DropPlace.LOCKER
        unattended = act.data.unattended or registry.role(giver) is PartyRole.LOCKER or in_locker
        custody.deliveries.append(Delivery(act.t, act.by, act, unattended, left=False))


def _implied(act: Act, registry: Registry, settings: Settings) -> bool:
    return not isinstance(act.data, (HandoffAccepted, ParcelDropped)) or is_typed_in(act, registry, settings)


def _note_wrong_taker(custody: Custody, act: Act, giver: str, acts: Sequence[Act], settings: Settings) -> None:
    """R1: the actual taker beats the named one."""
    named = [
        each
        for each in acts
        if isinstance(each.data, HandoffReleased)
        and each.by == giver
        and abs(each.t - act.t) <= settings.handoff_window
        and each.data.taker is not None
    ]
    if named and isinstance(named[-1].data, HandoffReleased) and named[-1].data.taker != act.by:
        custody.wrong.append(act)


def _move(custody: Custody, party: str, act: Act) -> None:
    custody.segments[-1].end = act.t
    custody.segments.append(Segment(party, act.t, None, act))


def _imply(custody: Custody, act: Act, acts: Sequence[Act], party: str | None = None) -> None:
    """R1: an implied takeover; the time since the holder's last act belongs to both."""
    taker = party or act.by
    holder = custody.segments[-1]
    if holder.party == taker:
        return
    at_hand = [each for each in acts if isinstance(each.data, Scan) and not isinstance(each.data, ReturnOrdered)]
    before = [each.t for each in at_hand if each.by == holder.party and each.order < act.order]
    custody.zones.append(Zone(holder.party, taker, max(before, default=holder.start), act.t))
    _move(custody, taker, act)


def _handles(act: Act, custody: Custody, settings: Settings) -> bool:
    """R1: a physical event; a release is one where somebody looks at it who did not just hand it to the holder."""
    if not isinstance(act.data, HandoffReleased):
        return isinstance(act.data, PHYSICAL)
    now = custody.segments[-1]
    to_holder = act.data.taker in (None, now.party)
    just_now = now.start is not None and act.t - now.start <= settings.handoff_window
    return bool(act.observations) and not (to_holder and just_now)


def _takes_over(custody: Custody, act: Act, acts: Sequence[Act], registry: Registry, settings: Settings) -> bool:
    """R1: which physical acts of somebody who does not hold it imply that it took it over."""
    holder = custody.segments[-1]
    if act.by == holder.party or registry.role(act.by) not in TAKING:
        return False
    if says_not_here(act) or is_neutral_survey(act, registry) or _only_reads_a_logger(act):
        return False
    if isinstance(act.data, UnitPacked) and act.data.kind is UnitKind.MANIFEST:
        return False
    both = any(registry.same(party, holder.party) for party in other_side(act, registry))
    if isinstance(act.data, ConditionObserved) and both:
        return False  # a joint look
    if custody.deliveries and custody.deliveries[-1].taker == holder.party:
        back = [each.t for each in acts if isinstance(each.data, ReturnOrdered) and each.order < act.order]
        if not back or max(back) < custody.deliveries[-1].t:
            return False  # after delivery, and not on the way back (R24)
    before = custody.segments[-2].party if len(custody.segments) > 1 else None
    if before == act.by and holder.start is not None and act.t - holder.start <= settings.clock_skew:
        return False  # its clock may be that much behind
    return not any(
        isinstance(later.data, HandoffAccepted)
        and later.by == act.by
        and not is_proxy(later)
        and not is_typed_in(later, registry, settings)
        and act.t <= later.t <= act.t + settings.handoff_window
        for later in acts
    )


def _only_reads_a_logger(act: Act) -> bool:
    return isinstance(act.data, ConditionObserved) and act.data.logger is not None and not act.observations


def _drop(
    custody: Custody, act: Act, acts: Sequence[Act], registry: Registry, settings: Settings, paper: Paper
) -> None:
    """R26: a drop with consent; R13e: one without, or at the wrong address (R33), moves nothing."""
    data = act.data
    assert isinstance(data, ParcelDropped)
    if custody.deliveries and custody.deliveries[-1].taker == custody.segments[-1].party:
        return
    in_force = paper.address
    for each in acts:
        if isinstance(each.data, Redirected) and each.recorded <= act.t:
            in_force = each.data.address
    elsewhere = data.address is not None and in_force is not None and data.address != in_force
    if data.consent is not True or elsewhere or is_typed_in(act, registry, settings):
        custody.void_drops.append(act)
        return
    if custody.segments[-1].party != act.by and registry.role(act.by) is PartyRole.CARRIER:
        _imply(custody, act, acts)
    if data.to is None or data.to == RECIPIENT:
        _move(custody, RECIPIENT, act)
        custody.deliveries.append(Delivery(act.t, RECIPIENT, act, unattended=False, left=True))
        return
    if not registry.same(data.to, custody.segments[-1].party):
        _move(custody, data.to, act)
    if settings.drop_is_delivery:
        custody.deliveries.append(Delivery(act.t, RECIPIENT, act, unattended=False, left=True))


def first_acceptance(custody: Custody) -> Act | None:
    """The first explicit acceptance, if by it the item left the sender, and not unseen before."""
    taken = [(act, giver) for act, giver in custody.takings if giver != act.by]
    if not taken or taken[0][1] != SENDER or custody.segments[0].end != taken[0][0].t:
        return None
    return taken[0][0]

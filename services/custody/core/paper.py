"""Paper: what redirections, holds and signed lists say of a parcel's way. None of it is custody by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import structs

from schemas.events import ClaimPaid, EventCorrected, HoldPlaced, ParcelAnnounced, ParcelDropped, Redirected
from schemas.vocabulary import RECIPIENT, SENDER, HoldReason, PartyRole
from services.custody.core.acts import Act, Kind
from services.custody.core.bearing import is_unasked
from services.custody.core.facts import Evidence, Fact
from services.custody.core.grades import Standing, standing_of
from services.custody.core.instants import BEGINNING, later
from services.custody.core.policy import Contract, Policy
from services.custody.core.registry import Registry

EXCUSING = (HoldReason.CUSTOMS, HoldReason.RECIPIENT_REQUEST, HoldReason.ADDRESS_ERROR, HoldReason.FORCE_MAJEURE)
"""R22: why a wait may be nobody's fault."""

_UNBIASED = (PartyRole.SENDER, PartyRole.RECIPIENT, PartyRole.SURVEYOR, PartyRole.AUTHORITY)
"""Who has no delay of its own to excuse."""


_PAPERWORK = (Redirected, HoldPlaced)
_RETRACTABLE = (*_PAPERWORK, ClaimPaid)


class Hold(NamedTuple):
    """A time in which it waited for a reason that excuses."""

    party: str
    since: datetime
    until: datetime
    event: str


@dataclass(frozen=True, slots=True)
class Paper:
    """What was written, as far as it counts."""

    contract: Contract
    """With what redirections have changed of it."""
    addresses: tuple[tuple[datetime, str], ...] = ()
    """Since when which address is in force, in order."""
    redirected: tuple[Fact, ...] = ()
    """R33: the redirections that count, in the order of recording."""
    holds: tuple[Hold, ...] = ()
    unconfirmed: tuple[Act, ...] = ()
    """Acceptances of a list, with a valid reservation about its count, that show nothing of this line (R1)."""
    set_aside: tuple[tuple[Fact, str], ...] = ()

    def address_at(self, instant: datetime) -> str | None:
        """Where it was to be delivered at an instant; None where nobody wrote that down."""
        in_force = None
        for since, address in self.addresses:
            if since <= instant:
                in_force = address
        return in_force


NO_PAPER = Paper(Contract(ParcelAnnounced()))


def taken_back(evidence: Evidence, counted: Sequence[Fact], registry: Registry, policy: Policy) -> list[Fact]:
    """R18: the holds, redirections and payments that their authors corrected.

    A correction that was itself corrected later corrects nothing.
    """
    corrections = [fact for fact in counted if isinstance(fact.data, EventCorrected)]
    papers = [fact for fact in counted if isinstance(fact.data, _RETRACTABLE)] if corrections else []
    if not papers:
        return []
    gone: list[Fact] = []
    for fact in sorted(corrections, key=lambda each: each.order, reverse=True):
        data = fact.data
        assert isinstance(data, EventCorrected)
        standing = standing_of(fact, fact.t, registry, policy, evidence.signatures)
        author = registry.entity(data.party)
        if fact in gone or standing.why is not None or registry.entity(standing.speaker) != author:
            continue
        earlier = (each for each in corrections if each.order < fact.order)
        gone += [
            each
            for each in (*papers, *earlier)
            if each.id == data.corrects and registry.entity(_author(each)) == author
        ]
    return [fact for fact in gone if fact in papers]


def _author(fact: Fact) -> str:
    assert isinstance(fact.data, (EventCorrected, *_RETRACTABLE))
    return fact.data.party


def read(
    evidence: Evidence,
    counted: Sequence[Fact],
    acts: Sequence[Act],
    unconfirmed: Sequence[Act],
    contract: Contract,
    registry: Registry,
    policy: Policy,
) -> Paper:
    """The paper of a parcel. `acts` are those that count, `contract` is what was announced."""
    if not any(type(fact.data) in _PAPERWORK for fact in counted):
        return Paper(contract, _addresses(contract, ()), unconfirmed=tuple(unconfirmed))
    reader = _Reader(evidence, registry, policy, _first_taken_over(acts))
    redirected = reader.redirections(counted, contract)
    # A redirection says what is to happen: what was delivered before it was recorded went by the terms before.
    tendered = min((act.t for act in acts if _is_tendered(act)), default=None)
    addresses = _addresses(contract, redirected)
    for fact in redirected:
        broken = contract.promised(_first_taken_over(acts))
        # Nor does it mend a promise that was broken by then.
        if all(t is None or fact.record_time <= t for t in (tendered, broken)):
            contract = _changed(contract, fact)
    holds = reader.holds(counted, contract)
    return Paper(contract, addresses, redirected, holds, tuple(unconfirmed), tuple(reader.set_aside))


class _Reader:
    """What every paper is judged by."""

    def __init__(self, evidence: Evidence, registry: Registry, policy: Policy, taken_over: datetime | None) -> None:
        self._evidence = evidence
        self._registry = registry
        self._policy = policy
        self._taken_over = taken_over
        self.set_aside: list[tuple[Fact, str]] = []

    def redirections(self, counted: Iterable[Fact], contract: Contract) -> tuple[Fact, ...]:
        """R33: those that count. They come from whoever sold the carriage, as the announcement does."""
        found = sorted((fact for fact in counted if isinstance(fact.data, Redirected)), key=lambda fact: fact.order)
        return tuple(fact for fact in found if self._counts(fact, contract, as_paperwork=True))

    def holds(self, counted: Iterable[Fact], contract: Contract) -> tuple[Hold, ...]:
        """R22: the waits that excuse."""
        found = []
        for fact in counted:
            data = fact.data
            if isinstance(data, HoldPlaced) and data.because in EXCUSING and self._counts(fact, contract):
                found.append(Hold(data.party, fact.t, later(fact.t, timedelta(hours=data.hours)), fact.id))
        return tuple(sorted(found))

    def _counts(self, fact: Fact, contract: Contract, *, as_paperwork: bool = False) -> bool:
        """R18: an unsigned note that excuses its author has no effect once the promised time has gone by."""
        standing = self._standing(fact)
        why = standing.why
        if as_paperwork and why == "UNKNOWN_DEVICE":
            why = None
        promised = contract.promised(self._taken_over)
        late = promised is not None and fact.record_time > promised
        if why is None and late and not standing.signed and self._registry.role(standing.speaker) not in _UNBIASED:
            why = "SELF_SERVING"
        if why is not None:
            self.set_aside.append((fact, why))
        return why is None

    def _standing(self, fact: Fact) -> Standing:
        return standing_of(fact, fact.t, self._registry, self._policy, self._evidence.signatures)


def _first_taken_over(acts: Sequence[Act]) -> datetime | None:
    return next((act.t for act in acts if act.physical and act.party not in (SENDER, RECIPIENT)), None)


def _is_tendered(act: Act) -> bool:
    """Whether the carrier has done its part: it was taken or refused at the end of the way, or left as agreed."""
    if act.kind is Kind.DROP:
        return isinstance(act.fact.data, ParcelDropped) and act.fact.data.consent is True
    return act.kind in (Kind.ACCEPT, Kind.REFUSE) and act.party in (SENDER, RECIPIENT) and not is_unasked(act)


def _addresses(contract: Contract, redirected: Sequence[Fact]) -> tuple[tuple[datetime, str], ...]:
    announced = contract.announced.address
    found = [(BEGINNING, announced)] if announced is not None else []
    found += [(fact.record_time, fact.data.address) for fact in redirected if isinstance(fact.data, Redirected)]
    return tuple(found)


def _changed(contract: Contract, fact: Fact) -> Contract:
    """R33: what a redirection says replaces what was agreed before; what it leaves out stays."""
    data = fact.data
    assert isinstance(data, Redirected)
    announced = contract.announced
    if data.promised_at is not None or data.promised_after_hours is not None:
        announced = structs.replace(
            announced, promised_at=data.promised_at, promised_after_hours=data.promised_after_hours
        )
    if data.plan:
        freight = {leg.party: leg.freight for leg in contract.announced.plan}
        plan = (structs.replace(leg, freight=leg.freight or freight.get(leg.party)) for leg in data.plan)
        announced = structs.replace(announced, plan=tuple(plan))
    return Contract(announced)

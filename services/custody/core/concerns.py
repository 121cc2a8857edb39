"""PURE. What an event concerns beside its own subject: whose act it is, whom and what it names, who must look again."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from schemas.errors import Undecodable
from schemas.events import (
    ConditionObserved,
    DeadlinePassed,
    DeliveryRefused,
    DeviceEnrolled,
    Event,
    EventCorrected,
    HandoffAccepted,
    HandoffReleased,
    HoldPlaced,
    NoticeGiven,
    ParcelAnnounced,
    ParcelDropped,
    ParcelRelabelled,
    PartyRegistered,
    Redirected,
    Reservation,
    ReturnOrdered,
    Scan,
    UnitPacked,
    UnitUnpacked,
)
from schemas.identifiers import parse_source, parse_subject
from schemas.vocabulary import Condition, Defect, Facet
from services.custody.core.facts import Fact

_DEFECTS = frozenset(Defect)
"""Grounds that say something is wrong; that nobody could look says nothing of the parcel (R6)."""

POLICY = "policy:DEFAULT"
"""The subject of the settings."""

REGISTRIES = frozenset({"device", "party", "site", "policy"})
"""Issuers of subjects that are no parcels: what is recorded about them bears on many parcels."""

AWAITED = "first_acceptance"
"""The `deadline` of a watch row whose instant is unknown until somebody has taken the parcel over."""


def is_registry(subject: str) -> bool:
    """Whether the subject is a device, a party, a site or the policy instead of a parcel or unit."""
    return subject.partition(":")[0] in REGISTRIES


def device_subject(source: str) -> str | None:
    """The subject under which the device behind a source is registered; None when the source names no device."""
    try:
        return parse_source(source).subject
    except Undecodable:
        return None


def party_subject(party: str) -> str:
    """The subject under which a party is registered."""
    return f"party:{party.upper()}"


class Naming(StrEnum):
    """In which role an event names a subject beside its own."""

    PACKED = "packed"
    UNPACKED = "unpacked"
    RELABELLED = "relabelled"
    HOLDS = "holds"


def mentions(subject: str, data: Event) -> tuple[tuple[str, Naming], ...]:
    """The other parcels and units that an event about `subject` names, canonical; what names none is left out."""
    named = ((canonical(text), role) for text, role in _named_items(data))
    return tuple(dict.fromkeys((item, role) for item, role in named if item is not None and item != subject))


def _named_items(data: Event) -> Iterator[tuple[str, Naming]]:
    match data:
        case UnitPacked(unit=unit):
            yield unit, Naming.PACKED
        case UnitUnpacked(unit=unit):
            yield unit, Naming.UNPACKED
        case ParcelRelabelled(old=old, new=new):
            yield old, Naming.RELABELLED
            yield new, Naming.RELABELLED
        case NoticeGiven(holds=str(item)):
            yield item, Naming.HOLDS


def goods_of(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The other parcels whose goods these facts say are in this one (R29), sorted."""
    named = {item for fact in facts for item, role in mentions(fact.subject, fact.data) if role is Naming.HOLDS}
    return tuple(sorted(named))


def canonical(item: str) -> str | None:
    """Another item's subject in canonical form; None for what names none."""
    try:
        return str(parse_subject(item))
    except Undecodable:
        return None


def labels(subject: str, facts: Iterable[Fact]) -> frozenset[str]:
    """Every code that the item has been under, by the relabellings among these facts."""
    found = {subject}
    pairs = [
        {fact.subject, *(item for item, role in mentions(fact.subject, fact.data) if role is Naming.RELABELLED)}
        for fact in facts
        if isinstance(fact.data, ParcelRelabelled)
    ]
    while joined := [pair for pair in pairs if pair & found and not pair <= found]:
        found.update(*joined)
    return frozenset(found)


def policies(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The subjects of the settings that these facts go by: the tenant's own, and those that an announcement names."""
    named = {fact.data.policy for fact in facts if isinstance(fact.data, ParcelAnnounced) and fact.data.policy}
    return (POLICY, *sorted(policy_subject(code) for code in named))


def policy_subject(code: str) -> str:
    """The subject under which settings are set."""
    return f"policy:{code.upper()}"


def sites(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The subjects of the sites that these facts name, sorted."""
    named = {site for fact in facts if isinstance(site := getattr(fact.data, "site", None), str)}
    found = {canonical(f"site:{site}") for site in named}
    return tuple(sorted(subject for subject in found if subject is not None))


def acting_party(data: Event) -> str | None:
    """Whose act the event is."""
    match data:
        case HandoffReleased(giver=party) | HandoffAccepted(taker=party):
            return party
        case ParcelAnnounced(contracting=party):
            return party
    party = getattr(data, "party", None)
    return party if isinstance(party, str) else None


_WAKING = (
    ParcelAnnounced,
    DeadlinePassed,
    EventCorrected,
    HoldPlaced,
    Redirected,
    ParcelDropped,
    DeliveryRefused,
    ReturnOrdered,
)
"""Types that set, move or end a wait by what they are."""


def wakes(data: Event) -> bool:
    """Whether the event may by itself open a case, or set or end a wait: then its subject is looked at afterwards."""
    return reports(data) or weighs(data) or isinstance(data, _WAKING)


def reports(data: Event) -> bool:
    """Whether the event says that something is wrong. What it is worth is for the rules."""
    match data:
        case NoticeGiven():
            return True
        case HandoffAccepted(reservation=Reservation(grounds=grounds)) if grounds in _DEFECTS:
            return True
        case ConditionObserved(reservation=Reservation(grounds=grounds)) if grounds in _DEFECTS:
            return True
        case UnitPacked(observations=observations) | UnitUnpacked(observations=observations):
            # A seal that is named here is the unit's: one incident there, and none of each thing that was inside.
            return any(
                (seen.value is Condition.BAD or seen.tamper) and seen.facet is not Facet.SEAL for seen in observations
            )
        case Scan(observations=observations, seal=seal):
            return (seal is not None and seal.match is False) or any(
                seen.value is Condition.BAD or seen.tamper for seen in observations
            )
    return False


def opens(data: Event) -> bool:
    """Whether a subject with such an event may have a case; without any it has none, and nothing is computed."""
    return reports(data) or weighs(data) or isinstance(data, DeadlinePassed)


def weighs(data: Event) -> bool:
    """Whether the event tells a mass, which may be short of an earlier one (R12)."""
    return isinstance(data, Scan) and any(seen.grams is not None for seen in data.observations)


def promised(facts: Iterable[Fact]) -> bool:
    """Whether a time of delivery was promised."""
    return any(
        isinstance(fact.data, (ParcelAnnounced, Redirected))
        and (fact.data.promised_at is not None or fact.data.promised_after_hours is not None)
        for fact in facts
    )


def named_parties(facts: Iterable[Fact]) -> frozenset[str]:
    """Every party that the facts name in any role: whose registration may bear on the answer."""
    found: set[str | None] = set()
    for fact in facts:
        found.add(fact.envelope.recordedparty)
        for name in ("giver", "taker", "party", "to", "contracting"):
            found.add(getattr(fact.data, name, None))
        found |= {signer.party for signer in getattr(fact.data, "countersigned", ())}
        if isinstance(fact.data, (ParcelAnnounced, Redirected)):
            found |= {leg.party for leg in fact.data.plan}
        if isinstance(fact.data, PartyRegistered):
            found.add(fact.data.entity)
    return frozenset(party for party in found if party)


def first_report(facts: Iterable[Fact]) -> datetime | None:
    """When it was first recorded that something is wrong."""
    return min((fact.record_time for fact in facts if reports(fact.data)), default=None)


def devices(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The subjects of the devices that made these events, sorted."""
    return tuple(sorted({subject for fact in facts if (subject := device_subject(fact.envelope.source))}))


def enrolled_keys(registry: Iterable[Fact]) -> Mapping[tuple[str | None, str | None], frozenset[str]]:
    """Public keys by device subject and key id, over every enrolment there is: whether one counts is for the rules."""
    keys: dict[tuple[str | None, str | None], frozenset[str]] = {}
    for fact in registry:
        if isinstance(fact.data, DeviceEnrolled):
            subject = f"device:{fact.data.device.upper()}"
            for key in fact.data.keys:
                keys[subject, key.keyid] = keys.get((subject, key.keyid), frozenset()) | {key.public_key}
    return keys

"""A journey as it is told and recorded: events with their times, and the registry around them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from schemas import codec
from schemas.events import (
    DeviceEnrolled,
    DeviceKey,
    Event,
    PartyRegistered,
    PolicySet,
)
from schemas.positions import AsOf, Position
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    PartyRole,
)
from services.custody.core.facts import Fact

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
PARCEL = "test:PARCEL"
BAG = "test:BAG1"
CARRIERS = ("C1", "H1", "LH", "H2")
ROLES = {
    "LOK": PartyRole.LOCKER,
    "CUS": PartyRole.AUTHORITY,
    "SVY": PartyRole.SURVEYOR,
    SENDER: PartyRole.SENDER,
    RECIPIENT: PartyRole.RECIPIENT,
}
PHOTO = "0" * 64
INSTRUMENTS = ("camera", "scale", "scanner")


@dataclass(frozen=True)
class Told:
    """One event before it is recorded."""

    id: str
    by: str
    t: timedelta
    recorded: timedelta
    data: Event
    signed: bool = True
    subject: str = PARCEL


@dataclass(frozen=True)
class Journey:
    """What happened to one parcel, and when somebody asks."""

    told: tuple[Told, ...]
    registry: tuple[Told, ...] = field(repr=False)
    as_of: AsOf = field(default_factory=lambda: AsOf(DAY_0 + timedelta(days=90)))


def key_of(party: str) -> str:
    """A stand-in for a public key; signatures are looked up, not computed."""
    return party.lower().encode().hex().ljust(64, "0")[:64]


def record(journey: Journey) -> tuple[list[Fact], dict[tuple[Position, str], bool]]:
    """The facts that recording a journey gives, and which of their signatures are good."""
    facts, good = [], {}
    told = sorted((*journey.registry, *journey.told), key=lambda each: each.recorded)
    for offset, each in enumerate(told):
        position = Position(0, offset)
        envelope = codec.Envelope(
            id=each.id,
            source=f"/depots/{each.by}/devices/d",
            type=each.data.TYPE,
            subject=each.subject,
            time=codec.format_instant(DAY_0 + each.t),
            data=msgspec.json.encode(each.data),
            keyid=each.by if each.signed else None,
            signature="good" if each.signed else None,
            clockoffsetms=0,
        )
        if each.signed:
            good[(position, key_of(each.by))] = True
        facts.append(
            Fact(
                position=position,
                record_time=DAY_0 + each.recorded,
                event_time=DAY_0 + each.t,
                envelope=envelope,
                data=each.data,
                identity=codec.identity(envelope.source, envelope.id),
                content_hash=codec.content_hash(envelope),
                subject=each.subject,
            )
        )
    return facts, good


def registry(policy: PolicySet, entities: dict[str, str]) -> tuple[Told, ...]:
    said: list[tuple[str, Event]] = [("policy:DEFAULT", policy)]
    for party in (*CARRIERS, *ROLES):
        role = ROLES.get(party, PartyRole.CARRIER)
        said.append((f"party:{party}", PartyRegistered(party=party, role=role, entity=entities.get(party))))
        keys = (DeviceKey(keyid=party, public_key=key_of(party)),)
        enrolled = DeviceEnrolled(device=f"{party}.d", party=party, keys=keys, instruments=INSTRUMENTS)
        said.append((f"device:{party}.D", enrolled))
    return tuple(
        Told(f"r{at}", "OFFICE", timedelta(), timedelta(seconds=at), data, signed=False, subject=subject)
        for at, (subject, data) in enumerate(said)
    )

"""A whole day: every parcel's story, turned into events in the order in which they reach the server."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from schemas import codec
from schemas.events import DeviceEnrolled, DeviceKey, Event, PartyRegistered
from services.simulate.dice import dice, event_id
from services.simulate.habits import Habits
from services.simulate.journey import Draft, Journey
from services.simulate.network import OFFICE, Network, build
from services.simulate.truth import Harm
from services.simulate.upload import LOCAL, upload_all

DAY = timedelta(hours=24)
REGISTERED_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Day:
    """A generated day. Equal arguments give equal bytes."""

    network: Network
    registry: tuple[codec.Envelope, ...]
    """Who everybody is; to be recorded before the rest."""
    scans: tuple[codec.Envelope, ...]
    """Announcements, scans and notices in upload order, repeats included."""
    harms: tuple[Harm, ...]
    parcels: tuple[str, ...]
    repeats: int
    """How many of `scans` had been sent before."""

    @property
    def envelopes(self) -> tuple[codec.Envelope, ...]:
        """Everything in the order to post it."""
        return self.registry + self.scans


def generate(seed: int, parcels: int, end: datetime, habits: Habits | None = None) -> Day:
    """The 24 hours up to `end`, an instant with a zone. Reads no clock, and no chance but the seed's.

    The same seed tells the same story whenever it ends, under other ids.
    """
    habits = habits or Habits()
    end = end.astimezone(UTC)
    start = end - DAY
    # The seed alone decides what happens; ids and codes hang on the end too, so that no two days share any.
    names = (seed, end.isoformat())
    network = build(seed, start, habits)
    drafts: list[Draft] = []
    harms: list[Harm] = []
    subjects: list[str] = []
    for number in range(parcels):
        journey = Journey(_waybill(number, *names), network, habits, dice(seed, "parcel", number), start)
        journey.run()
        drafts += journey.drafts
        subjects.append(journey.parcel)
        if journey.harm is not None:
            harms.append(journey.harm)
    uploads = upload_all(drafts, habits, seed, *names)
    shown = {upload.envelope.subject for upload in uploads if upload.shows}
    return Day(
        network=network,
        registry=tuple(_registry(network, start - REGISTERED_BEFORE, *names)),
        scans=tuple(upload.envelope for upload in uploads),
        harms=tuple(msgspec.structs.replace(harm, reported=harm.parcel in shown) for harm in harms),
        parcels=tuple(subjects),
        repeats=sum(upload.repeat for upload in uploads),
    )


def _waybill(number: int, *names: object) -> str:
    """A code that another seed or another day does not use again, short of chance."""
    day = hashlib.sha256("/".join(str(name) for name in names).encode()).hexdigest()[:8].upper()
    return f"sim:{day}{number:06d}"


def _registry(network: Network, at: datetime, *names: object) -> Iterator[codec.Envelope]:
    chance = dice(*names, "registry")
    for party in network.parties.values():
        data = PartyRegistered(party=party.name, role=party.role)
        yield _announce(event_id(chance), at, f"party:{party.name}", data)
    for device in network.devices:
        keys = (DeviceKey(keyid=device.keyid, public_key=device.public_key),) if device.public_key else ()
        enrolled = DeviceEnrolled(
            device=device.source.device_id, party=device.party, keys=keys, instruments=device.instruments
        )
        yield _announce(event_id(chance), at, device.source.subject, enrolled)


def _announce(identifier: str, at: datetime, subject: str, data: Event) -> codec.Envelope:
    return codec.Envelope(
        id=identifier,
        source=str(OFFICE),
        type=data.TYPE,
        subject=subject,
        time=at.astimezone(LOCAL).isoformat(timespec="milliseconds"),
        data=msgspec.json.encode(data),
    )

"""A whole day: every parcel's story, turned into events in the order in which they reach the server."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from schemas import codec
from schemas.events import DeviceEnrolled, DeviceKey, Event, PartyRegistered
from services.simulate.dice import dice, event_id
from services.simulate.habits import Habits
from services.simulate.journey import travel
from services.simulate.network import OFFICE, Network, build
from services.simulate.noise import NONE, Noise
from services.simulate.scribe import Draft
from services.simulate.truth import Harm, Sight
from services.simulate.upload import LOCAL, Upload, upload_all

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
    recorded: tuple[datetime, ...]
    """When each of `scans` arrives."""
    harms: tuple[Harm, ...]
    parcels: tuple[str, ...]
    repeats: int
    """How many of `scans` had been sent before."""

    @property
    def envelopes(self) -> tuple[codec.Envelope, ...]:
        """Everything in the order to post it."""
        return self.registry + self.scans


def generate(seed: int, parcels: int, end: datetime, habits: Habits | None = None, noise: Noise = NONE) -> Day:
    """The 24 hours up to `end`, an instant with a zone. Reads no clock, and no chance but the seed's.

    The same seed tells the same story whenever it ends, under other ids; and whatever the noise, which changes only
    what is written down of it.
    """
    habits = habits or Habits()
    end = end.astimezone(UTC)
    start = end - DAY
    # The seed alone decides what happens; ids and codes hang on the end too, so that no two days share any.
    names = (seed, end.isoformat())
    network = build(seed, start, habits, noise)
    drafts: list[Draft] = []
    harms: list[Harm] = []
    subjects: list[str] = []
    for number in range(parcels):
        parcel = _waybill(number, *names)
        chance, blur = dice(seed, "parcel", number), dice(seed, "noise", number)
        journey = travel(parcel, network, habits, noise, chance, blur, start)
        drafts += journey.scribe.drafts
        subjects.append(parcel)
        if journey.harm is not None:
            harms.append(journey.harm)
    uploads = upload_all(drafts, habits, seed, *names)
    seen = _seen(uploads)
    shown = {upload.envelope.subject for upload in uploads if upload.shows}
    return Day(
        network=network,
        registry=tuple(_registry(network, start - REGISTERED_BEFORE, *names)),
        scans=tuple(upload.envelope for upload in uploads),
        recorded=tuple(upload.at for upload in uploads),
        harms=tuple(
            msgspec.structs.replace(harm, reported=harm.parcel in shown, sights=seen.get(harm.parcel, ()))
            for harm in harms
        ),
        parcels=tuple(subjects),
        repeats=sum(upload.repeat for upload in uploads),
    )


def _seen(uploads: Iterable[Upload]) -> dict[str, tuple[Sight, ...]]:
    """Of each parcel the looks that arrive, in the order of seeing."""
    found: defaultdict[str, list[Sight]] = defaultdict(list)
    for upload in uploads:
        if not upload.repeat:
            for sight in upload.sights:
                found[upload.parcel].append(msgspec.structs.replace(sight, recorded=upload.at))
    return {parcel: tuple(sorted(sights, key=lambda sight: sight.at)) for parcel, sights in found.items()}


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

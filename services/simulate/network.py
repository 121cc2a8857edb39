"""The courier network: who carries, where, and with which devices and keys."""

import hashlib
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.identifiers import Source
from schemas.vocabulary import RECIPIENT, SENDER, PartyRole
from services.simulate.dice import between, dice
from services.simulate.habits import Habits
from services.simulate.noise import NONE, Noise

CITIES = ("SHA", "HGH", "NKG", "PEK", "CAN", "CTU")
LINES = ("LINE-EAST", "LINE-NORTH", "LINE-SOUTH")
OFFICE = Source("office", "console")
"""Where registrations and announcements come from."""
CLAIMS_DESK = Source("claims", "desk")
"""Where staff write down what claimants tell them."""
CAMERA = "camera"
SCALE = "scale"


@dataclass(frozen=True, slots=True)
class Device:
    """One device for one day."""

    source: Source
    party: str
    key: Ed25519PrivateKey | None
    instruments: tuple[str, ...]
    offset: timedelta
    """Its clock minus true time."""
    offline: tuple[datetime, datetime] | None
    """What it records in between, it uploads at the end of it."""
    measured: bool = True
    """Whether its uploads tell by how much its clock is off."""

    @property
    def keyid(self) -> str:
        """The name of its key."""
        return f"{self.source.device_id}.k1"

    @property
    def public_key(self) -> str | None:
        """Raw public key in lower-case hex; None when it has no key."""
        return None if self.key is None else self.key.public_key().public_bytes_raw().hex()


@dataclass(frozen=True, slots=True)
class Party:
    """A custodian with its depot, or a party on the edge of the chain with an app."""

    name: str
    role: PartyRole
    depot: str
    handhelds: tuple[Device, ...]
    sorter: Device | None = None

    @property
    def site(self) -> str:
        """Its site."""
        return self.depot

    @property
    def devices(self) -> tuple[Device, ...]:
        """All of them."""
        return self.handhelds if self.sorter is None else (*self.handhelds, self.sorter)


@dataclass(frozen=True, slots=True)
class Network:
    """All parties by name."""

    parties: dict[str, Party]

    @property
    def devices(self) -> tuple[Device, ...]:
        """Every device."""
        return tuple(device for party in self.parties.values() for device in party.devices)

    @property
    def depots(self) -> tuple[str, ...]:
        """Every depot that needs a scanner key, sorted."""
        return tuple(sorted({device.source.depot for device in self.devices}))

    def route(self, chance: random.Random) -> tuple[str, ...]:
        """The carriers of one parcel, in order: a fifth stay in their city, the others cross by linehaul."""
        origin = chance.choice(CITIES)
        if chance.random() < 0.2:
            return (f"{origin}-S1", f"{origin}-HUB", f"{origin}-S2")
        target = chance.choice([city for city in CITIES if city != origin])
        return (
            f"{origin}-S{chance.randint(1, 2)}",
            f"{origin}-HUB",
            chance.choice(LINES),
            f"{target}-HUB",
            f"{target}-S{chance.randint(1, 2)}",
        )


def build(seed: int, start: datetime, habits: Habits, noise: Noise = NONE) -> Network:
    """The network on the day that begins at `start`. Keys and troubles of devices hang on the seed."""
    parties = [
        party
        for city in CITIES
        for party in (
            _carrier(seed, start, habits, noise, f"{city}-S1", handhelds=2),
            _carrier(seed, start, habits, noise, f"{city}-S2", handhelds=2),
            _carrier(seed, start, habits, noise, f"{city}-HUB", handhelds=3, sorter=True),
        )
    ]
    parties += [_carrier(seed, start, habits, noise, line, handhelds=3) for line in LINES]
    parties += [_customer(seed, SENDER, PartyRole.SENDER), _customer(seed, RECIPIENT, PartyRole.RECIPIENT)]
    return Network({party.name: party for party in parties})


def _carrier(
    seed: int, start: datetime, habits: Habits, noise: Noise, name: str, *, handhelds: int, sorter: bool = False
) -> Party:
    depot = name.lower()

    def device(code: str, *instruments: str) -> Device:
        return _device(seed, start, habits, noise, Source(depot, code), name, instruments)

    return Party(
        name=name,
        role=PartyRole.CARRIER,
        depot=depot,
        handhelds=tuple(device(f"pda{number}", SCALE) for number in range(1, handhelds + 1)),
        sorter=device("sorter", CAMERA, SCALE) if sorter else None,
    )


def _customer(seed: int, name: str, role: PartyRole) -> Party:
    """Customers act through the operator's app, which signs for them: one device each, always online."""
    source = Source("app", name.lower())
    device = Device(source, name, _key(seed, source), (), timedelta(), None)
    return Party(name=name, role=role, depot=source.depot, handhelds=(device,))


def _device(
    seed: int, start: datetime, habits: Habits, noise: Noise, source: Source, party: str, instruments: tuple[str, ...]
) -> Device:
    unsigned = CAMERA not in instruments and dice(seed, "old", source).random() < habits.device_unsigned
    luck = dice(seed, "device", source)
    offset = timedelta(milliseconds=round(luck.gauss(0, 4000)))
    if luck.random() < habits.device_clock_wrong:
        offset += timedelta(seconds=luck.choice((-1, 1)) * luck.randint(60, 240))
    offline = None
    if luck.random() < habits.device_offline:
        begin = start + between(luck, timedelta(hours=1), timedelta(hours=18))
        offline = (begin, begin + between(luck, timedelta(hours=1), timedelta(hours=5)))
    measured = True
    trouble = dice(seed, "clock", source)
    if trouble.random() < noise.clocks_off:
        offset += timedelta(seconds=trouble.choice((-1, 1)) * trouble.randint(120, 480))
        measured = trouble.random() < 0.5
    return Device(source, party, None if unsigned else _key(seed, source), instruments, offset, offline, measured)


def _key(seed: int, source: Source) -> Ed25519PrivateKey:
    """A key that anybody can derive who knows the seed: good for a simulation and for nothing else."""
    material = hashlib.sha256(f"lastintact simulated device/{seed}/{source}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(material)

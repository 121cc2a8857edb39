"""The three cases of the article as events. What the article says is in `facts`; the way in between is illustrative.

The article gives days and what was seen at both ends, not who carried: the carriers, their hours and who looked in
between are made up here so that there is something to reason about.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas import codec
from schemas.events import (
    Countersignature,
    DeviceEnrolled,
    DeviceKey,
    Event,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    Observation,
    Operator,
    ParcelAnnounced,
    PartyRegistered,
)
from schemas.identifiers import Source
from schemas.vocabulary import RECIPIENT, SENDER, CaptureMode, Condition, Facet, PartyRole
from services.simulate.network import OFFICE, Device
from services.simulate.upload import replace_envelope, sign

CHINA = timezone(timedelta(hours=8))
CARRIERS = ("PICKUP", "HUB-A", "TRUNK", "HUB-B", "COURIER")
"""Who carries each of the three: pick-up courier, first hub, linehaul, second hub, delivery courier."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the article."""

    letter: str
    parcel: str
    name_zh: str
    name_en: str
    facts: tuple[str, ...]
    """What the article says."""
    made_up: str
    """What it does not say and this demo fills in."""
    events: tuple[codec.Envelope, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """All three, with the parties and devices that they need."""

    registry: tuple[codec.Envelope, ...]
    guzheng: Case
    statue: Case
    computer: Case
    depots: tuple[str, ...]

    @property
    def all(self) -> tuple[Case, ...]:
        """In the article's order."""
        return (self.guzheng, self.statue, self.computer)

    @property
    def envelopes(self) -> tuple[codec.Envelope, ...]:
        """Everything in the order to post it."""
        return self.registry + tuple(event for case in self.all for event in case.events)


class _Scribe:
    """Writes signed events of one case, numbered in the order written."""

    def __init__(self, letter: str, parcel: str, devices: dict[str, Device]) -> None:
        self._letter = letter
        self._parcel = parcel
        self._devices = devices
        self.events: list[codec.Envelope] = []

    def announce(self, at: datetime, declared_yuan: int) -> None:
        data = ParcelAnnounced(contracting=CARRIERS[0], service="express", declared_value=declared_yuan * 100)
        self._write(at, None, data, "announced")

    def release(self, at: datetime, giver: str, taker: str) -> None:
        data = HandoffReleased(
            mode=CaptureMode.HUMAN_SCAN, site=giver, operator=_person(giver), giver=giver, taker=taker
        )
        self._write(at, giver, data, f"{giver}-release".lower())

    def accept(
        self,
        at: datetime,
        giver: str,
        taker: str,
        seen: dict[Facet, Condition] | None = None,
        countersigned: bool = False,
    ) -> None:
        identifier = f"{taker}-accept".lower()
        data = HandoffAccepted(
            mode=CaptureMode.HUMAN_INSPECT if seen else CaptureMode.HUMAN_SCAN,
            site=None if taker == RECIPIENT else taker,
            operator=_person(taker),
            taker=taker,
            giver=giver,
            observations=tuple(
                Observation(facet=facet, value=value, media=(self._photo(identifier, facet),))
                for facet, value in (seen or {}).items()
            ),
            countersigned=(Countersignature(party=giver),) if countersigned else (),
        )
        self._write(at, taker, data, identifier)

    def scan(self, at: datetime, party: str) -> None:
        data = ItemScanned(mode=CaptureMode.AUTO_SCAN, site=party, party=party)
        self._write(at, party, data, f"{party}-sorted".lower())

    def _photo(self, identifier: str, facet: Facet) -> str:
        return hashlib.sha256(f"{self._parcel}/{identifier}/{facet}".encode()).hexdigest()

    def _write(self, at: datetime, party: str | None, data: Event, identifier: str) -> None:
        device = self._devices[party] if party is not None else None
        envelope = codec.Envelope(
            id=f"case-{self._letter.lower()}-{identifier}",
            source=str(device.source if device is not None else OFFICE),
            type=data.TYPE,
            subject=self._parcel,
            time=at.isoformat(),
            data=msgspec.json.encode(data),
        )
        if device is not None:
            envelope = sign(replace_envelope(envelope, clockoffsetms=0), device)
        self.events.append(envelope)


def write(today: datetime) -> Cases:
    """The cases, laid into the last July that lies wholly behind `today`; the article gives days but no year."""
    year = today.year if today > datetime(today.year, 7, 10, tzinfo=CHINA) else today.year - 1
    devices = {party: _device(party) for party in (*CARRIERS, SENDER, RECIPIENT)}
    return Cases(
        registry=tuple(_registry(devices, datetime(year, 6, 1, 8, tzinfo=CHINA))),
        guzheng=_guzheng(devices, year),
        statue=_statue(devices, year),
        computer=_computer(devices, year),
        depots=tuple(sorted({device.source.depot for device in devices.values()})),
    )


def _guzheng(devices: dict[str, Device], year: int) -> Case:
    scribe = _Scribe("A", "demo:GUZHENG", devices)
    at = _july(year)
    sound = {Facet.PRESENCE: Condition.OK, Facet.OUTER: Condition.OK}
    scribe.announce(at(7, 9, 50), 500)
    scribe.accept(at(7, 10, 12), SENDER, "PICKUP", sound)
    scribe.release(at(7, 18, 40), "PICKUP", "HUB-A")
    scribe.accept(at(7, 18, 41), "PICKUP", "HUB-A", sound)
    scribe.release(at(7, 23, 5), "HUB-A", "TRUNK")
    scribe.accept(at(7, 23, 6), "HUB-A", "TRUNK")
    scribe.accept(at(8, 19, 32), "TRUNK", "HUB-B")
    scribe.scan(at(8, 20, 10), "HUB-B")
    scribe.release(at(9, 7, 19), "HUB-B", "COURIER")
    scribe.accept(at(9, 7, 20), "HUB-B", "COURIER")
    scribe.accept(at(9, 15, 48), "COURIER", RECIPIENT, {Facet.OUTER: Condition.BAD, Facet.CONTENTS: Condition.BAD})
    return Case(
        letter="A",
        parcel="demo:GUZHENG",
        name_zh="二手古筝",
        name_en="second-hand guzheng",
        facts=(
            "posted in Shanghai on 7 July, bag and outer cardboard intact; received on 9 July",
            "at delivery: cardboard torn, strings snapped, face damaged",
            "worth 150 yuan, declared 500 yuan; offered 30 yuan, after a complaint 45 yuan",
        ),
        made_up="carriers, hours, the look at the first hub",
        events=tuple(scribe.events),
    )


def _statue(devices: dict[str, Device], year: int) -> Case:
    scribe = _Scribe("B", "demo:STATUE", devices)
    at = _july(year)
    scribe.announce(at(5, 14, 0), 9000)
    seen = {Facet.PRESENCE: Condition.OK, Facet.OUTER: Condition.OK, Facet.CONTENTS: Condition.OK}
    scribe.accept(at(5, 14, 30), SENDER, "PICKUP", seen)
    for taker, giver, moment in (
        ("HUB-A", "PICKUP", at(5, 20, 15)),
        ("TRUNK", "HUB-A", at(6, 1, 40)),
        ("HUB-B", "TRUNK", at(7, 9, 5)),
        ("COURIER", "HUB-B", at(8, 8, 10)),
    ):
        scribe.release(moment - timedelta(minutes=1), giver, taker)
        scribe.accept(moment, giver, taker)
    scribe.accept(at(8, 11, 25), "COURIER", RECIPIENT, {Facet.CONTENTS: Condition.BAD}, countersigned=True)
    return Case(
        letter="B",
        parcel="demo:STATUE",
        name_zh="限量雕像",
        name_en="limited statue",
        facts=(
            "received in Anshan on 8 July and opened in the courier's presence: a key part shattered, beyond repair",
            "worth 10,000 yuan, declared 9,000 yuan, to be paid for on delivery; offered 500 yuan",
        ),
        made_up="carriers, hours, the look inside at pick-up",
        events=tuple(scribe.events),
    )


def _computer(devices: dict[str, Device], year: int) -> Case:
    scribe = _Scribe("C", "demo:COMPUTER", devices)
    at = _july(year)
    scribe.announce(at(6, 16, 0), 2000)
    scribe.accept(at(6, 16, 20), SENDER, "PICKUP", {Facet.PRESENCE: Condition.OK, Facet.OUTER: Condition.OK})
    for taker, giver, moment in (
        ("HUB-A", "PICKUP", at(6, 21, 0)),
        ("TRUNK", "HUB-A", at(7, 2, 30)),
        ("HUB-B", "TRUNK", at(8, 3, 50)),
        ("COURIER", "HUB-B", at(8, 9, 0)),
    ):
        scribe.accept(moment, giver, taker)
    scribe.accept(at(8, 12, 40), "COURIER", RECIPIENT, {Facet.OUTER: Condition.OK, Facet.CONTENTS: Condition.BAD})
    return Case(
        letter="C",
        parcel="demo:COMPUTER",
        name_zh="万元电脑",
        name_en="computer of the headline",
        facts=("damaged in transport", "worth 10,000 yuan, declared 2,000 yuan; paid 200 yuan"),
        made_up="days, carriers, hours, a sound carton at both ends, no look inside at pick-up",
        events=tuple(scribe.events),
    )


def _july(year: int) -> Callable[[int, int, int], datetime]:
    """Day, hour and minute of that July, by China's clocks."""
    return lambda day, hour, minute: datetime(year, 7, day, hour, minute, tzinfo=CHINA)


def _device(party: str) -> Device:
    depot = "customers" if party in (SENDER, RECIPIENT) else party.lower()
    source = Source(depot, f"{party.lower()}-app" if depot == "customers" else "pda1")
    return Device(source, party, Ed25519PrivateKey.generate(), (), timedelta(), None)


def _registry(devices: dict[str, Device], at: datetime) -> Iterator[codec.Envelope]:
    roles = {SENDER: PartyRole.SENDER, RECIPIENT: PartyRole.RECIPIENT}
    for party in devices:
        yield _registered(at, f"party:{party}", PartyRegistered(party=party, role=roles.get(party, PartyRole.CARRIER)))
    for device in devices.values():
        assert device.public_key is not None
        data = DeviceEnrolled(
            device=device.source.device_id,
            party=device.party,
            keys=(DeviceKey(keyid=device.keyid, public_key=device.public_key),),
        )
        yield _registered(at, device.source.subject, data)


def _registered(at: datetime, subject: str, data: Event) -> codec.Envelope:
    return codec.Envelope(
        id=f"cases-{subject.replace(':', '-').lower()}",
        source=str(OFFICE),
        type=data.TYPE,
        subject=subject,
        time=at.isoformat(),
        data=msgspec.json.encode(data),
    )


def _person(party: str) -> Operator:
    return Operator(ref=f"{party.lower()}-1", role="recipient" if party == RECIPIENT else "handler")

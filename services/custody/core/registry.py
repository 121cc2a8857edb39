"""Who is who: parties and their legal entities, sites, devices with their keys, instruments, and what was revoked."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from schemas.errors import Undecodable
from schemas.events import Camera, DeviceEnrolled, DeviceRevoked, PartyRegistered, SiteRegistered
from schemas.identifiers import parse_source
from schemas.positions import Position
from schemas.vocabulary import RECIPIENT, SENDER, PartyRole, RevocationReason
from services.custody.core.facts import Fact

Order = tuple[datetime, Position]
"""When something was recorded, and where in the log."""


class Enrolment(NamedTuple):
    """From when a device speaks for a party, and which instruments it has."""

    since: datetime
    party: str
    instruments: tuple[str, ...]
    recorded: Order


class Key(NamedTuple):
    """A public key as one enrolment named it. A device may have several, and get new ones under the same id."""

    keyid: str
    public_key: str
    enrolment: Enrolment


class Revocation(NamedTuple):
    """The end of a device, or of one key of it."""

    reason: RevocationReason
    keyid: str | None
    cut_off: datetime
    recorded: Order

    def names(self, keyid: str | None) -> bool:
        """Whether it is about this key; one that names no key is about the device with all of them."""
        return self.keyid in (None, keyid)


class Device:
    """Everything that was recorded about one device."""

    __slots__ = ("enrolments", "keys", "revocations")

    def __init__(self) -> None:
        self.enrolments: list[Enrolment] = []
        self.keys: dict[str, list[Key]] = {}
        self.revocations: list[Revocation] = []

    def enrolled_at(self, instant: datetime) -> Enrolment | None:
        """The enrolment in force at an instant; None before the first."""
        in_force = None
        for enrolment in self.enrolments:
            if enrolment.since <= instant and (in_force is None or enrolment.since >= in_force.since):
                in_force = enrolment
        return in_force

    def keys_for(self, keyid: str | None, enrolment: Enrolment) -> list[Key]:
        """The keys that may have signed under an id while an enrolment was in force.

        A key that came with a later enrolment may be registered after its first use, but only for the same party:
        whoever gets a device next must not sign for the one who had it before.
        """
        return [
            key
            for key in self.keys.get(keyid or "", ())
            if key.enrolment.since <= enrolment.since or key.enrolment.party == enrolment.party
        ]

    def retired_by(self, instant: datetime, keyid: str | None) -> bool:
        """Whether the device, or the key under that id, had been retired by then and not been enrolled again since."""
        return bool(self.revocations) and any(
            revocation.reason is RevocationReason.RETIRED
            and revocation.names(keyid)
            and instant > revocation.cut_off
            and not self._is_back(revocation, instant, keyid)
            for revocation in self.revocations
        )

    def _is_back(self, revocation: Revocation, instant: datetime, keyid: str | None) -> bool:
        """Whether an enrolment recorded after it is in force, one that names the key that was used, if any."""
        again = self.enrolments if keyid is None else [key.enrolment for key in self.keys.get(keyid, ())]
        return any(each.recorded > revocation.recorded and each.since <= instant for each in again)

    def compromised_before(self, recorded: Order, key: Key) -> bool:
        """Whether a key had been reported compromised before something was recorded; the time claimed is no help.

        A key that is new since the report is none of it. One that was there before stays compromised, enrolled anew or
        not: somebody else has it.
        """
        if not self.revocations:
            return False
        reports = [
            revocation
            for revocation in self.revocations
            if revocation.reason is RevocationReason.COMPROMISED
            and revocation.names(key.keyid)
            and revocation.recorded < recorded
        ]
        if not reports:
            return False
        same = [each for keys in self.keys.values() for each in keys if each.public_key == key.public_key]
        known_since = min(each.enrolment.recorded for each in same)
        return any(report.recorded > known_since for report in reports)


class Site(NamedTuple):
    """A depot, hub or shop as registered last."""

    code: str
    party: str
    time_zone: str
    doors: tuple[str, ...]
    cameras: tuple[Camera, ...]


class Registry:
    """A fold of the registry's events. What is recorded later replaces what was recorded before."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._devices: dict[str, Device] = {}
        self._roles: dict[str, PartyRole] = {SENDER: PartyRole.SENDER, RECIPIENT: PartyRole.RECIPIENT}
        self._entities: dict[str, str] = {}
        self._sites: dict[str, Site] = {}
        self._by_source: dict[str, Device | None] = {}
        for fact in sorted(facts, key=lambda fact: fact.order):
            match fact.data:
                case DeviceEnrolled() as data:
                    self._enrol(data, fact)
                case PartyRegistered() as data:
                    if data.party not in (SENDER, RECIPIENT):
                        self._roles[data.party] = data.role
                    self._entities[data.party] = data.entity or data.party
                case SiteRegistered() as data:
                    # As its subject has it: a site is the same in capitals.
                    site = Site(data.site, data.party, data.time_zone, data.doors, data.cameras)
                    self._sites[data.site.upper()] = site
                case DeviceRevoked() as data:
                    device = self._devices.setdefault(data.device.upper(), Device())
                    cut_off = data.cut_off or fact.record_time
                    device.revocations.append(Revocation(data.reason, data.keyid, cut_off, fact.order))

    def _enrol(self, data: DeviceEnrolled, fact: Fact) -> None:
        device = self._devices.setdefault(data.device.upper(), Device())
        enrolment = Enrolment(fact.event_time, data.party, data.instruments, fact.order)
        device.enrolments.append(enrolment)
        for key in data.keys:
            device.keys.setdefault(key.keyid, []).append(Key(key.keyid, key.public_key, enrolment))

    def device(self, source: str) -> Device | None:
        """The device that a source names; None when nobody enrolled it."""
        if source not in self._by_source:
            try:
                name = parse_source(source).device_id.upper()
            except Undecodable:
                name = ""
            self._by_source[source] = self._devices.get(name)
        return self._by_source[source]

    def role(self, party: str) -> PartyRole:
        """A party's role. One that nobody registered acts as a carrier: scans come before paperwork."""
        return self._roles.get(party, PartyRole.CARRIER)

    def entity(self, party: str) -> str:
        """The legal entity behind a party; one that nobody registered is its own."""
        return self._entities.get(party, party)

    def site(self, code: str) -> Site | None:
        """The site of that code; None when nobody registered it."""
        return self._sites.get(code.upper())

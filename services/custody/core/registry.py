"""Who is who: roles and legal entities of parties, devices with their keys and instruments, and what was revoked."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from schemas.errors import Undecodable
from schemas.events import DeviceEnrolled, DeviceRevoked, PartyRegistered
from schemas.identifiers import parse_source
from schemas.vocabulary import RECIPIENT, SENDER, PartyRole, RevocationReason
from services.custody.core.facts import Fact


class Enrolment(NamedTuple):
    """From when a device speaks for a party, and which instruments it has."""

    since: datetime
    party: str
    instruments: tuple[str, ...]


class Revocation(NamedTuple):
    """The end of a device, or of one key of it."""

    reason: RevocationReason
    keyid: str | None
    cut_off: datetime
    recorded: datetime


class Device:
    """Everything that was recorded about one device."""

    __slots__ = ("enrolments", "keys", "revocations")

    def __init__(self) -> None:
        self.enrolments: list[Enrolment] = []
        self.keys: dict[str, list[str]] = {}
        self.revocations: list[Revocation] = []

    def enrolled_at(self, instant: datetime) -> Enrolment | None:
        """The enrolment in force at an instant; None before the first."""
        in_force = None
        for enrolment in self.enrolments:
            if enrolment.since <= instant and (in_force is None or enrolment.since >= in_force.since):
                in_force = enrolment
        return in_force

    def retired_by(self, instant: datetime, keyid: str | None) -> bool:
        """Whether the device, or the key that was used, had been retired by then."""
        return bool(self.revocations) and any(
            r.reason is RevocationReason.RETIRED and r.keyid in (None, keyid) and instant > r.cut_off
            for r in self.revocations
        )

    def compromised_before(self, record_time: datetime, keyid: str | None) -> bool:
        """Whether the key had been reported compromised before something was recorded; the time claimed is no help."""
        return bool(self.revocations) and any(
            r.reason is RevocationReason.COMPROMISED and r.keyid in (None, keyid) and record_time > r.recorded
            for r in self.revocations
        )


class Registry:
    """A fold of the registry's events. What is registered later replaces what was registered before."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._devices: dict[str, Device] = {}
        self._roles: dict[str, PartyRole] = {SENDER: PartyRole.SENDER, RECIPIENT: PartyRole.RECIPIENT}
        self._entities: dict[str, str] = {}
        self._by_source: dict[str, Device | None] = {}
        for fact in sorted(facts, key=lambda fact: fact.order):
            data = fact.data
            if isinstance(data, PartyRegistered):
                if data.party not in (SENDER, RECIPIENT):
                    self._roles[data.party] = data.role
                self._entities[data.party] = data.entity or data.party
            elif isinstance(data, DeviceEnrolled):
                device = self._devices.setdefault(data.device.upper(), Device())
                device.enrolments.append(Enrolment(fact.event_time, data.party, data.instruments))
                for key in data.keys:
                    device.keys.setdefault(key.keyid, []).append(key.public_key)
            elif isinstance(data, DeviceRevoked):
                device = self._devices.setdefault(data.device.upper(), Device())
                cut_off = data.cut_off or fact.record_time
                device.revocations.append(Revocation(data.reason, data.keyid, cut_off, fact.record_time))

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
        """The legal entity behind a party."""
        return self._entities.get(party, party)

"""The terms of section 6: what is settled, who is who, which devices may speak, and what a contract promised."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from schemas.events import (
    DeviceEnrolled,
    DeviceRevoked,
    ParcelAnnounced,
    PartyRegistered,
    PlannedLeg,
    PolicySet,
)
from schemas.vocabulary import RECIPIENT, SENDER, Defect, Hindrance, PartyRole, Regime, SharePolicy
from tests.naive.facts import Recorded


@dataclass(frozen=True)
class Settings:
    """The settings with their defaults."""

    tau_grams: int | None = None
    handoff_window: timedelta = timedelta(hours=2)
    reservation_window: timedelta = timedelta(hours=2)
    opening_window: timedelta = timedelta(hours=24)
    locker_notice: timedelta = timedelta(hours=24)
    late_after: timedelta = timedelta(hours=24)
    unit_max_stay: timedelta = timedelta(days=7)
    clock_skew: timedelta = timedelta(seconds=120)
    notice_days: int = 7
    deemed_lost: timedelta | None = None
    policy: SharePolicy = SharePolicy.FREIGHT
    regime: Regime = Regime.CN_SAME_MODE
    table: dict[str, int] = field(default_factory=dict)
    packing_share: Fraction = Fraction(1, 2)
    auto_accept_is_clean: bool = True
    import_accept_is_clean: bool = False
    drop_is_delivery: bool = False
    reservation_grounds: tuple[str, ...] = (*Hindrance, *Defect)

    def tau(self, w0: int) -> Fraction:
        """How far two scales may differ about one mass: the setting, or 20 g or half a percent."""
        return Fraction(self.tau_grams) if self.tau_grams is not None else max(Fraction(20), Fraction(w0, 200))


def settings_of(records: Iterable[Recorded], named: str | None, taken_over: datetime | None) -> Settings:
    """The tenant's settings with the contract's own on top, of those that hold for a parcel taken over then."""
    settings = Settings()
    for subject in ("policy:DEFAULT", f"policy:{named.upper()}" if named else None):
        for record in records:
            if record.subject == subject and isinstance(record.data, PolicySet) and _holds(record.data, taken_over):
                settings = _with(settings, record.data)
    return settings


def _holds(said: PolicySet, taken_over: datetime | None) -> bool:
    if taken_over is None:
        return said.valid_from is None and said.valid_until is None
    return (said.valid_from is None or said.valid_from <= taken_over) and (
        said.valid_until is None or taken_over < said.valid_until
    )


def _with(settings: Settings, said: PolicySet) -> Settings:
    changed: dict[str, Any] = {}
    for each in fields(Settings):
        hours = getattr(said, f"{each.name}_hours", None)
        seconds = getattr(said, f"{each.name}_seconds", None)
        plain = getattr(said, each.name, None)
        if hours is not None:
            changed[each.name] = timedelta(hours=hours)
        elif seconds is not None:
            changed[each.name] = timedelta(seconds=seconds)
        elif plain is not None:
            changed[each.name] = Fraction(plain) if each.name == "packing_share" else plain
    return replace(settings, **changed)


@dataclass(frozen=True)
class Registry:
    """Parties and devices, as far as they are known."""

    parties: dict[str, PartyRegistered]
    devices: dict[str, DeviceEnrolled]
    revoked: tuple[tuple[datetime, DeviceRevoked], ...]

    def role(self, party: str) -> PartyRole:
        """What a party is; whoever is not registered is taken for a carrier, save the two ends."""
        if party in (SENDER, RECIPIENT):
            return PartyRole.SENDER if party == SENDER else PartyRole.RECIPIENT
        return self.parties[party].role if party in self.parties else PartyRole.CARRIER

    def entity(self, party: str) -> str:
        """The legal entity behind a party; one legal entity is one recorder."""
        return (self.parties[party].entity or party) if party in self.parties else party

    def same(self, one: str, other: str) -> bool:
        return self.entity(one) == self.entity(other)


def registry_of(records: Sequence[Recorded]) -> Registry:
    """What the registry says, the latest word on each party and device."""
    parties, devices, revoked = {}, {}, []
    for record in records:
        if isinstance(record.data, PartyRegistered):
            parties[record.data.party] = record.data
        elif isinstance(record.data, DeviceEnrolled):
            devices[record.data.device] = record.data
        elif isinstance(record.data, DeviceRevoked):
            revoked.append((record.record_time, record.data))
    return Registry(parties, devices, tuple(revoked))


@dataclass(frozen=True)
class Paper:
    """What the announcement says, and every redirection after it (R33)."""

    contracting: str | None
    policy: str | None
    content_grams: int | None
    promised_at: datetime | None
    promised_after_hours: float | None
    plan: tuple[PlannedLeg, ...]
    address: str | None

    def promised(self, taken_over: datetime | None) -> datetime | None:
        """The promised time, where there is one."""
        if self.promised_at is not None:
            return self.promised_at
        if self.promised_after_hours is None or taken_over is None:
            return None
        return taken_over + timedelta(hours=self.promised_after_hours)


def paper_of(records: Iterable[Recorded]) -> Paper:
    """The announcement's words, the later one's where there are two."""
    paper = Paper(None, None, None, None, None, (), None)
    for record in records:
        said = record.data
        if isinstance(said, ParcelAnnounced):
            paper = Paper(
                said.contracting,
                said.policy,
                said.content_grams,
                said.promised_at,
                said.promised_after_hours,
                said.plan,
                said.address,
            )
    return paper

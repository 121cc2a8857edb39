"""Who and what is registered: devices and their keys, parties, sites, and the settings of the reasoning."""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from schemas.events.base import Code, Event, Grams, Hours, Instant, PartyId, SiteId
from schemas.vocabulary import PartyRole, Regime, RevocationReason, SharePolicy


class DeviceKey(Struct, frozen=True, omit_defaults=True):
    """A public key of a device."""

    keyid: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,128}\Z")]
    public_key: Annotated[
        str, Meta(pattern=r"^[0-9a-f]{64}$", description="Ed25519 public key, raw, lower-case hex (RFC 8032).")
    ]
    alg: Annotated[str, Meta(pattern=r"^ed25519\Z")] = "ed25519"


class DeviceEnrolled(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A device may speak for a party. From then on its signatures and instruments count. No EPCIS word."""

    TYPE: ClassVar[str] = "registry.device_enrolled.v1"
    device: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$", description="`{depot}.{device}`")
    ]
    party: PartyId
    keys: tuple[DeviceKey, ...] = ()
    instruments: tuple[Code, ...] = ()


class DeviceRevoked(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A device, or one key of it, no longer counts. History stays; what it is worth is judged anew. No EPCIS word."""

    TYPE: ClassVar[str] = "registry.device_revoked.v1"
    device: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}\Z")]
    reason: RevocationReason
    keyid: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,128}\Z")] | None = None
    """None: every key of the device."""
    cut_off: Instant | None = None
    """For a retired key: good for event times up to here. None: up to when this was recorded."""


class PartyRegistered(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Who a party is: its role, and the legal entity behind it (two parties may share one). EPCIS master data."""

    TYPE: ClassVar[str] = "registry.party_registered.v1"
    party: PartyId
    role: PartyRole
    entity: PartyId | None = None
    """None: the party is its own legal entity."""
    gln: Annotated[str, Meta(pattern=r"^[0-9]{13}\Z", description="GS1 Global Location Number.")] | None = None


class Camera(Struct, frozen=True, omit_defaults=True):
    """A camera at a site, and how long its pictures are kept."""

    camera: Code
    door: Code | None = None
    """The door that it looks at; None: the whole site."""
    days_kept: Annotated[int, Meta(ge=0, le=3660)] = 30


class SiteRegistered(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A depot, hub or shop: who runs it, by which clock, through which doors, what watches them. EPCIS master data."""

    TYPE: ClassVar[str] = "registry.site_registered.v1"
    site: SiteId
    party: PartyId
    time_zone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}\Z", description="IANA name.")] = "UTC"
    gln: Annotated[str, Meta(pattern=r"^[0-9]{13}\Z", description="GS1 Global Location Number.")] | None = None
    doors: tuple[Code, ...] = ()
    cameras: tuple[Camera, ...] = ()


class PolicySet(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Settings of the reasoning. What is None keeps its default or its earlier value.

    The subject names the policy: `policy:DEFAULT` is the tenant's, any other goes on top of it for the contracts that
    name it (`ParcelAnnounced.policy`). No EPCIS word.
    """

    TYPE: ClassVar[str] = "registry.policy_set.v1"
    valid_from: Instant | None = None
    """For parcels taken over at this instant or later; None: for all."""
    valid_until: Instant | None = None
    """For parcels taken over before this instant; None: for all."""
    reuse_after_days: Annotated[int, Meta(ge=1, le=3660)] | None = None
    """After so long without an event a code that is announced or accepted again is another parcel's."""
    tau_grams: Grams | None = None
    handoff_window_hours: Hours | None = None
    reservation_window_hours: Hours | None = None
    opening_window_hours: Hours | None = None
    locker_notice_hours: Hours | None = None
    late_after_hours: Hours | None = None
    unit_max_stay_hours: Hours | None = None
    clock_skew_seconds: Annotated[float, Meta(ge=0, le=86400)] | None = None
    """How far the clocks of two devices may differ, both measured at upload."""
    clock_skew_unmeasured_seconds: Annotated[float, Meta(ge=0, le=86400)] | None = None
    """The same where neither was ever measured."""
    notice_days: Annotated[int, Meta(ge=0, le=3660)] | None = None
    deemed_lost_hours: Hours | None = None
    policy: SharePolicy | None = None
    regime: Regime | None = None
    table: dict[PartyId, Annotated[int, Meta(ge=0)]] | None = None
    """Weights of CONTRACT_TABLE, by party."""
    packing_share: Annotated[str, Meta(pattern=r"^[0-9]+/[1-9][0-9]*\Z")] | None = None
    auto_accept_is_clean: bool | None = None
    import_accept_is_clean: bool | None = None
    drop_is_delivery: bool | None = None
    reservation_grounds: tuple[Code, ...] | None = None

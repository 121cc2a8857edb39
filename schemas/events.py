"""The event types: what happened, in the past tense, as frozen values with units.

A struct here is the `data` of an event; who, when and about what are the envelope's attributes (schemas/codec.py).
Masses are whole grams, money is minor units (fen, cents) with an ISO 4217 code, durations are hours, instants carry
a zone. Events hold codes and references only: no names, no addresses, no free text. Fields that are unknown to this
version are kept in the recorded bytes and not read.
"""

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from schemas.vocabulary import (
    CaptureMode,
    Condition,
    CountersignMeans,
    DamageMode,
    Facet,
    PartyRole,
    Proof,
    Regime,
    RevocationReason,
    Severity,
    SharePolicy,
)

PartyId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="A party's code; SENDER and RCP need no registration.")
]
SiteId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", description="A site's code.")]
EventId = Annotated[
    str, Meta(min_length=1, max_length=128, description="The `id` of another event of the same source or parcel.")
]
UnitId = Annotated[
    str, Meta(min_length=3, max_length=97, description="A bag, cage, pallet or trailer as `issuer:code`.")
]
MediaHash = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the original bytes, lower-case hex.")
]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$", description="A code, lower case with underscores.")]
Grams = Annotated[int, Meta(ge=0, le=100_000_000, description="Mass in whole grams.")]
MinorUnits = Annotated[int, Meta(ge=0, le=10**15, description="Money in minor units of the currency, for example fen.")]
Hours = Annotated[float, Meta(ge=0, le=24 * 366 * 10, description="A duration in hours.")]
Instant = Annotated[datetime, Meta(tz=True, description="An instant, RFC 3339 with a zone.")]


class Operator(Struct, frozen=True, omit_defaults=True):
    """The person who acted, by a reference that can be forgotten; never a name."""

    ref: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    role: Code = "handler"


class Observation(Struct, frozen=True, omit_defaults=True):
    """What was seen of one facet. `component` unnamed means the whole item; mode and severity unnamed match any."""

    facet: Facet
    value: Condition
    component: Code | None = None
    damage: DamageMode | None = None
    severity: Severity | None = None
    tamper: bool = False
    """Signs that somebody opened it."""
    grams: Grams | None = None
    """For W: gross mass as weighed."""
    tolerance_grams: Grams | None = None
    """For W: the scale's own tolerance."""
    instrument: Code | None = None
    """The instrument that measured the facet (camera, scale, logger); None: a person."""
    media: tuple[MediaHash, ...] = ()
    """Photos or videos of this facet, taken then."""


class Reservation(Struct, frozen=True, omit_defaults=True):
    """An exception noted at acceptance. `grounds` counts only if it is one of the policy's codes (R6)."""

    facet: Facet
    grounds: Code
    component: Code | None = None
    words_ref: MediaHash | None = None
    """Salted hash of a free-text note that is stored apart."""


class Countersignature(Struct, frozen=True, omit_defaults=True):
    """The other side's confirmation of what this event records."""

    party: PartyId
    means: CountersignMeans = CountersignMeans.DEVICE
    media: MediaHash | None = None


class Seal(Struct, frozen=True, omit_defaults=True):
    """A seal as read or applied. `number` unknown is None; a photo of the number lifts the grade."""

    number: Annotated[str, Meta(max_length=32)] | None = None
    match: bool | None = None
    media: MediaHash | None = None


class Event(Struct, frozen=True, omit_defaults=True):
    """Root of all event data. `TYPE` is the CloudEvents type with its version."""

    TYPE: ClassVar[str] = ""


class Scan(Event, frozen=True, omit_defaults=True, kw_only=True):
    """What every act at a handoff point may carry."""

    mode: CaptureMode
    site: SiteId | None = None
    operator: Operator | None = None
    inside: UnitId | None = None
    """The closed unit that the item is in; None: the item itself was at hand (exposed)."""
    observations: tuple[Observation, ...] = ()
    seal: Seal | None = None
    countersigned: tuple[Countersignature, ...] = ()
    transport: Annotated[str, Meta(max_length=64)] | None = None
    """Vehicle, line or flight reference."""


class HandoffReleased(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The giver's side of a handoff; by itself it moves nothing (R1). EPCIS bizStep `shipping` or `departing`."""

    TYPE: ClassVar[str] = "custody.handoff_released.v1"
    giver: PartyId
    taker: PartyId | None = None


class HandoffAccepted(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The taker's own act: possession moves. Pick-up, hub to hub, the recipient's act. EPCIS bizStep `accepting`."""

    TYPE: ClassVar[str] = "custody.handoff_accepted.v1"
    taker: PartyId
    giver: PartyId | None = None
    reservation: Reservation | None = None


class ItemScanned(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """A party had the item at hand and read its label. EPCIS bizStep `arriving`, `loading`, `staging_outbound`, ..."""

    TYPE: ClassVar[str] = "custody.item_scanned.v1"
    party: PartyId


class ConditionObserved(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody examined or measured the item. EPCIS bizStep `inspecting`, sensor readings included."""

    TYPE: ClassVar[str] = "custody.condition_observed.v2"
    party: PartyId
    neutral: bool = False
    """A survey by somebody outside the chain, or a look that both sides took together."""
    reservation: Reservation | None = None
    """Declared by the taker soon after its acceptance; in time it counts as noted there (R6)."""


class NoticeGiven(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A claimant told somebody in the chain of damage, shortage, loss or delay."""

    TYPE: ClassVar[str] = "custody.notice_given.v1"
    party: PartyId
    to: PartyId | None = None
    observations: tuple[Observation, ...] = ()
    proof: Proof = Proof.NONE


class EventCorrected(Event, frozen=True, omit_defaults=True, kw_only=True):
    """The author takes back an earlier event (EPCIS errorDeclaration). Nothing is deleted; R18 decides its effect."""

    TYPE: ClassVar[str] = "custody.event_corrected.v1"
    party: PartyId
    corrects: EventId
    reason: Code = "incorrect_data"
    countersigned: tuple[Countersignature, ...] = ()


class PlannedLeg(Struct, frozen=True, omit_defaults=True):
    """One carrier's part of the plan."""

    party: PartyId
    dwell_hours: Hours | None = None
    freight: MinorUnits | None = None
    """This carrier's part of the freight, in minor units of the announcement's currency."""


class ParcelAnnounced(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Paperwork: contract, promise and plan. An announcement is not custody."""

    TYPE: ClassVar[str] = "custody.parcel_announced.v1"
    contracting: PartyId | None = None
    """Who sold the carriage to the sender; None: the first to accept."""
    service: Code | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "CNY"
    declared_value: MinorUnits | None = None
    content_grams: Grams | None = None
    promised_at: Instant | None = None
    promised_after_hours: Hours | None = None
    """Counted from the first acceptance; ignored where `promised_at` is given."""
    plan: tuple[PlannedLeg, ...] = ()


class DeadlinePassed(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A due instant went by. It wakes the parcel's case and proves nothing."""

    TYPE: ClassVar[str] = "custody.deadline_passed.v1"
    deadline: Code
    due: Instant


class DeviceKey(Struct, frozen=True, omit_defaults=True):
    """A public key of a device."""

    keyid: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
    public_key: Annotated[
        str, Meta(pattern=r"^[0-9a-f]{64}$", description="Ed25519 public key, raw, lower-case hex (RFC 8032).")
    ]
    alg: Annotated[str, Meta(pattern=r"^ed25519$")] = "ed25519"


class DeviceEnrolled(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A device may speak for a party. From then on its signatures and instruments count."""

    TYPE: ClassVar[str] = "registry.device_enrolled.v1"
    device: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$", description="`{depot}.{device}`")
    ]
    party: PartyId
    keys: tuple[DeviceKey, ...] = ()
    instruments: tuple[Code, ...] = ()


class DeviceRevoked(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A device, or one key of it, no longer counts. History stays; what it is worth is judged anew (domain grades)."""

    TYPE: ClassVar[str] = "registry.device_revoked.v1"
    device: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$")]
    reason: RevocationReason
    keyid: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,128}$")] | None = None
    """None: every key of the device."""
    cut_off: Instant | None = None
    """For a retired key: good for event times up to here. None: up to when this was recorded."""


class PartyRegistered(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Who a party is: its role, and the legal entity behind it (two parties may share one)."""

    TYPE: ClassVar[str] = "registry.party_registered.v1"
    party: PartyId
    role: PartyRole
    entity: PartyId | None = None
    """None: the party is its own legal entity."""


class PolicySet(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Settings of the reasoning (domain: section Settings). What is None keeps its default or its earlier value."""

    TYPE: ClassVar[str] = "registry.policy_set.v1"
    tau_grams: Grams | None = None
    handoff_window_hours: Hours | None = None
    reservation_window_hours: Hours | None = None
    opening_window_hours: Hours | None = None
    locker_notice_hours: Hours | None = None
    late_after_hours: Hours | None = None
    unit_max_stay_hours: Hours | None = None
    clock_skew_seconds: Annotated[float, Meta(ge=0, le=86400)] | None = None
    notice_days: Annotated[int, Meta(ge=0, le=3660)] | None = None
    deemed_lost_hours: Hours | None = None
    policy: SharePolicy | None = None
    regime: Regime | None = None
    table: dict[PartyId, Annotated[int, Meta(ge=0)]] | None = None
    """Weights of CONTRACT_TABLE, by party."""
    packing_share: Annotated[str, Meta(pattern=r"^[0-9]+/[1-9][0-9]*$")] | None = None
    auto_accept_is_clean: bool | None = None
    import_accept_is_clean: bool | None = None
    drop_is_delivery: bool | None = None
    reservation_grounds: tuple[Code, ...] | None = None


EVENT_TYPES: dict[str, type[Event]] = {
    kind.TYPE: kind
    for kind in (
        ParcelAnnounced,
        HandoffReleased,
        HandoffAccepted,
        ItemScanned,
        ConditionObserved,
        NoticeGiven,
        EventCorrected,
        DeadlinePassed,
        DeviceEnrolled,
        DeviceRevoked,
        PartyRegistered,
        PolicySet,
    )
}
"""Every type that this version reads, by its CloudEvents type."""

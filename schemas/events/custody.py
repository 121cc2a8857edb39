"""What happens to a parcel or unit on its way: handoffs, looks, seals, packing, labels, delivery, and its paperwork.

Where EPCIS 2.0 and the CBV have a word for it, the docstring names it; the mapping is one to one unless it says so.
"""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from schemas.events.base import (
    AddressRef,
    Code,
    Countersignature,
    Currency,
    Event,
    EventId,
    Grams,
    Hours,
    Instant,
    ItemId,
    MediaHash,
    MinorUnits,
    Observation,
    PartyId,
    PieceId,
    Reservation,
    Scan,
    UnitId,
)
from schemas.vocabulary import DropPlace, HoldReason, OpeningReason, Proof, UnitKind


class PlannedLeg(Struct, frozen=True, omit_defaults=True):
    """One carrier's part of the plan."""

    party: PartyId
    dwell_hours: Hours | None = None
    freight: MinorUnits | None = None
    """This carrier's part of the freight, in minor units of the announcement's currency."""


class ParcelAnnounced(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Paperwork: contract, promise and plan. An announcement is not custody. No EPCIS word: master data of the item."""

    TYPE: ClassVar[str] = "custody.parcel_announced.v1"
    contracting: PartyId | None = None
    """Who sold the carriage to the sender; None: the first to accept."""
    service: Code | None = None
    policy: Code | None = None
    """The settings that the contract goes by, `policy:CODE`, on top of the tenant's own."""
    currency: Currency = "CNY"
    declared_value: MinorUnits | None = None
    content_grams: Grams | None = None
    promised_at: Instant | None = None
    promised_after_hours: Hours | None = None
    """Counted from the first acceptance; ignored where `promised_at` is given."""
    plan: tuple[PlannedLeg, ...] = ()
    pieces: tuple[PieceId, ...] = ()
    """The pieces that travel under this one waybill; none: it is one piece."""
    address: AddressRef | None = None
    """Where it is to be delivered."""


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
    person: Code | None = None
    """In whose hands it came, where not the taker's own: `neighbour`, `concierge`, ... (R34)."""
    consent: bool | None = None
    """Whether the taker had named that person or agreed to it (R34)."""
    unattended: bool = False
    """Taken where nobody handed it over, such as from a locker (R26)."""


class ItemScanned(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """A party had the item at hand and read its label. EPCIS bizStep `arriving`, `loading`, `staging_outbound`, ..."""

    TYPE: ClassVar[str] = "custody.item_scanned.v1"
    party: PartyId
    overage: bool = False
    """It was on no list of what should have come (R32)."""
    empty: bool = False
    """A unit that was seen empty (R9h)."""


class Exceedance(Struct, frozen=True, omit_defaults=True):
    """One moment at which a logger measured more than its threshold."""

    t: Instant
    g: Annotated[float, Meta(ge=0, le=100_000, description="Peak acceleration in g.")] | None = None


class Cover(Struct, frozen=True):
    """A time in which a logger was armed."""

    since: Instant
    until: Instant


class LoggerReading(Struct, frozen=True, omit_defaults=True):
    """What a shock logger that travelled with the item has in its memory (R11)."""

    armed: tuple[Cover, ...]
    exceedances: tuple[Exceedance, ...] = ()
    inside: bool = True
    """Whether it lay inside the item, as R11 asks; False: on the unit around it."""


class ConditionObserved(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody examined or measured the item. EPCIS bizStep `inspecting`; readings: `sensor_reporting`."""

    TYPE: ClassVar[str] = "custody.condition_observed.v2"
    party: PartyId
    neutral: bool = False
    """A survey by somebody outside the chain, or a look that both sides took together."""
    reservation: Reservation | None = None
    """Declared by the taker soon after its acceptance; in time it counts as noted there (R6)."""
    logger: LoggerReading | None = None


class SealApplied(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """A seal was put on the unit, or numbered tape on the item. CBV disposition `container_closed`."""

    TYPE: ClassVar[str] = "custody.seal_applied.v1"
    party: PartyId


class SealChecked(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody looked at the seal and read its number. EPCIS bizStep `inspecting`."""

    TYPE: ClassVar[str] = "custody.seal_checked.v1"
    party: PartyId


class UnitPacked(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The subject was put into a unit, or onto a list. EPCIS AggregationEvent ADD, bizStep `packing`, one per child.

    A `seal` here is the unit's: it was closed with it.
    """

    TYPE: ClassVar[str] = "custody.unit_packed.v1"
    party: PartyId
    unit: UnitId
    kind: UnitKind = UnitKind.BAG


class UnitUnpacked(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The subject was taken out of a unit. EPCIS AggregationEvent DELETE, bizStep `unpacking`, one per child.

    A `seal` here is the unit's, as it was found on opening. One child says nothing of the unit's completeness.
    """

    TYPE: ClassVar[str] = "custody.unit_unpacked.v1"
    party: PartyId
    unit: UnitId


class UnitOpened(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The subject, a unit or a parcel, was opened. CBV disposition `container_open`."""

    TYPE: ClassVar[str] = "custody.unit_opened.v1"
    party: PartyId
    because: OpeningReason = OpeningReason.HANDLING


class Repacked(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The goods got a new outer packing, or the recipient closed it again. EPCIS bizStep `repackaging`."""

    TYPE: ClassVar[str] = "custody.repacked.v1"
    party: PartyId


class ParcelRelabelled(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """A new label went over an old one. EPCIS bizStep `decommissioning` of the old number, `commissioning` of the new.

    Two ObjectEvents there (DELETE, ADD), one here. The subject is either of the two numbers; `old` and `new` name both.
    """

    TYPE: ClassVar[str] = "custody.parcel_relabelled.v1"
    party: PartyId
    old: ItemId
    new: ItemId
    both_seen: bool = False
    """Both numbers were read at once, so that they are one item; False: taken to be the same (R28)."""


class DeliveryAttempted(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The courier came and could not hand it over. UPU event EMH. It moves nothing (R25)."""

    TYPE: ClassVar[str] = "custody.delivery_attempted.v1"
    party: PartyId
    reason: Code = "nobody_there"


class DeliveryRefused(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The recipient, or the sender on the way back, would not take it; what it saw says why (R25).

    UPU event EMH, with its reason.
    """

    TYPE: ClassVar[str] = "custody.delivery_refused.v1"
    party: PartyId
    reason: Code = "unnamed"


class ParcelDropped(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """The carrier left it somewhere, by its own entry: nobody's taking (R13a, R13e, R26).

    Reported as UPU event EMI, delivered; the rules say whether it is.
    """

    TYPE: ClassVar[str] = "custody.parcel_dropped.v1"
    party: PartyId
    place: DropPlace
    to: PartyId | None = None
    """Who runs the locker, station or shop."""
    consent: bool | None = None
    """Whether the recipient had agreed to this place; None: not on record, which counts as no."""
    address: AddressRef | None = None
    """At which address; None: the one in force."""


class ReturnOrdered(Scan, frozen=True, omit_defaults=True, kw_only=True):
    """It is to go back to the sender. Ends nothing: the way back adds segments (R24).

    CBV disposition `returned`, of what moves from then on.
    """

    TYPE: ClassVar[str] = "custody.return_ordered.v1"
    party: PartyId
    reason: Code = "unnamed"


class HoldPlaced(Event, frozen=True, omit_defaults=True, kw_only=True):
    """It waits, for a reason that may excuse delay (R22). EPCIS bizStep `holding`, UPU event EDA or EME."""

    TYPE: ClassVar[str] = "custody.hold_placed.v1"
    party: PartyId
    hours: Hours
    because: HoldReason


class Redirected(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Another address, promise and plan from when this is recorded; custody stays where it is (R33). No EPCIS word."""

    TYPE: ClassVar[str] = "custody.redirected.v1"
    party: PartyId
    address: AddressRef
    promised_at: Instant | None = None
    promised_after_hours: Hours | None = None
    """Counted from the first acceptance; ignored where `promised_at` is given."""
    plan: tuple[PlannedLeg, ...] = ()


class NoticeGiven(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A claimant told somebody in the chain of damage, shortage, loss or delay. No EPCIS word."""

    TYPE: ClassVar[str] = "custody.notice_given.v1"
    party: PartyId
    to: PartyId | None = None
    pieces: tuple[PieceId, ...] = ()
    observations: tuple[Observation, ...] = ()
    proof: Proof = Proof.NONE
    holds: ItemId | None = None
    """Whose goods were in it, where that is known (R29)."""


class EventCorrected(Event, frozen=True, omit_defaults=True, kw_only=True):
    """The author takes back an earlier event (EPCIS errorDeclaration). Nothing is deleted; R18 decides its effect."""

    TYPE: ClassVar[str] = "custody.event_corrected.v1"
    party: PartyId
    corrects: EventId
    reason: Code = "incorrect_data"
    countersigned: tuple[Countersignature, ...] = ()


class DeadlinePassed(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A due instant went by. It wakes the parcel's case and proves nothing. No EPCIS word."""

    TYPE: ClassVar[str] = "custody.deadline_passed.v1"
    deadline: Code
    due: Instant


class VerdictIssued(Event, frozen=True, omit_defaults=True, kw_only=True):
    """An answer was told to somebody: in a pack, a letter, a webhook or a decision. What was told, not what is so.

    No EPCIS word.
    """

    TYPE: ClassVar[str] = "custody.verdict_issued.v1"
    digest: MediaHash
    """SHA-256 of the verdicts' bytes as told."""
    positions: Annotated[str, Meta(max_length=512, description="The position vector that the answer rests on.")]
    means: Code
    to: PartyId | None = None


class PayloadWithheld(Event, frozen=True, omit_defaults=True, kw_only=True):
    """The bytes of a record are shown no more; its hash, its leaf and the evidence read from it stay. No EPCIS word."""

    TYPE: ClassVar[str] = "custody.payload_withheld.v1"
    position: Annotated[str, Meta(pattern=r"^[0-9]{1,5}:[0-9]{1,18}\Z", description="Of the record, as 3:1042.")]
    reason: Code
    legal_basis: Annotated[str, Meta(max_length=128)]

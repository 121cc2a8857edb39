"""What all event data is made of: fields with their units, observations, and what every act at a handoff may carry."""

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from schemas.vocabulary import CaptureMode, Condition, CountersignMeans, DamageMode, Facet, Severity

PartyId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="A party's code; SENDER and RCP need no registration.")
]
SiteId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z", description="A site's code.")]
EventId = Annotated[
    str, Meta(min_length=1, max_length=128, description="The `id` of another event of the same source or parcel.")
]
ItemId = Annotated[
    str,
    Meta(min_length=3, max_length=256, description="Another parcel or unit, in any spelling that a subject may have."),
]
UnitId = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=256,
        description="A bag, cage, pallet, trailer or manifest, in any spelling that a subject may have.",
    ),
]
PieceId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}\Z", description="A piece of a consignment, by its number on the waybill.")
]
MediaHash = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="SHA-256 of the original bytes, lower-case hex.")
]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}\Z", description="A code, lower case with underscores.")]
Grams = Annotated[int, Meta(ge=0, le=100_000_000, description="Mass in whole grams.")]
MinorUnits = Annotated[int, Meta(ge=0, le=10**15, description="Money in minor units of the currency, for example fen.")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", description="ISO 4217.")]
Hours = Annotated[float, Meta(ge=0, le=24 * 366 * 10, description="A duration in hours.")]
Instant = Annotated[datetime, Meta(tz=True, description="An instant, RFC 3339 with a zone.")]
AddressRef = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}\Z",
        description="A reference to an address that is kept apart and can be erased; equal ones mean the same.",
    ),
]


class Operator(Struct, frozen=True, omit_defaults=True):
    """The person who acted, by a reference that can be forgotten; never a name."""

    ref: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    role: Code = "handler"


class Observation(Struct, frozen=True, omit_defaults=True):
    """What was seen of one facet. `component` unnamed means the whole item; mode and severity unnamed match any.

    CBV dispositions: ok `conformant`; bad O or C `damaged`; bad P `mismatch_instance` or `unknown`; bad N
    `mismatch_quantity`.
    """

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
    """Whether the number is the one recorded when it was applied, as the device judged it."""
    media: MediaHash | None = None
    security: Annotated[str, Meta(pattern=r"^[ISH]\Z", description="ISO 17712 class.")] | None = None


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
    pieces: tuple[PieceId, ...] = ()
    """The pieces of a consignment that this is about; none named: what was at hand, nobody counted (R27)."""
    observations: tuple[Observation, ...] = ()
    seal: Seal | None = None
    countersigned: tuple[Countersignature, ...] = ()
    transport: Annotated[str, Meta(max_length=64)] | None = None
    """Vehicle, line or flight reference."""

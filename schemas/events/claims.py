"""What a claim adds to a parcel's record. Only what the reasoning about custody has to know of."""

from typing import ClassVar

from schemas.events.base import Currency, Event, MinorUnits, PartyId
from schemas.vocabulary import FindingKind


class ClaimPaid(Event, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody paid for a finding. A loss that was paid stays paid when the parcel turns up (R31). No EPCIS word."""

    TYPE: ClassVar[str] = "claims.claim_paid.v1"
    party: PartyId
    finding: FindingKind
    amount: MinorUnits | None = None
    currency: Currency = "CNY"

"""The trade's words as closed lists: facets, conditions, capture modes, findings, outcomes, flags."""

from enum import StrEnum


class Facet(StrEnum):
    """One side of an item's state that can be looked at by itself."""

    PRESENCE = "P"  # presence and identity: it is this item, here
    OUTER = "O"  # outer packaging, as seen from outside
    SEAL = "S"
    CONTENTS = "C"
    WEIGHT = "W"
    COUNT = "N"
    SENSOR = "K"
    TIME = "T"
    PACKING = "I"  # fitness of the packing for the goods


class Condition(StrEnum):
    """What was seen of a facet. What an observation does not name, it leaves silent."""

    OK = "ok"
    BAD = "bad"
    UNEXAMINED = "unexamined"


class DamageMode(StrEnum):
    """The mechanism that a damage points to."""

    IMPACT = "impact"
    BREAKAGE = "breakage"
    WET = "wet"
    CRUSH = "crush"
    TEMPERATURE = "temperature"


class Severity(StrEnum):
    """How grave a damage is, in rising order."""

    SLIGHT = "slight"
    HEAVY = "heavy"
    TOTAL = "total"


class CaptureMode(StrEnum):
    """How the observation came to be, which bounds what it can be worth."""

    HUMAN_INSPECT = "HUMAN_INSPECT"  # a person examined the facets that are named
    HUMAN_SCAN = "HUMAN_SCAN"  # a person read the label; says nothing of condition
    AUTO_SCAN = "AUTO_SCAN"  # a machine read the label, or an instrument measured a facet
    MANUAL_ENTRY = "MANUAL_ENTRY"  # typed in afterwards
    IMPORT = "IMPORT"  # taken over from another system


class PartyRole(StrEnum):
    """What a party is in a chain of custody."""

    CARRIER = "carrier"
    LOCKER = "locker"
    SURVEYOR = "surveyor"
    AUTHORITY = "authority"
    SENDER = "sender"
    RECIPIENT = "recipient"


SENDER = "SENDER"
"""The party id of the sender of whichever parcel is spoken of."""
RECIPIENT = "RCP"
"""The party id of the recipient of whichever parcel is spoken of."""


class Hindrance(StrEnum):
    """Reservation grounds that say why nobody could look: they suspend R5 and prove nothing (R6)."""

    DARK = "dark"
    SEALED = "sealed"
    TOO_MANY = "too_many"
    NO_TIME_AGREED = "no_time_agreed"
    WET_COVER = "wet_cover"


class Defect(StrEnum):
    """Reservation grounds that report a bad state at the event's grade (R6)."""

    DAMAGED = "damaged"
    TORN = "torn"
    WET = "wet"
    CRUSHED = "crushed"
    OPEN = "open"
    SHORT = "short"
    WEAK_BOX = "weak_box"
    NO_CUSHIONING = "no_cushioning"


class CountersignMeans(StrEnum):
    """How the other side of a handoff confirmed what was recorded."""

    DEVICE = "device"
    PIN = "pin"
    INK = "ink"


class Proof(StrEnum):
    """What a claimant shows beside a statement, which decides the grade of a notice."""

    NONE = "none"
    UNBOXING_VIDEO = "unboxing_video"
    PHOTO_PACKAGING_KEPT = "photo_packaging_kept"


class RevocationReason(StrEnum):
    """Why a device key ended: a retired key stays good up to its cut-off, a compromised one does not."""

    RETIRED = "retired"
    COMPROMISED = "compromised"


class UnitKind(StrEnum):
    """What holds items together. Only a manifest hides nothing: it is a list, and its lines stay exposed (R1)."""

    BAG = "bag"
    CAGE = "cage"
    PALLET = "pallet"
    CONTAINER = "container"
    TRAILER = "trailer"
    LOCKER_DOOR = "locker_door"
    MANIFEST = "manifest"


class OpeningReason(StrEnum):
    """Why a unit or a parcel was opened."""

    HANDLING = "handling"  # in the ordinary course
    AUTHORITY = "authority"  # customs or police asked for it (R9f)
    DAMAGE = "damage"


class DropPlace(StrEnum):
    """Where a carrier left a parcel without anybody's taking it."""

    DOOR = "door"
    LOCKER = "locker"
    STATION = "station"
    SHOP = "shop"
    NEIGHBOUR = "neighbour"
    ADDRESS = "address"  # handed over at the address, by the courier's own entry


class HoldReason(StrEnum):
    """Why a parcel waits; the first four excuse the time (R22)."""

    CUSTOMS = "customs"
    RECIPIENT_REQUEST = "recipient_request"
    ADDRESS_ERROR = "address_error"
    FORCE_MAJEURE = "force_majeure"
    OPERATIONS = "operations"


class FindingKind(StrEnum):
    """What went wrong. One verdict each, and for damages one each per component, mode and severity (R19)."""

    DAMAGE = "DAMAGE"
    CONCEALED = "CONCEALED"
    SHORTAGE = "SHORTAGE"
    WRONG_CONTENT = "WRONG_CONTENT"
    LOSS = "LOSS"
    DELAY = "DELAY"


class Outcome(StrEnum):
    """The shape of an answer. Not knowing is an answer."""

    SEGMENT = "SEGMENT"
    JOINT = "JOINT"
    SENDER = "SENDER"
    RECIPIENT = "RECIPIENT"
    SHARED = "SHARED"
    UNDETERMINED = "UNDETERMINED"


class Confidence(StrEnum):
    """How sure an answer is, by what the fired rules allow (R21)."""

    HIGH = "HIGH"
    MODERATE = "MODERATE"
    LOW = "LOW"
    NONE = "NONE"


class SharePolicy(StrEnum):
    """How recourse is split when the place of the loss is not known (R20)."""

    FREIGHT = "FREIGHT"
    EQUAL = "EQUAL"
    LAST_CARRIER = "LAST_CARRIER"
    CONTRACT_TABLE = "CONTRACT_TABLE"


class Regime(StrEnum):
    """The liability regime of the contract, as far as it decides who answers to the claimant (R20)."""

    CN_SAME_MODE = "CN_SAME_MODE"
    CN_BRAND = "CN_BRAND"
    CMR = "CMR"
    MC = "MC"

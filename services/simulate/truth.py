"""What really happened to the parcels that came to harm: kept apart from the events, for comparing answers with."""

from datetime import datetime

import msgspec

from schemas.vocabulary import Condition, DamageMode, Facet, FindingKind


class Sight(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One look as it was written down, beside what there truly was to see."""

    at: datetime
    """True time."""
    by: str
    segment: int
    """Who held the parcel right after it: 0 the sender, then each custodian in turn."""
    act: str
    """`accept`, `release`, `scan`, `pack`, `look`, `seal` (one was put on), `refusal` or `notice`."""
    facet: Facet
    said: Condition
    truly: Condition
    grade: int
    """What the look is worth by who looked with what, 1 to 5."""
    unit: str | None = None
    """Whose seal it is about."""
    tamper: bool = False
    signed: bool = False
    """Whether the other side of the handoff signed to it."""
    vouched: bool = True
    """Whether its device holds a key, which vouches for when it was written down."""
    recorded: datetime | None = None
    """When it reaches the server."""


class Harm(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One parcel's harm, as the simulator decided it."""

    parcel: str
    kind: FindingKind
    culprit: str
    """The party that had the parcel in its hands when it happened."""
    at: datetime
    segment: int = 0
    """Which custodian that is: 0 the sender, then each one in turn."""
    damage: DamageMode | None = None
    traces: bool = False
    """Of a shortage: whether the carton shows from outside that it was opened."""
    broke_seals: bool = False
    """Whether the units that held it then were broken open and sealed again."""
    reported: bool = False
    """Whether any uploaded event says so. What nobody wrote down, no rule can find."""
    sights: tuple[Sight, ...] = ()
    """Every look at the parcel, or at a seal around it, that was written down and arrives, in the order of seeing."""


def to_lines(harms: tuple[Harm, ...]) -> bytes:
    """One JSON object per line, in the order given."""
    return b"".join(msgspec.json.encode(harm) + b"\n" for harm in harms)


def from_lines(lines: bytes) -> tuple[Harm, ...]:
    """The inverse of `to_lines`. Raises `msgspec.ValidationError` for lines that it did not write."""
    return tuple(msgspec.json.decode(line, type=Harm) for line in lines.splitlines() if line)

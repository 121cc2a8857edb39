"""What really happened to the parcels that came to harm: kept apart from the events, for comparing answers with."""

from datetime import datetime

import msgspec

from schemas.vocabulary import DamageMode, FindingKind


class Harm(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One parcel's harm, as the simulator decided it."""

    parcel: str
    kind: FindingKind
    culprit: str
    """The party that had the parcel in its hands when it happened."""
    at: datetime
    damage: DamageMode | None = None
    reported: bool = False
    """Whether any uploaded event says so. What nobody wrote down, no rule can find."""


def to_lines(harms: tuple[Harm, ...]) -> bytes:
    """One JSON object per line, in the order given."""
    return b"".join(msgspec.json.encode(harm) + b"\n" for harm in harms)


def from_lines(lines: bytes) -> tuple[Harm, ...]:
    """The inverse of `to_lines`. Raises `msgspec.ValidationError` for lines that it did not write."""
    return tuple(msgspec.json.decode(line, type=Harm) for line in lines.splitlines() if line)

"""Who is calling: roles and the caller that a key stands for. Pure, so that acceptance can judge by it."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a key is for. A route or an event type that does not name a role is closed to it."""

    SCANNER = "scanner"
    CLAIMS = "claims"
    OPS = "ops"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a valid key. Scanner keys always name a depot; a key without one is organisation-wide."""

    key_id: str
    role: Role
    depot: str | None = None
    party: str | None = None
    devices: tuple[str, ...] = ()
    """Device names at the depot that the key may speak for; empty: all of them."""

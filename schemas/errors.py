"""Errors named by what the caller must do: refuse it, or wait and retry. Anything else is a bug and crashes."""

import msgspec


class LastintactError(Exception):
    """Root of the errors that callers are meant to handle."""


class Undecodable(LastintactError):
    """These bytes cannot be read as what they claim to be; the same bytes will never be readable. Park or refuse them.

    `field` names the part at fault as a JSON path without `$` (empty: the whole), `remedy` says what to change.
    """

    def __init__(self, reason: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.remedy = remedy


class Unavailable(LastintactError):
    """A part that is needed is slow or away; nothing is promised about what was sent. Wait, then send the same again.

    `retry_after_seconds` is how long waiting is worth.
    """

    def __init__(self, reason: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class Reason(msgspec.Struct, frozen=True):
    """Why one thing was refused or flagged, for a person who must act on it."""

    code: str
    """UPPER_SNAKE, stable across releases."""
    field: str
    """Which field is meant, as a JSON path without `$`; empty for the whole."""
    detail: str
    """What is wrong, in a sentence."""
    remedy: str
    """What to change, in a sentence."""

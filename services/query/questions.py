"""What callers may ask, read from text: the moment, the finding, the filters and the place in a list. PURE.

Everything here raises `Undecodable` naming the parameter at fault.
"""

import base64
import binascii
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar

import msgspec

from schemas.codec import parse_instant
from schemas.errors import Undecodable
from schemas.identifiers import parse_subject
from schemas.positions import Positions, parse_positions
from schemas.topics import EVENTS
from schemas.vocabulary import Confidence, DamageMode, FindingKind, Outcome, Severity
from services.custody.core.verdict import Finding

# Room for arithmetic on both sides: datetime ends at the years 1 and 9999.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
_VECTOR = re.compile(r"[0-9 :,]+\Z")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")
_PARTY = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")

Word = TypeVar("Word", bound=StrEnum)


def read_subject(text: str) -> str:
    """A parcel or unit in canonical form, from any spelling that a label carries."""
    return str(parse_subject(text))


def read_as_of(text: str | None) -> datetime | Positions | None:
    """An instant in UTC or a position vector; None: what is projected now."""
    if text is None:
        return None
    if _VECTOR.match(text):
        vector = parse_positions(text)
        if any(partition >= EVENTS.partitions for partition in vector):
            raise Undecodable(
                f"the log has the partitions 0 to {EVENTS.partitions - 1}",
                field="as_of",
                remedy="Send a position vector as an earlier answer told it.",
            )
        return vector
    if re.search(r" \d\d:\d\d\Z", text):
        raise Undecodable(
            f"{text[:40]!r} has a space where the zone begins",
            field="as_of",
            remedy="In a URL write the + of a zone as %2B, or use Z.",
        )
    try:
        instant = parse_instant(text, field="as_of").astimezone(UTC)
    except OverflowError:
        instant = _LATEST
    if not _EARLIEST <= instant < _LATEST:
        raise Undecodable(
            f"{text[:40]!r} lies outside the years 1970 to 8999", field="as_of", remedy="Send an instant between them."
        )
    return instant


def read_instant(text: str, *, field: str) -> datetime:
    """An instant in UTC, within the same bounds as `as_of`."""
    try:
        instant = parse_instant(text, field=field).astimezone(UTC)
    except OverflowError:
        instant = _LATEST
    return min(max(instant, _EARLIEST), _LATEST)


def read_finding(kind: str | None, component: str | None, damage: str | None, severity: str | None) -> Finding | None:
    """The finding that is asked about; None: every finding that stands."""
    if kind is None:
        for name, value in (("component", component), ("damage", damage), ("severity", severity)):
            if value is not None:
                raise Undecodable(
                    f"{name} narrows a finding, and none is named", field=name, remedy="Send finding=DAMAGE beside it."
                )
        return None
    if component is not None and not _CODE.match(component):
        raise Undecodable(
            f"component {component[:50]!r} is no code",
            field="component",
            remedy="Use lower-case letters, digits and underscore, as in the event's data.",
        )
    return Finding(
        kind=read_word(FindingKind, kind, field="finding"),
        component=component or "whole",
        damage=None if damage is None else read_word(DamageMode, damage, field="damage"),
        severity=None if severity is None else read_word(Severity, severity, field="severity"),
    )


def read_word(words: type[Word], text: str, *, field: str) -> Word:
    """One of a closed list of words."""
    try:
        return words(text)
    except ValueError as error:
        raise Undecodable(
            f"{text[:40]!r} is none of the words for {field}", field=field, remedy=f"Use one of {', '.join(words)}."
        ) from error


class CaseFilter(NamedTuple):
    """Which cases are wanted; None: any."""

    kind: FindingKind | None = None
    outcome: Outcome | None = None
    confidence: Confidence | None = None
    party: str | None = None


def read_case_filter(kind: str | None, outcome: str | None, confidence: str | None, party: str | None) -> CaseFilter:
    """The filters of the worklist."""
    if party is not None and not _PARTY.match(party):
        raise Undecodable(
            f"party {party[:70]!r} is no party's code",
            field="party",
            remedy="Use letters, digits, hyphen and underscore, at most 64.",
        )
    return CaseFilter(
        kind=None if kind is None else read_word(FindingKind, kind, field="kind"),
        outcome=None if outcome is None else read_word(Outcome, outcome, field="outcome"),
        confidence=None if confidence is None else read_word(Confidence, confidence, field="confidence"),
        party=party,
    )


class CaseKey(NamedTuple):
    """A case's place in the worklist."""

    opened: datetime
    subject: str


class EventKey(NamedTuple):
    """An event's place in a list of events."""

    partition: int
    offset: int


Key = TypeVar("Key", CaseKey, EventKey)


def write_cursor(asked: tuple[str | None, ...], key: CaseKey | EventKey) -> str:
    """An opaque text that goes on after `key` in the list that `asked` describes."""
    told = msgspec.json.encode([asked, tuple(key)])
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def read_cursor(text: str | None, asked: tuple[str | None, ...], kind: type[Key]) -> Key | None:
    """Where to go on; None: at the beginning. A cursor of another list is refused: it would skip rows unseen."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        of, place = msgspec.json.decode(raw, type=tuple[tuple[str | None, ...], msgspec.Raw])
        key = msgspec.json.decode(place, type=kind)
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError) as error:
        raise Undecodable(
            "this is no cursor of ours",
            field="cursor",
            remedy="Send `next` of the page before, unchanged, or leave it out.",
        ) from error
    if of != asked:
        raise Undecodable(
            "this cursor belongs to a list with other filters",
            field="cursor",
            remedy="Repeat the filters of the first page, or leave the cursor out.",
        )
    return key

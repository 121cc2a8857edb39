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
from schemas.identifiers import Source, parse_subject
from schemas.positions import Positions, parse_positions
from schemas.topics import EVENTS
from schemas.vocabulary import Confidence, DamageMode, FindingKind, Outcome, Severity
from services.custody.core.incidents import Incident
from services.custody.core.verdict import Finding

# Room for arithmetic on both sides: datetime ends at the years 1 and 9999.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
_VECTOR = re.compile(r"[0-9 :,]+\Z")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")
_PARTY = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_DEVICE = re.compile(r"([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})\Z")
_PIECE = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
FINDINGS_MAX = 10
"""How many findings one question may join."""
# The database counts in 63 bits.
_OFFSETS = 2**63

Word = TypeVar("Word", bound=StrEnum)


def read_subject(text: str) -> str:
    """A parcel or unit in canonical form, from any spelling that a label carries."""
    return str(parse_subject(text))


def read_as_of(text: str | None, *, field: str = "as_of") -> datetime | Positions | None:
    """An instant in UTC or a position vector; None: what is projected now."""
    if text is None:
        return None
    if _VECTOR.match(text):
        return read_vector(text, field=field)
    if re.search(r" \d\d:\d\d\Z", text):
        raise Undecodable(
            f"{text[:40]!r} has a space where the zone begins",
            field=field,
            remedy="In a URL write the + of a zone as %2B, or use Z.",
        )
    try:
        instant = parse_instant(text, field=field).astimezone(UTC)
    except OverflowError:
        instant = _LATEST
    if not _EARLIEST <= instant < _LATEST:
        raise Undecodable(
            f"{text[:40]!r} lies outside the years 1970 to 8999", field=field, remedy="Send an instant between them."
        )
    return instant


def read_vector(text: str, *, field: str) -> Positions:
    """A position vector of this log."""
    vector = parse_positions(text, field=field)
    if len(vector) <= text.count(","):
        raise Undecodable(
            f"{text[:60]!r} names a partition twice",
            field=field,
            remedy="Name each partition once: which of two offsets was meant would be a guess.",
        )
    if any(partition >= EVENTS.partitions for partition in vector):
        raise Undecodable(
            f"the log has the partitions 0 to {EVENTS.partitions - 1}",
            field=field,
            remedy="Send a position vector as an earlier answer told it.",
        )
    if any(offset >= _OFFSETS for offset in vector.values()):
        raise Undecodable(f"{text[:60]!r} lies beyond every log", field=field, remedy="Send a vector that was told.")
    return vector


def read_instant(text: str, *, field: str) -> datetime:
    """An instant in UTC, within the same bounds as `as_of`."""
    try:
        instant = parse_instant(text, field=field).astimezone(UTC)
    except OverflowError:
        instant = _LATEST
    return min(max(instant, _EARLIEST), _LATEST)


def read_finding(
    kind: str | None, component: str | None, damage: str | None, severity: str | None, piece: str | None = None
) -> Finding | None:
    """The finding that is asked about; None: every finding that stands."""
    if kind is None:
        for name, value in (
            ("component", component),
            ("damage", damage),
            ("severity", severity),
            ("piece", piece),
        ):
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
    if piece is not None and not _PIECE.match(piece):
        raise Undecodable(f"piece {piece[:70]!r} is no piece's name", field="piece", remedy="Send it as announced.")
    return Finding(
        kind=read_word(FindingKind, kind, field="finding"),
        component=component or "whole",
        damage=None if damage is None else read_word(DamageMode, damage, field="damage"),
        severity=None if severity is None else read_word(Severity, severity, field="severity"),
        piece=piece,
    )


def read_findings(text: str) -> tuple[Finding, ...]:
    """Several findings with commas, each in parts: kind, component, mechanism and severity, and maybe a piece."""
    texts = text.split(",")
    if len(texts) < 2:
        raise Undecodable("one finding is no union", field="of", remedy="Name two or more, with commas.")
    if len(texts) > FINDINGS_MAX:
        raise Undecodable(f"more than {FINDINGS_MAX} findings", field="of", remedy="Send fewer.")
    found = []
    for each in texts:
        words = [None if word == "any" else word for word in each.strip().split("/")]
        if not 2 <= len(words) <= 5 or words[0] is None:
            raise Undecodable(
                f"{each[:60]!r} names no finding", field="of", remedy="Write it like DAMAGE/whole/wet/any."
            )
        kind, component, damage, severity, piece = (*words, None, None, None)[:5]
        finding = read_finding(kind, component, damage, severity, piece)
        assert finding is not None
        found.append(finding)
    return tuple(found)


def read_word(words: type[Word], text: str, *, field: str) -> Word:
    """One of a closed list of words."""
    try:
        return words(text)
    except ValueError as error:
        raise Undecodable(
            f"{text[:40]!r} is none of the words for {field}", field=field, remedy=f"Use one of {', '.join(words)}."
        ) from error


def read_policy(text: str) -> str:
    """The code of settings, in upper case as their subject has it."""
    if not _PARTY.match(text):
        raise Undecodable(
            f"policy {text[:70]!r} is no code",
            field="policy",
            remedy="Use letters, digits, hyphen and underscore, at most 64.",
        )
    return text.upper()


def read_party(text: str, *, field: str) -> str:
    """A party's code, in its own spelling."""
    if not _PARTY.match(text):
        raise Undecodable(
            f"party {text[:70]!r} is no party's code",
            field=field,
            remedy="Use letters, digits, hyphen and underscore, at most 64.",
        )
    return text


def read_device(text: str) -> Source:
    """A device as `{depot}.{device}`; neither name may hold a dot."""
    found = _DEVICE.match(text)
    if found is None:
        raise Undecodable(
            f"{text[:140]!r} names no device of a depot",
            field="id",
            remedy="Send {depot}.{device}, for example H1.d1, in the spelling of the device's source.",
        )
    return Source(found[1], found[2])


def read_number(text: str, *, field: str) -> int:
    """A number that we gave."""
    if not _NUMBER.match(text):
        raise Undecodable(f"{text[:40]!r} is no number", field=field, remedy="Send it as the list told it.")
    return int(text)


class Sort(StrEnum):
    """The orders of the worklist, the latest first in each."""

    OPENED = "opened"
    CHANGED = "changed"


class CaseFilter(NamedTuple):
    """Which cases are wanted; None: any."""

    kind: FindingKind | None = None
    outcome: Outcome | None = None
    confidence: Confidence | None = None
    party: str | None = None
    incident: Incident | None = None


def read_case_filter(
    kind: str | None,
    outcome: str | None,
    confidence: str | None,
    party: str | None,
    incident: str | None = None,
) -> CaseFilter:
    """The filters of the worklist."""
    return CaseFilter(
        kind=None if kind is None else read_word(FindingKind, kind, field="kind"),
        outcome=None if outcome is None else read_word(Outcome, outcome, field="outcome"),
        confidence=None if confidence is None else read_word(Confidence, confidence, field="confidence"),
        party=None if party is None else read_party(party, field="party"),
        incident=None if incident is None else read_word(Incident, incident, field="incident"),
    )


class CaseKey(NamedTuple):
    """A case's place in the worklist by when cases were opened."""

    opened: datetime
    subject: str
    journey: int


class ChangedKey(NamedTuple):
    """A case's place in the worklist by when cases last changed, as of the first page."""

    as_of: datetime
    changed: datetime
    subject: str
    journey: int


class EventKey(NamedTuple):
    """An event's place in a list of events."""

    partition: int
    offset: int


class RefusalKey(NamedTuple):
    """A refusal's place in the list of them."""

    refusal_id: int


class ContentKey(NamedTuple):
    """An item's place among all that a unit ever held, as of the first page."""

    as_of: str | None
    subject: str


Key = TypeVar("Key", CaseKey, ChangedKey, EventKey, RefusalKey, ContentKey)
AnyKey = CaseKey | ChangedKey | EventKey | RefusalKey | ContentKey


def write_cursor(asked: tuple[str | None, ...], key: AnyKey) -> str:
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

"""Which events are taken. PURE: an envelope, the caller, the limits and the time of the door give a judgement.

Refusing evidence loses it. So only what cannot be attributed (not this caller's source, not this role's type, no
subject) or cannot be read (known type, wrong data) is rejected; what is merely odd is recorded with a warning.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter, gt

from schemas import codec
from schemas.codec import Envelope
from schemas.errors import Reason, Undecodable
from schemas.identifiers import Source, Subject, parse_source, parse_subject
from services.edge.callers import Caller, Role
from services.ingest import naming, strict


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may carry."""

    body_bytes: int = 8 * 1024 * 1024
    item_bytes: int = 1024 * 1024
    items: int = 1000
    depth: int = 32


SYSTEM_DEPOT = "system"
"""The depot of events that the installation itself makes; no key may speak for it."""

_NOBODY: frozenset[Role] = frozenset()
_ADMIN = frozenset({Role.ADMIN})
_SCANNER = _ADMIN | {Role.SCANNER}
_OPS = _ADMIN | {Role.OPS}
_CLAIMS = _ADMIN | {Role.CLAIMS}

# Name without version -> who may post it. The first line that fits decides; a name ending in `.` or `_` is a prefix.
MAY_POST: tuple[tuple[str, frozenset[Role]], ...] = (
    ("custody.deadline_passed", _NOBODY),  # the ticker's
    ("custody.verdict_issued", _NOBODY),  # ours, when we told somebody
    ("custody.payload_withheld", _ADMIN),
    ("custody.parcel_announced", _OPS),
    ("custody.notice_given", _CLAIMS),
    ("custody.event_corrected", _SCANNER | _CLAIMS),
    # Ordered at a counter or on the telephone as often as beside the parcel.
    ("custody.hold_placed", _SCANNER | _CLAIMS | _OPS),
    ("custody.redirected", _SCANNER | _CLAIMS | _OPS),
    ("custody.return_ordered", _SCANNER | _CLAIMS | _OPS),
    ("custody.", _SCANNER),
    ("registry.device_", _OPS),
    ("registry.party_", _OPS),
    ("registry.site_", _OPS),
    ("registry.", _ADMIN),
    ("claims.", _CLAIMS),
    ("", _SCANNER),  # a device newer than this server
)

# A clock that is wrong by more than this is worth telling the device; the rules judge it later all the same.
FUTURE_MAX = timedelta(hours=1)
PAST_MAX = timedelta(days=366)

# Longer text would not fit the index it is looked up by (a B-tree row in Postgres holds 2,700 bytes).
LENGTHS_MAX = {
    "id": 128,
    "source": 192,
    "type": 128,
    "subject": 256,
    "time": 64,
    "datacontenttype": 128,
    "sequence": 32,
    "keyid": 128,
    "sigalg": 32,
    "signature": 256,
}
_texts_of = attrgetter(*LENGTHS_MAX)
_LONGEST = tuple(LENGTHS_MAX.values())
EXTENSIONS_MAX = 16
EXTENSION_LENGTH_MAX = 1024
UNKNOWN_FIELDS_TOLD_MAX = 16

# What CloudEvents forbids in attributes (1.0.2, type system); Postgres text cannot hold the first of them at all.
_FORBIDDEN_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# The same in data that is read: what it ends up in, answers and indexes, cannot hold NUL.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_VERSION = re.compile(r"\.v[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class Accepted:
    """To be recorded under `subject`, the canonical form of what was sent."""

    envelope: Envelope
    subject: Subject
    warnings: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Not to be recorded; each reason says what to change."""

    reasons: tuple[Reason, ...]


def judge(
    envelope: Envelope, caller: Caller, limits: Limits, now: datetime, *, data_is_strict: bool = False
) -> Accepted | Rejection:
    """Judge an event that a key's holder sent. `data_is_strict`: its data was already found to be strict JSON."""
    refused = _not_theirs(envelope, caller)
    if refused is not None:
        return Rejection((refused,))
    return judge_system(envelope, limits, now, data_is_strict=data_is_strict)


def judge_system(
    envelope: Envelope, limits: Limits, now: datetime, *, data_is_strict: bool = False
) -> Accepted | Rejection:
    """Judge what does not depend on who sent it; all there is to judge of the installation's own events."""
    warnings: list[Reason] = []
    try:
        _check_text(envelope)
        _source(envelope.source)
        subject = parse_subject(envelope.subject)
        warnings += _odd_time(envelope, now)
        warnings += _read_data(envelope, subject, limits, data_is_strict)
    except Undecodable as error:
        return Rejection((reason_of(error),))
    except _Refused as refused:
        return Rejection((refused.reason,))
    if subject.check_digit_ok is False:
        warnings.append(_bad_check_digit(subject, "subject"))
    return Accepted(envelope, subject, tuple(warnings))


def reason_of(error: Undecodable, code: str = "") -> Reason:
    """The reason that an unreadable part gives."""
    if not code:
        code = "BAD_DATA" if error.field.startswith("data") and error.field != "datacontenttype" else "BAD_ATTRIBUTE"
    return Reason(code, error.field, f"{error.reason}.", error.remedy or "Correct it and send the event again.")


# Few types are in use; the bound holds for those that somebody makes up.
@lru_cache(maxsize=1024)
def may_post(event_type: str) -> frozenset[Role]:
    """The roles that may post events of this type, in any version."""
    name = _VERSION.sub("", event_type)
    for pattern, roles in MAY_POST:
        if name == pattern or (pattern[-1:] in {"", ".", "_"} and name.startswith(pattern)):
            return roles
    raise AssertionError("the last line of MAY_POST fits every name")


class _Refused(Exception):
    """Carries the reason out of the checks; never leaves this module."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


@lru_cache(maxsize=4096)
def _source(text: str) -> Source:
    return parse_source(text)


def _not_theirs(envelope: Envelope, caller: Caller) -> Reason | None:
    roles = may_post(envelope.type)
    if caller.role not in roles:
        allowed = f"send it with a key for {' or '.join(sorted(roles))}" if roles else "leave it to the server"
        return Reason(
            "WRONG_ROLE",
            "type",
            f"A key with the role {caller.role} may not post {envelope.type[:80]!r}.",
            f"Check the type, or {allowed}.",
        )
    try:
        source = _source(envelope.source)
    except Undecodable as error:
        return reason_of(error)
    if source.depot == SYSTEM_DEPOT or (caller.depot is not None and source.depot != caller.depot):
        own = f"/depots/{caller.depot}/devices/..." if caller.depot else "a depot of yours"
        return Reason(
            "WRONG_SOURCE",
            "source",
            f"The key may not speak for the depot {source.depot!r}.",
            f"Send a source under {own}, or use that depot's key.",
        )
    if caller.devices and source.device not in caller.devices:
        return Reason(
            "WRONG_SOURCE",
            "source",
            f"The key may not speak for the device {source.device!r}.",
            f"Send one of the key's devices ({', '.join(caller.devices)}), or have a key made for this device.",
        )
    return None


def _check_text(envelope: Envelope) -> None:
    texts = [text or "" for text in _texts_of(envelope)]
    if any(map(gt, map(len, texts), _LONGEST)):
        name = next(name for name, text in zip(LENGTHS_MAX, texts, strict=True) if len(text) > LENGTHS_MAX[name])
        longest = LENGTHS_MAX[name]
        raise Undecodable(f"{name} is longer than {longest} characters", field=name, remedy=f"Send at most {longest}.")
    # One look at all of them; hardly any event holds what is not printable, and not all of that is forbidden.
    if not "".join(texts).isprintable():
        for name, text in zip(LENGTHS_MAX, texts, strict=True):
            _refuse_control(name, text)
    if envelope.clockoffsetms is not None and not -(2**53) < envelope.clockoffsetms < 2**53:
        raise Undecodable("clockoffsetms is out of range", field="clockoffsetms", remedy="Send milliseconds.")
    if envelope.extensions:
        _check_extensions(envelope.extensions)


def _check_extensions(extensions: dict[str, str | int | bool]) -> None:
    if len(extensions) > EXTENSIONS_MAX:
        raise Undecodable(
            f"there are more than {EXTENSIONS_MAX} further attributes",
            field=next(iter(extensions)),
            remedy="Put what belongs to the event into data.",
        )
    for name, value in extensions.items():
        if isinstance(value, str):
            if len(value) > EXTENSION_LENGTH_MAX:
                raise Undecodable(
                    f"{name} is longer than {EXTENSION_LENGTH_MAX} characters", field=name, remedy="Put it into data."
                )
            _refuse_control(name, value)
        elif not -(2**31) <= value < 2**31:
            raise Undecodable(
                f"{name} does not fit 32 bits, as CloudEvents integers must", field=name, remedy="Send it as text."
            )


def _refuse_control(name: str, value: str) -> None:
    if _FORBIDDEN_TEXT.search(value):
        raise Undecodable(
            f"{name} holds a control character", field=name, remedy="Send printable text; check the scanner's prefix."
        )


def _odd_time(envelope: Envelope, now: datetime) -> tuple[Reason, ...]:
    event_time = codec.parse_instant(envelope.time)
    try:
        event_time.astimezone(UTC)
    except OverflowError as error:
        raise Undecodable(
            f"{envelope.time!r} lies outside the calendar", field="time", remedy="Set the device's clock."
        ) from error
    # A difference fits the calendar's ends, where an instant added to does not: a story may be told there.
    if -PAST_MAX <= event_time - now <= FUTURE_MAX:
        return ()
    side = "after" if event_time > now else "before"
    return (
        Reason(
            "ODD_TIME",
            "time",
            f"{envelope.time} lies far {side} the server's {codec.format_instant(now)}; recorded as sent.",
            "Check the device's clock and zone.",
        ),
    )


def _bad_check_digit(subject: Subject, field: str) -> Reason:
    return Reason(
        "BAD_CHECK_DIGIT",
        field,
        f"The check digit of {subject} is wrong; recorded as scanned.",
        "Look at the label: it may be damaged, or typed in wrongly.",
    )


def _read_data(envelope: Envelope, subject: Subject, limits: Limits, data_is_strict: bool) -> list[Reason]:
    known = codec.is_known(envelope.type)
    is_registry = envelope.type.startswith("registry.")
    if is_registry != (subject.issuer in naming.REGISTRY_ISSUERS):
        raise Undecodable(
            f"{envelope.type[:80]} cannot be about {subject}",
            field="subject",
            remedy="Events of the registry are about device:, party:, policy: or site: subjects, and no others are.",
        )
    if not data_is_strict and (known or (envelope.data and codec.is_json(envelope.datacontenttype))):
        _refuse_ambiguous(envelope.data, limits.depth)
    if not known:
        return [
            Reason(
                "PARKED_UNKNOWN_TYPE",
                "type",
                f"{envelope.type!r} is not known to this version; recorded and parked until one reads it.",
                "Check the type's name and version; if they are meant, nothing needs to be done.",
            )
        ]
    event = codec.decode_data(envelope)
    if b"\\u0000" in envelope.data and _NUL.search(envelope.data):
        raise Undecodable("data holds the character NUL", field="data", remedy="Send text without \\u0000.")
    if is_registry:
        naming.check_registered(event, subject)
    warnings = [
        Reason(
            "UNKNOWN_FIELD",
            f"data.{name[:60]}",
            f"{envelope.type} has no field {name[:60]!r}; recorded, not read.",
            "Check the spelling, or use a newer version of the type.",
        )
        for name in codec.unknown_fields(envelope)[:UNKNOWN_FIELDS_TOLD_MAX]
    ]
    for field, item in naming.items_named(event, subject):
        if item.check_digit_ok is False and item != subject:
            warnings.append(_bad_check_digit(item, field))
    return warnings


def _refuse_ambiguous(data: bytes, depth_max: int) -> None:
    found = strict.fault(data, depth_max)
    if found is not None:
        raise _Refused(Reason(found.code, f"data.{found.field}".rstrip("."), found.detail, found.remedy))

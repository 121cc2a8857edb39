"""Bytes to values and back: the recorded envelope, the signed form, the content hash, the data of an event.

The log carries CloudEvents 1.0 in structured mode. Inside the envelope the data is the device's own bytes, never
re-serialised, so that what was signed can be checked for ever. Length-prefixed means: each part preceded by its
length as four bytes, big-endian.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from schemas.errors import Undecodable
from schemas.events import EVENT_TYPES, Event
from schemas.upcast import lift

SIGNED_FORM = b"lastintact.v1"
RECORD_CONTENT_TYPE = "application/cloudevents+json"
JSON_CONTENT_TYPE = "application/json"

DEVICE_ATTRIBUTES = (
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "sequence",
    "clockoffsetms",
    "keyid",
    "sigalg",
    "signature",
)
"""What a device may say of its event; all but `clockoffsetms` (a whole number) are text."""
DOOR_ATTRIBUTES = ("recordedtime", "recordedby", "recordeddepot", "recordedparty", "recordedbuild")
"""What the write door adds; a request can never set these."""


class Envelope(Struct, frozen=True, kw_only=True):
    """One recorded event: the device's attributes, the door's attributes, and the data bytes as sent."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    """When it happened by the device's clock, as sent."""
    data: bytes
    datacontenttype: str = JSON_CONTENT_TYPE
    sequence: str | None = None
    clockoffsetms: int | None = None
    """Device clock minus server clock at upload, in milliseconds, as the device measured it."""
    keyid: str | None = None
    sigalg: str | None = None
    signature: str | None = None
    """Base64 (RFC 4648) over the signed form."""
    recordedtime: str = ""
    """Server clock at the door, RFC 3339 in UTC."""
    recordedby: str = ""
    """API key id."""
    recordeddepot: str | None = None
    recordedparty: str | None = None
    recordedbuild: str | None = None
    extensions: dict[str, str | int | bool] = {}
    """Further CloudEvents attributes, kept as sent and not signed."""


class _Wire(Struct, omit_defaults=True, kw_only=True):
    """The envelope's JSON. The order of the fields is the order on the wire."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    sequence: str | None = None
    clockoffsetms: int | None = None
    keyid: str | None = None
    sigalg: str | None = None
    signature: str | None = None
    recordedtime: str = ""
    recordedby: str = ""
    recordeddepot: str | None = None
    recordedparty: str | None = None
    recordedbuild: str | None = None
    data: Raw | UnsetType = UNSET
    data_base64: str | None = None


_wire_decoder = msgspec.json.Decoder(_Wire)
_attributes_decoder = msgspec.json.Decoder(dict[str, Raw])
_encoder = msgspec.json.Encoder()
# msgspec names the object at fault; whoever must correct it wants the field.
_MISSING = re.compile(r"missing required field `([^`]+)`")
_data_decoders = {name: msgspec.json.Decoder(kind) for name, kind in EVENT_TYPES.items()}
_known_fields = {name: frozenset(kind.__struct_fields__) for name, kind in EVENT_TYPES.items()}


def length_prefixed(parts: Iterable[bytes]) -> bytes:
    """Join byte strings so that no two different lists give the same bytes."""
    joined: list[bytes] = []
    for part in parts:
        joined.append(len(part).to_bytes(4, "big"))
        joined.append(part)
    return b"".join(joined)


def signed_form(envelope: Envelope) -> bytes:
    """The bytes that a device signs: the same for binary, structured and batch mode."""
    return length_prefixed(
        (
            SIGNED_FORM,
            envelope.id.encode(),
            envelope.source.encode(),
            envelope.type.encode(),
            envelope.subject.encode(),
            envelope.time.encode(),
            envelope.datacontenttype.encode(),
            hashlib.sha256(envelope.data).digest(),
        )
    )


def content_hash(envelope: Envelope) -> bytes:
    """SHA-256 of the signed form: tells a repeat from a conflict."""
    return hashlib.sha256(signed_form(envelope)).digest()


def identity(source: str, event_id: str) -> bytes:
    """SHA-256 of the length-prefixed source and id: who made the event, and which of its events it is."""
    return hashlib.sha256(length_prefixed((source.encode(), event_id.encode()))).digest()


def encode_record(envelope: Envelope) -> bytes:
    """The value of the log record: structured-mode JSON holding the data bytes exactly.

    Data that is not JSON, or that has white space around it, travels as `data_base64`: a JSON parser would not give
    those bytes back.
    """
    as_json = is_json(envelope.datacontenttype) and envelope.data == envelope.data.strip() and envelope.data != b""
    # Written out: this runs once per event at the door, and building it by name costs as much as encoding it.
    wire = _Wire(
        specversion="1.0",
        id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        subject=envelope.subject,
        time=envelope.time,
        datacontenttype=envelope.datacontenttype,
        sequence=envelope.sequence,
        clockoffsetms=envelope.clockoffsetms,
        keyid=envelope.keyid,
        sigalg=envelope.sigalg,
        signature=envelope.signature,
        recordedtime=envelope.recordedtime,
        recordedby=envelope.recordedby,
        recordeddepot=envelope.recordeddepot,
        recordedparty=envelope.recordedparty,
        recordedbuild=envelope.recordedbuild,
        data=Raw(envelope.data) if as_json else UNSET,
        data_base64=None if as_json else base64.b64encode(envelope.data).decode(),
    )
    encoded = _encoder.encode(wire)
    if not envelope.extensions:
        return encoded
    return encoded[:-1] + b"," + _encoder.encode(envelope.extensions)[1:]


def decode_record(value: bytes) -> Envelope:
    """Read a log record. Raises `Undecodable` when it is not an envelope of ours.

    Unknown attributes stay in the record and are not looked at.
    """
    try:
        wire = _wire_decoder.decode(value)
        if wire.data_base64 is not None:
            data = base64.b64decode(wire.data_base64, validate=True)
        else:
            data = b"" if wire.data is UNSET else bytes(wire.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, RecursionError) as error:
        raise Undecodable(f"not a recorded event: {error}") from error
    # Written out, as in encode_record: the projector does this for every event.
    return Envelope(
        data=data,
        id=wire.id,
        source=wire.source,
        type=wire.type,
        subject=wire.subject,
        time=wire.time,
        datacontenttype=wire.datacontenttype,
        sequence=wire.sequence,
        clockoffsetms=wire.clockoffsetms,
        keyid=wire.keyid,
        sigalg=wire.sigalg,
        signature=wire.signature,
        recordedtime=wire.recordedtime,
        recordedby=wire.recordedby,
        recordeddepot=wire.recordeddepot,
        recordedparty=wire.recordedparty,
        recordedbuild=wire.recordedbuild,
    )


def parse_structured(body: bytes) -> Envelope:
    """Read a structured-mode CloudEvent as a device sends it. Raises `Undecodable` naming the field at fault.

    The door's attributes are refused: a request cannot say when or by whom it was recorded.
    """
    try:
        raw = _attributes_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(
            f"not a JSON object: {error}", remedy="Send one CloudEvent as a JSON object (structured mode)."
        ) from error
    data_json = raw.pop("data", None)
    # An attribute that is null is one that is not set (CloudEvents JSON format 1.0.2, 2.2).
    raw = {name: value for name, value in raw.items() if bytes(value) != b"null"}
    data_base64 = raw.pop("data_base64", None)
    if (data_base64 is None) == (data_json is None):
        raise Undecodable(
            "an event carries either data or data_base64", field="data", remedy="Send exactly one of the two."
        )
    if data_json is not None:
        data = bytes(data_json)
    else:
        assert data_base64 is not None
        text = _scalar("data_base64", bytes(data_base64))
        try:
            data = base64.b64decode(str(text), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Undecodable(
                f"data_base64 is not Base64: {error}",
                field="data_base64",
                remedy="Encode it as RFC 4648 section 4 says.",
            ) from error
    envelope = envelope_of({name: _scalar(name, bytes(value)) for name, value in raw.items()}, data)
    if data_json is None or is_json(envelope.datacontenttype):
        return envelope
    # Data that is not JSON stands in `data` as a JSON string of it (CloudEvents JSON format 1.0.2, 3.1).
    text = _scalar("data", data)
    if not isinstance(text, str):
        raise Undecodable(
            f"data of type {envelope.datacontenttype[:40]!r} is not text",
            field="data",
            remedy="Send it as a JSON string or as data_base64, or correct datacontenttype.",
        )
    return msgspec.structs.replace(envelope, data=text.encode())


def envelope_of(attributes: Mapping[str, str | int | bool], data: bytes) -> Envelope:
    """Put attributes (as text, whole numbers or truth values) and data bytes together; raises `Undecodable`."""
    known: dict[str, Any] = {}
    extensions: dict[str, str | int | bool] = {}
    for name, value in attributes.items():
        if name == "specversion":
            if value != "1.0":
                raise Undecodable(f"specversion {value!r} is not 1.0", field=name, remedy="Send CloudEvents 1.0.")
        elif name in DOOR_ATTRIBUTES:
            raise Undecodable(f"{name} is set by the server", field=name, remedy=f"Leave {name} out.")
        elif name == "clockoffsetms":
            known[name] = _whole_number(name, value)
        elif name in DEVICE_ATTRIBUTES:
            if not isinstance(value, str):
                raise Undecodable(f"{name} is not text", field=name, remedy=f"Send {name} as a JSON string.")
            known[name] = value
        else:
            if not (name.isascii() and name.isalnum() and name == name.lower() and len(name) <= 20):
                raise Undecodable(
                    f"{name[:40]!r} is no CloudEvents attribute name",
                    field=name[:40],
                    remedy="Attribute names are at most 20 lower-case letters and digits; the rest goes into data.",
                )
            extensions[name] = value
    if "specversion" not in attributes:
        raise Undecodable("specversion is missing", field="specversion", remedy='Send specversion "1.0".')
    for name in ("id", "source", "type", "subject", "time"):
        if not known.get(name):
            raise Undecodable(f"{name} is missing", field=name, remedy=f"Send {name}; it must not be empty.")
    return Envelope(data=data, extensions=extensions, **known)


def decode_data(envelope: Envelope) -> Event:
    """The event's data as a value of the newest version. Raises `Undecodable` for unknown types and wrong fields."""
    decoder = _data_decoders.get(envelope.type)
    try:
        if decoder is not None:
            return decoder.decode(envelope.data)
        newest, fields = _lifted(envelope.type, msgspec.json.decode(envelope.data, type=dict))
        if newest not in EVENT_TYPES:
            raise Undecodable(
                f"type {envelope.type[:80]!r} is not known to this version",
                field="type",
                remedy="Check the type's name and version, or upgrade the server; the event is kept until then.",
            )
        return msgspec.convert(fields, EVENT_TYPES[newest], strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _data_error(error) from error


def _lifted(event_type: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    try:
        return lift(event_type, fields)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # A step works on fields that nothing has checked yet: what it trips over is the event's fault.
        raise Undecodable(
            f"data cannot be lifted from {event_type[:80]!r}: {error}",
            field="data",
            remedy="Correct the data as the type's JSON Schema says, or send the newest version.",
        ) from error


def is_known(event_type: str) -> bool:
    """Whether this version can read events of this type, directly or through upcasters."""
    return event_type in EVENT_TYPES or lift.knows(event_type)


def unknown_fields(envelope: Envelope) -> tuple[str, ...]:
    """Top-level names in the data that this version does not read, sorted. The data must have been decoded before."""
    known = _known_fields.get(envelope.type)
    if known is None:
        return ()
    return tuple(sorted(_attributes_decoder.decode(envelope.data).keys() - known))


def parse_instant(text: str, *, field: str = "time") -> datetime:
    """Read an RFC 3339 instant; raises `Undecodable` for a time without zone or one that is none."""
    try:
        instant = msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        raise Undecodable(
            f"{text[:40]!r} is not an RFC 3339 time", field=field, remedy="Send for example 2026-07-07T09:30:00+08:00."
        ) from error
    if instant.tzinfo is None:
        raise Undecodable(
            f"{text[:40]!r} has no zone",
            field=field,
            remedy="Add the zone, for example +08:00 or Z; we never guess it.",
        )
    return instant


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds; equal instants give equal text. Needs an instant with a zone."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def is_json(content_type: str) -> bool:
    """Whether data of this content type is JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == JSON_CONTENT_TYPE or media_type.endswith("+json")


def _scalar(name: str, raw: bytes) -> str | int | bool:
    try:
        return msgspec.json.decode(raw, type=str | int | bool)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(
            f"{name[:40]} is neither text, whole number nor truth value",
            field=name[:40],
            remedy="CloudEvents attributes are simple values; put structure into data.",
        ) from error


def _whole_number(name: str, value: str | int | bool) -> int:
    try:
        return msgspec.convert(value, int, strict=isinstance(value, bool))
    except msgspec.ValidationError as error:
        raise Undecodable(
            f"{name} is not a whole number", field=name, remedy=f"Send {name} in milliseconds."
        ) from error


def _data_error(error: Exception) -> Undecodable:
    text, _, path = str(error).partition(" - at `$")
    field = "data" + path.rstrip("`") if path else "data"
    missing = _MISSING.search(text)
    if missing:
        field += "." + missing[1]
    return Undecodable(
        text, field=field, remedy="Correct this field as the type's JSON Schema says and send the event again."
    )

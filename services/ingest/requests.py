"""CloudEvents over HTTP as they come in: binary, structured and batch mode brought to one list of items. PURE.

Data bytes are kept exactly. An item that cannot be read carries the reasons instead of an envelope.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from schemas import codec
from schemas.codec import Envelope
from schemas.errors import Reason, Undecodable
from services.ingest import batch, strict
from services.ingest.acceptance import Limits, reason_of

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
ACCEPTED = (STRUCTURED, BATCH, "application/json")
"""What `Accept` tells: structured, batch, and the data of binary mode (any type, with ce- headers)."""

_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
# Told by other headers, or no attribute at all: as ce- headers they would make a second truth.
_NOT_AS_HEADER = frozenset({"data", "datacontenttype"})


class Item(NamedTuple):
    """One event as it came, read or not."""

    raw: bytes
    """What is kept if it is refused: the JSON as sent; for binary mode the ce- headers, an empty line and the body."""
    envelope: Envelope | None
    reasons: tuple[Reason, ...] = ()
    recordedtime: str | None = None
    """Only on a story's clock: when the story says it was recorded."""
    data_is_strict: bool = False
    """Whether the data was found to be strict JSON together with the whole event."""


class BadRequest(Exception):
    """The request as a whole cannot be taken; `slug` is the problem's kind."""

    def __init__(self, slug: str, reason: Reason) -> None:
        super().__init__(reason.detail)
        self.slug = slug
        self.reason = reason


def items_of(
    headers: Iterable[tuple[bytes, bytes]], body: bytes, limits: Limits, *, story_clock: bool = False
) -> list[Item]:
    """The events of a request, in order. Raises `BadRequest` for what spoils it as a whole.

    `headers` are lower-case names and values as ASGI gives them.
    """
    fields = list(headers)
    content_type = next((value for name, value in fields if name == b"content-type"), b"").decode("latin-1")
    media_type = content_type.partition(";")[0].strip().lower()
    if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in fields):
        raise _unsupported("The body is compressed.", "Send the body as it is, without Content-Encoding.")
    if media_type in {STRUCTURED, BATCH}:
        _require_utf8(content_type)
        if media_type == STRUCTURED:
            return [_structured_alone(body, limits, story_clock)]
        return _batch(body, limits, story_clock)
    if media_type.startswith("application/cloudevents"):
        raise _unsupported(f"{media_type} is not read here.", f"Send {STRUCTURED} or {BATCH}.")
    if not any(name.startswith(b"ce-") for name, _ in fields):
        raise _unsupported(
            f"{media_type or 'A body without a type'} without ce- headers is no CloudEvent.",
            f"Send {STRUCTURED}, {BATCH}, or the data with ce- headers (binary mode).",
        )
    return [_binary(fields, content_type, body, limits, story_clock)]


# --- structured and batch -----------------------------------------------------------------------------------------


class _Usual(Struct, forbid_unknown_fields=True, kw_only=True):
    """A structured event as nearly every device sends it; read in one step. Anything else goes the way with reasons."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Raw
    datacontenttype: str = codec.JSON_CONTENT_TYPE
    sequence: str | None = None
    clockoffsetms: int | None = None
    keyid: str | None = None
    sigalg: str | None = None
    signature: str | None = None


_usual_decoder = msgspec.json.Decoder(_Usual)
_attributes_decoder = msgspec.json.Decoder(dict[str, Raw])


def _structured_alone(body: bytes, limits: Limits, story_clock: bool) -> Item:
    item = _structured(body, limits, story_clock)
    if item.reasons and item.reasons[0].code in {"MALFORMED_JSON", "NOT_UTF8"}:
        raise BadRequest("malformed", item.reasons[0])
    return item


def _batch(body: bytes, limits: Limits, story_clock: bool) -> list[Item]:
    try:
        raws, complete = batch.split(body)
    except batch.NotAnArray:
        detail = "The body does not begin as a JSON array does."
        raise BadRequest(
            "malformed", Reason("MALFORMED_JSON", "", detail, f"Send an array, or {STRUCTURED}.")
        ) from None
    if not raws:
        detail = "The batch holds no event."
        raise BadRequest("malformed", Reason("EMPTY_BATCH", "", detail, "Send at least one event."))
    if len(raws) > limits.items:
        detail = f"The batch holds {len(raws)} events, more than {limits.items}."
        raise BadRequest("too-large", Reason("TOO_MANY_EVENTS", "", detail, f"Send at most {limits.items} at once."))
    items = [_structured(raw, limits, story_clock) for raw in raws]
    if not complete:
        detail = "The array is not closed, or something follows it: events may be missing here."
        items.append(Item(b"", None, (Reason("TRUNCATED_BATCH", "", detail, "Send the events that follow again."),)))
    return items


def _structured(raw: bytes, limits: Limits, story_clock: bool) -> Item:
    if len(raw) > limits.item_bytes:
        return Item(raw, None, (_item_too_large(len(raw), limits),))
    # One level more than data may have: the event's own object.
    fault = strict.fault(raw, limits.depth + 1)
    if fault is not None:
        return Item(raw, None, (fault,))
    try:
        usual = _usual_decoder.decode(raw)
    except msgspec.MsgspecError:
        return _structured_slowly(raw, story_clock)
    filled = usual.id and usual.source and usual.type and usual.subject and usual.time
    if usual.specversion != "1.0" or not filled or not codec.is_json(usual.datacontenttype) or story_clock:
        return _structured_slowly(raw, story_clock)
    envelope = Envelope(
        id=usual.id,
        source=usual.source,
        type=usual.type,
        subject=usual.subject,
        time=usual.time,
        data=bytes(usual.data),
        datacontenttype=usual.datacontenttype,
        sequence=usual.sequence,
        clockoffsetms=usual.clockoffsetms,
        keyid=usual.keyid,
        sigalg=usual.sigalg,
        signature=usual.signature,
    )
    return Item(raw, envelope, data_is_strict=True)


def _structured_slowly(raw: bytes, story_clock: bool) -> Item:
    recordedtime: str | None = None
    wanted = raw
    try:
        if story_clock:
            attributes = _attributes_decoder.decode(raw)
            recordedtime = msgspec.json.decode(attributes.pop("recordedtime", Raw(b"null")), type=str | None)
            wanted = msgspec.json.encode(attributes)
        return Item(raw, codec.parse_structured(wanted), (), recordedtime)
    except Undecodable as error:
        return Item(raw, None, (reason_of(error),))
    except msgspec.MsgspecError as error:
        return Item(raw, None, (Reason("BAD_ATTRIBUTE", "", f"{error}.", "Send one CloudEvent as a JSON object."),))


# --- binary -------------------------------------------------------------------------------------------------------


def _binary(
    headers: list[tuple[bytes, bytes]], content_type: str, body: bytes, limits: Limits, story_clock: bool
) -> Item:
    sent = [(name[3:], value) for name, value in headers if name.startswith(b"ce-")]
    raw = b"".join(b"ce-%s: %s\r\n" % pair for pair in sent) + f"content-type: {content_type}\r\n\r\n".encode() + body
    if len(body) > limits.item_bytes:
        return Item(raw, None, (_item_too_large(len(body), limits),))
    try:
        attributes = _attributes(sent)
        recordedtime = attributes.pop("recordedtime", None) if story_clock else None
        if content_type:
            attributes["datacontenttype"] = content_type
        return Item(raw, codec.envelope_of(attributes, body), (), recordedtime)
    except Undecodable as error:
        return Item(raw, None, (reason_of(error),))


def _attributes(sent: list[tuple[bytes, bytes]]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for raw_name, raw_value in sent:
        name = raw_name.decode("latin-1")
        if name in _NOT_AS_HEADER:
            raise Undecodable(
                f"ce-{name} is no attribute in binary mode",
                field=name,
                remedy="The body is the data, Content-Type its type.",
            )
        if name in attributes:
            raise Undecodable(f"ce-{name} stands twice", field=name, remedy="Send every attribute once.")
        attributes[name] = _header_text(name, raw_value)
    return attributes


def _header_text(name: str, value: bytes) -> str:
    """Undo quoting and percent-encoding, as the CloudEvents HTTP binding 1.0.2 says in 3.1.3.2."""
    value = value.strip(b" \t")
    if len(value) > 1 and value.startswith(b'"') and value.endswith(b'"'):
        value = _QUOTED_PAIR.sub(rb"\1", value[1:-1])
    try:
        return _PERCENT.sub(lambda found: bytes((int(found[1], 16),)), value).decode()
    except UnicodeDecodeError as error:
        raise Undecodable(
            f"ce-{name} is not UTF-8", field=name, remedy="Percent-encode the UTF-8 bytes of characters outside ASCII."
        ) from error


# --- shared -------------------------------------------------------------------------------------------------------


def _require_utf8(content_type: str) -> None:
    charset = re.search(r'charset\s*=\s*"?([^\s;"]+)', content_type, re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise _unsupported(f"The charset {charset[1][:40]!r} is not read here.", "Send JSON as UTF-8.")


def _unsupported(detail: str, remedy: str) -> BadRequest:
    return BadRequest("unsupported-media-type", Reason("UNSUPPORTED_MEDIA_TYPE", "", detail, remedy))


def _item_too_large(size: int, limits: Limits) -> Reason:
    return Reason(
        "EVENT_TOO_LARGE",
        "",
        f"The event has {size} bytes, more than {limits.item_bytes}.",
        "Store media apart and send their hashes.",
    )

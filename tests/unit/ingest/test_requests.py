"""Three ways to send the same event, and what cannot be sent at all."""

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import codec
from schemas.errors import Undecodable
from services.ingest.acceptance import Limits
from services.ingest.requests import BATCH, STRUCTURED, BadRequest, Item, items_of

LIMITS = Limits(body_bytes=100_000, item_bytes=10_000, items=10, depth=32)
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/depots/H1/devices/SC07",
    "type": "custody.item_scanned.v1",
    "subject": "yto:YT8812345678",
    "time": "2026-07-07T23:05:00+08:00",
}
DATA = b'{"mode":"AUTO_SCAN", "party":"H1"}'


def structured(data: bytes = DATA, /, **attributes: Any) -> bytes:
    """A structured event holding exactly these data bytes."""
    head = json.dumps({**ATTRIBUTES, "datacontenttype": "application/json", **attributes})
    return head[:-1].encode() + b',"data":' + data + b"}"


def send(content_type: str, body: bytes, headers: dict[str, str] | None = None, **options: Any) -> list[Item]:
    """What the door makes of a request."""
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return items_of([(b"content-type", content_type.encode()), *fields], body, LIMITS, **options)


def send_binary(data: bytes = DATA, content_type: str = "application/json", **attributes: str) -> Item:
    """A binary-mode request."""
    (item,) = send(content_type, data, {f"ce-{name}": value for name, value in {**ATTRIBUTES, **attributes}.items()})
    return item


def envelope_of(item: Item) -> codec.Envelope:
    """The envelope of an item that could be read."""
    assert item.envelope is not None, item.reasons
    return item.envelope


def fault(item: Item) -> tuple[str, str]:
    """Code and field of the first reason of one that could not."""
    assert item.envelope is None
    return item.reasons[0].code, item.reasons[0].field


json_text = st.recursive(
    st.sampled_from(["null", "true", "0", "-0", "1.50", "1E+2", "12345678901234567890", '""'])
    | st.text().map(json.dumps)
    | st.text().map(lambda text: json.dumps(text, ensure_ascii=False)),
    lambda inner: (
        st.tuples(st.sampled_from(["", " ", "\n\t "]), st.lists(inner, max_size=3)).map(
            lambda drawn: "[" + drawn[0] + (drawn[0] + "," + drawn[0]).join(drawn[1]) + drawn[0] + "]"
        )
        | st.tuples(
            st.sampled_from(["", " ", "\r\n"]), st.dictionaries(st.text().map(json.dumps), inner, max_size=3)
        ).map(
            lambda drawn: "{" + ("," + drawn[0]).join(f"{k}{drawn[0]}:{drawn[0]}{v}" for k, v in drawn[1].items()) + "}"
        )
    ),
    max_leaves=10,
)


@given(json_text)
@example('{"weight" : 1.50}')
@example('"\\u0061"')
def test_all_modes_keep_the_data_bytes_and_give_one_content_hash(text: str) -> None:
    data = text.encode()
    one = structured(data, type="com.example.scan")

    envelopes = [
        envelope_of(send_binary(data, type="com.example.scan")),
        envelope_of(send(STRUCTURED, one)[0]),
        *map(envelope_of, send(BATCH, b"[" + one + b" , " + one + b"]")),
    ]

    assert {envelope.data for envelope in envelopes} == {data}
    assert len({codec.content_hash(envelope) for envelope in envelopes}) == 1
    assert all(codec.decode_record(codec.encode_record(envelope)).data == data for envelope in envelopes)


@given(st.binary(max_size=200))
def test_data_that_is_not_json_is_kept_in_all_modes(data: bytes) -> None:
    attributes = {**ATTRIBUTES, "type": "com.example.photo", "datacontenttype": "image/png"}
    one = json.dumps({**attributes, "data_base64": base64.b64encode(data).decode()}).encode()

    envelopes = [
        envelope_of(send_binary(data, "image/png", type="com.example.photo")),
        envelope_of(send(STRUCTURED, one)[0]),
        envelope_of(send(BATCH, b"[" + one + b"]")[0]),
    ]

    assert {envelope.data for envelope in envelopes} == {data}
    assert len({codec.content_hash(envelope) for envelope in envelopes}) == 1
    assert all(codec.decode_record(codec.encode_record(envelope)).data == data for envelope in envelopes)


def test_text_data_is_the_same_in_all_modes() -> None:
    head = json.dumps({**ATTRIBUTES, "datacontenttype": "text/plain", "data": '看 "here"'}).encode()

    envelopes = [envelope_of(send(STRUCTURED, head)[0]), envelope_of(send_binary('看 "here"'.encode(), "text/plain"))]

    assert {envelope.data for envelope in envelopes} == {'看 "here"'.encode()}


def read_by_the_codec(body: bytes) -> codec.Envelope | tuple[str, str]:
    """The envelope, or the field at fault and the sentence about it."""
    try:
        return codec.parse_structured(body)
    except Undecodable as error:
        return error.field, f"{error.reason}."


optional = {
    "sequence": st.text(min_size=1, max_size=5),
    "clockoffsetms": st.integers(-10, 10) | st.just("7"),
    "keyid": st.text(max_size=5) | st.none(),
    "signature": st.text(max_size=5),
    "traceparent": st.text(max_size=5) | st.integers(-5, 5) | st.booleans() | st.none(),
    "datacontenttype": st.sampled_from(["application/json", "application/geo+json", "text/plain"]),
    "id": st.sampled_from(["e1", "", None, 7]),
    "specversion": st.sampled_from(["1.0", "0.3", 1]),
    "recordedby": st.just("me"),
    "Bad Name": st.just("x"),
}


@given(st.fixed_dictionaries({}, optional=optional), st.booleans())
def test_the_fast_way_reads_what_the_codec_reads(attributes: dict[str, Any], as_base64: bool) -> None:
    members = {**ATTRIBUTES, **attributes, **({"data_base64": "e30="} if as_base64 else {"data": "x"})}
    body = json.dumps(members).encode()

    (item,) = send(STRUCTURED, body)

    found = item.envelope or (item.reasons[0].field, item.reasons[0].detail)
    assert found == read_by_the_codec(body)


# --- binary mode --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("plain", "plain"),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e7%bc%96", "编"),
        ("100%25", "100%"),
        ("50% off", "50% off"),
        ('"quoted \\"value\\" \\\\ %20"', 'quoted "value" \\  '),
        ("  spaced  ", "spaced"),
        ("编".encode().decode("latin-1"), "编"),
    ],
)
def test_header_values_are_unquoted_and_percent_decoded(sent: str, meant: str) -> None:
    assert envelope_of(send_binary(id=sent)).id == meant


def test_a_header_that_is_not_utf8_is_refused() -> None:
    assert fault(send_binary(id="%ff")) == ("BAD_ATTRIBUTE", "id")


@given(st.text(min_size=1))
def test_any_text_can_be_sent_percent_encoded(text: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in text.encode())

    assert envelope_of(send_binary(id=encoded)).id == text


@pytest.mark.parametrize(
    "name", ["data", "datacontenttype", "data_base64", "recordedtime", "recordedby", "recordeddepot"]
)
def test_headers_that_would_make_a_second_truth_are_refused(name: str) -> None:
    (item,) = send("application/json", DATA, {f"ce-{n}": v for n, v in {**ATTRIBUTES, name: "x"}.items()})

    assert fault(item)[1] == name


def test_an_attribute_that_stands_twice_is_refused() -> None:
    headers = [(f"ce-{name}".encode(), value.encode()) for name, value in ATTRIBUTES.items()]

    (item,) = items_of([(b"content-type", b"application/json"), *headers, (b"ce-id", b"e2")], DATA, LIMITS)

    assert fault(item) == ("BAD_ATTRIBUTE", "id")


def test_what_is_kept_of_a_refused_binary_event_holds_its_attributes() -> None:
    item = send_binary(id="%ff")

    assert b"ce-id: %ff\r\n" in item.raw
    assert item.raw.endswith(b"\r\n\r\n" + DATA)


def test_no_content_type_means_json() -> None:
    headers = [(f"ce-{name}".encode(), value.encode()) for name, value in ATTRIBUTES.items()]

    (item,) = items_of(headers, DATA, LIMITS)

    assert codec.content_hash(envelope_of(item)) == codec.content_hash(envelope_of(send_binary()))


# --- what spoils a request ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "body", "headers", "slug", "code"),
    [
        ("text/csv", b"a,b", {}, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json", DATA, {}, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
        ("", b"", {}, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
        ("application/cloudevents+xml", b"<a/>", {}, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
        (STRUCTURED + "; charset=utf-16", b"", {}, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
        (STRUCTURED, b"", {"Content-Encoding": "gzip"}, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
        (STRUCTURED, b"{", {}, "malformed", "MALFORMED_JSON"),
        (STRUCTURED, b'{"a":"\xff"}', {}, "malformed", "NOT_UTF8"),
        (BATCH, b"{}", {}, "malformed", "MALFORMED_JSON"),
        (BATCH, b"[]", {}, "malformed", "EMPTY_BATCH"),
        (BATCH, b"[" + b",".join([b"{}"] * 11) + b"]", {}, "too-large", "TOO_MANY_EVENTS"),
    ],
)
def test_what_spoils_a_request_as_a_whole_says_so(
    content_type: str, body: bytes, headers: dict[str, str], slug: str, code: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        send(content_type, body, headers)

    assert (caught.value.slug, caught.value.reason.code) == (slug, code)
    assert caught.value.reason.remedy


@pytest.mark.parametrize("content_type", [STRUCTURED, STRUCTURED.upper(), STRUCTURED + '; charset="UTF-8"'])
def test_a_content_type_is_read_without_regard_to_case_and_spelling(content_type: str) -> None:
    assert envelope_of(send(content_type, structured())[0]).id == "e1"


@pytest.mark.parametrize(
    ("broken", "code", "field"),
    [
        (b"7", "BAD_ATTRIBUTE", ""),
        (b'"text"', "BAD_ATTRIBUTE", ""),
        (b'{"a":NaN}', "MALFORMED_JSON", ""),
        (structured(b'"\xff"'), "NOT_UTF8", ""),
        (structured(b'{"a":1,"a":2}'), "DUPLICATE_KEY", "a"),
        (structured()[:-1] + b',"id":"e2"}', "DUPLICATE_KEY", "id"),
        (structured(b"[" * 33 + b"]" * 33), "TOO_DEEP", ""),
        (structured(b'"' + b"x" * 10_000 + b'"'), "EVENT_TOO_LARGE", ""),
        (structured(recordedtime="2020-01-01T00:00:00Z"), "BAD_ATTRIBUTE", "recordedtime"),
        (structured(id=""), "BAD_ATTRIBUTE", "id"),
        (structured(id=7), "BAD_ATTRIBUTE", "id"),
        (structured(id=None), "BAD_ATTRIBUTE", "id"),
        (structured(specversion="0.3"), "BAD_ATTRIBUTE", "specversion"),
        (structured(extra={"a": 1}), "BAD_ATTRIBUTE", "extra"),
        (structured(clockoffsetms=1.5), "BAD_ATTRIBUTE", "clockoffsetms"),
        (structured()[:-1] + b',"data_base64":"e30="}', "BAD_DATA", "data"),
    ],
)
def test_a_broken_item_says_why_and_its_neighbours_go_through(broken: bytes, code: str, field: str) -> None:
    items = send(BATCH, b"[" + b",".join([structured(id="a"), broken, structured(id="b")]) + b"]")

    assert fault(items[1]) == (code, field)
    assert items[1].raw == broken
    assert [envelope_of(items[0]).id, envelope_of(items[2]).id] == ["a", "b"]


def test_data_may_be_as_deep_in_structured_mode_as_in_binary_mode() -> None:
    data = b"[" * 32 + b"]" * 32

    assert envelope_of(send(STRUCTURED, structured(data))[0]).data == data


def test_a_batch_that_ends_too_early_says_that_events_may_be_missing() -> None:
    items = send(BATCH, b"[" + structured())

    assert envelope_of(items[0]).id == "e1"
    assert fault(items[1]) == ("TRUNCATED_BATCH", "")


# --- the story clock ----------------------------------------------------------------------------------------------


def test_a_record_time_is_taken_on_a_storys_clock_alone_and_changes_nothing_else() -> None:
    told: Any = {"recordedtime": "2026-01-05T00:00:00Z"}
    headers = {f"ce-{name}": value for name, value in {**ATTRIBUTES, **told}.items()}

    items = [
        *send(STRUCTURED, structured(**told), story_clock=True),
        *send(BATCH, b"[" + structured(**told) + b"]", story_clock=True),
        *send("application/json", DATA, headers, story_clock=True),
    ]

    assert [item.recordedtime for item in items] == [told["recordedtime"]] * 3
    assert [envelope_of(item) for item in items] == [envelope_of(send(STRUCTURED, structured())[0])] * 3

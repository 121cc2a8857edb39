"""Laws of the bytes: signed form, content hash, recorded envelope, leaf, partition."""

import base64
import hashlib
import json
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas import codec, topics
from schemas.errors import Undecodable
from schemas.leaf import leaf

EXAMPLES = Path(schemas.__file__).parent / "examples"
SIGNED = json.loads((EXAMPLES / "signed_form_vectors.json").read_text(encoding="utf-8"))
LEAVES = json.loads((EXAMPLES / "leaf_vectors.json").read_text(encoding="utf-8"))


def independent_signed_form(attributes: dict[str, str], data: bytes) -> bytes:
    """The signed form written once more from its description alone."""
    out = bytearray()
    names = ("id", "source", "type", "subject", "time", "datacontenttype")
    for part in [b"lastintact.v1", *(attributes[n].encode() for n in names), hashlib.sha256(data).digest()]:
        out += bytes([len(part) >> 24 & 255, len(part) >> 16 & 255, len(part) >> 8 & 255, len(part) & 255]) + part
    return bytes(out)


@pytest.mark.parametrize("vector", SIGNED["vectors"], ids=lambda v: v["name"])
def test_signed_form_and_hashes_match_the_vectors(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data_base64"])
    envelope = codec.envelope_of({"specversion": "1.0", **vector["attributes"]}, data)

    form = codec.signed_form(envelope)

    assert form.hex() == vector["signed_form_hex"]
    assert form == independent_signed_form(vector["attributes"], data)
    assert codec.content_hash(envelope).hex() == vector["content_hash_hex"]
    assert codec.identity(envelope.source, envelope.id).hex() == vector["identity_hex"]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SIGNED["public_key_hex"]))
    key.verify(base64.b64decode(vector["signature_base64"]), form)


@pytest.mark.parametrize("vector", SIGNED["vectors"], ids=lambda v: v["name"])
def test_recording_keeps_the_signed_bytes(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data_base64"])
    sent = codec.envelope_of({"specversion": "1.0", **vector["attributes"]}, data)

    recorded = codec.decode_record(codec.encode_record(sent))

    assert recorded.data == data
    assert codec.signed_form(recorded) == codec.signed_form(sent)


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")),
    ),
    as_json=st.booleans(),
)
def test_recorded_data_is_the_data_that_was_sent(data: bytes, as_json: bool) -> None:
    if as_json:
        try:
            json.loads(data.decode())
        except (ValueError, RecursionError):
            as_json = False
    sent = codec.Envelope(
        id="e",
        source="/depots/H1/devices/S",
        type="custody.item_scanned.v1",
        subject="yto:X1",
        time="2026-01-01T00:00:00Z",
        data=data,
        datacontenttype="application/json" if as_json else "application/octet-stream",
        recordedtime="2026-01-01T00:00:01.000000Z",
        recordedby="K1",
        extensions={"traceparent": "00-ab"},
    )

    value = codec.encode_record(sent)

    assert codec.decode_record(value).data == data
    assert json.loads(value)["traceparent"] == "00-ab"


def test_one_changed_attribute_changes_the_content_hash() -> None:
    base = codec.envelope_of({"specversion": "1.0", **SIGNED["vectors"][0]["attributes"]}, b"{}")
    changed = {
        name: codec.content_hash(msgspec.structs.replace(base, **{name: getattr(base, name) + "x"}))
        for name in ("id", "source", "type", "subject", "time", "datacontenttype")
    }

    assert (
        len(
            {codec.content_hash(base), codec.content_hash(msgspec.structs.replace(base, data=b"[]")), *changed.values()}
        )
        == 8
    )


@pytest.mark.parametrize("name", codec.DOOR_ATTRIBUTES)
def test_a_request_cannot_say_when_or_by_whom_it_was_recorded(name: str) -> None:
    body = json.dumps({"specversion": "1.0", **SIGNED["vectors"][0]["attributes"], name: "x", "data": {}}).encode()

    with pytest.raises(Undecodable) as refused:
        codec.parse_structured(body)

    assert refused.value.field == name


@pytest.mark.parametrize("vector", LEAVES["leaves"], ids=lambda v: str(v["partition"]))
def test_leaf_matches_the_vectors(vector: dict[str, Any]) -> None:
    key, value_hash = vector["key"].encode(), bytes.fromhex(vector["value_sha256_hex"])
    parts = [
        vector["log_id"].encode(),
        vector["partition"].to_bytes(4, "big"),
        vector["offset"].to_bytes(8, "big"),
        key,
        value_hash,
    ]
    by_hand = hashlib.sha256(b"\x00" + b"".join(len(p).to_bytes(4, "big") + p for p in parts)).hexdigest()

    found = leaf(vector["log_id"], vector["partition"], vector["offset"], key, value_hash).hex()

    assert found == vector["leaf_hex"] == by_hand


@pytest.mark.parametrize("vector", LEAVES["partitions"], ids=lambda v: v["key"])
def test_partition_matches_the_vectors(vector: dict[str, Any]) -> None:
    assert topics.partition_of(vector["key"].encode(), 8) == vector["of_8"]


@pytest.mark.parametrize(
    ("text", "field"),
    [("2026-07-07T09:30:00", "time"), ("yesterday", "time"), ("2026-13-01T00:00:00Z", "time"), ("", "time")],
)
def test_a_time_without_zone_or_sense_is_refused(text: str, field: str) -> None:
    with pytest.raises(Undecodable) as refused:
        codec.parse_instant(text)

    assert refused.value.field == field


@given(st.integers(-2_000_000_000, 7_000_000_000), st.timezones())
def test_equal_instants_are_written_alike(seconds: int, zone: tzinfo) -> None:
    instant = datetime.fromtimestamp(seconds, zone)

    text = codec.format_instant(instant)

    assert text.endswith("Z")
    assert codec.parse_instant(text) == instant.astimezone(UTC)
    assert codec.format_instant(codec.parse_instant(text)) == text

"""A signature is good or it is not; whatever is wrong with it, the answer is no and never an error."""

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas import codec
from services.custody.core.signatures import valid

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw().hex()
UNSIGNED = codec.Envelope(
    id="e1",
    source="/depots/D/devices/d",
    type="custody.item_scanned.v1",
    subject="test:P",
    time="2026-01-01T00:00:00Z",
    data=b'{"mode":"HUMAN_SCAN","party":"D"}',
)
SIGNED = msgspec.structs.replace(
    UNSIGNED,
    keyid="k1",
    sigalg="ed25519",
    signature=base64.b64encode(KEY.sign(codec.signed_form(UNSIGNED))).decode(),
)


def test_a_good_signature_is_valid() -> None:
    assert valid(SIGNED, PUBLIC)


@pytest.mark.parametrize(
    "changed",
    [
        {"data": b'{"mode":"HUMAN_SCAN","party":"X"}'},
        {"time": "2026-01-01T00:00:01Z"},
        {"id": "e2"},
        {"subject": "test:Q"},
        {"signature": None},
        {"signature": "not base64!"},
        {"signature": base64.b64encode(b"x" * 64).decode()},
        {"signature": base64.b64encode(b"short").decode()},
        {"sigalg": "es256"},
    ],
)
def test_anything_changed_makes_it_invalid(changed: dict[str, object]) -> None:
    assert not valid(msgspec.structs.replace(SIGNED, **changed), PUBLIC)


@pytest.mark.parametrize("public_key", ["", "zz", "00" * 31, "11" * 32])
def test_another_or_malformed_key_makes_it_invalid(public_key: str) -> None:
    assert not valid(SIGNED, public_key)


def test_what_the_door_adds_is_not_signed() -> None:
    assert valid(msgspec.structs.replace(SIGNED, recordedtime="2026-01-02T00:00:00Z", recordedby="key1"), PUBLIC)

"""The event types, their golden examples, their generated schemas, and the upcaster."""

import base64
import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import schemas
from schemas import codec, generate, identifiers
from schemas.errors import Undecodable
from schemas.events import EVENT_TYPES, ConditionObserved, ItemScanned
from schemas.upcast import lift

EXAMPLES = Path(schemas.__file__).parent / "examples"
PUBLIC_KEY = json.loads((EXAMPLES / "signed_form_vectors.json").read_text(encoding="utf-8"))["public_key_hex"]
EXAMPLE_TYPES = (*EVENT_TYPES, *lift.old_types)


def example(event_type: str) -> codec.Envelope:
    return codec.parse_structured((EXAMPLES / f"{event_type}.json").read_bytes())


@pytest.mark.parametrize("event_type", EXAMPLE_TYPES)
def test_every_type_has_a_golden_example_that_reads(event_type: str) -> None:
    envelope = example(event_type)

    assert envelope.type == event_type
    assert isinstance(codec.decode_data(envelope), EVENT_TYPES[lift(event_type, {"weight_kg": 1})[0]])
    assert codec.unknown_fields(envelope) == ()
    assert identifiers.parse_subject(envelope.subject)
    assert identifiers.parse_source(envelope.source)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_golden_examples_fit_their_generated_schema(event_type: str) -> None:
    schema = json.loads((generate.GENERATED / f"{event_type}.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(json.loads(example(event_type).data))


@pytest.mark.parametrize("event_type", EXAMPLE_TYPES)
def test_golden_examples_carry_good_signatures(event_type: str) -> None:
    envelope = example(event_type)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC_KEY))

    key.verify(base64.b64decode(envelope.signature or ""), codec.signed_form(envelope))
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(envelope.signature or ""), codec.signed_form(envelope) + b"\x00")


def test_generated_schemas_are_up_to_date() -> None:
    assert generate.drift() == []


def test_an_old_version_is_lifted_on_reading() -> None:
    lifted = codec.decode_data(example("custody.condition_observed.v1"))

    assert isinstance(lifted, ConditionObserved)
    assert [(o.facet, o.grams) for o in lifted.observations] == [("P", None), ("W", 4200)]


@pytest.mark.parametrize("event_type", ["custody.item_scanned.v9", "custody.teleported.v1"])
def test_an_unknown_type_or_version_is_named(event_type: str) -> None:
    with pytest.raises(Undecodable) as refused:
        codec.decode_data(msgspec.structs.replace(example("custody.item_scanned.v1"), type=event_type))

    assert refused.value.field == "type"
    assert not codec.is_known(event_type)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'{"mode":"AUTO_SCAN"}', "data.party"),
        (b'{"mode":"AUTO_SCAN","party":7}', "data.party"),
        (b'{"mode":"GUESS","party":"H1"}', "data.mode"),
        (
            b'{"mode":"AUTO_SCAN","party":"H1","observations":[{"facet":"O","value":"fine"}]}',
            "data.observations[0].value",
        ),
        (
            b'{"mode":"AUTO_SCAN","party":"H1","observations":[{"facet":"W","value":"ok","grams":-1}]}',
            "data.observations[0].grams",
        ),
        (b"[]", "data"),
        (b"{", "data"),
    ],
)
def test_wrong_fields_are_named(data: bytes, field: str) -> None:
    with pytest.raises(Undecodable) as refused:
        codec.decode_data(msgspec.structs.replace(example("custody.item_scanned.v1"), data=data))

    assert refused.value.field == field


def test_unknown_fields_are_told_and_not_refused() -> None:
    envelope = msgspec.structs.replace(
        example("custody.item_scanned.v1"), data=b'{"mode":"AUTO_SCAN","party":"H1","zeal":1,"aura":2}'
    )

    assert isinstance(codec.decode_data(envelope), ItemScanned)
    assert codec.unknown_fields(envelope) == ("aura", "zeal")

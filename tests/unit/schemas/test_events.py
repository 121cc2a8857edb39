"""The event types, their golden examples, their generated schemas, and the upcaster."""

import base64
import inspect
import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import schemas
from schemas import codec, generate, identifiers
from schemas.errors import Undecodable
from schemas.events import EVENT_TYPES, ConditionObserved, Event, ItemScanned
from schemas.upcast import lift

EXAMPLES = Path(schemas.__file__).parent / "examples"
PUBLIC_KEY = json.loads((EXAMPLES / "signed_form_vectors.json").read_text(encoding="utf-8"))["public_key_hex"]
EXAMPLE_TYPES = (*EVENT_TYPES, *lift.old_types)

# What GS1's Core Business Vocabulary 2.0 and UPU's event list have, as far as the docstrings use them.
CBV_WORDS = {
    *("accepting", "arriving", "commissioning", "decommissioning", "departing", "holding", "inspecting", "loading"),
    *("packing", "repackaging", "sensor_reporting", "shipping", "staging_outbound", "unpacking"),  # business steps
    *("conformant", "container_closed", "container_open", "damaged", "mismatch_instance", "mismatch_quantity"),
    *("returned", "unknown"),  # dispositions
}
UPU_EVENTS = {"EDA", "EME", "EMH", "EMI"}


def example(event_type: str) -> codec.Envelope:
    return codec.parse_structured((EXAMPLES / f"{event_type}.json").read_bytes())


@pytest.mark.parametrize("event_type", EXAMPLE_TYPES)
def test_every_type_has_a_golden_example_that_reads(event_type: str) -> None:
    envelope = example(event_type)

    assert envelope.type == event_type
    assert isinstance(codec.decode_data(envelope), EVENT_TYPES[lift.newest(event_type)])
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


@pytest.mark.parametrize("event_type", EXAMPLE_TYPES)
def test_recording_keeps_the_data_of_an_example_byte_for_byte(event_type: str) -> None:
    sent = example(event_type)

    recorded = codec.decode_record(codec.encode_record(sent))

    assert recorded == sent
    assert codec.content_hash(recorded) == codec.content_hash(sent)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_value_written_anew_reads_as_the_same_value(event_type: str) -> None:
    value = codec.decode_data(example(event_type))

    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value


@pytest.mark.parametrize("event_type", EXAMPLE_TYPES)
def test_a_field_of_a_later_version_is_recorded_and_not_read(event_type: str) -> None:
    sent = example(event_type)
    later = msgspec.structs.replace(sent, data=sent.data[:-1] + b',"zeal":{"of":[1,2]}}')

    recorded = codec.decode_record(codec.encode_record(later))

    assert recorded.data == later.data
    assert codec.decode_data(recorded) == codec.decode_data(sent)
    assert codec.unknown_fields(recorded) == (("zeal",) if event_type in EVENT_TYPES else ())


def test_the_examples_are_one_story_told_once() -> None:
    told = [example(event_type) for event_type in EXAMPLE_TYPES]

    assert len({(envelope.source, envelope.id) for envelope in told}) == len(told)
    assert {envelope.subject for envelope in told if not envelope.type.startswith("registry.")} == {
        "yto:YT8812345678",
        "sscc:106141411234567897",
    }
    assert {path.name for path in EXAMPLES.glob("*.v*.json")} == {f"{name}.json" for name in EXAMPLE_TYPES}


@pytest.mark.parametrize("kind", EVENT_TYPES.values())
def test_every_type_names_its_word_in_the_trades_standards_or_says_that_there_is_none(kind: type[Event]) -> None:
    text = " ".join(inspect.cleandoc(kind.__doc__ or "").split())

    assert ("No EPCIS word" in text) != bool(
        re.search(
            r"\bEPCIS (bizStep|disposition|AggregationEvent|errorDeclaration|master data)|CBV disp|UPU event", text
        )
    )


@pytest.mark.parametrize("name", ["custody", "registry", "claims", "base"])
def test_no_word_of_the_standards_is_invented(name: str) -> None:
    source = Path(inspect.getfile(EVENT_TYPES["custody.item_scanned.v1"])).with_name(f"{name}.py").read_text("utf-8")
    docstrings = [text for text in re.findall(r'"""(.*?)"""', source, re.DOTALL) if re.search("EPCIS|CBV|UPU", text)]
    # From the first mention on: what stands before it are our own field names.
    claims = [re.split("EPCIS|CBV|UPU", text, maxsplit=1)[1] for text in docstrings]
    ours = {field for kind in EVENT_TYPES.values() for field in kind.__struct_fields__}
    said = {word for claim in claims for word in re.findall(r"`([a-z_]+)`", claim)}
    upu = {code for claim in claims for code in re.findall(r"\bE[A-Z]{2}\b", claim)}

    assert said - ours <= CBV_WORDS
    assert upu <= UPU_EVENTS


def test_every_old_type_reaches_a_known_one_step_by_step() -> None:
    for event_type in lift.old_types:
        assert event_type not in EVENT_TYPES, "an old type that is also read directly would never be lifted"
        assert codec.is_known(event_type)
        newest, fields = lift(event_type, {"kept": 1})
        assert newest == lift.newest(event_type)
        assert newest in EVENT_TYPES
        assert fields["kept"] == 1


def test_generated_files_are_up_to_date() -> None:
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

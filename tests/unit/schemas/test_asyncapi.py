"""The AsyncAPI document of the log: valid by its own standard, and true of what the write door and the codec do."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from schemas import codec, generate
from schemas.codec import RECORD_CONTENT_TYPE
from schemas.events import EVENT_TYPES
from schemas.identifiers import parse_subject
from schemas.topics import EVENTS
from schemas.upcast import lift

# schemas/3.1.0-without-$id.json of the npm package @asyncapi/specs 6.11.1, as it is (Apache-2.0).
STANDARD = Path(__file__).with_name("asyncapi-3.1.0.json.gz")
DOCUMENT: dict[str, Any] = yaml.safe_load(generate.ASYNCAPI.read_text(encoding="utf-8"))
MESSAGES = DOCUMENT["components"]["messages"]
(CHANNEL,) = DOCUMENT["channels"].values()


@cache
def standard() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(gzip.decompress(STANDARD.read_bytes())))


def payload_validator(event_type: str) -> jsonschema.Draft7Validator:
    """Judges records of this type by the document alone."""
    return jsonschema.Draft7Validator({**MESSAGES[event_type]["payload"], "components": DOCUMENT["components"]})


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for item in part for found in references(item)] if isinstance(part, list) else []


def test_the_document_is_valid_asyncapi() -> None:
    assert [error.message for error in standard().iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "3.2.0"),
        (("channels", "lastintact-events", "bindings", "kafka", "partitions"), 0),
        (("operations", "recordEvent", "action"), "publish"),
        (("components", "messageTraits", "recordedCloudEvent", "headers"), "content-type"),
    ],
)
def test_the_standard_sees_a_broken_document(path: tuple[str, ...], value: Any) -> None:
    broken = part = json.loads(json.dumps(DOCUMENT))
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value

    assert not standard().is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        part: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_the_channel_is_the_declared_topic() -> None:
    kafka = CHANNEL["bindings"]["kafka"]

    assert CHANNEL["address"] == kafka["topic"] == EVENTS.name
    assert kafka["partitions"] == EVENTS.partitions
    assert kafka["topicConfiguration"] == {
        "cleanup.policy": ["delete"],
        "retention.ms": EVENTS.retention_hours * 3_600_000,
    }


def test_every_type_that_is_read_has_a_message() -> None:
    assert set(CHANNEL["messages"]) == set(MESSAGES) == {*EVENT_TYPES, *lift.old_types}


@pytest.mark.parametrize("event_type", MESSAGES)
def test_an_example_is_a_record_that_the_codec_reads(event_type: str) -> None:
    (example,) = MESSAGES[event_type]["examples"]
    envelope = codec.decode_record(json.dumps(example["payload"]).encode())

    payload_validator(event_type).validate(example["payload"])
    assert example["headers"] == {"content-type": RECORD_CONTENT_TYPE}
    assert envelope.type == event_type
    assert isinstance(codec.decode_data(envelope), EVENT_TYPES[lift.newest(event_type)])
    assert codec.parse_instant(envelope.recordedtime) > codec.parse_instant(envelope.time)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_payload_names_its_type_the_doors_attributes_and_its_data(event_type: str) -> None:
    (example,) = MESSAGES[event_type]["examples"]
    judge = payload_validator(event_type)
    faults: tuple[dict[str, Any], ...] = (
        {"type": "custody.teleported.v1"},
        {"recordedtime": None},
        {"recordedby": ""},
        {"specversion": "0.3"},
        {"data": []},
        {"data_base64": "e30="},
        {"clockoffsetms": "soon"},
        {"note": {"no": "structure"}},
    )

    for fault in faults:
        assert not judge.is_valid({**example["payload"], **fault}), fault
    assert judge.is_valid({**example["payload"], "traceparent": "00-ab-cd-01"})


def test_the_envelopes_attributes_are_the_codecs() -> None:
    described = DOCUMENT["components"]["schemas"]["RecordedEvent"]["properties"]

    assert set(described) == {
        "specversion",
        *codec.DEVICE_ATTRIBUTES,
        *codec.DOOR_ATTRIBUTES,
        "data",
        "data_base64",
    }


def test_the_keys_examples_are_canonical() -> None:
    key = DOCUMENT["components"]["messageTraits"]["recordedCloudEvent"]["bindings"]["kafka"]["key"]

    assert [str(parse_subject(text)) for text in key["examples"]] == key["examples"]

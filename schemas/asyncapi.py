"""The log as an AsyncAPI 3.1 document: its topic, how a record is keyed, and what each event type looks like in it.

PURE: the examples come in as bytes; `schemas/generate.py` reads and writes the files.
"""

import inspect
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from schemas import codec
from schemas.events import EVENT_TYPES
from schemas.topics import EVENTS, Topic
from schemas.upcast import lift

CONTRACT_VERSION = "1.0.0"
"""Of the record's shape and its binding; event types carry versions of their own."""
KAFKA_BINDING = "0.5.0"
_SCHEMAS = "#/components/schemas/"


def document(examples: Mapping[str, bytes]) -> dict[str, Any]:
    """The whole document. `examples` are the golden examples by type, as a device sends them."""
    data, schemas = msgspec.json.schema_components(list(EVENT_TYPES.values()), ref_template=_SCHEMAS + "{name}")
    messages = {
        event_type: _message(event_type, schema, examples[event_type])
        for event_type, schema in zip(EVENT_TYPES, data, strict=True)
    }
    for event_type in lift.old_types:
        messages[event_type] = _old_message(event_type, examples[event_type])
    channel = f"#/channels/{_key(EVENTS.name)}"
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "lastintact event log",
            "version": CONTRACT_VERSION,
            "description": (
                "The log that every answer rests on: what devices reported about parcels, units and the registry, as"
                " CloudEvents 1.0 in structured mode. The data inside an envelope is the device's own bytes, so that"
                " its signature can be checked for ever. Records are appended by the write door alone and never"
                " changed; a mistake is taken back by a later event."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": codec.RECORD_CONTENT_TYPE,
        "channels": {_key(EVENTS.name): _channel(EVENTS, messages)},
        "operations": {
            "recordEvent": {
                "action": "send",
                "channel": {"$ref": channel},
                "summary": "The write door appends each event that it takes, keyed by its canonical subject.",
                "bindings": {"kafka": {"bindingVersion": KAFKA_BINDING}},
            },
            "projectEvents": {
                "action": "receive",
                "channel": {"$ref": channel},
                "summary": (
                    "The projector reads each partition in order and keeps its position in the read model, in the same"
                    " transaction as what it read. A reader of your own takes a consumer group of its own, and meets an"
                    " event twice at times: source and id tell a repeat."
                ),
                "bindings": {"kafka": {"bindingVersion": KAFKA_BINDING}},
            },
        },
        "components": {
            "messages": messages,
            "messageTraits": {"recordedCloudEvent": _trait()},
            "schemas": {"RecordedEvent": _recorded_event(), **in_ecma(schemas)},
        },
    }


def in_ecma(part: Any) -> Any:
    """A schema with patterns as JSON Schema has them: ECMA-262 knows no `\\Z`, and its `$` is no end of a line."""
    if isinstance(part, dict):
        return {
            name: value.replace(r"\Z", "$") if name == "pattern" and isinstance(value, str) else in_ecma(value)
            for name, value in part.items()
        }
    return [in_ecma(item) for item in part] if isinstance(part, list) else part


def _channel(topic: Topic, messages: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": (
            "Keyed by the canonical subject, so that one parcel's events stay in order; the partition is CRC-32"
            " (ISO 3309) of the key modulo the number of partitions, which is fixed for the life of the log. Events"
            " of types that are not listed here are recorded too: readers pass over what they do not know."
        ),
        "messages": {event_type: {"$ref": f"#/components/messages/{event_type}"} for event_type in messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_hours * 3600 * 1000,
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _trait() -> dict[str, Any]:
    return {
        "contentType": codec.RECORD_CONTENT_TYPE,
        "description": (
            "CloudEvents 1.0, Kafka protocol binding, structured content mode: the whole event is the record's value."
        ),
        "headers": {
            "type": "object",
            "required": ["content-type"],
            "properties": {"content-type": {"type": "string", "const": codec.RECORD_CONTENT_TYPE}},
        },
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "description": "The canonical subject, `issuer:code`, in UTF-8.",
                    "examples": ["yto:YT8812345678", "sscc:106141411234567897"],
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _message(event_type: str, data: Mapping[str, Any], example: bytes) -> dict[str, Any]:
    kind = EVENT_TYPES[event_type]
    summary, _, further = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
    return {
        "name": event_type,
        "title": kind.__name__,
        "summary": " ".join(summary.split()),
        **({"description": further} if further else {}),
        "traits": [{"$ref": "#/components/messageTraits/recordedCloudEvent"}],
        "payload": _payload(event_type, data),
        "examples": [_recorded(event_type, example)],
    }


def _old_message(event_type: str, example: bytes) -> dict[str, Any]:
    newest = lift.newest(event_type)
    return {
        "name": event_type,
        "title": f"{EVENT_TYPES[newest].__name__}, an old version",
        "summary": f"Still read, as {newest}; no device should send it any more.",
        "traits": [{"$ref": "#/components/messageTraits/recordedCloudEvent"}],
        "payload": _payload(event_type, {"type": "object"}),
        "examples": [_recorded(event_type, example)],
    }


def _payload(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "allOf": [
            {"$ref": f"{_SCHEMAS}RecordedEvent"},
            {"type": "object", "properties": {"type": {"const": event_type}, "data": data}},
        ]
    }


def _recorded(event_type: str, example: bytes) -> dict[str, Any]:
    """The golden example as the write door would have recorded it two seconds later."""
    sent = codec.parse_structured(example)
    recorded = msgspec.structs.replace(
        sent,
        recordedtime=codec.format_instant(codec.parse_instant(sent.time) + timedelta(seconds=2)),
        recordedby="k-example",
        recordeddepot=sent.source.split("/")[2],
    )
    return {
        "name": event_type.rpartition(".")[0].rpartition(".")[2],
        "headers": {"content-type": codec.RECORD_CONTENT_TYPE},
        "payload": msgspec.json.decode(codec.encode_record(recorded)),
    }


def _recorded_event() -> dict[str, Any]:
    """The envelope. A device's attributes and the door's; further ones are kept as they were sent."""
    text = {"type": "string", "minLength": 1}
    described = {
        "id": "Made by the device: with `source`, which event this is. A repeat has the same id and the same bytes.",
        "source": "The device: /depots/{depot}/devices/{device}.",
        "type": "The event type and its version.",
        "subject": "What it is about, as sent; the record's key is its canonical form.",
        "time": "When it happened by the device's clock, RFC 3339 with a zone, as sent.",
        "datacontenttype": "The media type of the data.",
        "sequence": "Counts a device's events, zero-padded; within one device it beats the clock.",
        "clockoffsetms": "Device clock minus server clock at upload, in milliseconds, as the device measured it.",
        "keyid": "The device's key that signed.",
        "sigalg": "The signature's algorithm.",
        "signature": "Base64 (RFC 4648) over the signed form.",
        "recordedtime": "When the write door took it, by the server's clock, RFC 3339 in UTC.",
        "recordedby": "The id of the API key that it came with.",
        "recordeddepot": "The depot that this key speaks for.",
        "recordedparty": "The party that this key speaks for.",
        "recordedbuild": "The build of the write door that took it.",
    }
    names = (*codec.DEVICE_ATTRIBUTES, *codec.DOOR_ATTRIBUTES)
    properties: dict[str, Any] = {"specversion": {"type": "string", "const": "1.0"}}
    properties |= {name: {**text, "description": described[name]} for name in names}
    properties["clockoffsetms"]["type"] = "integer"
    del properties["clockoffsetms"]["minLength"]
    for name in ("time", "recordedtime"):
        properties[name]["format"] = "date-time"
    properties["source"]["format"] = "uri-reference"
    properties["data"] = {"description": "The device's own bytes, when they are JSON."}
    properties["data_base64"] = {"type": "string", "description": "The device's own bytes, when they are not JSON."}
    return {
        "title": "RecordedEvent",
        "description": "One recorded event: the device's attributes and data as sent, and what the write door added.",
        "type": "object",
        "required": [
            *("specversion", "id", "source", "type", "subject", "time", "datacontenttype"),
            *("recordedtime", "recordedby"),
        ],
        "properties": properties,
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "not": {"required": ["data", "data_base64"]},
    }


def _key(address: str) -> str:
    """A name that a component may have."""
    return address.replace(".", "-")

"""Records that are parked when they are read, with the reason that is shown for it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import structs

from schemas import codec
from schemas.errors import Undecodable
from schemas.topics import partition_of
from services.custody.core import projection
from services.log.port import LogRecord
from tests.records import event

SUBJECT = "yto:YT1"
GOOD = event("e1", SUBJECT, keyid=None)
OBSERVED_V1 = "custody.condition_observed.v1"

CHANGED: Mapping[str, Mapping[str, Any]] = {
    "nothing wrong": {},
    "nobody says when it was recorded": {"recordedtime": ""},
    "recorded at no time": {"recordedtime": "yesterday"},
    "recorded outside of the calendar": {"recordedtime": "0001-01-01T00:00:00+08:00"},
    "an id of 512 characters": {"id": "x" * 512},
    "an id of 513": {"id": "x" * 513},
    "a source of 513": {"source": "x" * 513},
    "a type of 513": {"type": "x" * 513},
    "an id with NUL": {"id": "a\0b"},
    "a type that is not known": {"type": "custody.teleported.v1"},
    "a type with a long name that is not known": {"type": "y" * 100},
    "a field that is missing": {"data": b"{}"},
    "a field inside a list": {"data": b'{"mode":"AUTO_SCAN","taker":"C1","observations":[{"facet":"O"}]}'},
    "a value of the wrong sort": {"data": b'{"mode":"AUTO_SCAN","taker":["C1"]}'},
    "a word that is none": {"data": b'{"mode":"GUESS","taker":"C1"}'},
    "a very long word that is none": {"data": b'{"mode":"' + b"G" * 600 + b'","taker":"C1"}'},
    "unreadable, and numbered": {"data": b"{}", "sequence": "42"},
    "numbered": {"sequence": "42", "clockoffsetms": 60_000},
    "data that is text": {"data": b'"x"'},
    "an old version without sense": {"type": OBSERVED_V1, "data": b'{"weight_kg":"heavy"}'},
    "an old version with a word that is none": {"type": OBSERVED_V1, "data": b'{"mode":"GUESS","party":"H1"}'},
    "a time without a zone": {"time": "2026-01-01T00:00:00"},
    "a time outside of the calendar in UTC": {"time": "0001-01-01T00:00:00+08:00"},
    "a subject in another spelling": {"subject": "YTO:yt1"},
    "another subject than its key": {"subject": "yto:YT2"},
    "a subject that names nothing": {"subject": "parcel 7"},
}
"""Over the same good record."""


def told() -> Iterator[tuple[str, str]]:
    """Each record with the row that it becomes."""
    for what, changed in CHANGED.items():
        yield what, _row(codec.encode_record(structs.replace(GOOD, **changed)))
    yield "another partition", _row(codec.encode_record(GOOD), partition=(partition_of(SUBJECT.encode()) + 1) % 8)
    yield "no JSON", _row(b"\xff\0")
    yield "no envelope", _row(b"{}")
    yield (
        "data that is no Base64",
        _row(json.dumps({**json.loads(codec.encode_record(GOOD)), "data_base64": "e30"}).encode()),
    )
    yield "a very long reason", _row(b'{"' + b"x" * 20 + b'":' + b"1" * 700)
    yield (
        "a number's name in the data of a type that is not known",
        _decoded(structs.replace(GOOD, type="custody.teleported.v1", data=b"[]")),
    )


def _row(value: bytes, partition: int | None = None) -> str:
    place = partition_of(SUBJECT.encode()) if partition is None else partition
    reading = projection.read(LogRecord(place, 7, SUBJECT.encode(), value))
    [row] = projection.settle([reading], "log", None).rows
    named = [
        f"{name}={_short(str(getattr(row, name)))}"
        for name in ("event_id", "source", "type", "event_time", "party", "sequence")
    ]
    claims = "claims its identity" if row.identity is not None and row.content_hash is not None else "claims nothing"
    reason = _short(str(row.reason), 130)
    return f"{row.standing}: {reason}\n{' '.join(named)}\nrecorded {row.record_time:%Y-%m-%d}, {claims}"


def _decoded(envelope: codec.Envelope) -> str:
    try:
        return str(codec.decode_data(envelope))
    except Undecodable as error:
        return f"{error.field}: {error.reason}\n-> {error.remedy}"


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"{text[:20]}... ({len(text)} characters)"

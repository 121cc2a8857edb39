"""Events that are refused or flagged at the door, each with one fault over the same good one."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from schemas import codec
from schemas.errors import Reason, Undecodable
from services.edge.callers import Caller, Role
from services.ingest.acceptance import Limits, Rejection, judge, judge_system, reason_of
from tests.unit.ingest.acceptance_setup import GOOD, NOW, SCANNER

DATA = '{"mode":"AUTO_SCAN","party":"H1"}'
WIRE = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/depots/H1/devices/SC07",
    "type": "custody.item_scanned.v1",
    "subject": "yto:YT8812345678",
    "time": "2026-07-07T23:05:00+08:00",
    "data": {"mode": "AUTO_SCAN", "party": "H1"},
}
PNG = {"datacontenttype": "image/png"}

BODIES: Mapping[str, bytes] = {
    "no JSON": b"{",
    "a list": b"[]",
    "not UTF-8": b'{"id":"\xff","data":{}}',
    "nested without end": b'{"id":' + b"[" * 100_000,
}
"""What is no CloudEvent at all."""

SENT: Mapping[str, Mapping[str, Any]] = {
    "nothing wrong": {},
    "no data": {"data": ...},
    "data twice": {"data_base64": "e30="},
    "data that is null": {"data": None},
    "data_base64 that is null": {"data": ..., "data_base64": None},
    "data_base64 of a number": {"data": ..., "data_base64": 7},
    "data_base64 of a list": {"data": ..., "data_base64": []},
    "data_base64 cut off": {"data": ..., "data_base64": "e30"},
    "data_base64 with a sign that is none": {"data": ..., "data_base64": "e3!0="},
    "data_base64 beyond ASCII": {"data": ..., "data_base64": "e30é"},
    "data_base64 that is read": {"data": ..., "data_base64": "e30="},
    "a picture as text": {"data": "x", **PNG},
    "a picture as a number": {"data": 7, **PNG},
    "a picture as an object": {"data": {}, **PNG},
    "a picture of a very long type": {"data": 7, "datacontenttype": "image/" + "x" * 50},
    "an attribute that is a list": {"note": []},
    "an attribute that is a fraction": {"note": 1.5},
    "an attribute with a long name that is a list": {"n" * 50: []},
    "an attribute that is null": {"note": None},
    "a name of twenty characters": {"n" * 20: "x"},
    "a name of twenty-one": {"n" * 21: "x"},
    "a name in capitals": {"Note": "x"},
    "a name with a hyphen": {"trace-parent": "x"},
    "a name beyond ASCII": {"nöte": "x"},
    "specversion 0.3": {"specversion": "0.3"},
    "no specversion": {"specversion": ...},
    "no id": {"id": ...},
    "an empty id": {"id": ""},
    "an id that is a number": {"id": 7},
    "no source": {"source": ...},
    "no type": {"type": ...},
    "no subject": {"subject": ...},
    "no time": {"time": ...},
    "a sequence that is a number": {"sequence": 7},
    "a clock offset in words": {"clockoffsetms": "late"},
    "a clock offset as text": {"clockoffsetms": "-180"},
    "a clock offset that is true": {"clockoffsetms": True},
    "recorded by itself": {"recordedtime": "2026-07-07T23:05:00Z"},
}
"""Over the same good CloudEvent; `...` leaves a member out."""

_ADMIN = Caller("k", Role.ADMIN)
_ANY_DEPOT = Caller("k", Role.SCANNER)
_NO_DEVICES = Caller("k", Role.SCANNER, depot="H1")


def _data(text: str) -> Mapping[str, Any]:
    return {"data": text.encode()}


def _packed(unit: str, **changed: Any) -> Mapping[str, Any]:
    fields = {"mode": "HUMAN_SCAN", "party": "H1", "unit": unit}
    return {"type": "custody.unit_packed.v1", "data": json.dumps(fields).encode(), **changed}


def _relabelled(old: str, new: str, **changed: Any) -> Mapping[str, Any]:
    fields = {"mode": "HUMAN_SCAN", "party": "H1", "old": old, "new": new}
    return {"type": "custody.parcel_relabelled.v1", "data": json.dumps(fields).encode(), **changed}


def _registered(kind: str, subject: str, **fields: str) -> Mapping[str, Any]:
    named = {"type": f"registry.{kind}.v1", "subject": subject, "data": json.dumps(fields).encode()}
    return {"caller": _ADMIN, **named}


JUDGED: Mapping[str, Mapping[str, Any]] = {
    "a role that may not": {"caller": Caller("k", Role.OPS, depot="H1")},
    "a role that may not, one of two": {"type": "custody.notice_given.v1"},
    "what the server alone posts": {"caller": _ADMIN, "type": "custody.deadline_passed.v1"},
    "a type with a long name": {"caller": Caller("k", Role.OPS, depot="H1"), "type": "x" * 100},
    "another depot": {"source": "/depots/H2/devices/SC07"},
    "the system's depot": {"caller": _ANY_DEPOT, "source": "/depots/system/devices/ticker"},
    "another device": {"source": "/depots/H1/devices/SC09"},
    "any device, where the key names none": {"caller": _NO_DEVICES, "source": "/depots/H1/devices/SC09"},
    "any depot, where the key names none": {"caller": _ANY_DEPOT, "source": "/depots/H9/devices/SC09"},
    "no source": {"source": "H1/SC07"},
    "an id too long": {"id": "x" * 129},
    "a signature too long": {"signature": "x" * 257},
    "a sequence with a line end": {"sequence": "7\n"},
    "a clock offset too far ahead": {"clockoffsetms": 2**53},
    "a clock offset as far ahead as may be": {"clockoffsetms": 2**53 - 1},
    "a clock offset too far back": {"clockoffsetms": -(2**53)},
    "a clock offset as far back as may be": {"clockoffsetms": -(2**53) + 1},
    "sixteen further attributes": {"extensions": {f"x{number}": "" for number in range(16)}},
    "seventeen further attributes": {"extensions": {f"x{number}": "" for number in range(17)}},
    "a further attribute of 1,024 characters": {"extensions": {"note": "x" * 1024}},
    "a further attribute of 1,025": {"extensions": {"note": "x" * 1025}},
    "a further attribute with a tab": {"extensions": {"note": "a\tb"}},
    "a further number of 32 bits": {"extensions": {"count": 2**31 - 1, "least": -(2**31)}},
    "a further number of more": {"extensions": {"count": 2**31}},
    "a further number of more below": {"extensions": {"count": -(2**31) - 1}},
    "one wrong attribute behind good ones": {"extensions": {"a": "x", "b": True, "c": 2**40}},
    "a time without a zone": {"time": "2026-07-07T23:05:00"},
    "a time before the calendar": {"time": "0001-01-01T00:00:00+08:00"},
    "a time long ago": {"time": "2020-01-01T00:00:00Z"},
    "a time to come": {"time": "2027-01-01T00:00:00Z"},
    "a check digit that is wrong": {"subject": "sscc:106141411234567890"},
    "a scan of a device": {"subject": "device:H1.SC07"},
    "a registration of a parcel": {"caller": _ADMIN, "type": "registry.party_registered.v1"},
    "a type that is not known": {"type": "custody.seal_lost.v1"},
    "a field that is not known": _data('{"mode":"AUTO_SCAN","party":"H1","colour":"red"}'),
    "a field with a very long name": _data(f'{{"mode":"AUTO_SCAN","party":"H1","{"c" * 70}":1}}'),
    "seventeen fields that are not known": _data(
        '{"mode":"AUTO_SCAN","party":"H1",' + ",".join(f'"x{number:02}":1' for number in range(17)) + "}"
    ),
    "no party": _data('{"mode":"AUTO_SCAN"}'),
    "a party that is a number": _data('{"mode":"AUTO_SCAN","party":7}'),
    "an observation without a value": _data('{"mode":"AUTO_SCAN","party":"H1","observations":[{"facet":"O"}]}'),
    "data that is a list": _data("[]"),
    "an old version without sense": {
        "type": "custody.condition_observed.v1",
        "data": b'{"mode":"AUTO_SCAN","party":"H1","weight_kg":"heavy"}',
    },
    "NUL in the data": _data('{"mode":"AUTO_SCAN","party":"H1","transport":"a\\u0000"}'),
    "a key twice": _data('{"mode":"AUTO_SCAN","mode":"IMPORT","party":"H1"}'),
    "a key twice inside": _data('{"mode":"AUTO_SCAN","party":"H1","operator":{"ref":"a","ref":"b"}}'),
    "nested too deeply": _data('{"mode":"AUTO_SCAN","party":"H1","x":' + "[" * 32 + "]" * 32 + "}"),
    "no JSON": _data("{"),
    "not UTF-8": {"data": b'{"mode":"\xff"}'},
    "a registration under another device": _registered(
        "device_enrolled", "device:H1.SC08", device="h1.sc07", party="H1"
    ),
    "a revocation under another device": _registered("device_revoked", "device:X", device="h1.sc07", reason="retired"),
    "a registration under another party": _registered("party_registered", "party:H2", party="h1", role="carrier"),
    "a registration under another site": _registered("site_registered", "site:H2", site="h1-dock", party="H1"),
    "a device whose code no subject can have": _registered("device_enrolled", "device:X", device="_X.s1", party="H1"),
    "a party whose code no subject can have": _registered("party_registered", "party:X", party="_X", role="carrier"),
    "a site whose code no subject can have": _registered("site_registered", "site:X", site="gln:69", party="H1"),
    "a policy whose code no contract can name": _registered("policy_set", "policy:7DAYS"),
    "a policy with a code of 48": _registered("policy_set", "policy:" + "A" * 48),
    "a policy with a code of 49": _registered("policy_set", "policy:" + "A" * 49),
    "a unit that cannot be read": _packed("bag 7"),
    "a unit that is a device": _packed("device:H1.SC07"),
    "a unit in itself": _packed("yto:YT8812345678"),
    "a unit with a wrong check digit": _packed("sscc:106141411234567890"),
    "an old number that cannot be read": _relabelled("A1", "zto:B2", subject="zto:B2"),
    "a new number that cannot be read": _relabelled("yto:A1", "B2?", subject="yto:A1"),
    "an old number that is a party": _relabelled("party:H1", "zto:B2", subject="zto:B2"),
    "the same number twice": _relabelled("yto:A1", "YTO: a1", subject="yto:A1"),
    "neither of the two numbers": _relabelled("yto:A1", "zto:B2", subject="yto:C3"),
    "wrong check digits on both labels": _relabelled(
        "sscc:106141411234567890", "s10:RA473124820CN", subject="sscc:106141411234567890"
    ),
}
"""Over the same good event of a scanner's key."""


def told() -> Iterator[tuple[str, str]]:
    """Each event with what is said to it."""
    for what, body in BODIES.items():
        yield f"body: {what}", _parsed(body)
    for what, changed in SENT.items():
        members = {name: value for name, value in {**WIRE, **changed}.items() if value is not ...}
        yield f"sent: {what}", _parsed(json.dumps(members).encode())
    for what, changed in JUDGED.items():
        yield f"judged: {what}", _judged(**changed)
    for hours in (1, -366 * 24):
        yield f"judged: {hours} hours away", _judged(time=codec.format_instant(NOW + timedelta(hours=hours)))
    yield (
        "judged: the system's own, unreadable",
        _words(judge_system(msgspec.structs.replace(GOOD, subject="nothing"), Limits(), NOW)),
    )
    yield (
        "judged: with a limit of 2 levels",
        _words(
            judge(msgspec.structs.replace(GOOD, data=b'{"mode":"AUTO_SCAN","x":[[]]}'), SCANNER, Limits(depth=2), NOW)
        ),
    )
    yield "an error without a remedy", _reason(reason_of(Undecodable("it is odd", field="data.x")))
    yield "an error with a code of its own", _reason(reason_of(Undecodable("it is odd", remedy="Mend it."), "ODD"))


def _parsed(body: bytes) -> str:
    try:
        envelope = codec.parse_structured(body)
    except Undecodable as error:
        return f"{error.field}: {error.reason}\n-> {error.remedy}"
    further = f" with {dict(envelope.extensions)}" if envelope.extensions else ""
    offset = f", {envelope.clockoffsetms} ms" if envelope.clockoffsetms is not None else ""
    return f"is read as {envelope.data.decode()}{offset}{further}"


def _judged(caller: Caller = SCANNER, **changed: Any) -> str:
    return _words(judge(msgspec.structs.replace(GOOD, **changed), caller, Limits(), NOW))


def _words(found: object) -> str:
    if isinstance(found, Rejection):
        return "refused\n" + "\n".join(map(_reason, found.reasons))
    return "\n".join(["taken", *map(_reason, getattr(found, "warnings", ()))])


def _reason(reason: Reason) -> str:
    return f"{reason.code} {reason.field}: {reason.detail}\n-> {reason.remedy}"

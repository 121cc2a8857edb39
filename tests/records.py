"""Builders of recorded events, for tests that need a log with something in it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from schemas import codec
from schemas.identifiers import parse_subject
from services.log.port import Entry, LogRecord
from services.log.table import TableLog

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)

ACCEPTED = "custody.handoff_accepted.v1"
RELEASED = "custody.handoff_released.v1"
NOTICE = "custody.notice_given.v1"
ANNOUNCED = "custody.parcel_announced.v1"
ENROLLED = "registry.device_enrolled.v1"
REVOKED = "registry.device_revoked.v1"
PARTY = "registry.party_registered.v1"
POLICY = "registry.policy_set.v1"

PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes_raw().hex()

GOOD = [{"facet": "O", "value": "ok"}, {"facet": "P", "value": "ok"}]
BAD = [{"facet": "O", "value": "bad"}]


def event(
    event_id: str,
    subject: str,
    kind: str = ACCEPTED,
    *,
    at: float = 0.0,
    recorded: float | None = None,
    source: str = "/depots/SHA/devices/S1",
    keyid: str | None = "k1",
    **data: Any,
) -> codec.Envelope:
    """An envelope as the door would record it; `at` and `recorded` are days. Signed unless `keyid` is None."""
    if kind == ACCEPTED and not data:
        data = {"mode": "HUMAN_INSPECT", "taker": "C1", "observations": GOOD}
    envelope = codec.Envelope(
        id=event_id,
        source=source,
        type=kind,
        subject=subject,
        time=codec.format_instant(DAY_0 + timedelta(days=at)),
        data=json.dumps(data, separators=(",", ":")).encode(),
        recordedtime=codec.format_instant(DAY_0 + timedelta(days=at if recorded is None else recorded)),
        recordedby="test",
        keyid=keyid,
    )
    if keyid is None:
        return envelope
    signature = base64.b64encode(PRIVATE_KEY.sign(codec.signed_form(envelope))).decode()
    return codec.Envelope(
        **{name: getattr(envelope, name) for name in envelope.__struct_fields__ if name not in ("signature", "sigalg")},
        signature=signature,
        sigalg="ed25519",
    )


def enrolment(device: str = "SHA.S1", *, at: float = 0.0, party: str = "C1") -> codec.Envelope:
    """The event that makes `PRIVATE_KEY` a key of the device, under the key id `k1`."""
    return event(
        f"enrol-{device}-{at}",
        f"device:{device.upper()}",
        ENROLLED,
        at=at,
        source="/depots/HQ/devices/office",
        device=device,
        party=party,
        keys=[{"keyid": "k1", "public_key": PUBLIC_KEY}],
        instruments=[],
    )


def entry(envelope: codec.Envelope) -> Entry:
    """What the door appends."""
    return Entry(str(parse_subject(envelope.subject)).encode(), codec.encode_record(envelope))


def append(engine: Engine, *envelopes: codec.Envelope) -> None:
    """Record through the table log, one append each, so that each is a transaction of its own."""
    log = TableLog(engine)
    for envelope in envelopes:
        log.append([entry(envelope)])


def records_of(log: TableLog) -> dict[int, list[LogRecord]]:
    """Everything in the log, by partition."""
    return {partition: list(log.read(partition, 0, 1_000_000)) for partition in range(log.partitions)}

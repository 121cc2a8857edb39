"""Hands what the tests record to the naive solver, and its answers to the story comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from schemas.events import DeviceEnrolled
from schemas.identifiers import parse_source
from schemas.positions import Position
from services.custody.core.facts import Fact
from tests.naive.facts import Answer, End, Recorded

Checks = Mapping[tuple[Position, str], bool]
"""Whether the signature of the record at a position is good under a public key."""


def recorded(facts: Sequence[Fact], checks: Checks) -> list[Recorded]:
    """The facts as the naive solver takes them."""
    return [
        Recorded(
            fact.position, fact.record_time, fact.envelope, fact.data, fact.subject, _signature(fact, facts, checks)
        )
        for fact in facts
    ]


def _signature(fact: Fact, facts: Sequence[Fact], checks: Checks) -> bool | None:
    if fact.envelope.signature is None:
        return None
    device = parse_source(fact.envelope.source).device_id
    for other in facts:
        if isinstance(other.data, DeviceEnrolled) and other.data.device == device:
            for key in other.data.keys:
                if key.keyid == fact.envelope.keyid:
                    return checks.get((fact.position, key.public_key), False)
    return False


def told(answer: Answer) -> dict[str, Any]:
    """An answer in the shape in which the read door tells a verdict."""
    return {
        **{each.name: getattr(answer, each.name) for each in fields(Answer)},
        "outcome": str(answer.outcome),
        "confidence": str(answer.confidence),
        "liable": [{"party": party, "share": str(share)} for party, share in answer.liable.items()],
        "proved": sorted(answer.proved),
        "open_alternatives": sorted(answer.open_alternatives),
        "zones": [sorted(zone) for zone in answer.zones],
        "flags": sorted(answer.flags),
        "excluded": [{"event": event} for event in sorted(answer.excluded)],
        "L": _end(answer.L),
        "U": _end(answer.U),
        "last_seen_intact": (
            {"event": answer.last_seen_intact[0], "observer": answer.last_seen_intact[1]}
            if answer.last_seen_intact is not None
            else None
        ),
    }


def _end(end: End | None) -> dict[str, Any] | None:
    return None if end is None else {"event": end.event, "t": end.t, "how": end.how, "grade": end.grade}

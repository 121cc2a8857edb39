"""Odd times that devices and stories tell: an answer comes out whatever the calendar has no room for."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from schemas import codec
from schemas.events import (
    DeviceEnrolled,
    DeviceKey,
    Event,
    HandoffAccepted,
    Observation,
    ParcelAnnounced,
    PolicySet,
)
from schemas.positions import AsOf, Position
from schemas.vocabulary import CaptureMode, Condition, Facet
from services.custody.core.attribution import verdicts
from services.custody.core.casework import casework
from services.custody.core.facts import Evidence, Fact, fact_of

RECORDED = datetime(2026, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
KEY = "0" * 64


def told(data: Event, party: str, time: str, offset: int, *, recorded: datetime = RECORDED) -> Fact:
    """A fact as the log gives it, recorded at position 0:`offset`."""
    envelope = codec.Envelope(
        id=f"e{offset}",
        source=f"/depots/{party}/devices/d",
        type=data.TYPE,
        subject="policy:DEFAULT" if isinstance(data, PolicySet) else "yto:YT1",
        time=time,
        data=msgspec.json.encode(data),
        keyid="k1",
        signature="looked up, not computed",
    )
    return fact_of(Position(0, offset), recorded, codec.encode_record(envelope))


def enrolled(party: str, offset: int) -> Fact:
    keys = (DeviceKey(keyid="k1", public_key=KEY),)
    return told(DeviceEnrolled(device=f"{party}.d", party=party, keys=keys), "OFFICE", "0001-01-01T00:00:00Z", offset)


def bundle(facts: tuple[Fact, ...], *registry: Fact) -> Evidence:
    """What is known, all of it well signed."""
    return Evidence("yto:YT1", facts, registry=registry, signatures={(fact.position, KEY): True for fact in facts})


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=8)), UTC])
def test_what_counts_as_lost_at_the_end_of_time_is_told(zone: timezone) -> None:
    facts = (
        told(ParcelAnnounced(promised_at=LAST - timedelta(hours=3)), "C1", "2026-01-01T00:00:00Z", 0),
        told(
            HandoffAccepted(taker="C1", mode=CaptureMode.HUMAN_SCAN),
            "C1",
            datetime(2025, 12, 31, 20, tzinfo=UTC).astimezone(zone).isoformat(),
            1,
        ),
    )
    policy = told(PolicySet(deemed_lost_hours=1), "OFFICE", "2026-01-01T00:00:00Z", 2)

    answers = verdicts(bundle(facts, enrolled("C1", 3), policy), AsOf(LAST))

    assert [answer.finding.kind for answer in answers] == ["LOSS", "DELAY"]


def test_a_story_at_the_end_of_time_is_answered() -> None:
    broken = Observation(facet=Facet.OUTER, value=Condition.BAD)
    bad = HandoffAccepted(taker="C1", mode=CaptureMode.HUMAN_INSPECT, observations=(broken,))
    fact = told(bad, "C1", "9999-12-31T23:59:59Z", 0, recorded=LAST)

    assert casework(bundle((fact,), enrolled("C1", 1)), None).case is not None

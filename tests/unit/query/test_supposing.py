"""Another policy is supposed without touching anything but what the contract goes by."""

from datetime import UTC, datetime

import msgspec

from schemas import codec
from schemas.codec import Envelope
from schemas.events import Event, ParcelAnnounced, PartyRegistered, PolicySet
from schemas.positions import Position
from schemas.vocabulary import PartyRole
from services.custody.core.facts import Evidence, Fact, fact_of
from services.query.supposing import DEFAULT_POLICY, suppose

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def fact(subject: str, data: Event, offset: int) -> Fact:
    told = Envelope(
        id=f"e{offset}",
        source="/depots/H1/devices/d1",
        type=data.TYPE,
        subject=subject,
        time=codec.format_instant(NOON),
        data=msgspec.json.encode(data),
        recordedtime=codec.format_instant(NOON),
        recordedby="test",
        recordeddepot="H1",
        recordedparty="H1",
    )
    return fact_of(Position(0, offset), NOON, codec.encode_record(told))


ANNOUNCED = fact("yto:P", ParcelAnnounced(contracting="C1", policy="bulk"), 0)
DEFAULT = fact("policy:DEFAULT", PolicySet(notice_days=7), 1)
BULK = fact("policy:BULK", PolicySet(notice_days=2), 2)
EXPRESS = fact("policy:EXPRESS", PolicySet(notice_days=9), 3)
CARRIER = fact("party:C1", PartyRegistered(party="C1", role=PartyRole.CARRIER), 4)
EVIDENCE = Evidence("yto:P", (ANNOUNCED,), registry=(CARRIER, DEFAULT, BULK))


def test_the_supposed_settings_take_the_place_of_the_contracts_own() -> None:
    supposed = suppose(EVIDENCE, "EXPRESS", (EXPRESS,))

    assert supposed.registry == (CARRIER, DEFAULT, EXPRESS)
    assert isinstance(supposed.facts[0].data, ParcelAnnounced)
    assert supposed.facts[0].data == ParcelAnnounced(contracting="C1", policy="express")
    assert (supposed.facts[0].id, supposed.facts[0].content_hash) == (ANNOUNCED.id, ANNOUNCED.content_hash)


def test_the_tenants_own_settings_alone_can_be_supposed() -> None:
    supposed = suppose(EVIDENCE, DEFAULT_POLICY, ())

    assert supposed.registry == (CARRIER, DEFAULT)
    assert supposed.facts[0].data == ParcelAnnounced(contracting="C1")

"""The three cases: readable events under the contract, in the past, signed by devices that are enrolled."""

from datetime import UTC, datetime

import pytest

from schemas import codec
from schemas.events import DeviceEnrolled, HandoffAccepted, ParcelAnnounced
from schemas.identifiers import parse_source
from schemas.vocabulary import RECIPIENT, Condition, Facet
from services.demo.cases import CARRIERS, write
from services.simulate.upload import as_sent

TODAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("today", "year"),
    [(TODAY, 2026), (datetime(2026, 7, 9, tzinfo=UTC), 2025), (datetime(2027, 1, 1, tzinfo=UTC), 2026)],
)
def test_the_cases_lie_in_the_last_july_that_is_over(today: datetime, year: int) -> None:
    for case in write(today).all:
        for event in case.events:
            assert codec.parse_instant(event.time).year == year
            assert codec.parse_instant(event.time) < today


def test_every_event_reads_back_and_comes_from_an_enrolled_device_or_the_office() -> None:
    told = write(TODAY)
    enrolled = {data.device for data in map(codec.decode_data, told.registry) if isinstance(data, DeviceEnrolled)}

    for event in told.envelopes:
        assert codec.parse_structured(as_sent(event)) == event
        codec.decode_data(event)
        source = parse_source(event.source)
        assert (source.device_id in enrolled and event.signature) or source.depot == "office"
    names = [(event.source, event.id) for event in told.envelopes]
    assert len(set(names)) == len(names)


def test_values_and_what_was_seen_are_the_articles() -> None:
    told = write(TODAY)
    declared = {}
    seen = {}
    for case in told.all:
        for data in map(codec.decode_data, case.events):
            if isinstance(data, ParcelAnnounced):
                declared[case.letter] = data.declared_value
            if isinstance(data, HandoffAccepted) and data.taker == RECIPIENT:
                seen[case.letter] = {look.facet for look in data.observations if look.value is Condition.BAD}

    assert declared == {"A": 500_00, "B": 9_000_00, "C": 2_000_00}
    assert seen == {"A": {Facet.OUTER, Facet.CONTENTS}, "B": {Facet.CONTENTS}, "C": {Facet.CONTENTS}}


def test_all_carriers_take_part_in_every_case() -> None:
    for case in write(TODAY).all:
        takers = [data.taker for data in map(codec.decode_data, case.events) if isinstance(data, HandoffAccepted)]
        assert takers == [*CARRIERS, RECIPIENT]

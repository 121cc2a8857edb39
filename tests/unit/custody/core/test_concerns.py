"""What an event concerns beside its own subject, type by type over the golden examples, and what it wakes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from schemas import codec
from schemas.events import (
    EVENT_TYPES,
    ConditionObserved,
    Countersignature,
    DeliveryRefused,
    DeviceEnrolled,
    DeviceKey,
    Event,
    EventCorrected,
    Exceedance,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    LoggerReading,
    NoticeGiven,
    Observation,
    ParcelAnnounced,
    ParcelRelabelled,
    PartyRegistered,
    PlannedLeg,
    Redirected,
    Reservation,
    Seal,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.positions import Position
from schemas.vocabulary import (
    CaptureMode,
    Condition,
    Facet,
    OpeningReason,
    PartyRole,
)
from services.custody.core import casework, concerns
from services.custody.core.facts import Fact, fact_of
from services.custody.core.incidents import Incident, incident_of
from tests.unit.custody.core.histories import DAY_0, Told
from tests.unit.custody.core.histories import fact_of as recorded

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples"
SCAN = CaptureMode.HUMAN_SCAN
HERE = Position(0, 0)


def example(event_type: str) -> Fact:
    """The golden example, as the door records it."""
    sent = codec.parse_structured((EXAMPLES / f"{event_type}.json").read_bytes())
    kept = structs.replace(sent, recordedtime=sent.time, recordedby="test")
    return fact_of(HERE, codec.parse_instant(sent.time), codec.encode_record(kept))


def about(data: Event, subject: str = "test:PARCEL") -> Fact:
    return recorded(Told("e", "H1", timedelta(), timedelta(), data, subject=subject), HERE)


# Whose act it is, everybody it names, the site, and the other items.
NAMED: dict[str, tuple[str | None, str, str, str]] = {
    "claims.claim_paid.v1": ("C1", "C1", "", ""),
    "custody.condition_observed.v2": ("H1", "H1", "site:H1-CHECK", ""),
    "custody.deadline_passed.v1": (None, "", "", ""),
    "custody.delivery_attempted.v1": ("D1", "D1", "", ""),
    "custody.delivery_refused.v1": ("SENDER", "SENDER", "", ""),
    "custody.event_corrected.v1": ("H1", "H1", "", ""),
    "custody.handoff_accepted.v1": ("H1", "C1 H1", "site:H1-DOCK-3", ""),
    "custody.handoff_released.v1": ("H1", "H1 LH", "site:H1-DOCK-9", ""),
    "custody.hold_placed.v1": ("D1", "D1", "", ""),
    "custody.item_scanned.v1": ("H1", "H1", "site:H1-BELT-2", ""),
    "custody.notice_given.v1": ("RCP", "C1 RCP", "", ""),
    "custody.parcel_announced.v1": ("C1", "C1 H1 LH", "", ""),
    "custody.parcel_dropped.v1": ("D1", "D1 L7", "site:L7-DOOR-12", ""),
    "custody.parcel_relabelled.v1": ("LH", "LH", "site:LH-BENCH-2", "yto:YT8890000017 relabelled"),
    "custody.payload_withheld.v1": (None, "", "", ""),
    "custody.redirected.v1": ("D1", "D1", "", ""),
    "custody.repacked.v1": ("LH", "LH", "site:LH-BENCH-2", ""),
    "custody.return_ordered.v1": ("RCP", "RCP", "", ""),
    "custody.seal_applied.v1": ("H1", "H1", "site:H1-DOCK-9", ""),
    "custody.seal_checked.v1": ("LH", "LH", "site:LH-DOCK-1", ""),
    "custody.unit_opened.v1": ("LH", "LH", "site:LH-DOCK-1", ""),
    "custody.unit_packed.v1": ("H1", "H1", "site:H1-DOCK-9", "sscc:106141411234567897 packed"),
    "custody.unit_unpacked.v1": ("LH", "LH", "site:LH-DOCK-1", "sscc:106141411234567897 unpacked"),
    "custody.verdict_issued.v1": (None, "C1", "", ""),
    "registry.device_enrolled.v1": ("H1", "H1", "", ""),
    "registry.device_revoked.v1": (None, "", "", ""),
    "registry.party_registered.v1": ("H1", "H1 YTO-EAST", "", ""),
    "registry.policy_set.v1": (None, "", "", ""),
    "registry.site_registered.v1": ("H1", "H1", "site:H1", ""),
}


def test_every_type_is_in_the_table() -> None:
    assert NAMED.keys() == EVENT_TYPES.keys()


@pytest.mark.parametrize("event_type", NAMED)
def test_an_event_is_looked_at_again_when_anything_that_it_names_changes(event_type: str) -> None:
    fact = example(event_type)
    acting, parties, site, items = NAMED[event_type]

    assert concerns.acting_party(fact.data) == acting
    assert " ".join(sorted(concerns.named_parties([fact]))) == parties
    assert " ".join(concerns.sites([fact])) == site
    assert ", ".join(f"{item} {role}" for item, role in concerns.mentions(fact.subject, fact.data)) == items


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (HandoffAccepted(mode=SCAN, taker="H1", countersigned=(Countersignature(party="C1"),)), {"H1", "C1"}),
        (EventCorrected(party="H1", corrects="e1", countersigned=(Countersignature(party="LH"),)), {"H1", "LH"}),
        (Redirected(party="C1", address="new", plan=(PlannedLeg(party="LH"),)), {"C1", "LH"}),
        (ParcelAnnounced(plan=(PlannedLeg(party="LH"), PlannedLeg(party="H2"))), {"LH", "H2"}),
        (PartyRegistered(party="H1", role=PartyRole.CARRIER), {"H1"}),
    ],
)
def test_whoever_signs_too_or_is_planned_is_named(data: Event, named: set[str]) -> None:
    assert concerns.named_parties([about(data)]) == named


def test_whose_key_it_came_in_with_is_named() -> None:
    fact = about(ItemScanned(mode=SCAN, party="H1"))
    envelope = structs.replace(fact.envelope, recordedparty="AGENT")

    assert concerns.named_parties([fact, replace(fact, envelope=envelope)]) == {"H1", "AGENT"}


def test_a_notice_names_the_parcel_whose_goods_were_in_it() -> None:
    fact = about(NoticeGiven(party="RCP", holds="YTO: yt9"))

    assert [(item, role.value) for item, role in concerns.mentions(fact.subject, fact.data)] == [("yto:YT9", "holds")]
    assert concerns.goods_of([fact, fact]) == ("yto:YT9",)


@pytest.mark.parametrize("holds", ["test:PARCEL", "TEST: parcel", "no code at all"])
def test_a_notice_about_itself_or_about_nothing_names_nobody(holds: str) -> None:
    assert concerns.mentions("test:PARCEL", NoticeGiven(party="RCP", holds=holds)) == ()


def test_keys_are_gathered_over_every_enrolment_of_a_device() -> None:
    def enrolled(device: str, *keys: tuple[str, str]) -> Fact:
        told = tuple(DeviceKey(keyid=name, public_key=key * 64) for name, key in keys)
        return about(DeviceEnrolled(device=device, party="H1", keys=told, instruments=()), f"device:{device.upper()}")

    found = concerns.enrolled_keys(
        [
            enrolled("H1.s1", ("k1", "a"), ("k2", "b")),
            enrolled("h1.S1", ("k1", "c")),
            enrolled("H1.s2", ("k1", "d")),
            about(PartyRegistered(party="H1", role=PartyRole.CARRIER)),
        ]
    )

    assert found == {
        ("device:H1.S1", "k1"): {"a" * 64, "c" * 64},
        ("device:H1.S1", "k2"): {"b" * 64},
        ("device:H1.S2", "k1"): {"d" * 64},
    }


def test_a_parcel_is_known_by_every_label_that_it_was_given_in_turn() -> None:
    def relabelled(subject: str, old: str, new: str) -> Fact:
        return about(ParcelRelabelled(mode=SCAN, party="H1", old=old, new=new), subject)

    facts = [
        relabelled("yto:C", "yto:C", "yto:D"),
        relabelled("yto:A", "yto:A", "yto:B"),
        relabelled("yto:C", "yto:B", "yto:C"),
        relabelled("yto:X", "yto:X", "yto:Y"),
        about(UnitPacked(mode=SCAN, party="H1", unit="yto:B9"), "yto:A"),
    ]

    assert concerns.labels("yto:A", facts) == {"yto:A", "yto:B", "yto:C", "yto:D"}
    assert concerns.labels("yto:Y", facts) == {"yto:X", "yto:Y"}
    assert concerns.labels("yto:Z", facts) == {"yto:Z"}


# --- what may open a case ---------------------------------------------------------------------------------------------


def seen(facet: Facet = Facet.OUTER, value: Condition = Condition.OK, **more: Any) -> tuple[Observation, ...]:
    return (Observation(facet=facet, value=value, **more),)


BAD_SEAL = seen(Facet.SEAL, Condition.BAD)
GOOD_SEAL = seen(Facet.SEAL, Condition.OK)
OTHER_NUMBER = Seal(number="1", match=False)
BLOW = LoggerReading(armed=(), exceedances=(Exceedance(t=DAY_0),))
TORN = Reservation(facet=Facet.OUTER, grounds="torn")
DARK = Reservation(facet=Facet.OUTER, grounds="dark")


@pytest.mark.parametrize(
    ("data", "reports", "opens", "incident"),
    [
        pytest.param(ItemScanned(mode=SCAN, party="H1"), False, False, None, id="a scan"),
        pytest.param(
            ItemScanned(mode=SCAN, party="H1", observations=seen(value=Condition.UNEXAMINED)),
            *(False, False, None),
            id="a look that nobody had",
        ),
        pytest.param(
            ItemScanned(mode=SCAN, party="H1", observations=(*seen(), *seen(value=Condition.BAD))),
            *(True, True, None),
            id="one bad look of two",
        ),
        pytest.param(
            ItemScanned(mode=SCAN, party="H1", observations=seen(tamper=True)), True, True, None, id="tampered with"
        ),
        pytest.param(
            ItemScanned(mode=SCAN, party="H1", observations=seen(Facet.WEIGHT, grams=0)), False, True, None, id="a mass"
        ),
        pytest.param(
            SealChecked(mode=SCAN, party="H1", observations=BAD_SEAL), True, True, Incident.SEAL_BROKEN, id="bad seal"
        ),
        pytest.param(SealChecked(mode=SCAN, party="H1", observations=GOOD_SEAL), False, False, None, id="good seal"),
        pytest.param(
            SealChecked(mode=SCAN, party="H1", seal=OTHER_NUMBER), True, True, Incident.SEAL_BROKEN, id="another number"
        ),
        pytest.param(
            SealChecked(mode=SCAN, party="H1", seal=Seal(number="1")), False, False, None, id="a number that was read"
        ),
        pytest.param(
            HandoffReleased(mode=SCAN, giver="H1", observations=(*seen(value=Condition.BAD), *GOOD_SEAL)),
            *(True, True, None),
            id="a bad carton and a good seal",
        ),
        pytest.param(
            UnitPacked(mode=SCAN, party="H1", unit="yto:B9", observations=BAD_SEAL, seal=OTHER_NUMBER),
            *(False, False, None),
            id="the unit's seal at packing",
        ),
        pytest.param(
            UnitUnpacked(mode=SCAN, party="H1", unit="yto:B9", observations=BAD_SEAL, seal=OTHER_NUMBER),
            *(False, False, None),
            id="the unit's seal at unpacking",
        ),
        pytest.param(
            UnitUnpacked(mode=SCAN, party="H1", unit="yto:B9", observations=(*BAD_SEAL, *seen(value=Condition.BAD))),
            *(True, True, None),
            id="bad on unpacking",
        ),
        pytest.param(
            UnitPacked(mode=SCAN, party="H1", unit="yto:B9", observations=seen(tamper=True)),
            *(True, True, None),
            id="tampered with before packing",
        ),
        pytest.param(
            UnitOpened(mode=SCAN, party="H1", because=OpeningReason.DAMAGE),
            *(False, False, Incident.UNIT_OPENED),
            id="opened for damage",
        ),
        pytest.param(
            UnitOpened(mode=SCAN, party="H1", because=OpeningReason.AUTHORITY),
            *(False, False, None),
            id="opened for an authority",
        ),
        pytest.param(
            UnitOpened(mode=SCAN, party="H1", observations=BAD_SEAL),
            *(True, True, Incident.SEAL_BROKEN),
            id="opened where the seal was bad",
        ),
        pytest.param(
            ConditionObserved(mode=SCAN, party="H1", logger=BLOW), False, False, Incident.SENSOR, id="a logger's blow"
        ),
        pytest.param(
            ConditionObserved(mode=SCAN, party="H1", logger=LoggerReading(armed=())),
            *(False, False, None),
            id="a logger's silence",
        ),
        pytest.param(HandoffAccepted(mode=SCAN, taker="H1", reservation=TORN), True, True, None, id="reserved"),
        pytest.param(HandoffAccepted(mode=SCAN, taker="H1", reservation=DARK), False, False, None, id="too dark"),
        pytest.param(ConditionObserved(mode=SCAN, party="H1", reservation=TORN), True, True, None, id="noted later"),
        pytest.param(
            ConditionObserved(mode=SCAN, party="H1", reservation=DARK, observations=seen(value=Condition.BAD)),
            *(True, True, None),
            id="too dark and yet bad",
        ),
        pytest.param(NoticeGiven(party="RCP"), True, True, None, id="a notice"),
        pytest.param(DeliveryRefused(mode=SCAN, party="RCP"), False, False, None, id="a refusal"),
        pytest.param(ParcelAnnounced(promised_after_hours=48), False, False, None, id="a promise"),
    ],
)
def test_what_is_reported_opens_a_case_and_an_incident_does_too(
    data: Event, reports: bool, opens: bool, incident: Incident | None
) -> None:
    assert concerns.reports(data) is reports
    assert concerns.opens(data) is opens
    assert incident_of(data) is incident
    assert casework.opens(data) is (opens or incident is not None)
    assert concerns.wakes(data) is (opens or isinstance(data, (ParcelAnnounced, DeliveryRefused)))


@pytest.mark.parametrize(
    ("data", "promised"),
    [
        (ParcelAnnounced(), False),
        (ParcelAnnounced(promised_after_hours=0), True),
        (ParcelAnnounced(promised_at=DAY_0), True),
        (Redirected(party="C1", address="new"), False),
        (Redirected(party="C1", address="new", promised_after_hours=48), True),
        (Redirected(party="C1", address="new", promised_at=DAY_0), True),
        (ItemScanned(mode=SCAN, party="H1"), False),
    ],
)
def test_only_a_contract_or_a_new_address_promises_a_time(data: Event, promised: bool) -> None:
    assert concerns.promised([about(ItemScanned(mode=SCAN, party="H1")), about(data)]) is promised

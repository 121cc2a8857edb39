"""Events that name something beside their subject: what was registered, the unit around an item, another label."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.edge.callers import Caller, Role
from services.ingest.acceptance import Accepted, Rejection
from tests.unit.ingest.acceptance_setup import judged, reasons, warnings

ADMIN = Caller("k", Role.ADMIN)
ITEM = "yto:YT8812345678"
UNIT = "sscc:106141411234567897"
PACKING = ["custody.unit_packed.v1", "custody.unit_unpacked.v1"]


def registered(event_type: str, subject: str, data: bytes) -> Accepted | Rejection:
    """The judgement of this registration, sent by an administrator."""
    return judged(caller=ADMIN, type=f"registry.{event_type}.v1", subject=subject, data=data)


def packed(event_type: str, unit: str, **changed: Any) -> Accepted | Rejection:
    """The judgement of the item's being put into this unit, or taken out of it."""
    data = f'{{"mode":"HUMAN_SCAN","party":"H1","unit":"{unit}"}}'.encode()
    return judged(type=event_type, **{"subject": ITEM, "data": data, **changed})


def relabelled(subject: str, old: str, new: str) -> Accepted | Rejection:
    """The judgement of a new label on an old one."""
    data = f'{{"mode":"HUMAN_SCAN","party":"H1","old":"{old}","new":"{new}"}}'.encode()
    return judged(type="custody.parcel_relabelled.v1", subject=subject, data=data)


# --- registrations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event_type", "subject", "data"),
    [
        ("device_enrolled", "device:H1.SC07", b'{"device":"h1.sc07","party":"H1"}'),
        ("party_registered", "party:h1", b'{"party":"h1","role":"carrier"}'),
        ("site_registered", "site:H1-DOCK", b'{"site":"h1-dock","party":"H1"}'),
        ("policy_set", "policy:DEFAULT", b"{}"),
        ("policy_set", "policy:DIRECT_2027", b"{}"),
        ("policy_set", "policy:cold_chain", b"{}"),
    ],
)
def test_a_registration_under_its_own_subject_is_taken(event_type: str, subject: str, data: bytes) -> None:
    assert warnings(registered(event_type, subject, data)) == []


@pytest.mark.parametrize(
    ("event_type", "subject", "data"),
    [
        ("device_enrolled", "device:H1.SC08", b'{"device":"H1.SC07","party":"H1"}'),
        ("device_revoked", "device:H1.SC08", b'{"device":"H1.SC07","reason":"retired"}'),
        ("party_registered", "party:H2", b'{"party":"H1","role":"carrier"}'),
        ("site_registered", "site:H2", b'{"site":"H1","party":"H1"}'),
        ("site_registered", "party:H1", b'{"site":"H1","party":"H1"}'),
        ("policy_set", "party:DEFAULT", b"{}"),
        ("policy_set", "policy:7DAYS", b"{}"),
        ("policy_set", "policy:COLD-CHAIN", b"{}"),
        ("policy_set", "policy:" + "A" * 49, b"{}"),
    ],
)
def test_a_registration_under_another_subject_than_its_own_is_refused(
    event_type: str, subject: str, data: bytes
) -> None:
    assert reasons(registered(event_type, subject, data)) == [("BAD_ATTRIBUTE", "subject")]


@pytest.mark.parametrize(
    ("event_type", "subject", "data", "field"),
    [
        ("site_registered", "site:GLN", b'{"site":"gln:6901234567892","party":"H1"}', "data.site"),
        ("party_registered", "party:X", b'{"party":"_X","role":"carrier"}', "data.party"),
    ],
)
def test_a_code_that_no_subject_can_have_is_named_as_the_fault(
    event_type: str, subject: str, data: bytes, field: str
) -> None:
    assert reasons(registered(event_type, subject, data)) == [("BAD_DATA", field)]


# --- units --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", PACKING)
@pytest.mark.parametrize(
    "unit",
    [UNIT, "https://id.gs1.org/00/106141411234567897", "urn:epc:id:grai:0614141.12345.400", "zto:BAG 7", "yto:MF-12"],
)
def test_a_unit_may_be_named_in_any_spelling(event_type: str, unit: str) -> None:
    assert warnings(packed(event_type, unit)) == []


@pytest.mark.parametrize("event_type", PACKING)
@pytest.mark.parametrize(
    "unit",
    ["bag 7", "yto:", ":BAG7", "https://example.com/bag/7", "https://id.gs1.org/01/09506000134352", "device:H1.SC07"],
)
def test_a_unit_that_cannot_be_read_is_refused(event_type: str, unit: str) -> None:
    assert reasons(packed(event_type, unit)) == [("BAD_DATA", "data.unit")]


@pytest.mark.parametrize("event_type", PACKING)
@pytest.mark.parametrize(
    "unit", [UNIT, "https://id.gs1.org/00/106141411234567897", "urn:epc:id:sscc:0614141.1123456789"]
)
def test_nothing_is_in_itself_in_whatever_spelling(event_type: str, unit: str) -> None:
    assert reasons(packed(event_type, unit, subject=UNIT)) == [("BAD_DATA", "data.unit")]


@pytest.mark.parametrize("event_type", PACKING)
def test_a_units_bad_check_digit_is_flagged(event_type: str) -> None:
    assert warnings(packed(event_type, "sscc:106141411234567890")) == [("BAD_CHECK_DIGIT", "data.unit")]


# --- labels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["yto:A1", "YTO: a 1", "zto:B2"])
def test_a_relabelling_is_about_either_number(subject: str) -> None:
    assert warnings(relabelled(subject, "yto:A1", "zto:B2")) == []


@pytest.mark.parametrize(
    ("subject", "old", "new", "code", "field"),
    [
        ("yto:A1", "A1", "zto:B2", "BAD_DATA", "data.old"),
        ("yto:A1", "yto:A1", "B2?", "BAD_DATA", "data.new"),
        ("yto:A1", "yto:A1", "party:H1", "BAD_DATA", "data.new"),
        ("yto:A1", "yto:A1", "yto:A1", "BAD_DATA", "data.new"),
        ("yto:A1", "yto:A1", "YTO: a1", "BAD_DATA", "data.new"),
        ("yto:C3", "yto:A1", "zto:B2", "BAD_ATTRIBUTE", "subject"),
    ],
)
def test_a_relabelling_that_joins_nothing_is_refused(subject: str, old: str, new: str, code: str, field: str) -> None:
    assert reasons(relabelled(subject, old, new)) == [(code, field)]


def test_a_bad_check_digit_is_told_once_for_each_number() -> None:
    found = relabelled("sscc:106141411234567890", "sscc:106141411234567890", "s10:RA473124820CN")

    assert warnings(found) == [("BAD_CHECK_DIGIT", "data.new"), ("BAD_CHECK_DIGIT", "subject")]


@given(text=st.text(alphabet=st.characters(exclude_characters='"\\', exclude_categories=["Cc", "Cs"]), max_size=40))
def test_whatever_stands_in_data_unit_is_judged_and_not_raised(text: str) -> None:
    for found in (packed(PACKING[0], text), relabelled(ITEM, ITEM, text)):
        assert isinstance(found, Accepted) or reasons(found)[0][0] == "BAD_DATA"

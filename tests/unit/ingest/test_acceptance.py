"""Which events are taken, which are flagged, which are refused; one fault at a time over the same good event."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas import codec
from schemas.events import EVENT_TYPES
from services.edge.callers import Caller, Role
from services.ingest.acceptance import (
    EXTENSIONS_MAX,
    LENGTHS_MAX,
    Accepted,
    Limits,
    Rejection,
    judge,
    judge_system,
    may_post,
)
from tests.unit.ingest.acceptance_setup import EXAMPLES, GOOD, NOW, SCANNER, judged, reasons, warnings


def test_a_good_event_is_taken_without_a_word() -> None:
    found = judged()

    assert warnings(found) == []
    assert isinstance(found, Accepted)
    assert (found.envelope, str(found.subject)) == (GOOD, "yto:YT8812345678")


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_the_example_of_every_type_is_taken_from_whoever_may_post_it(event_type: str) -> None:
    envelope = codec.parse_structured((EXAMPLES / f"{event_type}.json").read_bytes())

    for role in may_post(event_type):
        found = judge(envelope, Caller("k", role), Limits(), codec.parse_instant(envelope.time))
        assert isinstance(found, Accepted), found
        assert {reason.code for reason in found.warnings} <= {"BAD_CHECK_DIGIT"}


# --- whose it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    ["/depots/H2/devices/SC07", "/depots/H1/devices/SC09", "/depots/h1/devices/SC07", "/depots/system/devices/SC07"],
)
def test_a_source_that_is_not_the_keys_is_refused(source: str) -> None:
    assert reasons(judged(source=source)) == [("WRONG_SOURCE", "source")]


@pytest.mark.parametrize("source", ["", "H1/SC07", "/depots/H1/devices/", "/depots/H1/devices/SC07/x", "https://a/b"])
def test_a_source_that_names_no_device_is_refused(source: str) -> None:
    assert reasons(judged(source=source)) == [("BAD_ATTRIBUTE", "source")]


def test_a_key_without_devices_speaks_for_all_of_its_depot_and_no_other() -> None:
    caller = Caller("k", Role.SCANNER, depot="H1")

    assert warnings(judged(caller=caller, source="/depots/H1/devices/new")) == []
    assert reasons(judged(caller=caller, source="/depots/H2/devices/new")) == [("WRONG_SOURCE", "source")]


def test_nobody_speaks_for_the_installation_itself() -> None:
    caller = Caller("k", Role.ADMIN)

    assert reasons(judged(caller=caller, source="/depots/system/devices/ticker")) == [("WRONG_SOURCE", "source")]


@pytest.mark.parametrize(
    ("event_type", "roles"),
    [
        ("custody.handoff_accepted.v1", "scanner admin"),
        ("custody.handoff_released.v1", "scanner admin"),
        ("custody.item_scanned.v1", "scanner admin"),
        ("custody.condition_observed.v2", "scanner admin"),
        ("custody.condition_observed.v1", "scanner admin"),
        ("custody.event_corrected.v1", "scanner claims admin"),
        ("custody.notice_given.v1", "claims admin"),
        ("custody.parcel_announced.v1", "ops admin"),
        ("custody.deadline_passed.v1", ""),
        ("custody.deadline_passed.v2", ""),
        ("custody.verdict_issued.v1", ""),
        ("custody.payload_withheld.v1", "admin"),
        ("custody.unit_packed.v1", "scanner admin"),
        ("custody.parcel_relabelled.v1", "scanner admin"),
        ("custody.hold_placed.v1", "scanner claims ops admin"),
        ("custody.redirected.v1", "scanner claims ops admin"),
        ("custody.return_ordered.v1", "scanner claims ops admin"),
        ("registry.site_registered.v1", "ops admin"),
        ("claims.claim_paid.v1", "claims admin"),
        ("registry.device_enrolled.v1", "ops admin"),
        ("registry.device_revoked.v7", "ops admin"),
        ("registry.party_registered.v1", "ops admin"),
        ("registry.policy_set.v1", "admin"),
        ("registry.anything.v1", "admin"),
        ("claims.decided.v1", "claims admin"),
        ("com.example.scan", "scanner admin"),
    ],
)
def test_types_are_posted_by_their_roles_alone(event_type: str, roles: str) -> None:
    for role in Role:
        found = judged(caller=Caller("k", role, depot="H1"), type=event_type)
        refused = isinstance(found, Rejection) and found.reasons[0].code == "WRONG_ROLE"
        assert refused == (role not in roles.split()), (role, found)


def test_every_known_type_but_the_systems_own_can_be_posted_by_somebody() -> None:
    assert {name for name in EVENT_TYPES if not may_post(name)} == {
        "custody.deadline_passed.v1",
        "custody.verdict_issued.v1",
    }


@pytest.mark.parametrize("subject", ["policy:DEFAULT", "device:H1.SC07", "party:H1", "site:H1"])
@pytest.mark.parametrize("event_type", ["custody.item_scanned.v1", "com.example.scan"])
def test_a_scan_cannot_speak_about_the_registry(event_type: str, subject: str) -> None:
    assert reasons(judged(type=event_type, subject=subject)) == [("BAD_ATTRIBUTE", "subject")]


def test_the_registry_cannot_speak_about_a_parcel() -> None:
    admin = Caller("k", Role.ADMIN)

    assert reasons(judged(caller=admin, type="registry.party_registered.v1")) == [("BAD_ATTRIBUTE", "subject")]


# --- odd, but kept ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["sscc:106141411234567890", "s10:RA123456780CN"])
def test_a_bad_check_digit_is_flagged(subject: str) -> None:
    assert warnings(judged(subject=subject)) == [("BAD_CHECK_DIGIT", "subject")]


@pytest.mark.parametrize(
    ("time", "odd"),
    [
        (NOW, False),
        (NOW + timedelta(hours=1), False),
        (NOW + timedelta(hours=1, microseconds=1), True),
        (NOW - timedelta(days=366), False),
        (NOW - timedelta(days=366, microseconds=1), True),
        (datetime(1970, 1, 1, tzinfo=UTC), True),
        (datetime(9999, 12, 31, tzinfo=UTC), True),
    ],
)
def test_an_implausible_time_is_flagged(time: datetime, odd: bool) -> None:
    assert warnings(judged(time=codec.format_instant(time))) == ([("ODD_TIME", "time")] if odd else [])


@pytest.mark.parametrize("now", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_story_may_be_told_at_either_end_of_the_calendar(now: datetime) -> None:
    told = judge(GOOD, SCANNER, Limits(), now)

    assert warnings(told) == [("ODD_TIME", "time")]


def test_an_unknown_field_is_flagged_by_name() -> None:
    found = judged(data=b'{"mode":"AUTO_SCAN","party":"H1","colour":"red","age":3}')

    assert warnings(found) == [("UNKNOWN_FIELD", "data.age"), ("UNKNOWN_FIELD", "data.colour")]


@pytest.mark.parametrize("event_type", ["custody.item_scanned.v9", "custody.seal_lost.v1", "com.example.scan"])
@pytest.mark.parametrize("data", [b'{"whatever":[1]}', b"null", b""])
def test_an_unknown_type_or_version_is_parked(event_type: str, data: bytes) -> None:
    assert warnings(judged(type=event_type, data=data)) == [("PARKED_UNKNOWN_TYPE", "type")]


def test_an_unknown_type_may_carry_anything_that_is_not_json() -> None:
    found = judged(type="com.example.photo", datacontenttype="image/png", data=b"\x89PNG\x00\xff")

    assert warnings(found) == [("PARKED_UNKNOWN_TYPE", "type")]


def test_an_old_version_is_taken() -> None:
    found = judged(type="custody.condition_observed.v1", data=b'{"mode":"HUMAN_INSPECT","party":"H1","weight_kg":4.2}')

    assert warnings(found) == []


# --- unreadable ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "time", ["2026-07-07T23:05:00", "2026-07-07", "yesterday", "1783436700", "2026-13-01T00:00:00Z"]
)
def test_a_time_without_zone_or_sense_is_refused(time: str) -> None:
    assert reasons(judged(time=time)) == [("BAD_ATTRIBUTE", "time")]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_a_time_outside_the_calendar_is_refused(time: str) -> None:
    assert reasons(judged(time=time)) == [("BAD_ATTRIBUTE", "time")]


@pytest.mark.parametrize("subject", ["parcel 7", "yto:", ":7", "yto:YT 88/1", "https://example.com/x"])
def test_a_subject_that_names_nothing_is_refused(subject: str) -> None:
    assert reasons(judged(subject=subject)) == [("BAD_ATTRIBUTE", "subject")]


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b'{"mode":"AUTO_SCAN"}', "BAD_DATA", "data.party"),
        (b'{"mode":"AUTO_SCAN","party":7}', "BAD_DATA", "data.party"),
        (b'{"mode":"GUESS","party":"H1"}', "BAD_DATA", "data.mode"),
        (b'{"mode":"AUTO_SCAN","party":"H 1"}', "BAD_DATA", "data.party"),
        (b'{"mode":"AUTO_SCAN","party":"H1","observations":[{"facet":"O"}]}', "BAD_DATA", "data.observations[0].value"),
        (b'{"mode":"AUTO_SCAN","party":"H1","transport":"a\\\\\\u0000"}', "BAD_DATA", "data"),
        (b"[]", "BAD_DATA", "data"),
        (b"null", "BAD_DATA", "data"),
        (b"", "MALFORMED_JSON", "data"),
        (b'{"mode":"AUTO_SCAN","party":"H1"', "MALFORMED_JSON", "data"),
        (b'{"mode":"AUTO_SCAN","party":NaN}', "MALFORMED_JSON", "data"),
        (b'{"mode":"AUTO_SCAN","party":"\xff"}', "NOT_UTF8", "data"),
        (b'{"mode":"AUTO_SCAN","mode":"IMPORT","party":"H1"}', "DUPLICATE_KEY", "data.mode"),
        (b'{"mode":"AUTO_SCAN","party":"H1","x":' + b"[" * 32 + b"]" * 32 + b"}", "TOO_DEEP", "data"),
    ],
)
def test_wrong_data_of_a_known_type_is_refused_and_the_field_named(data: bytes, code: str, field: str) -> None:
    assert reasons(judged(data=data)) == [(code, field)]


def test_a_backslash_before_u0000_is_text_and_not_the_character() -> None:
    assert warnings(judged(data=b'{"mode":"AUTO_SCAN","party":"H1","transport":"a\\\\u0000"}')) == []


def test_json_of_an_unknown_type_must_be_strict_too() -> None:
    assert reasons(judged(type="com.example.scan", data=b'{"a":1,"a":2}')) == [("DUPLICATE_KEY", "data.a")]


@pytest.mark.parametrize("name", sorted(set(LENGTHS_MAX) - {"source", "subject", "time"}))
def test_text_at_its_longest_is_taken_and_one_character_more_is_not(name: str) -> None:
    longest = LENGTHS_MAX[name]
    known = "application/json; charset=utf-8; x=" if name == "datacontenttype" else ""

    fits: Any = {name: known + "x" * (longest - len(known))}
    too_long: Any = {name: fits[name] + "x"}

    assert isinstance(judged(**fits), Accepted)
    assert reasons(judged(**too_long)) == [("BAD_ATTRIBUTE", name)]


@pytest.mark.parametrize("name", sorted(LENGTHS_MAX))
@pytest.mark.parametrize("character", ["\x00", "\n", "\x7f", "\x85", "\uffff", "\ud800"])
def test_control_characters_and_halves_of_characters_are_refused(name: str, character: str) -> None:
    value = (getattr(GOOD, name) or "x") + character

    found = judged(caller=Caller("k", Role.ADMIN), **{name: value})

    assert reasons(found) == [("BAD_ATTRIBUTE", name)]


@pytest.mark.parametrize("value", ["编号 7", "a b", "a\u3000b", "🎸"])
def test_other_characters_are_taken(value: str) -> None:
    assert warnings(judged(id=value)) == []


@pytest.mark.parametrize(
    "extensions",
    [
        {"note": "a\x00b"},
        {"count": 2**31},
        {"count": -(2**31) - 1},
        {"note": "x" * 1025},
        {f"x{number}": "" for number in range(EXTENSIONS_MAX + 1)},
    ],
)
def test_further_attributes_are_bounded(extensions: dict[str, str | int | bool]) -> None:
    found = judged(extensions=extensions)

    assert [code for code, _ in reasons(found)] == ["BAD_ATTRIBUTE"]


def test_further_attributes_within_bounds_are_taken() -> None:
    found = judged(extensions={"traceparent": "00-ab-cd-01", "count": 2**31 - 1, "retry": True})

    assert warnings(found) == []


@pytest.mark.parametrize(("offset", "taken"), [(0, True), (-(2**52), True), (2**53, False), (-(2**80), False)])
def test_the_clock_offset_is_a_number_that_every_reader_can_hold(offset: int, taken: bool) -> None:
    assert isinstance(judged(clockoffsetms=offset), Accepted) == taken


def test_the_installations_own_events_need_no_role_but_must_be_readable() -> None:
    passed = msgspec.structs.replace(
        GOOD,
        source="/depots/system/devices/ticker",
        type="custody.deadline_passed.v1",
        data=b'{"deadline":"promised","due":"2026-07-07T00:00:00Z"}',
    )

    assert isinstance(judge_system(passed, Limits(), NOW), Accepted)
    assert isinstance(judge_system(msgspec.structs.replace(passed, data=b"{}"), Limits(), NOW), Rejection)

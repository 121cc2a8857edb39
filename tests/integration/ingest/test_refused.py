"""What the write door refuses, one fault at a time over the same good request, and what it keeps of that."""

from datetime import timedelta
from typing import Any

import pytest

from schemas import codec
from services.ingest import store
from tests.asgi import chunks
from tests.integration.ingest.world import (
    ACCEPTED,
    BATCH,
    DATA,
    NOW,
    STRUCTURED,
    DoorWorld,
    assert_problem,
    attributes,
    batch,
    outcomes,
    scan,
)

# --- item by item -----------------------------------------------------------------------------------------------------


BAD_ITEMS: dict[str, tuple[bytes, str, str]] = {
    "malformed JSON": (b'{"specversion":"1.0","id":"x",}', "MALFORMED_JSON", ""),
    "not an event": (b"7", "BAD_ATTRIBUTE", ""),
    "wrong type of a field": (scan("x", b'{"mode":"AUTO_SCAN","party":7}'), "BAD_DATA", "data.party"),
    "missing field": (scan("x", b'{"mode":"AUTO_SCAN"}'), "BAD_DATA", "data.party"),
    "naive time": (scan("x", time="2026-07-07T23:05:00"), "BAD_ATTRIBUTE", "time"),
    "NaN": (scan("x", b'{"mode":"AUTO_SCAN","party":NaN}'), "MALFORMED_JSON", ""),
    "invalid UTF-8": (scan("x", b'{"mode":"AUTO_SCAN","party":"\xff"}'), "NOT_UTF8", ""),
    "repeated key": (scan("x", b'{"mode":"AUTO_SCAN","mode":"IMPORT","party":"H1"}'), "DUPLICATE_KEY", "mode"),
    "deep nesting": (scan("x", b"[" * 33 + b"]" * 33), "TOO_DEEP", ""),
    "very deep nesting": (scan("x", b"[" * 50_000 + b"]" * 50_000), "TOO_DEEP", ""),
    "too large": (scan("x", b'"' + b"x" * 1024 * 1024 + b'"'), "EVENT_TOO_LARGE", ""),
    "wrong depot": (scan("x", source="/depots/H2/devices/SC07"), "WRONG_SOURCE", "source"),
    "wrong device": (scan("x", source="/depots/H1/devices/SC08"), "WRONG_SOURCE", "source"),
    "another role's type": (scan("x", b'{"party":"RCP"}', type="custody.notice_given.v1"), "WRONG_ROLE", "type"),
    "the system's type": (scan("x", b"{}", type="custody.deadline_passed.v1"), "WRONG_ROLE", "type"),
    "smuggled record time": (scan("x", recordedtime="2020-01-01T00:00:00Z"), "BAD_ATTRIBUTE", "recordedtime"),
    "smuggled recorder": (scan("x", recordedby="me"), "BAD_ATTRIBUTE", "recordedby"),
    "no subject": (scan("x", subject=""), "BAD_ATTRIBUTE", "subject"),
    "control character": (scan("x\x00"), "BAD_ATTRIBUTE", "id"),
}


@pytest.mark.parametrize(("broken", "code", "field"), BAD_ITEMS.values(), ids=BAD_ITEMS)
def test_a_bad_item_says_what_to_change_and_its_neighbours_go_through(
    world: DoorWorld, broken: bytes, code: str, field: str
) -> None:
    answer = world.post(batch(scan("e1"), broken, scan("e2")), BATCH)

    assert answer.status_code == ACCEPTED
    assert outcomes(answer) == ["recorded", "rejected", "recorded"]
    (reason,) = answer.json()["results"][1]["reasons"]
    assert (reason["code"], reason["field"]) == (code, field)
    assert reason["detail"]
    assert reason["remedy"]
    assert [envelope.id for envelope in world.recorded()] == ["e1", "e2"]
    (kept,) = world.refused()
    assert kept.body == broken[: 1024 * 1024]
    assert (kept.depot, kept.refused) == ("H1", NOW)
    assert kept.key_id in world.keys["scanner"]
    assert [told["code"] for told in kept.reasons] == [code]


def test_when_every_item_is_bad_the_answer_is_a_problem_with_the_results(world: DoorWorld) -> None:
    answer = world.post(batch(*[broken for broken, _, _ in BAD_ITEMS.values()]), BATCH)

    body = assert_problem(answer, 422, "all-rejected")
    assert outcomes(answer) == ["rejected"] * len(BAD_ITEMS)
    assert [reason["code"] for reason in body["errors"]] == [code for _, code, _ in BAD_ITEMS.values()]
    assert world.archived() == 0
    assert [kept.body for kept in world.refused()] == [broken[: 1024 * 1024] for broken, _, _ in BAD_ITEMS.values()]


def test_a_header_cannot_say_when_it_was_recorded(world: DoorWorld) -> None:
    binary = {f"ce-{name}": value for name, value in attributes("e1").items() if name != "datacontenttype"}

    smuggled = world.post(DATA, "application/json", **binary, ce_recordedtime="2020-01-01T00:00:00Z")
    beside = world.post(scan("e2"), ce_recordedtime="2020-01-01T00:00:00Z", recordedtime="2020-01-01T00:00:00Z")

    assert_problem(smuggled, 422, "all-rejected")
    assert beside.status_code == ACCEPTED
    assert [envelope.recordedtime for envelope in world.recorded()] == [codec.format_instant(NOW)]


# --- requests as a whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "status", "slug", "code"),
    [
        (b"{", STRUCTURED, 400, "malformed", "MALFORMED_JSON"),
        (b"\xff", STRUCTURED, 400, "malformed", "MALFORMED_JSON"),
        (b"{}", BATCH, 400, "malformed", "MALFORMED_JSON"),
        (b"[]", BATCH, 400, "malformed", "EMPTY_BATCH"),
        (batch(*[b"{}"] * 1001), BATCH, 413, "too-large", "TOO_MANY_EVENTS"),
        (b"a,b", "text/csv", 415, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
        (DATA, "application/json", 415, "unsupported-media-type", "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_a_request_that_holds_no_events_says_what_to_change(
    world: DoorWorld, body: bytes, content_type: str, status: int, slug: str, code: str
) -> None:
    answer = world.post(body, content_type)

    (reason,) = assert_problem(answer, status, slug)["errors"]
    assert reason["code"] == code
    assert reason["remedy"]
    assert world.archived() == 0
    (kept,) = world.refused()
    assert kept.body == body[: 1024 * 1024]


def test_the_largest_batch_is_taken(world: DoorWorld) -> None:
    answer = world.post(batch(*[scan(f"e{number}") for number in range(1000)]), BATCH)

    assert answer.status_code == ACCEPTED
    assert world.archived() == 1000


def test_ten_megabytes_are_answered_413_before_they_are_read(world: DoorWorld) -> None:
    sent = 0

    async def dribble() -> Any:
        nonlocal sent
        for _ in range(160):
            sent += 64 * 1024
            yield b"x" * 64 * 1024

    answer = world.post(dribble())

    assert_problem(answer, 413, "too-large")
    assert sent <= 8 * 1024 * 1024 + 2 * 64 * 1024
    (kept,) = world.refused()
    assert (kept.body, kept.reasons[0]["code"]) == (b"", "BODY_NOT_READ")


def test_a_body_without_a_length_is_taken(world: DoorWorld) -> None:
    body = scan("e1")

    assert world.post(chunks(body[:10], body[10:])).status_code == ACCEPTED


def test_refusals_are_kept_thirty_days(world: DoorWorld) -> None:
    world.post(b"{")
    world.now = NOW + timedelta(days=1)
    world.post(b"}")

    assert store.purge_refused(world.engine, NOW + timedelta(days=30)) == 0
    assert store.purge_refused(world.engine, NOW + timedelta(days=30, microseconds=1)) == 1

    assert [kept.body for kept in world.refused()] == [b"}"]

"""The write door as scanners see it: real keys, a real table log, one fault at a time over the same good request."""

import base64
import json
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cloudevents.core.bindings.http import HTTPMessage
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from schemas import codec
from schemas.errors import Unavailable
from schemas.positions import Position
from services.custody.store import project_batch
from services.edge.callers import Role
from services.edge.roles import access_of
from services.ingest import refusals
from services.log.memory import MemoryLog
from services.log.port import Entry
from tests.asgi import chunks
from tests.integration.ingest_world import BATCH, DATA, NOW, STRUCTURED, DoorWorld, attributes, batch, scan

OK, ACCEPTED, UNAVAILABLE = 200, 202, 503


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[DoorWorld]:
    """A door over the table log."""
    with DoorWorld(database_url, tmp_path).open() as opened:
        yield opened


@pytest.fixture
def memory(database_url: str, tmp_path: Path) -> Iterator[DoorWorld]:
    """A door over the log in memory."""
    with DoorWorld(database_url, tmp_path, MemoryLog()).open(answer_seconds=1.0) as opened:
        yield opened


def outcomes(answer: httpx.Response) -> list[str]:
    """What became of each event, in order."""
    results = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return [result["outcome"] for result in results]


def assert_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The body of a problem of this kind."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{slug}"
    return body


# --- what is recorded ---------------------------------------------------------------------------------------------


def test_a_scan_is_in_the_log_when_it_is_acknowledged(world: DoorWorld) -> None:
    answer = world.post(scan("e1"))

    assert answer.status_code == ACCEPTED
    (result,) = answer.json()["results"]
    assert (result["id"], result["outcome"], result["warnings"], result["reasons"]) == ("e1", "recorded", [], [])
    partition, _, offset = result["position"].partition(":")
    (found,) = world.log.read(int(partition), int(offset), 10)
    assert found.key == b"yto:YT8812345678"
    assert codec.decode_record(found.value).id == "e1"


def test_the_door_says_when_by_whom_and_by_which_build_it_was_recorded(world: DoorWorld) -> None:
    world.post(scan("e1"))

    (envelope,) = world.recorded()

    assert envelope.recordedtime == codec.format_instant(NOW)
    assert envelope.recordedby in world.keys["scanner"]
    assert (envelope.recordeddepot, envelope.recordedparty) == ("H1", "H1")
    assert envelope.recordedbuild == "test-build"


def test_all_three_modes_record_the_same_bytes_and_content_hash(world: DoorWorld) -> None:
    binary = {f"ce-{name}": value for name, value in attributes("e1").items() if name != "datacontenttype"}

    world.post(scan("e1"))
    world.post(batch(scan("e1")), BATCH)
    world.post(DATA, "application/json", **binary)

    envelopes = world.recorded()
    assert len(envelopes) == 3  # nothing is projected yet, so the door cannot see that they are one
    assert {envelope.data for envelope in envelopes} == {DATA}
    assert len({codec.content_hash(envelope) for envelope in envelopes}) == 1


def test_the_stored_record_is_a_cloudevent_to_another_reader(world: DoorWorld) -> None:
    from cloudevents.core.bindings.http import from_structured_event
    from cloudevents.core.formats.json import JSONFormat

    world.post(scan("e1", traceparent="00-ab", sequence="0000000001"))
    (value,) = [
        found.value for partition, end in world.log.ends().items() for found in world.log.read(partition, 0, end)
    ]

    read = from_structured_event(HTTPMessage({"content-type": codec.RECORD_CONTENT_TYPE}, value), JSONFormat())

    told = read.get_attributes()
    assert {name: told[name] for name in ("id", "source", "type", "subject")} == {
        name: attributes("e1")[name] for name in ("id", "source", "type", "subject")
    }
    assert told["time"] == codec.parse_instant("2026-07-07T23:05:00+08:00")
    assert (told["traceparent"], told["sequence"]) == ("00-ab", "0000000001")
    assert codec.parse_instant(str(told["recordedtime"])) == NOW
    assert read.get_data() == json.loads(DATA)


json_bytes = st.recursive(
    st.sampled_from(["null", "-0", "1.50", "1E+2", "12345678901234567890"])
    | st.text().map(json.dumps)
    | st.text().map(lambda drawn: json.dumps(drawn, ensure_ascii=False)),
    lambda inner: st.tuples(st.sampled_from([",", " ,\n"]), st.lists(inner, max_size=3)).map(
        lambda drawn: "[ " + drawn[0].join(drawn[1]) + "\t]"
    ),
    max_leaves=8,
).map(str.encode)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=json_bytes | st.binary(max_size=50), as_json=st.booleans())
def test_data_bytes_are_stored_exactly_as_sent(memory: DoorWorld, data: bytes, as_json: bool) -> None:
    try:
        json.loads(data)
    except ValueError:
        as_json = False
    content_type = "application/json" if as_json else "application/octet-stream"
    changed = {"id": "e", "type": "com.example.any", "datacontenttype": content_type}
    binary = {f"ce-{name}": value for name, value in (attributes("e") | changed).items() if name != "datacontenttype"}
    structured = (
        scan("e", data, **changed | {"id": "e"})
        if False
        else json.dumps(attributes("e") | changed | {"data_base64": base64.b64encode(data).decode()}).encode()
    )
    before = len(memory.recorded())

    answers = [memory.post(data, content_type, **binary), memory.post(structured)]
    if as_json:
        answers.append(
            memory.post(batch(json.dumps(attributes("e") | changed)[:-1].encode() + b',"data":' + data + b"}"), BATCH)
        )

    assert [answer.status_code for answer in answers] == [ACCEPTED] * len(answers)
    envelopes = memory.recorded()
    assert len(envelopes) - before == len(answers)
    assert {
        envelope.data for envelope in envelopes if codec.content_hash(envelope) == codec.content_hash(envelopes[-1])
    } == {data}


def test_oddities_are_recorded_with_a_warning(world: DoorWorld) -> None:
    events = {
        "BAD_CHECK_DIGIT": scan("e1", subject="sscc:106141411234567890"),
        "ODD_TIME": scan("e2", time="1970-01-01T00:00:00Z"),
        "UNKNOWN_FIELD": scan("e3", b'{"mode":"AUTO_SCAN","party":"H1","colour":"red"}'),
        "PARKED_UNKNOWN_TYPE": scan("e4", b'{"a":1}', type="custody.item_scanned.v9"),
    }

    answer = world.post(batch(*events.values()), BATCH)

    assert answer.status_code == ACCEPTED
    assert outcomes(answer) == ["recorded"] * 4
    assert [[warning["code"] for warning in result["warnings"]] for result in answer.json()["results"]] == [
        [code] for code in events
    ]
    assert world.archived() == 4


# --- repeats and conflicts ----------------------------------------------------------------------------------------


def project(world: DoorWorld) -> None:
    """Let the projector see everything that is recorded."""
    for partition, end in world.log.ends().items():
        if end:
            project_batch(world.engine, world.log.read(partition, 0, end), archive=False)


def test_a_repeat_that_can_be_seen_is_a_duplicate_and_idle(world: DoorWorld) -> None:
    first = world.post(scan("e1")).json()["results"][0]
    project(world)

    again = world.post(scan("e1"))

    assert (again.status_code, outcomes(again)) == (OK, ["duplicate"])
    assert again.json()["results"][0]["position"] == first["position"]
    assert world.archived() == 1


def test_another_content_under_the_same_identity_is_a_conflict_and_recorded(world: DoorWorld) -> None:
    world.post(scan("e1"))
    project(world)

    other = world.post(scan("e1", b'{"mode":"IMPORT","party":"H1"}'))

    assert (other.status_code, outcomes(other)) == (ACCEPTED, ["conflict"])
    assert world.archived() == 2


def test_a_conflicting_content_that_is_repeated_is_a_duplicate_of_itself(world: DoorWorld) -> None:
    world.post(scan("e1"))
    project(world)
    conflict = world.post(scan("e1", b'{"mode":"IMPORT","party":"H1"}')).json()["results"][0]
    project(world)

    again = world.post(scan("e1", b'{"mode":"IMPORT","party":"H1"}'))

    assert (again.status_code, outcomes(again)) == (OK, ["duplicate"])
    assert again.json()["results"][0]["position"] == conflict["position"]


def test_repeats_and_conflicts_inside_one_batch_are_told_apart(world: DoorWorld) -> None:
    other = scan("e1", b'{"mode":"IMPORT","party":"H1"}')

    answer = world.post(batch(scan("e1"), scan("e2"), scan("e1"), other, other, scan("e2")), BATCH)

    assert answer.status_code == ACCEPTED
    assert outcomes(answer) == ["recorded", "recorded", "duplicate", "conflict", "duplicate", "duplicate"]
    positions = [result["position"] for result in answer.json()["results"]]
    assert (positions[2], positions[4], positions[5]) == (positions[0], positions[3], positions[1])
    assert world.archived() == 3


def test_the_same_id_from_another_device_is_another_event(world: DoorWorld) -> None:
    answer = world.post(
        batch(scan("e1"), scan("e1", source="/depots/H1/devices/SC08")),
        BATCH,
        key=world.store.add(role="scanner", label="whole depot", depot="H1").text,
    )

    assert outcomes(answer) == ["recorded", "recorded"]


def test_a_batch_keeps_the_order_of_each_parcel(world: DoorWorld) -> None:
    world.post(batch(*[scan(f"e{number}") for number in range(50)]), BATCH)

    assert [envelope.id for envelope in world.recorded()] == [f"e{number}" for number in range(50)]


# --- what is refused, item by item --------------------------------------------------------------------------------

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


@pytest.mark.parametrize(("broken", "code"), [(item[0], item[1]) for item in BAD_ITEMS.values()], ids=BAD_ITEMS)
def test_when_every_item_is_bad_the_answer_is_a_problem_with_the_results(
    world: DoorWorld, broken: bytes, code: str
) -> None:
    answer = world.post(batch(broken, broken), BATCH)

    body = assert_problem(answer, 422, "all-rejected")
    assert outcomes(answer) == ["rejected", "rejected"]
    assert [reason["code"] for reason in body["errors"]] == [code, code]
    assert world.archived() == 0
    assert len(world.refused()) == 2


def test_a_header_cannot_say_when_it_was_recorded(world: DoorWorld) -> None:
    binary = {f"ce-{name}": value for name, value in attributes("e1").items() if name != "datacontenttype"}

    smuggled = world.post(DATA, "application/json", **binary, ce_recordedtime="2020-01-01T00:00:00Z")
    beside = world.post(scan("e2"), ce_recordedtime="2020-01-01T00:00:00Z", recordedtime="2020-01-01T00:00:00Z")

    assert_problem(smuggled, 422, "all-rejected")
    assert beside.status_code == ACCEPTED
    assert [envelope.recordedtime for envelope in world.recorded()] == [codec.format_instant(NOW)]


# --- what spoils a request ----------------------------------------------------------------------------------------


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


def test_a_body_without_a_length_is_taken(world: DoorWorld) -> None:
    body = scan("e1")

    assert world.post(chunks(body[:10], body[10:])).status_code == ACCEPTED


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", "nonsense", "li_0123456789abcdef." + "x" * 43])
def test_without_a_key_nothing_is_read_and_nothing_kept(world: DoorWorld, key: str | None) -> None:
    answer = world.post(scan("e1"), key=key)

    assert_problem(answer, 401, "unauthenticated")
    assert world.archived() == 0
    assert world.refused() == []


def test_a_key_with_one_character_changed_is_no_key(world: DoorWorld) -> None:
    good = world.keys["scanner"]

    for place in (4, 25, len(good) - 2):
        changed = good[:place] + ("a" if good[place] != "a" else "b") + good[place + 1 :]
        assert_problem(world.post(scan("e1"), key=changed), 401, "unauthenticated")


def test_an_expired_key_is_no_key(world: DoorWorld) -> None:
    key = world.store.add(role="scanner", label="test", depot="H1", expires=NOW + timedelta(hours=1)).text
    assert world.post(scan("e1"), key=key).status_code == ACCEPTED

    world.now = NOW + timedelta(hours=1)

    assert_problem(world.post(scan("e2"), key=key), 401, "unauthenticated")


def test_a_revoked_key_ends_within_seconds_although_it_was_just_used(world: DoorWorld) -> None:
    made = world.store.add(role="scanner", label="test", depot="H1")
    assert world.post(scan("e1"), key=made.text).status_code == ACCEPTED

    assert world.store.revoke(made.key_id)

    deadline = time.monotonic() + 5
    while world.post(scan("e2"), key=made.text).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_key_of_another_depot_cannot_post_here(world: DoorWorld) -> None:
    answer = world.post(scan("e1"), key="other")

    assert_problem(answer, 422, "all-rejected")
    assert answer.json()["errors"][0]["code"] == "WRONG_SOURCE"


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(world: DoorWorld) -> None:
    key_id = world.keys["scanner"][3:19]
    world.post(scan("e0"), key="other")

    answers = [world.post(scan("e1"), key=f"li_{key_id}." + "x" * 43) for _ in range(12)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert world.post(scan("e1"), key=world.keys["other"]).status_code == 422


# --- closed by default --------------------------------------------------------------------------------------------

PUBLIC = {
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/problems/{slug}", "GET"),
    ("/v1/events", "OPTIONS"),
}


def assert_closed_by_default(app: FastAPI, ask: Any, keys: dict[str, str], public: set[tuple[str, str]]) -> None:
    """Walk every route of an app with no key and with every role's key; only what is declared gets in."""
    declared = [(route, method) for route in access_of(app) for method in sorted(route.methods - {"HEAD"})]
    assert {(route.path, method) for route, method in declared if route.access and not route.access.roles} == public
    for route, method in declared:
        assert route.access is not None, route.path
        path = route.path.replace("{", "").replace("}", "")
        for role in (None, *Role):
            status = ask(method, path, key=keys[role] if role else None).status_code
            if not route.access.roles or role in route.access.roles:
                assert status not in {401, 403}, (method, path, role)
            else:
                assert status == (403 if role else 401), (method, path, role)


def test_every_route_is_closed_to_whom_it_does_not_name(world: DoorWorld) -> None:
    assert_closed_by_default(world.asker.app, world.asker.ask, world.keys, PUBLIC)


# --- limits told, log away ----------------------------------------------------------------------------------------


def test_options_tells_the_limits_without_a_key(world: DoorWorld) -> None:
    answer = world.asker.ask("OPTIONS", "/v1/events")

    assert answer.status_code == OK
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert answer.json() == {
        "content_types": [STRUCTURED, BATCH, "application/json"],
        "body_bytes_max": 8 * 1024 * 1024,
        "event_bytes_max": 1024 * 1024,
        "batch_events_max": 1000,
        "json_depth_max": 32,
        "recommended_batch_events": 200,
    }


def test_a_log_that_is_away_is_503_and_promises_nothing(memory: DoorWorld) -> None:
    assert isinstance(memory.log, MemoryLog)
    memory.log.away = True

    answer = memory.post(batch(scan("e1"), b"oops"), BATCH)
    ready = memory.asker.ask("GET", "/readyz")

    assert_problem(answer, UNAVAILABLE, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "results" not in answer.json()
    assert memory.refused() == []
    assert assert_problem(ready, UNAVAILABLE, "not-ready")["checks"] == {"database": "ok", "log": "unavailable"}
    memory.log.away = False
    assert outcomes(memory.post(batch(scan("e1"), b"oops"), BATCH)) == ["recorded", "rejected"]


class SlowLog(MemoryLog):
    """Appends when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Wait, then append; gives up as real logs do."""
        if not self.go.wait(20):
            raise Unavailable("never told to")
        return super().append(entries)


def test_a_log_that_is_slow_is_503_in_bounded_time(database_url: str, tmp_path: Path) -> None:
    log = SlowLog()
    with DoorWorld(database_url, tmp_path, log).open(answer_seconds=0.2) as world:
        began = time.monotonic()
        answer = world.post(scan("e1"))
        took = time.monotonic() - began
        log.go.set()

    assert_problem(answer, UNAVAILABLE, "unavailable")
    assert took < 5


def test_past_the_bound_of_the_queue_the_answer_comes_at_once(database_url: str, tmp_path: Path) -> None:
    log = SlowLog()
    statuses: list[int] = []
    with DoorWorld(database_url, tmp_path, log).open(concurrent_posts=1, waiting_posts=1, answer_seconds=15) as world:
        threads = [
            threading.Thread(target=lambda name=f"e{number}": statuses.append(world.post(scan(name)).status_code))
            for number in range(5)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 10
        while statuses.count(UNAVAILABLE) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        log.go.set()
        for thread in threads:
            thread.join()

    assert sorted(statuses) == [ACCEPTED] * 2 + [UNAVAILABLE] * 3


def test_a_database_that_is_away_is_503(world: DoorWorld) -> None:
    with world.engine.connect() as connection:
        connection.execute(text("ALTER TABLE access.api_key RENAME TO gone"))
        connection.commit()
    world.engine.dispose()

    # A table that is not there is a bug, told as 500 and not as something to wait for.
    assert_problem(world.post(scan("e1")), 500, "internal")


# --- refusals, system events, story clock -------------------------------------------------------------------------


def test_refusals_are_kept_thirty_days(world: DoorWorld) -> None:
    world.post(b"{")
    world.now = NOW + timedelta(days=1)
    world.post(b"}")

    assert refusals.purge(world.engine, NOW + timedelta(days=30)) == 0
    assert refusals.purge(world.engine, NOW + timedelta(days=30, microseconds=1)) == 1

    assert [kept.body for kept in world.refused()] == [b"}"]


def deadline_passed(**changed: Any) -> codec.Envelope:
    """What the ticker makes."""
    made = codec.Envelope(
        id="promised",
        source="/depots/system/devices/ticker",
        type="custody.deadline_passed.v1",
        subject="yto:YT8812345678",
        time="2026-07-07T15:00:00Z",
        data=b'{"deadline":"promised","due":"2026-07-07T15:00:00Z"}',
    )
    return msgspec.structs.replace(made, **changed)


def test_the_installation_records_its_own_events_and_a_repeat_is_idle(world: DoorWorld) -> None:
    first = world.door.accept_system(deadline_passed())
    project(world)
    again = world.door.accept_system(deadline_passed())

    assert (first.outcome, again.outcome) == ("recorded", "duplicate")
    assert first.position == again.position
    (envelope,) = world.recorded()
    assert (envelope.recordedby, envelope.recordeddepot) == ("system", None)


def test_an_unreadable_event_of_the_installation_is_a_bug(world: DoorWorld) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        world.door.accept_system(deadline_passed(data=b"{}"))


@pytest.fixture
def story(database_url: str, tmp_path: Path) -> Iterator[DoorWorld]:
    """A door on a story's clock."""
    with DoorWorld(database_url, tmp_path, story_clock=True).open() as opened:
        yield opened


def test_a_story_says_when_it_was_recorded_and_every_answer_says_that_it_is_a_story(story: DoorWorld) -> None:
    told = "2026-07-09T08:00:00+08:00"
    binary = {f"ce-{name}": value for name, value in attributes("e2").items() if name != "datacontenttype"}

    structured = story.post(scan("e1", recordedtime=told))
    binary_mode = story.post(DATA, "application/json", **binary, ce_recordedtime=told)
    refused = story.post(b"7")

    assert [answer.json()["flags"] for answer in (structured, binary_mode, refused)] == [["STORY_CLOCK"]] * 3
    assert [envelope.recordedtime for envelope in story.recorded()] == ["2026-07-09T00:00:00.000000Z"] * 2


@pytest.mark.parametrize("told", [None, "yesterday", "2026-07-09T08:00:00"])
def test_a_story_that_does_not_say_when_is_refused(story: DoorWorld, told: str | None) -> None:
    answer = story.post(scan("e1", recordedtime=told))

    assert assert_problem(answer, 422, "all-rejected")["errors"][0]["field"] == "recordedtime"


def test_metrics_count_what_came_of_events(world: DoorWorld) -> None:
    world.post(batch(scan("e1"), scan("e1"), b"oops", scan("e2", time="1970-01-01T00:00:00Z")), BATCH)

    count = world.metrics.value
    assert {
        outcome: count("lastintact_ingest_events_total", outcome=outcome)
        for outcome in ("recorded", "duplicate", "conflict", "rejected")
    } == {"recorded": 2, "duplicate": 1, "conflict": None, "rejected": 1}
    assert count("lastintact_ingest_warnings_total", code="ODD_TIME") == 1

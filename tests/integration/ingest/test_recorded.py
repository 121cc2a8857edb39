"""What the write door records: the bytes as sent, who and when by the door alone, repeats and conflicts told apart."""

import base64
import json
from typing import Any

import msgspec
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import codec
from services.ingest import strict
from tests.integration.ingest.world import (
    ACCEPTED,
    BATCH,
    DATA,
    NOW,
    OK,
    DoorWorld,
    assert_problem,
    attributes,
    batch,
    outcomes,
    project,
    scan,
)


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
    as_json = as_json and strict.fault(data, 32) is None
    content_type = "application/json" if as_json else "application/octet-stream"
    changed = attributes("e", type="com.example.any", datacontenttype=content_type)
    binary = {f"ce-{name}": value for name, value in changed.items() if name != "datacontenttype"}
    before = len(memory.recorded())

    answers = [
        memory.post(data, content_type, **binary),
        memory.post(json.dumps(changed | {"data_base64": base64.b64encode(data).decode()}).encode()),
    ]
    if as_json:
        answers.append(memory.post(batch(json.dumps(changed)[:-1].encode() + b',"data":' + data + b"}"), BATCH))

    assert [answer.status_code for answer in answers] == [ACCEPTED] * len(answers)
    envelopes = memory.recorded()[before:]
    assert [envelope.data for envelope in envelopes] == [data] * len(answers)
    assert len({codec.content_hash(envelope) for envelope in envelopes}) == 1


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


# --- repeats and conflicts --------------------------------------------------------------------------------------------


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


# --- the installation's own events, and stories -----------------------------------------------------------------------


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


def test_a_story_says_when_it_was_recorded_and_every_answer_says_that_it_is_a_story(story: DoorWorld) -> None:
    told = "2026-07-09T08:00:00+08:00"
    binary = {f"ce-{name}": value for name, value in attributes("e2").items() if name != "datacontenttype"}

    structured = story.post(scan("e1", recordedtime=told))
    binary_mode = story.post(DATA, "application/json", **binary, ce_recordedtime=told)
    refused = story.post(b"7")

    assert [answer.json()["flags"] for answer in (structured, binary_mode, refused)] == [["STORY_CLOCK"]] * 3
    assert [envelope.recordedtime for envelope in story.recorded()] == ["2026-07-09T00:00:00.000000Z"] * 2


@pytest.mark.parametrize("told", [None, "yesterday", "2026-07-09T08:00:00", "0001-01-01T00:00:00+08:00"])
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

"""The read door about one parcel: verdicts, timeline and history as of any moment, and that their bytes stand still."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.codec import Envelope
from schemas.events import HandoffAccepted, ParcelAnnounced, PolicySet
from schemas.topics import EVENTS
from schemas.vocabulary import CaptureMode, Condition, SharePolicy
from tests.integration.query_world import (
    PARCEL,
    World,
    accept,
    changed,
    crushed,
    day,
    envelope,
    one_in_every_partition,
    registrations,
    still_world,
)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


@pytest.fixture(scope="module")
def still(postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with still_world(postgres_server, template_database, tmp_path_factory.mktemp("still")) as opened:
        yield opened


# --- verdicts -----------------------------------------------------------------------------------------------------


def test_a_verdict_names_the_witness_and_whom_the_rules_hold(world: World) -> None:
    world.tell(*crushed(PARCEL))

    told = world.told(f"/v1/parcels/{PARCEL}/verdicts")

    (verdict,) = told["verdicts"]
    assert told["subject"] == PARCEL
    assert told["asked"] is None
    assert verdict["outcome"] == "SEGMENT"
    assert verdict["liable"] == [{"party": "H1", "share": "1"}]
    assert verdict["last_seen_intact"]["observer"] == "C1"
    assert verdict["last_seen_intact"]["event"] == f"{PARCEL}-1"
    assert verdict["U"]["event"] == f"{PARCEL}-3"
    assert verdict["explanation"]["zh"]
    assert verdict["explanation"]["en"]


@pytest.mark.parametrize("spelling", ["YTO:yt1", " yto:YT1", "yto:YT%201"])
def test_every_spelling_of_a_parcel_gets_the_same_bytes(still: World, spelling: str) -> None:
    told = still.ask(f"/v1/parcels/{spelling}/verdicts").content

    assert told == still.ask(f"/v1/parcels/{PARCEL}/verdicts").content


def test_a_digital_link_is_an_id_although_it_has_slashes(world: World) -> None:
    world.tell(*crushed("sscc:106141411234567897"))

    told = world.told("/v1/parcels/https://id.example.com/00/106141411234567897/verdicts")

    assert told["subject"] == "sscc:106141411234567897"
    assert len(told["verdicts"]) == 1


def test_the_answer_as_of_its_positions_never_changes_by_a_byte(world: World) -> None:
    world.tell(*crushed(PARCEL)[:2])
    for path in ("", "/timeline", "/verdicts", "/verdicts/history"):
        before = world.ask(f"/v1/parcels/{PARCEL}{path}")
        positions = before.json()["positions"]
        world.tell(envelope(PARCEL, f"late{len(path)}", accept("LH", outer=Condition.BAD), day(9), depot="LH"))
        world.refresh()

        assert world.ask(f"/v1/parcels/{PARCEL}{path}").content != before.content
        assert world.ask(f"/v1/parcels/{PARCEL}{path}", as_of=positions).content == before.content


def test_the_answer_as_of_an_instant_stands_still_once_every_partition_is_past_it(world: World) -> None:
    world.tell(*crushed(PARCEL))
    asked = {"as_of": "2026-01-04T12:00:00Z"}

    early = world.told(f"/v1/parcels/{PARCEL}/verdicts", **asked)
    world.tell(*one_in_every_partition(day(5)))
    settled = world.ask(f"/v1/parcels/{PARCEL}/verdicts", **asked)
    world.tell(*one_in_every_partition(day(6)), envelope(PARCEL, "later", accept("C1"), day(7), depot="C1"))

    assert early["provisional"] is True
    assert early["verdicts"][0]["provisional"] is True
    assert settled.json()["provisional"] is False
    assert settled.json()["positions"] is None
    assert settled.json()["verdicts"][0]["provisional"] is False
    assert world.ask(f"/v1/parcels/{PARCEL}/verdicts", **asked).content == settled.content


def test_an_instant_in_another_zone_is_the_same_question(world: World) -> None:
    world.tell(*crushed(PARCEL))
    path = f"/v1/parcels/{PARCEL}/verdicts"

    assert (
        world.ask(path, as_of="2026-01-04T20:00:00+08:00").content
        == world.ask(path, as_of="2026-01-04T12:00:00Z").content
    )


def test_before_the_damage_was_recorded_no_verdict_stood(world: World) -> None:
    world.tell(*crushed(PARCEL))

    assert world.told(f"/v1/parcels/{PARCEL}/verdicts", as_of="2026-01-02T12:00:00Z")["verdicts"] == []


def test_positions_that_are_not_read_yet_give_a_provisional_answer(world: World) -> None:
    world.tell(*crushed(PARCEL))

    told = world.told(f"/v1/parcels/{PARCEL}/verdicts", as_of=",".join(f"{p}:1000" for p in range(EVENTS.partitions)))

    assert told["provisional"] is True
    assert len(told["verdicts"]) == 1


def test_a_position_vector_stands_for_the_record_time_of_its_latest_record(world: World) -> None:
    *_, second, third = world.tell(*crushed(PARCEL))

    told = world.told(f"/v1/parcels/{PARCEL}", as_of=f"{second.partition}:{third.offset}")

    assert told["as_of"] == "2026-01-03T00:00:00Z"
    assert told["positions"] == f"{second.partition}:{third.offset}"
    assert told["provisional"] is False


def test_a_finding_that_is_asked_for_is_answered_alone(world: World) -> None:
    world.tell(*crushed(PARCEL))

    told = world.told(f"/v1/parcels/{PARCEL}/verdicts", finding="DAMAGE")

    assert told["asked"]["kind"] == "DAMAGE"
    assert [verdict["finding"]["kind"] for verdict in told["verdicts"]] == ["DAMAGE"]


def test_a_finding_that_nobody_reported_has_no_verdict(still: World) -> None:
    assert still.told(f"/v1/parcels/{PARCEL}/verdicts", finding="LOSS")["verdicts"] == []


def test_the_history_tells_each_version_and_the_event_that_made_it(world: World) -> None:
    world.tell(*crushed(PARCEL))

    versions = world.told(f"/v1/parcels/{PARCEL}/verdicts/history")["versions"]

    assert [version["version"] for version in versions] == [1]
    assert versions[0]["because"] == f"{PARCEL}-3"
    assert versions[0]["verdict"]["outcome"] == "SEGMENT"


def test_what_changed_between_two_moments_is_told_in_words_with_the_event_that_did_it(world: World) -> None:
    first, second, third = crushed(PARCEL)
    world.tell(first, second)
    before = world.told(f"/v1/parcels/{PARCEL}")["positions"]
    world.tell(third)
    after = world.told(f"/v1/parcels/{PARCEL}")["positions"]

    told = world.told(f"/v1/parcels/{PARCEL}/verdicts/changes", since=before)
    nothing = world.told(f"/v1/parcels/{PARCEL}/verdicts/changes", since=before, until=before)

    (change,) = told["changes"]
    assert (change["because"], change["before"]) == (f"{PARCEL}-3", None)
    assert change["after"]["liable"] == [{"party": "H1", "share": "1"}]
    assert change["what"]["zh"]
    assert change["what"]["en"]
    assert told["positions"] == after
    assert nothing["changes"] == []


@pytest.mark.parametrize(
    ("parameters", "status", "field"),
    [
        ({}, 422, "query.since"),
        ({"since": "yesterday"}, 400, "since"),
        ({"since": "2026-01-03T00:00:00Z", "until": "soon"}, 400, "until"),
        ({"since": "2026-01-04T00:00:00Z", "until": "2026-01-03T00:00:00Z"}, 400, "since"),
    ],
)
def test_two_moments_that_cannot_be_compared_are_refused(
    still: World, parameters: dict[str, str], status: int, field: str
) -> None:
    answer = still.ask(f"/v1/parcels/{PARCEL}/verdicts/changes", **parameters)

    assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == [field]


# --- parcels ------------------------------------------------------------------------------------------------------


def test_a_parcel_at_a_glance_tells_who_has_it_and_what_is_recorded(world: World) -> None:
    world.tell(*crushed(PARCEL))

    told = world.told(f"/v1/parcels/{PARCEL}")

    assert told["custodian"] == "LH"
    assert told["registered"] is False
    assert told["recorded"] == {"events": 3, "conflicts": 0, "parked": 0}
    assert [head["outcome"] for head in told["verdicts"]] == ["SEGMENT"]


def test_paperwork_makes_a_parcel_registered_and_moves_nothing(world: World) -> None:
    world.tell(envelope(PARCEL, "a1", ParcelAnnounced(contracting="C1"), day(1), depot="C1"))

    told = world.told(f"/v1/parcels/{PARCEL}")

    assert told["registered"] is True
    assert told["verdicts"] == []


def test_the_timeline_tells_who_held_it_when(world: World) -> None:
    world.tell(*crushed(PARCEL))

    timeline = world.told(f"/v1/parcels/{PARCEL}/timeline")["timeline"]

    assert [segment["party"] for segment in timeline["segments"]][-3:] == ["C1", "H1", "LH"]


def test_an_unreadable_record_is_counted_and_its_neighbours_answer(world: World) -> None:
    first, second, third = crushed(PARCEL)
    world.tell(first, changed(second, type="custody.teleported.v7"), third)

    told = world.told(f"/v1/parcels/{PARCEL}")

    assert told["recorded"] == {"events": 2, "conflicts": 0, "parked": 1}


# --- journeys -----------------------------------------------------------------------------------------------------


def test_a_code_that_was_used_again_is_asked_about_by_journey(world: World) -> None:
    world.tell(
        *crushed(PARCEL),
        envelope(PARCEL, "again", accept("C1", giver="SENDER", outer=Condition.OK), day(800), depot="C1"),
    )

    last = world.told(f"/v1/parcels/{PARCEL}")
    first = world.told(f"/v1/parcels/{PARCEL}", journey=1)

    assert (last["journey"], last["journeys"], last["custodian"]) == (2, 2, "C1")
    assert (first["journey"], first["journeys"], first["custodian"]) == (1, 2, "LH")
    assert last["verdicts"] == []
    assert [head["outcome"] for head in first["verdicts"]] == ["SEGMENT"]
    for what in ("/timeline", "/verdicts", "/verdicts/history"):
        assert world.told(f"/v1/parcels/{PARCEL}{what}", journey=1)["journey"] == 1


def test_before_a_code_was_used_again_it_had_one_journey(world: World) -> None:
    world.tell(*crushed(PARCEL), envelope(PARCEL, "again", accept("C1", giver="SENDER"), day(800), depot="C1"))

    told = world.told(f"/v1/parcels/{PARCEL}", as_of="2026-02-01T00:00:00Z")

    assert (told["journey"], told["journeys"], told["custodian"]) == (1, 1, "LH")


def test_a_journey_that_the_code_never_made_is_unknown(still: World) -> None:
    answer = still.ask(f"/v1/parcels/{PARCEL}", journey=2)

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["field"] == "journey"
    assert still.ask(f"/v1/parcels/{PARCEL}", journey=0).status_code == 422


# --- policies -----------------------------------------------------------------------------------------------------


def with_policies(world: World) -> None:
    """Nobody looked at it until the recipient found it crushed. How the carriers share is a setting."""
    world.tell(
        envelope("policy:DEFAULT", "p1", PolicySet(policy=SharePolicy.EQUAL), day(0.5)),
        envelope("policy:STRICT", "p2", PolicySet(policy=SharePolicy.LAST_CARRIER), day(0.5)),
        envelope(PARCEL, "e0", ParcelAnnounced(contracting="C1"), day(0.9), depot="C1"),
        envelope(PARCEL, "e1", accept("C1", giver="SENDER", outer=Condition.OK), day(1), depot="C1"),
        envelope(PARCEL, "e2", no_look("H1"), day(2), depot="H1"),
        envelope(PARCEL, "e3", no_look("LH"), day(3), depot="LH"),
        envelope(PARCEL, "e4", accept("RCP", outer=Condition.BAD), day(4), depot="LH"),
    )


def no_look(by: str) -> HandoffAccepted:
    """Taken over by an entry in another system, from which nothing is presumed."""
    return HandoffAccepted(mode=CaptureMode.IMPORT, taker=by)


def test_what_would_follow_under_another_policy_is_flagged_and_changes_nothing(world: World) -> None:
    with_policies(world)
    path = f"/v1/parcels/{PARCEL}/verdicts"
    before = world.ask(path)

    supposed = world.told(path, policy="strict")
    default = world.told(path, policy="DEFAULT")

    assert supposed["flags"] == default["flags"] == ["POLICY_ASKED"]
    assert before.json()["flags"] == []
    (stands,) = before.json()["verdicts"]
    assert [verdict["liable"] for verdict in default["verdicts"]] == [stands["liable"]]
    assert [verdict["liable"] for verdict in supposed["verdicts"]] != [stands["liable"]]
    assert all(verdict["version"] == 1 for verdict in supposed["verdicts"])
    assert world.ask(path).content == before.content
    for what in ("", "/timeline", "/verdicts/history"):
        assert world.told(f"/v1/parcels/{PARCEL}{what}", policy="STRICT")["flags"] == ["POLICY_ASKED"]


@pytest.mark.parametrize(("policy", "status"), [("NEVER_SET", 400), ("no code!", 400)])
def test_a_policy_that_is_not_set_is_refused(still: World, policy: str, status: int) -> None:
    answer = still.ask(f"/v1/parcels/{PARCEL}/verdicts", policy=policy)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["field"] == "policy"


def test_a_policy_is_not_known_before_it_was_set(world: World) -> None:
    world.tell(*crushed(PARCEL), envelope("policy:LATER", "p", PolicySet(notice_days=3), day(20)))
    path = f"/v1/parcels/{PARCEL}/verdicts"

    assert world.ask(path, policy="LATER").status_code == 200
    assert world.ask(path, policy="LATER", as_of="2026-01-10T00:00:00Z").status_code == 400


# --- numbers ------------------------------------------------------------------------------------------------------


def numbered(told: Envelope, number: int) -> Envelope:
    return changed(told, sequence=f"{number:08d}")


def test_a_hole_in_a_devices_numbers_near_the_parcels_own_is_shown_and_not_kept(world: World) -> None:
    first, second, third = crushed(PARCEL)
    world.tell(
        first,
        numbered(envelope("yto:X", "x7", accept("H1"), day(1.5), depot="H1"), 7),
        numbered(second, 10),
        numbered(envelope("yto:Y", "y11", accept("H1"), day(2.2), depot="H1"), 11),
        third,
    )
    world.refresh()
    path = f"/v1/parcels/{PARCEL}/verdicts"

    before = world.ask(path)
    (verdict,) = before.json()["verdicts"]
    world.tell(*(numbered(envelope("yto:Z", f"z{n}", accept("H1"), day(5), depot="H1"), n) for n in (8, 9)))
    (filled,) = world.told(path)["verdicts"]
    then = world.ask(path, as_of=before.json()["positions"])

    assert "SEQUENCE_GAP" in verdict["flags"]
    assert "SEQUENCE_GAP H1.d1 8-9" in verdict["gaps"]
    assert "SEQUENCE_GAP" not in filled["flags"]
    assert then.content == before.content
    history = world.told(f"{path}/history")["versions"]
    assert not any("SEQUENCE_GAP" in version["verdict"]["flags"] for version in history)


def test_a_hole_wider_than_what_is_looked_at_is_still_seen(world: World) -> None:
    first, second, third = crushed(PARCEL)
    world.tell(
        first,
        numbered(envelope("yto:X", "x", accept("H1"), day(1.5), depot="H1"), 1),
        numbered(second, 5_000),
        third,
    )

    (verdict,) = world.told(f"/v1/parcels/{PARCEL}/verdicts")["verdicts"]

    assert "SEQUENCE_GAP H1.d1 2-4999" in verdict["gaps"]


def test_a_hole_outside_the_bracket_says_nothing_about_it(world: World) -> None:
    first, second, third = crushed(PARCEL)
    late = day(9)
    world.tell(
        first,
        numbered(second, 10),
        third,
        numbered(envelope("yto:X", "x11", accept("H1"), day(8), depot="H1"), 11),
        numbered(envelope("yto:X", "x14", accept("H1"), late, depot="H1"), 14),
    )

    (verdict,) = world.told(f"/v1/parcels/{PARCEL}/verdicts")["verdicts"]

    assert "SEQUENCE_GAP" not in verdict["flags"]

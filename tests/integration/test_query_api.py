"""The read door over a real database: what it answers, what it refuses, to whom, and that its bytes stand still."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from schemas.codec import Envelope
from schemas.events import ParcelAnnounced
from schemas.positions import Positions
from schemas.topics import EVENTS, partition_of
from schemas.vocabulary import Condition
from services.parts.postgres import create_database, drop_database
from services.query.app import create_app
from services.query.settings import QuerySettings
from tests.asgi import asking
from tests.integration.query_world import World, accept, changed, crushed, day, envelope, registrations

PARCEL = "yto:YT1"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


def one_in_every_partition(at: datetime) -> list[Envelope]:
    """Events about nobody's parcels, so that every partition has a record of that time."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < EVENTS.partitions:
        number += 1
        found.setdefault(partition_of(f"yto:F{number}".encode()), f"yto:F{number}")
    return [envelope(subject, f"filler-{at:%d%H}-{subject}", accept("C1"), at) for subject in found.values()]


@pytest.fixture(scope="module")
def still_world(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world with one crushed parcel, for questions that change nothing."""
    name = f"test_{uuid.uuid4().hex}"
    create_database(postgres_server, name, template_database)
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    try:
        with World(url, tmp_path_factory.mktemp("still")).open() as opened:
            opened.tell(*registrations(), *crushed(PARCEL), *crushed("yto:OTHER"))
            opened.refresh()
            yield opened
    finally:
        drop_database(postgres_server, name)


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
def test_every_spelling_of_a_parcel_gets_the_same_bytes(still_world: World, spelling: str) -> None:
    told = still_world.ask(f"/v1/parcels/{spelling}/verdicts").content

    assert told == still_world.ask(f"/v1/parcels/{PARCEL}/verdicts").content


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


def test_a_finding_that_nobody_reported_has_no_verdict(still_world: World) -> None:
    assert still_world.told(f"/v1/parcels/{PARCEL}/verdicts", finding="LOSS")["verdicts"] == []


def test_the_history_tells_each_version_and_the_event_that_made_it(world: World) -> None:
    world.tell(*crushed(PARCEL))

    versions = world.told(f"/v1/parcels/{PARCEL}/verdicts/history")["versions"]

    assert [version["version"] for version in versions] == [1]
    assert versions[0]["because"] == f"{PARCEL}-3"
    assert versions[0]["verdict"]["outcome"] == "SEGMENT"


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


# --- the system ---------------------------------------------------------------------------------------------------


def test_recorded_projected_and_attributed_are_three_promises(world: World) -> None:
    world.refresh()
    positions = world.record(*crushed(PARCEL))

    recorded = world.told("/v1/progress")
    world.project()
    projected = world.told("/v1/progress")
    world.refresh()
    attributed = world.told("/v1/progress")

    assert Positions(world.log.ends()).__str__() == recorded["recorded"]
    assert recorded["projected"] != recorded["recorded"]
    assert recorded["attributed"] is False
    assert projected["projected"] == projected["recorded"]
    assert projected["stale"] > 0
    assert projected["attributed"] is False
    assert attributed["stale"] == 0
    assert attributed["attributed"] is True
    ahead = f"{positions[-1].partition}:{positions[-1].offset + 2}"
    assert world.told("/v1/progress", until=ahead)["attributed"] is False


def test_the_system_tells_its_log_and_whose_clock_it_is_on(world: World) -> None:
    told = world.told("/v1/system")

    assert told["name"] == "lastintact"
    assert told["log_id"] == world.log.log_id
    assert told["story_clock"] is False
    assert told["flags"] == []


def test_every_answer_of_a_system_on_the_story_clock_says_so(database_url: str, tmp_path: Path) -> None:
    with World(database_url, tmp_path, story_clock=True).open() as world:
        world.tell(*registrations(), *crushed(PARCEL))
        world.refresh()

        for path in (
            *(f"/v1/parcels/{PARCEL}{what}" for what in ("", "/timeline", "/verdicts", "/verdicts/history")),
            *(f"/v1/events/{PARCEL}-1", "/v1/cases", "/v1/progress", "/v1/system", "/v1/rules"),
        ):
            assert "STORY_CLOCK" in world.told(path)["flags"], path
        assert "STORY_CLOCK" in world.told("/v1/events", subject=PARCEL)["flags"]
        assert world.told("/v1/system")["story_clock"] is True


def test_the_rules_are_listed_in_both_languages(world: World) -> None:
    rules = {rule["id"]: rule for rule in world.told("/v1/rules")["rules"]}

    assert {"R0", "R1", "R5", "R7", "R10"} <= set(rules)
    assert all(rule["zh"] and rule["en"] and rule["name"] for rule in rules.values())


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/timeline", "/verdicts", "/verdicts/history"])
@pytest.mark.parametrize(
    ("parcel", "status", "kind", "field"),
    [
        ("yto:NEVER", 404, "unknown-parcel", "id"),
        ("device:H1.D1", 404, "unknown-parcel", None),
        ("no issuer", 400, "malformed", "subject"),
        ("yto:a/b", 400, "malformed", "subject"),
    ],
)
def test_what_is_no_known_parcel_is_refused_with_a_remedy(
    still_world: World, path: str, parcel: str, status: int, kind: str, field: str | None
) -> None:
    answer = still_world.ask(f"/v1/parcels/{parcel}{path}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{kind}"
    assert [error["field"] for error in answer.json().get("errors", ())] == ([field] if field else [])
    assert all(error["remedy"] for error in answer.json().get("errors", ()))


def test_a_parcel_is_unknown_before_its_first_record(still_world: World) -> None:
    answer = still_world.ask(f"/v1/parcels/{PARCEL}", as_of="2026-01-01T12:00:00Z")

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert "2026-01-02T00:00:00Z" in answer.json()["errors"][0]["remedy"]


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/v1/parcels/yto:YT1/verdicts", {"as_of": "yesterday"}, "as_of"),
        ("/v1/parcels/yto:YT1/verdicts", {"as_of": "2026-01-05T00:00:00"}, "as_of"),
        ("/v1/parcels/yto:YT1/timeline", {"as_of": "9:1"}, "as_of"),
        ("/v1/parcels/yto:YT1/verdicts", {"finding": "CRUSHED"}, "finding"),
        ("/v1/parcels/yto:YT1/verdicts", {"finding": "DAMAGE", "damage": "fire"}, "damage"),
        ("/v1/parcels/yto:YT1/verdicts", {"asof": "2026-01-05T00:00:00Z"}, "asof"),
        ("/v1/cases", {"kind": "CRUSHED"}, "kind"),
        ("/v1/cases", {"cursor": "bm90IG91cnM"}, "cursor"),
        ("/v1/cases", {"limit": "many"}, "query.limit"),
        ("/v1/cases", {"limit": "0"}, "query.limit"),
        ("/v1/cases", {"limit": "100000"}, "query.limit"),
        ("/v1/events", {"subject": "no issuer"}, "subject"),
        ("/v1/events", {"subject": "yto:YT1", "since": "Monday"}, "since"),
        ("/v1/events", {}, "query.subject"),
        ("/v1/progress", {"until": "all"}, "until"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused_naming_the_parameter(
    still_world: World, path: str, parameters: dict[str, str], field: str
) -> None:
    answer = still_world.ask(path, "admin", **parameters)

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["errors"][0]["remedy"]


def test_a_cursor_of_other_filters_is_refused(still_world: World) -> None:
    cursor = still_world.told("/v1/cases", limit=1)["next"]

    answer = still_world.ask("/v1/cases", limit=1, cursor=cursor, kind="LOSS")

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["type"] == "/problems/bad-cursor"


@pytest.mark.parametrize("event_id", ["never", "e1%00", "etc/passwd", "x" * 3000])
def test_an_event_that_is_not_recorded_is_refused(still_world: World, event_id: str) -> None:
    answer = still_world.ask(f"/v1/events/{event_id}")

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.json()["type"] == "/problems/unknown-event"


CLAIMS_ONLY = (
    *(f"/v1/parcels/{PARCEL}{what}" for what in ("", "/timeline", "/verdicts", "/verdicts/history")),
    "/v1/cases",
)
EVENTS_ONLY = (f"/v1/events/{PARCEL}-1", f"/v1/events?subject={PARCEL}", "/v1/progress")


@pytest.mark.parametrize(
    ("key", "closed"), [("scanner", CLAIMS_ONLY + EVENTS_ONLY), ("ops", CLAIMS_ONLY), ("", CLAIMS_ONLY + EVENTS_ONLY)]
)
def test_a_key_without_the_right_sees_nothing(still_world: World, key: str, closed: tuple[str, ...]) -> None:
    for path in closed:
        place, _, query = path.partition("?")
        parameters = dict(pair.split("=") for pair in query.split("&") if pair)
        answer = still_world.ask(place, key, **parameters)
        assert answer.status_code == (403 if key else 401), path
        assert PARCEL not in answer.text.replace(answer.json()["instance"], "")


@pytest.mark.parametrize("key", ["claims", "ops", "admin"])
def test_events_and_progress_are_open_to_claims_and_ops(still_world: World, key: str) -> None:
    still_world.told(f"/v1/events/{PARCEL}-1", key)
    still_world.told("/v1/progress", key)


def test_without_a_database_the_answer_is_wait_and_try_again(tmp_path: Path) -> None:
    settings = QuerySettings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/nowhere", pepper_file=tmp_path / "pepper"
    )

    with asking(create_app(settings)) as asker:
        answer = asker.ask("GET", "/v1/parcels/yto:YT1", key=f"li_{'0' * 16}.{'A' * 43}")

    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert int(answer.headers["retry-after"]) > 0
    assert "127.0.0.1" not in answer.text


def test_what_comes_in_during_a_question_is_not_half_seen(world: World) -> None:
    from services.query.repository import Repository

    first, second, third = crushed(PARCEL)
    world.tell(first, second)

    with Repository(world.engine).snapshot() as snapshot:
        world.tell(third)
        moment, evidence = snapshot.moment(None), snapshot.evidence(PARCEL)
        pages = snapshot.events_about(PARCEL, None, None, 10)

    assert len(evidence.facts) == len(pages) == 2
    assert moment.as_of.time == datetime(2026, 1, 3, tzinfo=UTC)

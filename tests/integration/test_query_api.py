"""The read door itself: what it tells of the system, what it refuses, and to whom."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from schemas.positions import Positions
from services.query.app import create_app
from services.query.repository import Repository, records
from services.query.settings import QuerySettings
from tests.asgi import asking
from tests.integration.query_world import PARCEL, World, crushed, registrations, still_world


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


@pytest.fixture(scope="module")
def still(postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with still_world(postgres_server, template_database, tmp_path_factory.mktemp("still")) as opened:
        yield opened


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
    still: World, path: str, parcel: str, status: int, kind: str, field: str | None
) -> None:
    answer = still.ask(f"/v1/parcels/{parcel}{path}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{kind}"
    assert [error["field"] for error in answer.json().get("errors", ())] == ([field] if field else [])
    assert all(error["remedy"] for error in answer.json().get("errors", ()))


def test_a_parcel_is_unknown_before_its_first_record(still: World) -> None:
    answer = still.ask(f"/v1/parcels/{PARCEL}", as_of="2026-01-01T12:00:00Z")

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
    still: World, path: str, parameters: dict[str, str], field: str
) -> None:
    answer = still.ask(path, "admin", **parameters)

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["errors"][0]["remedy"]


def test_a_cursor_of_other_filters_is_refused(still: World) -> None:
    cursor = still.told("/v1/cases", limit=1)["next"]

    answer = still.ask("/v1/cases", limit=1, cursor=cursor, kind="LOSS")

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["type"] == "/problems/bad-cursor"


@pytest.mark.parametrize("event_id", ["never", "e1%00", "etc/passwd", "x" * 3000])
def test_an_event_that_is_not_recorded_is_refused(still: World, event_id: str) -> None:
    answer = still.ask(f"/v1/events/{event_id}")

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
def test_a_key_without_the_right_sees_nothing(still: World, key: str, closed: tuple[str, ...]) -> None:
    for path in closed:
        place, _, query = path.partition("?")
        parameters = dict(pair.split("=") for pair in query.split("&") if pair)
        answer = still.ask(place, key, **parameters)
        assert answer.status_code == (403 if key else 401), path
        assert PARCEL not in answer.text.replace(answer.json()["instance"], "")


@pytest.mark.parametrize("key", ["claims", "ops", "admin"])
def test_events_and_progress_are_open_to_claims_and_ops(still: World, key: str) -> None:
    still.told(f"/v1/events/{PARCEL}-1", key)
    still.told("/v1/progress", key)


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
    first, second, third = crushed(PARCEL)
    world.tell(first, second)

    with Repository(world.engine).snapshot() as snapshot:
        world.tell(third)
        moment, evidence = snapshot.moment(None), snapshot.evidence(PARCEL)
        pages = snapshot.read(records.about, PARCEL, None, None, 10)

    assert len(evidence.facts) == len(pages) == 2
    assert moment.as_of.time == datetime(2026, 1, 3, tzinfo=UTC)

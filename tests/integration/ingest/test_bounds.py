"""Who gets through the write door, and what it says when it cannot take more: keys, roles, limits, outages."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from schemas.errors import Unavailable
from schemas.positions import Position
from services.edge.database import make_engine
from services.log.memory import MemoryLog
from services.log.port import Entry
from tests.access import assert_closed_by_default
from tests.integration.ingest.world import (
    ACCEPTED,
    BATCH,
    NOW,
    OK,
    STRUCTURED,
    UNAVAILABLE,
    DoorWorld,
    assert_problem,
    batch,
    outcomes,
    scan,
)

# --- keys -------------------------------------------------------------------------------------------------------------


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


# --- closed by default ------------------------------------------------------------------------------------------------


PUBLIC = {
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/problems/{slug}", "GET"),
    ("/v1/events", "OPTIONS"),
}


def test_every_route_is_closed_to_whom_it_does_not_name(world: DoorWorld) -> None:
    assert_closed_by_default(world.asker.app, world.asker.ask, world.keys, PUBLIC)


# --- limits told, log away --------------------------------------------------------------------------------------------


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


def test_bodies_that_trickle_in_keep_nobody_else_from_posting(database_url: str, tmp_path: Path) -> None:
    go = threading.Event()
    statuses: list[int] = []

    async def trickle(name: str) -> AsyncIterator[bytes]:
        body = scan(name)
        yield body[:10]
        await asyncio.to_thread(go.wait)
        yield body[10:]

    with DoorWorld(database_url, tmp_path, MemoryLog()).open(concurrent_posts=1, waiting_posts=0) as world:

        def send_slowly(name: str) -> None:
            headers = {"Content-Type": STRUCTURED}
            answer = world.asker.ask(
                "POST", "/v1/events", key=world.keys["scanner"], headers=headers, content=trickle(name)
            )
            statuses.append(answer.status_code)

        threads = [threading.Thread(target=send_slowly, args=(f"slow{number}",)) for number in range(34)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 10
        while len(statuses) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        refused_early = list(statuses)
        meanwhile = world.post(scan("e1"), key="other").status_code
        go.set()
        for thread in threads:
            thread.join()

    assert refused_early == [UNAVAILABLE] * 2  # the bound of one key
    assert meanwhile == 422  # another key is heard at once
    assert len(statuses) == 34


def test_a_database_that_is_away_is_503_and_nothing_is_recorded(memory: DoorWorld) -> None:
    nowhere = make_engine("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    here, memory.door.engine = memory.door.engine, nowhere

    assert_problem(memory.post(scan("e1")), UNAVAILABLE, "unavailable")
    memory.door.engine = here

    assert memory.recorded() == []
    assert outcomes(memory.post(scan("e1"))) == ["recorded"]


def test_keys_that_cannot_be_looked_up_are_503_and_not_401(memory: DoorWorld) -> None:
    memory.ring.engine = make_engine("postgresql+psycopg://nobody@/nothing?host=/nonexistent")

    assert_problem(memory.post(scan("e1")), UNAVAILABLE, "unavailable")


def test_a_table_that_is_not_there_is_a_bug_and_not_something_to_wait_for(world: DoorWorld) -> None:
    with world.engine.connect() as connection:
        connection.execute(text("ALTER TABLE access.api_key RENAME TO gone"))
        connection.commit()
    world.engine.dispose()

    assert_problem(world.post(scan("e1")), 500, "internal")

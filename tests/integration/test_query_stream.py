"""The stream of changes over a real server: it resumes without a gap, is bounded, and ends when it should."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.positions import parse_positions
from schemas.vocabulary import Condition
from services.query.stream import PER_KEY_MAX
from tests.integration.query_world import World, accept, crushed, day, envelope, registrations
from tests.zygote import Victim, Zygote

_PATIENCE_SECONDS = 30.0


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


@dataclass
class Server:
    """The read door as a process of its own, as a deployment runs it."""

    url: str
    process: Victim
    client: httpx.Client


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    # Made once: it reads all the certificates of this machine. No connection is kept, as each server is another.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(timeout=_PATIENCE_SECONDS, limits=limits) as made:
        yield made


@pytest.fixture
def server(world: World, zygote: Zygote, client: httpx.Client, database_url: str, tmp_path: Path) -> Iterator[Server]:
    settings = {"LASTINTACT_DATABASE_URL": database_url, "LASTINTACT_PEPPER_FILE": str(tmp_path / "pepper")}
    process = zygote.run("services.cli", "serve", "query", listens=True, environment=settings)
    try:
        # It listens already: the answer comes once it serves.
        address = f"http://127.0.0.1:{process.port}"
        assert client.get(f"{address}/healthz").status_code == httpx.codes.OK
        yield Server(address, process, client)
    finally:
        process.kill()


@dataclass
class Event:
    name: str
    id: str | None
    data: Any


@dataclass
class Listener:
    """A client of the stream: reads events, remembers the last id as a browser does."""

    response: httpx.Response
    last_id: str | None = None
    _lines: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.response.iter_lines()

    def next(self) -> Event | None:
        """The next event; None when the stream has ended."""
        told: dict[str, str] = {}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for line in self._lines:
            if line.startswith(":"):
                # Heartbeats would let it wait for ever.
                assert time.monotonic() < deadline, "nothing was told in time"
                continue
            if line:
                name, _, value = line.partition(": ")
                told[name] = value
            elif "data" in told:
                self.last_id = told.get("id", self.last_id)
                return Event(told["event"], told.get("id"), json.loads(told["data"]))
        return None

    def until(self, name: str) -> list[Event]:
        """Events up to and including the next of this name."""
        found = []
        while True:
            event = self.next()
            assert event is not None, "the stream ended"
            found.append(event)
            if event.name == name:
                return found

    def caught_up(self, positions: str) -> list[Event]:
        """Events until everything before these positions is told."""
        found = []
        while True:
            found += self.until("progress")
            if parse_positions(found[-1].data["attributed"]).reaches(parse_positions(positions)):
                return found


@contextmanager
def listening(server: Server, key: str, last_id: str | None = None, **parameters: str) -> Iterator[Listener]:
    headers = {"Authorization": f"Bearer {key}"} | ({} if last_id is None else {"Last-Event-ID": last_id})
    with server.client.stream("GET", f"{server.url}/v1/stream", headers=headers, params=parameters) as response:
        assert response.status_code == httpx.codes.OK, response.read()
        yield Listener(response)


def cases(events: list[Event]) -> list[str]:
    return [event.data["subject"] for event in events if event.name == "case"]


def now(world: World) -> str:
    return str(world.told("/v1/progress", "ops")["projected"])


def test_a_listener_is_told_a_case_when_it_is_attributed(world: World, server: Server) -> None:
    world.refresh()
    with listening(server, world.keys["claims"]) as listener:
        (begin,) = listener.until("progress")
        assert begin.id == begin.data["attributed"] != ""

        world.tell(*crushed("yto:A"))
        world.refresh()

        events = listener.caught_up(now(world))

    assert "yto:A" in cases(events)
    told = [event.data for event in events if event.name == "case"][-1]
    assert told["journey"] == 1
    assert told["verdicts"][0]["liable"] == [{"party": "H1", "share": "1"}]
    assert told == next(case for case in world.told("/v1/cases")["cases"] if case["subject"] == "yto:A")


def test_what_changes_while_nobody_listens_is_told_to_whoever_comes_back(world: World, server: Server) -> None:
    world.tell(*crushed("yto:A"))
    world.refresh()
    with listening(server, world.keys["claims"]) as listener:
        listener.until("progress")

    world.tell(*crushed("yto:B", day(5)), *crushed("yto:C", day(5)))
    world.refresh()

    assert listener.last_id is not None
    for back in (
        listening(server, world.keys["claims"], listener.last_id),
        listening(server, world.keys["claims"], since=listener.last_id),
    ):
        with back as returned:
            assert sorted(cases(returned.caught_up(now(world)))) == ["yto:B", "yto:C"]


def test_cut_anywhere_and_resumed_every_case_is_told_its_last_state(world: World, server: Server) -> None:
    world.refresh()
    told: dict[str, Any] = {}
    last_id: str | None = None
    for number in range(6):
        with listening(server, world.keys["claims"], last_id) as listener:
            if last_id is None:
                listener.until("progress")
            for subject in (f"yto:A{number}", f"yto:B{number}"):
                world.tell(*crushed(subject, day(2 * number + 1)))
            if number % 2:
                world.refresh()
            # Cut after a few events, wherever that is: before, between or after those of one read.
            for _ in range(number % 3 + (1 if number % 2 else 0)):
                event = listener.next()
                assert event is not None
                if event.name == "case":
                    told[event.data["subject"]] = event.data
            last_id = listener.last_id
    world.refresh()

    with listening(server, world.keys["claims"], last_id) as listener:
        events = listener.caught_up(now(world))

    told |= {event.data["subject"]: event.data for event in events if event.name == "case"}
    expected = {case["subject"]: case for case in world.told("/v1/cases", limit=100)["cases"]}
    assert told.keys() == expected.keys()
    for subject, case in expected.items():
        assert told[subject] | {"positions": ""} == case | {"positions": ""}


def test_a_case_that_did_not_change_is_not_told_twice_on_one_stream(world: World, server: Server) -> None:
    world.refresh()
    with listening(server, world.keys["claims"]) as listener:
        listener.until("progress")
        world.tell(*crushed("yto:A"))
        world.refresh()
        first = listener.caught_up(now(world))
        world.tell(envelope("yto:A", "again", accept("LH", outer=Condition.BAD), day(4), depot="LH"))
        world.tell(*crushed("yto:B", day(5)))
        world.refresh()
        second = listener.caught_up(now(world))

    states = [json.dumps(event.data | {"positions": ""}) for event in (*first, *second) if event.name == "case"]
    assert len(states) == len(set(states))
    assert "yto:B" in cases(second)


def test_ids_never_go_back(world: World, server: Server) -> None:
    world.refresh()
    with listening(server, world.keys["ops"]) as listener:
        ids = [listener.until("progress")[-1].id]
        for number in range(3):
            world.tell(*crushed(f"yto:A{number}", day(number + 1)))
            world.refresh()
            ids += [event.id for event in listener.caught_up(now(world))]

    places = [parse_positions(told) for told in ids if told is not None]
    assert len(places) == len(ids)
    assert all(later.reaches(earlier) for earlier, later in pairwise(places))


def test_an_id_beyond_this_log_begins_anew_and_says_so(world: World, server: Server) -> None:
    world.refresh()
    with listening(server, world.keys["claims"], "0:999999") as listener:
        reset, begin = listener.until("progress")

    assert reset.name == "reset"
    assert reset.data["because"]
    assert begin.id is not None


def test_nothing_is_promised_before_it_is_attributed(world: World, server: Server) -> None:
    world.refresh()
    with listening(server, world.keys["claims"]) as listener:
        listener.until("progress")
        world.tell(*crushed("yto:A"))
        waiting = listener.until("progress")[-1]
        world.refresh()
        listener.caught_up(now(world))

    assert waiting.data["stale"] > 0
    assert not parse_positions(waiting.data["attributed"]).reaches(parse_positions(waiting.data["projected"]))


@pytest.mark.parametrize(("key", "status"), [("scanner", 403), ("", 401)])
def test_the_stream_is_closed_to_others(world: World, key: str, status: int) -> None:
    assert world.ask("/v1/stream", key).status_code == status


@pytest.mark.parametrize("last_id", ["", "yesterday", "0:1,0:2", "99:1", f"0:{2**63}"])
def test_an_id_that_is_none_of_ours_is_refused(world: World, last_id: str) -> None:
    answer = world.request("GET", "/v1/stream", headers={"Last-Event-ID": last_id})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


def test_a_key_follows_a_bounded_number_of_streams(world: World, server: Server) -> None:
    world.refresh()
    url, mine, other = f"{server.url}/v1/stream", world.keys["claims"], world.keys["ops"]
    with ExitStack() as opened:
        # Kept, since a listener that nobody holds hangs up.
        listeners = [opened.enter_context(listening(server, mine)) for _ in range(PER_KEY_MAX)]
        for listener in listeners:
            listener.until("progress")

        refused = server.client.get(url, headers={"Authorization": f"Bearer {mine}"})
        opened.enter_context(listening(server, other)).until("progress")

    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert refused.json()["type"] == "/problems/too-many-streams"
    assert int(refused.headers["retry-after"]) > 0
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with server.client.stream("GET", url, headers={"Authorization": f"Bearer {mine}"}) as again:
            if again.status_code == httpx.codes.OK:
                break
        assert time.monotonic() < deadline, "streams that ended are still counted"
        time.sleep(0.05)


def test_no_transaction_is_open_while_a_stream_waits(world: World, server: Server) -> None:
    world.refresh()
    with listening(server, world.keys["claims"]) as listener:
        listener.until("progress")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            with world.engine.connect() as connection:
                open_ones = connection.exec_driver_sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lastintact-query' "
                    "AND datname = current_database() AND xact_start IS NOT NULL"
                ).scalar_one()
            if not open_ones:
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_open_streams_do_not_hold_up_the_end_of_the_process(world: World, server: Server, sent: int) -> None:
    world.refresh()
    with listening(server, world.keys["claims"]) as listener:
        listener.until("progress")

        began = time.monotonic()
        server.process.send_signal(sent)
        while listener.next() is not None:
            pass
        server.process.wait(_PATIENCE_SECONDS)

    # Well within the server's own bound of 8 seconds, after which it would cut them off.
    assert time.monotonic() - began < 5

"""The poster against a door that forgets, refuses and stumbles: nothing is lost, nothing is sent for ever."""

import threading
from collections import Counter
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from schemas.errors import Unavailable
from schemas.identifiers import parse_source
from services.simulate.day import Day, generate
from services.simulate.post import ATTEMPTS, BATCH_EVENTS, PAUSE_SECONDS_MAX, RefusedError, post


class Door(httpx.BaseTransport):
    """Remembers identities and answers as the write door does; stumbles on every request whose number is listed."""

    def __init__(self, stumbles: dict[int, int] | None = None, status: int = 503, answer_after_stumble: bool = False):
        self.sizes: list[int] = []
        self.held: dict[tuple[str, str], int] = {}
        self.keys: dict[str, set[str]] = {}
        self._stumbles = dict(stumbles or {})
        self._status = status
        self._takes_before_stumble = answer_after_stumble
        self._requests = 0
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self._requests += 1
        stumble = self._stumbles.pop(self._requests, None)
        if stumble is not None and not self._takes_before_stumble:
            return self._stumble(stumble)
        assert request.headers["content-type"] == "application/cloudevents-batch+json"
        items = msgspec.json.decode(request.read(), type=list[dict[str, msgspec.Raw]])
        self.sizes.append(len(items))
        results = []
        for item in items:
            name = (str(msgspec.json.decode(item["source"])), str(msgspec.json.decode(item["id"])))
            self.keys.setdefault(request.headers["authorization"], set()).add(parse_source(name[0]).depot)
            known = name in self.held
            offset = self.held.setdefault(name, len(self.held))
            results.append({"outcome": "duplicate" if known else "recorded", "position": f"0:{offset}"})
        if stumble is not None:
            return self._stumble(stumble)
        return httpx.Response(202, json={"results": results})

    def _stumble(self, status: int) -> httpx.Response:
        if status == 0:
            raise httpx.ReadTimeout("no answer in time")
        return httpx.Response(status, headers={"Retry-After": "90"}, json={"title": "Not now"})


@pytest.fixture(scope="module")
def day() -> Day:
    return generate(1, 60, datetime(2026, 7, 9, tzinfo=UTC))


def keys_of(day: Day) -> dict[str, str]:
    return {depot: f"key-of-{depot}" for depot in (*day.network.depots, "office", "claims")}


def test_every_event_is_sent_with_its_depots_key_in_batches_within_the_limit(day: Day) -> None:
    door = Door()

    tally = post("http://door", keys_of(day), day.envelopes, transport=door)

    assert tally.outcomes == Counter(recorded=len(day.envelopes) - day.repeats, duplicate=day.repeats)
    assert max(door.sizes) <= BATCH_EVENTS
    assert all(len(depots) == 1 and header == f"Bearer key-of-{min(depots)}" for header, depots in door.keys.items())
    assert tally.positions == {0: len(day.envelopes) - day.repeats}


@pytest.mark.parametrize("status", [503, 429, 0])
def test_a_stumbling_door_gets_the_same_batch_again(day: Day, status: int) -> None:
    waits: list[float] = []
    door = Door(stumbles={2: status, 3: status, 7: status})

    tally = post("http://door", keys_of(day), day.envelopes, transport=door, wait=waits.append)

    assert tally.outcomes == Counter(recorded=len(day.envelopes) - day.repeats, duplicate=day.repeats)
    assert len(waits) == 3
    assert max(waits) <= PAUSE_SECONDS_MAX


def test_an_answer_that_was_lost_makes_duplicates_and_no_second_record(day: Day) -> None:
    door = Door(stumbles={1: 0}, answer_after_stumble=True)

    tally = post("http://door", keys_of(day), day.envelopes, transport=door, wait=lambda _seconds: None)

    assert tally.events == len(day.envelopes)
    assert len(door.held) == len(day.envelopes) - day.repeats
    assert tally.outcomes["duplicate"] > day.repeats


def test_a_door_that_stays_away_is_given_up(day: Day) -> None:
    door = Door(stumbles=dict.fromkeys(range(1, 1000), 503))

    with pytest.raises(Unavailable, match=f"{ATTEMPTS} attempts"):
        post("http://door", keys_of(day), day.envelopes[:5], transport=door, wait=lambda _seconds: None)


def test_a_refused_request_is_not_sent_again(day: Day) -> None:
    waits: list[float] = []
    door = Door(stumbles={1: 401})

    with pytest.raises(RefusedError, match="401"):
        post("http://door", keys_of(day), day.envelopes[:5], transport=door, wait=waits.append)

    assert waits == []


def test_rejections_are_counted_with_their_reasons(day: Day) -> None:
    results = [
        {"outcome": "rejected", "reasons": [{"code": "WRONG_SOURCE", "field": "source", "detail": "Not yours."}]}
    ] * len(day.registry)
    refusing = httpx.MockTransport(lambda _request: httpx.Response(422, json={"results": results}))

    tally = post("http://door", keys_of(day), day.registry, transport=refusing)

    assert tally.outcomes == Counter(rejected=len(day.registry))
    assert tally.reasons[0] == "WRONG_SOURCE: Not yours."
    assert len(tally.reasons) <= 5

"""Conditional requests and methods: an answer that the asker has is not sent again, and every GET answers HEAD."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.doors import create_app
from services.ingest.settings import IngestSettings
from services.query.settings import QuerySettings
from tests.asgi import asking
from tests.integration.query_world import PARCEL, World, crushed, registrations


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


PATHS = (
    *(f"/v1/parcels/{PARCEL}{what}" for what in ("", "/timeline", "/verdicts", "/verdicts/history")),
    f"/v1/events?subject={PARCEL}",
    f"/v1/events/{PARCEL}-1",
    f"/v1/units/{PARCEL}?limit=3",
    "/v1/cases",
    "/v1/refusals",
    "/v1/progress",
    "/v1/system",
    "/v1/rules",
)


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_that_the_asker_has_is_not_sent_again(world: World, path: str) -> None:
    world.tell(*crushed(PARCEL))

    first = world.request("GET", path, "admin")
    again = world.request("GET", path, "admin", headers={"If-None-Match": first.headers["etag"]})

    tag = first.headers["etag"]
    assert first.status_code == httpx.codes.OK
    assert tag.startswith('"')
    assert tag.endswith('"')
    assert again.status_code == httpx.codes.NOT_MODIFIED
    assert again.content == b""
    for answer in (first, again):
        assert answer.headers["etag"] == tag
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization"


def test_an_answer_that_changed_is_sent_with_another_tag(world: World) -> None:
    world.tell(*crushed(PARCEL)[:2])
    path = f"/v1/parcels/{PARCEL}/verdicts"
    before = world.request("GET", path)
    world.tell(crushed(PARCEL)[2])

    after = world.request("GET", path, headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == httpx.codes.OK
    assert after.headers["etag"] != before.headers["etag"]


@pytest.mark.parametrize("told", ["W/{tag}", '"other", {tag}', "*", '"a","b" , {tag} ,"c"'])
def test_a_tag_is_known_in_every_form_that_http_has(world: World, told: str) -> None:
    tag = world.request("GET", "/v1/rules").headers["etag"]

    answer = world.request("GET", "/v1/rules", headers={"If-None-Match": told.format(tag=tag)})

    assert answer.status_code == httpx.codes.NOT_MODIFIED


def test_a_problem_has_no_tag_and_is_kept_nowhere(world: World) -> None:
    answer = world.request("GET", "/v1/parcels/yto:NEVER", headers={"If-None-Match": "*"})

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_a_tag_gives_nothing_to_whoever_may_not_read_the_answer(world: World) -> None:
    world.tell(*crushed(PARCEL))
    path = f"/v1/parcels/{PARCEL}/verdicts"
    tag = world.request("GET", path).headers["etag"]

    assert world.request("GET", path, "scanner", headers={"If-None-Match": tag}).status_code == httpx.codes.FORBIDDEN
    assert world.request("GET", path, "", headers={"If-None-Match": tag}).status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize(
    "path", [*PATHS, "/healthz", "/readyz", "/metrics", "/problems/malformed", "/v1/parcels/yto:X"]
)
def test_head_tells_what_get_would_without_the_body(world: World, path: str) -> None:
    world.tell(*crushed(PARCEL))

    got = world.request("GET", path, "admin")
    head = world.request("HEAD", path, "admin")

    assert head.status_code == got.status_code
    assert head.content == b""
    # Counting requests changes the metrics between two of them.
    told = {"content-type", "etag", *(() if path == "/metrics" else ("content-length",))}
    assert {name: head.headers.get(name) for name in told} == {name: got.headers.get(name) for name in told}


def test_head_of_the_stream_ends_at_once(world: World) -> None:
    answer = world.request("HEAD", "/v1/stream")

    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_head_is_no_way_around_a_role(world: World) -> None:
    assert world.request("HEAD", "/v1/cases", "scanner").status_code == httpx.codes.FORBIDDEN


def test_allow_names_every_method_of_the_whole_app(world: World, database_url: str, tmp_path: Path) -> None:
    pepper = tmp_path / "pepper"
    writing = IngestSettings(database_url=database_url, pepper_file=pepper)
    reading = QuerySettings(database_url=database_url, pepper_file=pepper)
    with asking(create_app(writing, reading)) as both:
        refused = both.ask("DELETE", "/v1/events", key=world.keys["admin"])
        told = both.ask("OPTIONS", "/v1/events")
        elsewhere = both.ask("POST", "/v1/cases", key=world.keys["admin"])

    assert refused.status_code == httpx.codes.METHOD_NOT_ALLOWED
    assert refused.headers["allow"] == told.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert elsewhere.headers["allow"] == "GET, HEAD"
    assert world.request("DELETE", "/v1/events").headers["allow"] == "GET, HEAD"

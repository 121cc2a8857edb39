"""What every answer of both doors has in common: problems, roles, limits, headers, the log line, readiness."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request

from schemas.errors import Reason, Unavailable, Undecodable
from services.edge import roles
from services.edge.callers import Caller, Role
from services.edge.keyring import TooManyAttempts, Unauthenticated
from services.edge.limits import LimitBody
from services.edge.metrics import METRICS, Metrics
from services.edge.problems import KINDS, Problem
from services.edge.roles import OPEN, allow
from services.edge.web import SECURITY_HEADERS, new_app
from tests.asgi import Asker, asking, chunks


class OneKeyEach:
    """The keys `scanner`, `claims`, ... stand for their roles; a real ring is tested with the database."""

    def authenticate(self, text: str, address: str) -> Caller:
        """The caller; `guessing` has tried too often, `frozen` is looked up in a database that does not answer."""
        if text == "guessing":
            raise TooManyAttempts(17)
        if text == "frozen":
            thawed.wait(30)
        if text not in set(Role):
            raise Unauthenticated("no valid key")
        return Caller("k1", Role(text), depot="H1")


ready: dict[str, bool] = {}
thawed = threading.Event()


def database_check() -> None:
    """Fails when the test says so."""
    if not ready["database"]:
        raise Unavailable("connection refused to 10.0.0.1")


def routes() -> APIRouter:
    """Routes that do what routes of the doors do."""
    made = APIRouter()

    @made.get("/v1/things/{number}")
    def show(number: int, caller: Annotated[Caller, Depends(allow(Role.CLAIMS, Role.ADMIN))]) -> dict[str, Any]:
        return {"number": number, "key_id": caller.key_id}

    @made.get("/v1/raise/{what}", dependencies=[OPEN])
    def fail(what: str, size: Annotated[int, Query(le=10)] = 1) -> None:
        errors: dict[str, Exception] = {
            "bug": RuntimeError("secret inside"),
            "away": Unavailable("host 10.0.0.1 is away", retry_after_seconds=7),
            "unreadable": Undecodable("no position vector", field="as_of", remedy="Send 0:1."),
            "problem": Problem("conflict", "Changed.", errors=[Reason("C", "f", "d", "r")], more={"extra": 1}),
        }
        raise errors[what]

    @made.post("/v1/bodies", dependencies=[OPEN])
    async def count(request: Request) -> int:
        return len(await request.body())

    return made


@pytest.fixture
def metrics() -> Metrics:
    """Fresh counters."""
    return Metrics()


@pytest.fixture
def app(metrics: Metrics) -> FastAPI:
    """The frame around those routes."""
    ready["database"] = True
    made = new_app("test", OneKeyEach(), metrics, {"database": database_check}, version="1")  # type: ignore[arg-type]  # what it needs of a ring
    made.include_router(routes())
    return made


@pytest.fixture
def door(app: FastAPI) -> Iterator[Asker]:
    """Ask the app."""
    with asking(app) as asker:
        yield asker


def assert_problem(answer: httpx.Response, slug: str) -> dict[str, Any]:
    """The body, when the answer is this problem and its type leads somewhere."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["type"], body["status"]) == (f"/problems/{slug}", answer.status_code)
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("method", "path", "key", "slug"),
    [
        ("GET", "/nowhere", None, "not-found"),
        ("GET", "/docs", "admin", "not-found"),
        ("GET", "/openapi.json", "admin", "not-found"),
        ("DELETE", "/v1/things/1", "claims", "method-not-allowed"),
        ("GET", "/v1/things/1", None, "unauthenticated"),
        ("GET", "/v1/things/1", "nonsense", "unauthenticated"),
        ("GET", "/v1/things/1", "guessing", "too-many-requests"),
        ("GET", "/v1/things/1", "scanner", "forbidden"),
        ("GET", "/v1/things/x", "claims", "invalid"),
        ("GET", "/v1/raise/bug", None, "internal"),
        ("GET", "/v1/raise/away", None, "unavailable"),
        ("GET", "/v1/raise/unreadable", None, "bad-as-of"),
        ("GET", "/v1/raise/problem", None, "conflict"),
        ("GET", "/v1/raise/problem?size=11", None, "invalid"),
        ("GET", "/problems/nonsense", None, "not-found"),
    ],
)
def test_every_error_is_a_problem_whose_type_leads_to_a_sentence(
    door: Asker, method: str, path: str, key: str | None, slug: str
) -> None:
    body = assert_problem(door.ask(method, path, key=key), slug)

    page = door.ask("GET", body["type"]).json()

    assert page["status"] == body["status"]
    assert page["en"]
    assert page["zh"]


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_has_its_page(door: Asker, slug: str) -> None:
    assert door.ask("GET", f"/problems/{slug}").json()["title"] == KINDS[slug].title


def test_a_role_that_is_named_gets_in(door: Asker) -> None:
    answer = door.ask("GET", "/v1/things/1", key="claims")

    assert (answer.status_code, answer.json()) == (200, {"number": 1, "key_id": "k1"})


def test_a_wrong_parameter_is_named(door: Asker) -> None:
    body = door.ask("GET", "/v1/things/x", key="claims").json()

    assert body["errors"][0]["field"] == "path.number"
    assert "integer" in body["errors"][0]["detail"]


def test_unavailable_says_when_to_come_back_and_names_no_host(door: Asker) -> None:
    answer = door.ask("GET", "/v1/raise/away")

    assert answer.headers["retry-after"] == "7"
    assert "10.0.0.1" not in answer.text


def test_too_many_attempts_says_when_to_come_back(door: Asker) -> None:
    assert door.ask("GET", "/v1/things/1", key="guessing").headers["retry-after"] == "17"


def test_unauthenticated_names_the_scheme(door: Asker) -> None:
    assert door.ask("GET", "/v1/things/1").headers["www-authenticate"].startswith("Bearer")


def test_a_bug_shows_nothing_of_its_inside(door: Asker, capsys: pytest.CaptureFixture[str]) -> None:
    answer = door.ask("GET", "/v1/raise/bug", key="claims")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "RuntimeError: secret inside" in capsys.readouterr().err


def test_a_problem_keeps_its_further_members(door: Asker) -> None:
    body = door.ask("GET", "/v1/raise/problem").json()

    assert body["extra"] == 1
    assert body["errors"] == [{"code": "C", "field": "f", "detail": "d", "remedy": "r"}]


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/raise/bug", "/v1/things/1"])
def test_every_answer_carries_security_headers_and_a_request_id(door: Asker, path: str) -> None:
    headers = door.ask("GET", path).headers

    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert headers["x-request-id"]
    assert "server" not in headers


def test_a_request_id_that_is_sent_comes_back_unless_it_is_odd(door: Asker) -> None:
    kept = door.ask("GET", "/healthz", headers={"X-Request-Id": "trace-12345678"}).headers["x-request-id"]
    replaced = door.ask("GET", "/healthz", headers={"X-Request-Id": 'a"}\\n{"b'}).headers["x-request-id"]

    assert kept == "trace-12345678"
    assert replaced != 'a"}\\n{"b'


def test_a_log_line_is_json_and_holds_no_path_query_header_body_or_key(
    door: Asker, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"Authorization": "Bearer canary-key", "X-Canary": "canary-header"}
    door.ask("GET", "/v1/things/canary-path?canary=query", headers=headers)
    door.ask("POST", "/v1/bodies", content=b"canary-body", headers=headers)
    door.ask("GET", "/v1/raise/bug?canary=query", headers=headers)

    told = capsys.readouterr().err
    lines = [json.loads(line) for line in told.splitlines()]

    assert "canary" not in told
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "/v1/things/{number}", 401),
        ("POST", "/v1/bodies", 200),
        ("GET", "/v1/raise/{what}", 500),
    ]


def test_metrics_name_routes_and_not_paths(door: Asker, metrics: Metrics) -> None:
    for number in range(3):
        door.ask("GET", f"/v1/things/{number}", key="claims")

    count = metrics.value("lastintact_http_requests_total", method="GET", route="/v1/things/{number}", status="200")
    shown = door.ask("GET", "/metrics", key="ops")

    assert count == 3
    assert shown.status_code == 200
    assert all(name in shown.text for name in METRICS)


def test_metrics_are_not_for_everybody(door: Asker) -> None:
    assert door.ask("GET", "/metrics").status_code == 401
    assert door.ask("GET", "/metrics", key="scanner").status_code == 403


def test_liveness_touches_nothing_and_readiness_tells_each_check(door: Asker) -> None:
    ready["database"] = False

    alive, able = door.ask("GET", "/healthz"), door.ask("GET", "/readyz")

    assert alive.status_code == 200
    body = assert_problem(able, "not-ready")
    assert body["checks"] == {"database": "unavailable"}
    assert "10.0.0.1" not in able.text


def test_readiness_is_200_when_every_check_passes(door: Asker) -> None:
    answer = door.ask("GET", "/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": {"database": "ok"}})


def test_an_app_with_a_route_that_declares_nothing_does_not_start(app: FastAPI) -> None:
    @app.get("/bare")
    def show_bare() -> int:
        return 1

    with pytest.raises(TypeError, match="/bare"):
        roles.seal(app)
    with pytest.raises(TypeError, match="/bare"), asking(app):
        pass


def test_a_mounted_app_declares_nothing_either(app: FastAPI) -> None:
    app.mount("/static", FastAPI())

    with pytest.raises(TypeError, match="/static"):
        roles.seal(app)


def test_allowing_nobody_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one role"):
        allow()


# --- limits -------------------------------------------------------------------------------------------------------


async def count_body(scope: Any, receive: Any, send: Any) -> None:
    """An app that reads the whole body, straight under the limit."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(door: Asker) -> None:
    limit = 8 * 1024 * 1024

    assert door.ask("POST", "/v1/bodies", content=b"x" * limit).json() == limit
    assert_problem(door.ask("POST", "/v1/bodies", content=b"x" * (limit + 1)), "too-large")


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "5"}])
def test_a_body_is_stopped_at_the_byte_that_is_too_much_whatever_was_announced(headers: dict[str, str]) -> None:
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 10
        return {"type": "http.request", "body": b"x" * 10, "more_body": True}

    async def ask() -> None:
        scope = {
            "type": "http",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await LimitBody(count_body, bytes_max=95)(scope, receive, pytest.fail)  # type: ignore[arg-type]  # never called

    with pytest.raises(Problem, match="95 bytes"):
        asyncio.run(ask())
    assert sent == 100


def test_a_body_that_announces_too_much_is_refused_before_a_byte_of_it_is_read() -> None:
    async def ask() -> None:
        scope = {"type": "http", "headers": [(b"content-length", b"96")]}
        await LimitBody(count_body, bytes_max=95)(scope, pytest.fail, pytest.fail)  # type: ignore[arg-type]  # never called

    with pytest.raises(Problem, match="95 bytes"):
        asyncio.run(ask())


def test_a_body_that_dribbles_is_given_up() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("never")

    async def ask() -> None:
        await LimitBody(count_body, seconds_max=0.01)({"type": "http", "headers": []}, receive, pytest.fail)  # type: ignore[arg-type]  # never called

    with pytest.raises(Problem, match="did not arrive"):
        asyncio.run(ask())


def test_a_body_in_pieces_is_counted_as_a_whole(door: Asker) -> None:
    def pieces() -> AsyncIterator[bytes]:
        return chunks(*[b"x" * 1024 * 1024] * 9)

    answer = door.ask("POST", "/v1/bodies", content=pieces())

    assert_problem(answer, "too-large")
    assert answer.headers["connection"] == "close"


def test_a_key_that_cannot_be_looked_up_in_time_is_answered_503(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "_LOOK_UP_SECONDS", 0.05)
    thawed.clear()
    try:
        with asking(app) as asker:
            answer = asker.ask("GET", "/v1/things/1", key="frozen")
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert asker.ask("GET", "/v1/things/1", key="claims").status_code == 200
    finally:
        thawed.set()


def test_a_client_that_hangs_up_is_no_fault_of_ours(app: FastAPI, capsys: pytest.CaptureFixture[str]) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/bodies",
        "raw_path": b"/v1/bodies",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"door.test")],
        "client": ("192.0.2.1", 50000),
        "server": ("door.test", 80),
    }
    sent: list[Any] = []

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, gone, send))

    told = capsys.readouterr().err
    assert sent == []
    assert '"status": 499' in told
    assert "request_failed" not in told

"""The frame of both HTTP doors: no docs pages, problem+json, request ids, security headers, limits, an access log."""

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from services.edge import health, problems, roles
from services.edge import metrics as metrics_page
from services.edge.keyring import KeyRing
from services.edge.limits import LimitBody
from services.edge.logs import logger
from services.edge.metrics import Metrics

_log = logger("lastintact.http")

# What proxies log for a client that hung up before its answer; never sent.
_CLIENT_CLOSED = 499

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}\Z")

SECURITY_HEADERS: dict[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    # Browsers heed it over https only, where the proxy in front of us ends TLS.
    "Strict-Transport-Security": "max-age=63072000",
}
"""Sent with every answer, unless the answer says otherwise itself."""
_SECURITY_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def new_app(
    title: str,
    keys: KeyRing,
    metrics: Metrics,
    checks: Mapping[str, health.Check],
    *,
    version: str,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """An app that holds /healthz, /readyz, /metrics and /problems; include routers, then `roles.seal` it."""

    @asynccontextmanager
    async def sealed(app: FastAPI) -> AsyncIterator[None]:
        roles.seal(app)
        if lifespan is None:
            yield
        else:
            async with lifespan(app):
                yield

    # Docs off: the OpenAPI document is committed and published, a running system need not describe itself to strangers.
    app = FastAPI(
        title=title,
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat whatever host the request named
        lifespan=sealed,
    )
    roles.install(app, keys)
    problems.install(app)
    app.include_router(health.router(checks))
    app.include_router(metrics_page.router(metrics))
    app.include_router(problems.router(roles.OPEN))
    app.add_middleware(LimitBody)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Frame, metrics=metrics)
    return app


class HeadAsGet:
    """ASGI middleware: answers HEAD with the head of what GET would answer (RFC 9110 9.3.2), whatever the route.

    A route that would go on for ever looks at `request.state.head` and ends at once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # The same scope, not a copy: the frame reads the route from it, and logs what was really asked.
        scope["method"] = "GET"
        scope.setdefault("state", {})["head"] = True
        try:
            await self._app(scope, receive, send_head)
        finally:
            scope["method"] = "HEAD"


class Frame:
    """Outermost ASGI middleware. Its log lines hold the route's template, never a path, query, header or body."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request; a bug below becomes a 500 without a word of its inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                said = {name for name, _ in headers}
                if b"allow" in said:
                    headers = [pair for pair in headers if pair[0] != b"allow"] + [(b"allow", _allowed(scope))]
                headers += [pair for pair in _SECURITY_HEADERS if pair[0] not in said]
                headers.append((b"x-request-id", request_id.encode()))
                message = {**message, "headers": headers}
            await send(message)

        scope.setdefault("state", {})["request_id"] = request_id
        try:
            await self._app(scope, receive, send_framed)
        except ClientDisconnect:
            # Nobody is there to be answered; what it had sent was not taken.
            status = status or _CLIENT_CLOSED
        except Exception as error:
            # The last line of the process: say 500, log everything, go on with the next request.
            _log.exception("request_failed", request_id=request_id, error=type(error).__name__)
            if status:
                raise
            await problems.internal_error(scope["path"])(scope, receive, send_framed)
        self._tell(scope, request_id, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = scope.get("route")
        template = getattr(route, "path", None) or "(none)"
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.count("lastintact_http_requests", method=method, route=template, status=str(status))
        self._metrics.observe("lastintact_http_request_seconds", seconds, method=method, route=template)
        if status in {401, 429}:
            self._metrics.count("lastintact_keys_refused", status=str(status))
        _log.info(
            "request",
            request_id=request_id,
            method=method,
            route=template,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            key_id=scope.get("state", {}).get("key_id"),
        )


def _allowed(scope: Scope) -> bytes:
    """Every method that the app answers at this path. A route knows its own only, and several may share the path."""
    found: set[str] = set()
    # Both ways to a route's methods are tried with the path alone: what a route thinks of the method does not matter.
    for route in iter_route_contexts(scope["app"].routes):
        if route.matches({**scope, "method": "GET"})[0] is not Match.NONE:
            found |= set(route.methods or ())
    if "GET" in found:
        found.add("HEAD")
    return ", ".join(sorted(found)).encode()


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.match(value):
            return str(value.decode("ascii"))
    return str(uuid7())

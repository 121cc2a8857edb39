"""`POST /v1/events` and `OPTIONS /v1/events`: HTTP in, the door asked in a thread, outcomes out."""

import time
from collections import Counter
from typing import Annotated, Any

import anyio
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from schemas.errors import Reason, Unavailable
from services.edge.callers import Caller, Role
from services.edge.metrics import Metrics
from services.edge.problems import KINDS, Problem
from services.edge.roles import OPEN, allow
from services.ingest.door import Door, Outcome, Result
from services.ingest.requests import ACCEPTED, BadRequest, items_of

# Of 8 MB at most each. A depot's uploads run side by side by the handful.
_ARRIVING_PER_KEY_MAX = 32

_MAY_POST = allow(Role.SCANNER, Role.CLAIMS, Role.OPS, Role.ADMIN)


def router(
    door: Door,
    metrics: Metrics,
    *,
    concurrent_posts: int = 8,
    waiting_posts: int = 64,
    answer_seconds: float = 10.0,
) -> APIRouter:
    """The write door's routes. All that may wait is bounded: past the bound the answer is 503, never a longer queue."""
    routes = APIRouter()
    turns = anyio.CapacityLimiter(concurrent_posts)
    arriving: Counter[str] = Counter()
    admitted = 0

    @routes.options("/v1/events", dependencies=[OPEN])
    async def tell_limits() -> Response:
        """What may be sent, so that a device need not find out by being refused."""
        limits = {
            "content_types": ACCEPTED,
            "body_bytes_max": door.limits.body_bytes,
            "event_bytes_max": door.limits.item_bytes,
            "batch_events_max": door.limits.items,
            "json_depth_max": door.limits.depth,
            "recommended_batch_events": 200,
        }
        return _json(200, limits, {"Allow": "OPTIONS, POST", "Accept": ", ".join(ACCEPTED)})

    @routes.post("/v1/events")
    async def post_events(request: Request, caller: Annotated[Caller, Depends(_MAY_POST)]) -> Response:
        """Take one event or a batch; answer for each of them, in the order they came."""
        body = await receive(request, caller)
        # Counted here, between two awaits of one event loop: nobody slips in while others are on their way to a thread.
        nonlocal admitted
        if admitted >= concurrent_posts + waiting_posts:
            raise unavailable("too many requests wait for their turn")
        admitted += 1
        try:
            return await take(request, caller, body)
        finally:
            admitted -= 1

    async def receive(request: Request, caller: Caller) -> bytes:
        """The body. While it arrives it takes no turn from those who are ready, and no key may keep many open."""
        if arriving[caller.key_id] >= _ARRIVING_PER_KEY_MAX:
            raise unavailable(f"{_ARRIVING_PER_KEY_MAX} requests of this key are still arriving")
        arriving[caller.key_id] += 1
        try:
            return await request.body()
        except Problem as error:
            unread = Reason("BODY_NOT_READ", "", error.detail, KINDS[error.slug].en)
            await anyio.to_thread.run_sync(door.refuse, caller, b"", unread, limiter=turns)
            raise
        finally:
            arriving[caller.key_id] -= 1
            if not arriving[caller.key_id]:
                del arriving[caller.key_id]

    def unavailable(why: str) -> Unavailable:
        metrics.count("lastintact_ingest_unavailable")
        return Unavailable(why)

    async def take(request: Request, caller: Caller, body: bytes) -> Response:
        def work() -> tuple[list[Outcome], float]:
            try:
                items = items_of(request.headers.raw, body, door.limits, story_clock=door.story_clock)
            except BadRequest as error:
                door.refuse(caller, body, error.reason)
                headers = {"Accept": ", ".join(ACCEPTED)} if error.slug == "unsupported-media-type" else {}
                raise Problem(error.slug, error.reason.detail, errors=[error.reason], headers=headers) from error
            began = time.perf_counter()
            return door.accept(caller, items), time.perf_counter() - began

        try:
            with anyio.fail_after(answer_seconds):
                # Abandoned, the thread ends by its own bounds; what it recorded comes back as a duplicate.
                outcomes, seconds = await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=turns)
        except TimeoutError as error:
            raise unavailable(f"not recorded within {answer_seconds:.0f} s") from error
        except Unavailable:
            metrics.count("lastintact_ingest_unavailable")
            raise
        _measure(metrics, outcomes, seconds)
        return _answer(outcomes, story_clock=door.story_clock)

    return routes


def _answer(outcomes: list[Outcome], *, story_clock: bool) -> Response:
    results = {outcome.outcome for outcome in outcomes}
    body: dict[str, Any] = {"results": outcomes}
    if story_clock:
        body["flags"] = ["STORY_CLOCK"]
    if results == {Result.REJECTED}:
        reasons = [reason for outcome in outcomes for reason in outcome.reasons]
        raise Problem("all-rejected", "Every event was rejected.", errors=reasons, more=msgspec.to_builtins(body))
    # 202: something new is in the log. 200: it was all there, as a scanner that retries wants to hear.
    recorded = results & {Result.RECORDED, Result.CONFLICT}
    return _json(202 if recorded else 200, body)


def _measure(metrics: Metrics, outcomes: list[Outcome], seconds: float) -> None:
    metrics.observe("lastintact_ingest_batch_events", len(outcomes))
    metrics.observe("lastintact_ingest_append_seconds", seconds)
    for result in Result:
        count = sum(outcome.outcome is result for outcome in outcomes)
        if count:
            metrics.count("lastintact_ingest_events", count, outcome=result.value)
    for outcome in outcomes:
        for warning in outcome.warnings:
            metrics.count("lastintact_ingest_warnings", code=warning.code)


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, "application/json")

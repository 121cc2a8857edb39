"""The open streams of one process: admitted and counted, woken and ended together, told over HTTP as they can take it.

Server-sent events (WHATWG HTML 9.2). No transaction is open while bytes travel.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from schemas.errors import Unavailable
from schemas.positions import Positions
from services.edge.callers import Caller
from services.edge.problems import Problem
from services.query.follow import Follower, Step
from services.query.leaving import when_told_to_end
from services.query.repository import Repository
from services.query.repository.waking import Bell

MEDIA_TYPE = "text/event-stream"
PER_KEY_MAX = 4
"""A person's few tabs, or a service's few processes."""
STREAMS_MAX = 64
"""Each reads at most twice a second, four of them at a time."""
_READERS = 4
_PAUSE_SECONDS = 0.5
"""Between two reads of one stream, however much is projected meanwhile."""
_IDLE_SECONDS = 5.0
"""Between two reads when nothing is projected: a notification hurries, this makes it certain."""
_BEAT_SECONDS = 15.0
"""Proxies end what is silent for a minute."""
_SEND_SECONDS = 30.0
"""A client that takes nothing for so long has lost its place; it comes back with its last id."""
_SECONDS_MAX = 600.0
"""Then the client comes back by itself and shows its key again: a revoked one gets no further."""
# What a client waits before it comes back, in milliseconds.
_RETRY = b"retry: 2000\n\n"
_BEAT = b": still here\n\n"


class Streams:
    """The open streams of one process."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._bell = Bell(repository.engine)
        self._by_key: Counter[str] = Counter()
        self._ended = threading.Event()
        # Streams wait for one another, not for the threads that answer everybody else.
        self._turns = anyio.CapacityLimiter(_READERS)

    @asynccontextmanager
    async def lifespan(self, _: Any) -> AsyncIterator[None]:
        """Streams end as soon as the process is told to: a server waits for what is open before it ends the app."""
        self._bell.begin(asyncio.get_running_loop())
        try:
            with when_told_to_end(self.end):
                yield
        finally:
            self.end()
            await anyio.to_thread.run_sync(self._bell.close)

    def end(self) -> None:
        """End every stream now; safe from a signal handler."""
        self._ended.set()
        self._bell.ring()

    def open(self, caller: Caller, since: Positions | None) -> Response:
        """The answer that goes on until its time is up, the client is gone, or the process ends."""
        return _EventStream(self, caller, since)

    @contextmanager
    def admit(self, caller: Caller) -> Iterator[None]:
        """Count a stream while it is open. Raises `Problem` or `Unavailable` when there are too many."""
        if self._by_key[caller.key_id] >= PER_KEY_MAX:
            raise Problem("too-many-streams", f"This key follows {PER_KEY_MAX} streams already; end one first.")
        if self._by_key.total() >= STREAMS_MAX or self._ended.is_set():
            raise Unavailable("no more streams are admitted now", retry_after_seconds=10)
        self._by_key[caller.key_id] += 1
        try:
            yield
        finally:
            self._by_key[caller.key_id] -= 1
            if not self._by_key[caller.key_id]:
                del self._by_key[caller.key_id]

    async def follow(self, since: Positions | None) -> AsyncIterator[bytes]:
        """Everything that one listener is told."""
        follower = Follower(self._repository, since)
        clock = asyncio.get_running_loop().time
        end, silent_since = clock() + _SECONDS_MAX, clock()
        yield _RETRY
        while not self._ended.is_set() and clock() < end:
            rung = self._bell.listen()
            try:
                step = await anyio.to_thread.run_sync(follower.step, limiter=self._turns, abandon_on_cancel=True)
            except Unavailable:
                step = Step([], more=False, soon=True)
            if step.told:
                yield b"".join(step.told)
                silent_since = clock()
            elif clock() - silent_since >= _BEAT_SECONDS:
                yield _BEAT
                silent_since = clock()
            if step.more:
                continue
            if not step.soon:
                with anyio.move_on_after(_IDLE_SECONDS):
                    await rung.wait()
            if not self._ended.is_set():
                # One read tells what many notifications announce.
                await anyio.sleep(_PAUSE_SECONDS)


class _EventStream(Response):
    """Sends a stream's bytes, and notices when nobody is there to take them."""

    media_type = MEDIA_TYPE
    charset = "utf-8"

    def __init__(self, streams: Streams, caller: Caller, since: Positions | None) -> None:
        # A proxy that buffers would hold back what is to be told now.
        self.status_code, self.background, self.body = 200, None, b""
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._streams, self._caller, self._since = streams, caller, since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        with self._streams.admit(self._caller):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, receive, tasks.cancel_scope)
                await self._tell(send)
                tasks.cancel_scope.cancel()

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for told in self._streams.follow(self._since):
            with anyio.move_on_after(_SEND_SECONDS) as patience:
                await send({"type": "http.response.body", "body": told, "more_body": True})
            if patience.cancelled_caught:
                break
        with anyio.move_on_after(1.0):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    @staticmethod
    async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

"""Asks an ASGI app without a socket: httpx in an event loop of its own, its lifespan run as a server would."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio.from_thread
import httpx
from fastapi import FastAPI


class Asker:
    """Sends requests to an app, one at a time or, from several threads, at once."""

    def __init__(self, app: FastAPI, portal: anyio.from_thread.BlockingPortal, client: httpx.AsyncClient) -> None:
        self.app = app
        self._portal = portal
        self._client = client

    def ask(self, method: str, path: str, *, key: str | None = None, **options: Any) -> httpx.Response:
        """The answer. `key` goes into the Authorization header; other options are httpx's."""
        headers = dict(options.pop("headers", None) or {})
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"

        async def send() -> httpx.Response:
            return await self._client.request(method, path, headers=headers, **options)

        return self._portal.call(send)


@asynccontextmanager
async def _client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=("192.0.2.1", 50000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://door.test") as client,
    ):
        yield client


@contextmanager
def asking(app: FastAPI) -> Iterator[Asker]:
    """An `Asker` of this app; the app is started before and stopped after."""
    with anyio.from_thread.start_blocking_portal() as portal, portal.wrap_async_context_manager(_client(app)) as client:
        yield Asker(app, portal, client)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A body sent in pieces, without a Content-Length."""
    for part in parts:
        await asyncio.sleep(0)
        yield part

"""Bounds on what a request may carry and how long it may take to arrive, enforced while it arrives."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.edge.problems import Problem

BODY_BYTES_MAX = 8 * 1024 * 1024
# A full batch over a 2G link (20 kB/s) takes longer; such a scanner must send smaller batches.
BODY_SECONDS_MAX = 60.0

# The rest of a refused body is not read, so the connection cannot be used again.
_CLOSE = {"Connection": "close"}


class LimitBody:
    """ASGI middleware: stops a body at the byte that is too much, whatever its headers promised, or when too slow."""

    def __init__(self, app: ASGIApp, *, bytes_max: int = BODY_BYTES_MAX, seconds_max: float = BODY_SECONDS_MAX) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._seconds_max = seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, with a limited body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _content_length(scope)
        seen = 0
        deadline = asyncio.get_running_loop().time() + self._seconds_max
        complete = False

        async def receive_limited() -> Message:
            nonlocal seen, complete
            if complete:  # only the client's leaving can follow; that may take as long as the answer
                return await receive()
            if announced > self._bytes_max:
                raise _too_large(self._bytes_max)
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                detail = f"The body did not arrive within {self._seconds_max:.0f} seconds."
                raise Problem("timeout", detail, headers=_CLOSE) from error
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if seen > self._bytes_max:
                    raise _too_large(self._bytes_max)
            return message

        await self._app(scope, receive_limited, send)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _too_large(bytes_max: int) -> Problem:
    return Problem("too-large", f"The body is over {bytes_max} bytes; send smaller batches.", headers=_CLOSE)

"""Conditional requests (RFC 9110 13): a strong ETag on every answer, 304 where the asker has these bytes already."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

# A cache in between may keep it for this key only, and must ask each time: the next event may change any answer.
_CACHING = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


class Conditional(APIRoute):
    """A route whose answers are a function of the read model, so that equal bytes are the same answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer as the route does, or say that nothing changed."""
        answer = super().get_route_handler()

        async def answer_if_changed(request: Request) -> Response:
            response = await answer(request)
            # A stream says itself that it is not to be kept.
            if request.method != "GET" or response.status_code != 200 or "cache-control" in response.headers:
                return response
            tag = f'"{hashlib.sha256(response.body).hexdigest()[:40]}"'
            headers = {**_CACHING, "ETag": tag}
            if _has(request.headers.getlist("if-none-match"), tag):
                return Response(status_code=304, headers=headers)
            response.headers.update(headers)
            return response

        return answer_if_changed


def _has(told: list[str], tag: str) -> bool:
    """Whether the asker names the tag, however weakly (RFC 9110 8.8.3.2), or any."""
    named = [part.strip().removeprefix("W/") for line in told for part in line.split(",")]
    return tag in named or "*" in named

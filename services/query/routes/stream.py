"""The stream of changes over server-sent events."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from services.edge.callers import Caller, Role
from services.edge.roles import allow
from services.query import questions
from services.query.routes.asking import told_bytes
from services.query.stream import MEDIA_TYPE, Streams

_LISTENERS = allow(Role.CLAIMS, Role.OPS, Role.ADMIN)
_TOLD = told_bytes(
    "Events `case` (data: Case), `progress` (data: Advance) and `reset` (data: Reset). `id` is a position vector.",
    400,
    media_type=MEDIA_TYPE,
)
# A stream is never the answer that somebody has already.
del _TOLD["responses"][304]


def add(routes: APIRouter, streams: Streams) -> None:
    """Add this route."""

    @routes.get("/v1/stream", tags=["system"], operation_id="follow_changes", **_TOLD)
    async def follow_changes(
        request: Request,
        caller: Annotated[Caller, Depends(_LISTENERS)],
        since: Annotated[str | None, Query(description="Go on after this id, where no header can be sent.")] = None,
        last_event_id: Annotated[
            str | None, Header(alias="Last-Event-ID", description="The id of the last event that came; go on after it.")
        ] = None,
    ) -> Response:
        """Cases that change, and how far things are, as it happens; from now on, or from an id without a gap."""
        # A browser that comes back sends both: the address as it was given, and the later id.
        given, field = (last_event_id, "Last-Event-ID") if last_event_id is not None else (since, "since")
        place = questions.read_vector(given, field=field) if given is not None else None
        if getattr(request.state, "head", False):
            return Response(media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
        return streams.open(caller, place)

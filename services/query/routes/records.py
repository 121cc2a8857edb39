"""Answers about records: what was sent, what of a device came in, what was refused."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from schemas.errors import Reason
from schemas.identifiers import Source
from services.edge.callers import Caller, Role
from services.edge.problems import Problem
from services.edge.roles import allow
from services.query import questions, responses
from services.query.questions import EventKey, RefusalKey
from services.query.repository import Repository, Snapshot, receipts, records, refusals
from services.query.routes.asking import EVENTS, PAGE, Cursor, Limit, after, told, told_bytes

_DEVICES = allow(Role.SCANNER, Role.OPS, Role.ADMIN)


def add(routes: APIRouter, repository: Repository) -> None:
    """Add these routes."""

    @routes.get(
        "/v1/events",
        dependencies=[EVENTS],
        tags=["events"],
        operation_id="list_events",
        **told(responses.EventsAnswer, 400),
    )
    def list_events(
        subject: Annotated[str, Query(description="The parcel, unit, device or party, in any spelling.")],
        since: Annotated[str | None, Query(description="Recorded at this RFC 3339 time or later.")] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE,
    ) -> Response:
        """Every record about a subject in the order of recording, repeats, conflicts and unreadable ones included."""
        canonical = questions.read_subject(subject)
        begin = None if since is None else questions.read_instant(since, field="since")
        asked = ("about", canonical, None if begin is None else begin.isoformat())
        with repository.snapshot() as snapshot:
            found = snapshot.read(records.about, canonical, begin, after(cursor, asked, EventKey), limit + 1)
            return responses.respond(_page_of_events(found, asked, limit, snapshot))

    @routes.get(
        "/v1/events/{id:path}",
        dependencies=[EVENTS],
        tags=["events"],
        operation_id="show_event",
        **told(responses.EventsAnswer, 400, 404),
    )
    def show_event(id: str, cursor: Cursor = None, limit: Limit = PAGE) -> Response:  # noqa: A002
        """Every record with this event id, as recorded: ids are unique to a source, so there may be several."""
        if "\0" in id:
            raise Problem("unknown-event", "No event id holds a NUL character.")
        asked = ("id", id)
        with repository.snapshot() as snapshot:
            found = snapshot.read(records.with_id, id, after(cursor, asked, EventKey), limit + 1)
            if not found and cursor is None:
                raise Problem(
                    "unknown-event",
                    f"No event with the id {id[:140]!r} is projected.",
                    errors=[
                        Reason(
                            code="UNKNOWN",
                            field="id",
                            detail="Ids are compared exactly, letter by letter.",
                            remedy="Check the spelling, list a parcel's events with /v1/events?subject=, or look at "
                            "/v1/progress: a recorded event is seen here once it is projected.",
                        )
                    ],
                )
            return responses.respond(_page_of_events(found, asked, limit, snapshot))

    @routes.get(
        "/v1/devices/{id}/receipt",
        tags=["devices"],
        operation_id="show_receipt",
        **told(responses.ReceiptAnswer, 400, 404),
    )
    def show_receipt(id: str, caller: Annotated[Caller, Depends(_DEVICES)]) -> Response:  # noqa: A002
        """Which of a device's numbered records are projected. A scanner's key asks about its own devices only."""
        source = questions.read_device(id)
        if not _may_see(caller, source):
            raise _unknown_device(source)
        with repository.snapshot() as snapshot:
            received = snapshot.read(receipts.received, source)
            if received is None:
                raise _unknown_device(source)
            projected, flags = str(snapshot.projected), responses.flags_of(snapshot)
        return responses.respond(responses.receipt(source.device_id, projected, received, flags))

    @routes.get(
        "/v1/refusals",
        tags=["refusals"],
        operation_id="list_refusals",
        **told(responses.RefusalsAnswer, 400),
    )
    def list_refusals(
        caller: Annotated[Caller, Depends(_DEVICES)], cursor: Cursor = None, limit: Limit = PAGE
    ) -> Response:
        """What the write door refused within 30 days, the latest first. A scanner's key sees its own depot's."""
        # The depot is part of the question: a cursor of another key's list is another list's.
        asked = ("refusals", caller.depot if caller.role is Role.SCANNER else None)
        place = after(cursor, asked, RefusalKey)
        with repository.snapshot() as snapshot:
            found = snapshot.read(refusals.listed, caller, None if place is None else place.refusal_id, limit + 1)
            page = found[:limit]
            return responses.respond(
                responses.RefusalsAnswer(
                    refusals=tuple(responses.refusal(stored) for stored in page),
                    next=questions.write_cursor(asked, RefusalKey(page[-1].refusal_id)) if len(found) > limit else None,
                    flags=responses.flags_of(snapshot),
                )
            )

    @routes.get(
        "/v1/refusals/{id}",
        tags=["refusals"],
        operation_id="show_refused_bytes",
        **told_bytes("The bytes as they were sent, cut at the body limit.", 400, 404),
    )
    def show_refused_bytes(id: str, caller: Annotated[Caller, Depends(_DEVICES)]) -> Response:  # noqa: A002
        """The bytes that were refused, exactly as they were sent."""
        number = questions.read_number(id, field="id")
        with repository.snapshot() as snapshot:
            body = snapshot.read(refusals.body, caller, number)
        if body is None:
            raise Problem("not-found", f"There is no refusal {number} that this key may see; they are kept 30 days.")
        # Never shown, only saved: nobody knows what these bytes are.
        disposition = f'attachment; filename="refusal-{number}.bin"'
        return Response(body, media_type="application/octet-stream", headers={"Content-Disposition": disposition})


def _may_see(caller: Caller, source: Source) -> bool:
    if caller.role is not Role.SCANNER:
        return True
    return source.depot == caller.depot and (not caller.devices or source.device in caller.devices)


def _unknown_device(source: Source) -> Problem:
    # The same words for a device of another depot: which names exist elsewhere is nobody's business.
    return Problem(
        "unknown-device",
        f"No numbered record of {source.device_id} is projected.",
        errors=[
            Reason(
                code="UNKNOWN",
                field="id",
                detail="Nothing with this source and a sequence number came in.",
                remedy="Compare the spelling with the source of the device's events, letter by letter, and send a "
                "sequence with each event; what was just recorded is seen once /v1/progress has passed it.",
            )
        ],
    )


def _page_of_events(
    found: list[Any], asked: tuple[str | None, ...], limit: int, snapshot: Snapshot
) -> responses.EventsAnswer:
    page = found[:limit]
    return responses.EventsAnswer(
        events=tuple(responses.recorded_event(stored) for stored in page),
        next=questions.write_cursor(asked, EventKey(*page[-1].position)) if len(found) > limit else None,
        flags=responses.flags_of(snapshot),
    )

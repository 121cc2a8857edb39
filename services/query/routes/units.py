"""Answers about one unit: a bag, cage, container, trailer or list, and what was put into it."""

from fastapi import APIRouter
from starlette.responses import Response

from services.custody.core.ground import lay
from services.custody.core.incidents import incidents
from services.custody.core.timeline import timeline
from services.query import questions, responses
from services.query.questions import ContentKey
from services.query.repository import Repository, contents
from services.query.responses import units
from services.query.routes.asking import CLAIMS, PAGE, AsOfText, Cursor, Limit, after, question, told


def add(routes: APIRouter, repository: Repository) -> None:
    """Add this route."""

    @routes.get(
        "/v1/units/{id:path}",
        dependencies=[CLAIMS],
        tags=["units"],
        operation_id="show_unit",
        **told(responses.UnitAnswer, 400, 404),
    )
    def show_unit(id: str, as_of: AsOfText = None, cursor: Cursor = None, limit: Limit = PAGE) -> Response:  # noqa: A002
        """What is or was inside a unit and until when, where it was itself, its seals, and what happened to it.

        Every page is as of the first one's moment: an item that is packed later is not on it.
        """
        unit = questions.read_subject(id)
        with repository.snapshot() as snapshot:
            # The moment travels in the cursor, so that all pages tell of one state.
            place = after(cursor, ("unit", unit, as_of), ContentKey)
            moment = place.as_of if place is not None else as_of
            first = snapshot.moment(questions.read_as_of(moment))
            count = snapshot.read(contents.count, unit, first.as_of)
            asking = question(snapshot, id, moment, there=count > 0)
            at = asking.moment.as_of
            last = None if place is None else place.subject
            items = snapshot.read(contents.packed, unit, at, last, limit + 1)
            ground = lay(asking.evidence, at)
            evidence = snapshot.evidence_of(items[:limit])
            happened = [
                units.incident(each, snapshot.read(contents.inside_at, unit, at, each.fact.t))
                for each in incidents(ground)[-units.INCIDENTS_MAX :]
            ]
            about = responses.about(asking, snapshot)
        goes_on = len(items) > limit
        settled = str(asking.moment.positions) if asking.moment.positions is not None else as_of
        return responses.respond(
            responses.UnitAnswer(
                **about,
                items=count,
                contents=tuple(units.content(item, evidence[item], unit, at) for item in items[:limit]),
                next=questions.write_cursor(("unit", unit, as_of), ContentKey(settled, items[limit - 1]))
                if goes_on
                else None,
                within=units.within(ground),
                timeline=timeline(asking.evidence, at),
                seals=units.seals(ground),
                incidents=tuple(happened),
            )
        )

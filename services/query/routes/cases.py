"""The worklist: parcels with a finding and units to which something happened."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.query import questions, responses
from services.query.questions import CaseKey, ChangedKey, Sort
from services.query.repository import Repository, cases
from services.query.routes.asking import CLAIMS, PAGE, Cursor, Limit, after, told


def add(routes: APIRouter, repository: Repository) -> None:
    """Add these routes."""

    @routes.get(
        "/v1/cases",
        dependencies=[CLAIMS],
        tags=["cases"],
        operation_id="list_cases",
        **told(responses.CasesAnswer, 400),
    )
    def list_cases(
        kind: Annotated[str | None, Query(description="With a finding of this kind.")] = None,
        outcome: Annotated[str | None, Query(description="Whose first verdict has this outcome.")] = None,
        confidence: Annotated[str | None, Query(description="Whose first verdict is this sure.")] = None,
        party: Annotated[str | None, Query(description="Whose verdicts rest on this party.")] = None,
        incident: Annotated[str | None, Query(description="To which this happened: SEAL_BROKEN, ...")] = None,
        sort: Annotated[str, Query(description="`opened`, or `changed`: by when an answer last changed.")] = "opened",
        cursor: Cursor = None,
        limit: Limit = PAGE,
    ) -> Response:
        """Parcels with a finding and units to which something happened: one row each, the latest first.

        A walk through the pages shows each case that is there throughout exactly once, whatever is added meanwhile.
        By `changed`, the order is that of the first page's moment: what opened later is not on its pages.
        """
        wanted = questions.read_case_filter(kind, outcome, confidence, party, incident)
        order = questions.read_word(Sort, sort, field="sort")
        asked = ("cases", order, *wanted)
        key: CaseKey | ChangedKey | None
        with repository.snapshot() as snapshot:
            if order is Sort.CHANGED:
                place = after(cursor, asked, ChangedKey)
                as_of = place.as_of if place is not None else snapshot.moment(None).as_of.time
                placed = snapshot.read(cases.changed, wanted, as_of, place, limit + 1)
                found, key = [row for row, _ in placed], placed[limit - 1][1] if len(placed) > limit else None
            else:
                found = snapshot.read(cases.opened, wanted, after(cursor, asked, CaseKey), limit + 1)
                key = found[limit - 1].key if len(found) > limit else None
            flags = responses.flags_of(snapshot)
        return responses.respond(
            responses.CasesAnswer(
                cases=tuple(responses.case(row) for row in found[:limit]),
                next=None if key is None else questions.write_cursor(asked, key),
                flags=flags,
            )
        )

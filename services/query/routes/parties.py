"""Answers about a party: how its handoffs were recorded. Shown beside verdicts, never part of one."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from schemas.errors import Reason
from schemas.events import PartyRegistered
from services.custody.core import concerns
from services.custody.core.instants import earlier
from services.custody.core.policy import policy_of
from services.custody.core.rules.control_record import PERSONS, control_record
from services.edge.problems import Problem
from services.query import questions, responses
from services.query.repository import Repository, Snapshot, handoffs
from services.query.routes.asking import EVENTS, told

DAYS = 90
DAYS_MAX = 366


def add(routes: APIRouter, repository: Repository) -> None:
    """Add these routes."""

    @routes.get(
        "/v1/parties/{id}/control-record",
        dependencies=[EVENTS],
        tags=["parties"],
        operation_id="show_control_record",
        **told(responses.ControlRecordAnswer, 400, 404),
    )
    def show_control_record(
        id: str,  # noqa: A002
        until: Annotated[
            str | None, Query(description="RFC 3339 time with a zone; default: the latest record time projected.")
        ] = None,
        days: Annotated[int, Query(ge=1, le=DAYS_MAX, description="How many days before that.")] = DAYS,
    ) -> Response:
        """How many handoffs both sides recorded, how many it examined, recorded late or typed in. Never judged."""
        party = questions.read_party(id, field="id")
        if party in PERSONS:
            raise _unknown(party, f"{party} is a role in every parcel, not a party with records of its own.")
        asked = None if until is None else questions.read_instant(until, field="until")
        with repository.snapshot() as snapshot:
            moment = snapshot.moment(asked)
            policy = policy_of(snapshot.evidence(concerns.POLICY).known_at(moment.as_of).facts)
            since = earlier(moment.as_of.time, timedelta(days=days))
            found = snapshot.read(handoffs.of_party, party, since, moment.as_of, policy.late_after)
            if not (found.acts or _is_registered(snapshot, party) or snapshot.read(handoffs.has_acted, party)):
                raise _unknown(party, "Nobody is registered under this code, and nothing was recorded in its name.")
            flags = responses.flags_of(snapshot)
        counted = control_record(party, found.acts, found.around, policy.handoff_window)
        return responses.respond(
            responses.control_record_of(
                party, since, moment, policy, counted, acts=len(found.acts), cut=found.cut, flags=flags
            )
        )


def _is_registered(snapshot: Snapshot, party: str) -> bool:
    """In this spelling: the subject of a registration has capitals only."""
    facts = snapshot.evidence(concerns.party_subject(party)).facts
    return any(isinstance(fact.data, PartyRegistered) and fact.data.party == party for fact in facts)


def _unknown(party: str, why: str) -> Problem:
    reason = Reason(
        "UNKNOWN", "id", why, "Send a party's code as its registration spells it: capitals are not the same."
    )
    return Problem("not-found", f"There is no control record of {party}.", errors=[reason])

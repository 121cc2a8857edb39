"""Answers about the system itself."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.custody.core.rules import RULES
from services.custody.core.verdict import RULESET
from services.query import questions, responses
from services.query.repository import Repository
from services.query.routes.asking import ANYBODY, EVENTS, told


def add(routes: APIRouter, repository: Repository, build: str) -> None:
    """Add these routes."""

    @routes.get(
        "/v1/progress",
        dependencies=[EVENTS],
        tags=["system"],
        operation_id="show_progress",
        **told(responses.ProgressAnswer, 400),
    )
    def show_progress(
        until: Annotated[
            str | None, Query(description="A position vector, as the write door's answers tell positions.")
        ] = None,
    ) -> Response:
        """How far projecting and attributing are."""
        target = None if until is None else questions.read_vector(until, field="until")
        with repository.snapshot() as snapshot:
            recorded, waiting = snapshot.recorded(), snapshot.marks().waiting
            goal = recorded if target is None else target
            return responses.respond(
                responses.ProgressAnswer(
                    recorded=None if recorded is None else str(recorded),
                    projected=str(snapshot.projected),
                    record_time=snapshot.record_time,
                    stale=waiting,
                    attributed=None if goal is None else waiting == 0 and snapshot.projected.reaches(goal),
                    flags=responses.flags_of(snapshot),
                )
            )

    @routes.get(
        "/v1/system",
        dependencies=[ANYBODY],
        tags=["system"],
        operation_id="show_system",
        **told(responses.SystemAnswer),
    )
    def show_system() -> Response:
        """Which system is answering, under which rules and by whose clock."""
        with repository.snapshot() as snapshot:
            return responses.respond(
                responses.SystemAnswer(
                    name="lastintact",
                    version=build,
                    ruleset=RULESET,
                    log_id=snapshot.installation.log_id,
                    story_clock=snapshot.installation.story_clock,
                    flags=responses.flags_of(snapshot),
                )
            )

    @routes.get(
        "/v1/rules",
        dependencies=[ANYBODY],
        tags=["system"],
        operation_id="list_rules",
        **told(responses.RulesAnswer),
    )
    def list_rules() -> Response:
        """The rules by name, so that one can be told which of them spoke."""
        with repository.snapshot() as snapshot:
            flags = responses.flags_of(snapshot)
        return responses.respond(responses.RulesAnswer(ruleset=RULESET, rules=tuple(RULES), flags=flags))

"""The read door's routes: read the question, take one snapshot, let the core answer, tell it."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from schemas.errors import Reason, Undecodable
from schemas.positions import parse_positions
from services.custody.core import attribution
from services.custody.core.concerns import is_registry
from services.custody.core.facts import Evidence
from services.custody.core.history import history, numbered
from services.custody.core.rules import RULES
from services.custody.core.timeline import timeline
from services.custody.core.verdict import RULESET, Finding, Verdict
from services.edge.problems import MEDIA_TYPE, Problem
from services.edge.roles import Role, allow
from services.query import questions, responses
from services.query.questions import CaseKey, EventKey, Key
from services.query.repository import Moment, Repository, Snapshot

PAGE_MAX = 200
_PAGE = 50

_CLAIMS = Depends(allow(Role.CLAIMS, Role.ADMIN))
_EVENTS = Depends(allow(Role.CLAIMS, Role.OPS, Role.ADMIN))
_ANYBODY = Depends(allow(Role.SCANNER, Role.CLAIMS, Role.OPS, Role.ADMIN))

AsOfText = Annotated[
    str | None,
    Query(
        alias="as_of",
        description="The moment that is asked about: an RFC 3339 time with a zone, or a position vector such as "
        "`0:123,1:77` (partitions left out: nothing of them). Default: everything that is projected now.",
    ),
]
Cursor = Annotated[str | None, Query(description="`next` of the page before, unchanged.", max_length=2000)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many at most.")]


def _only_known_parameters(request: Request) -> None:
    """A misspelt parameter that nobody reads would give the answer to another question."""
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise Undecodable(
                f"there is no parameter {name[:40]!r} here",
                field=name[:40],
                remedy=f"Known here: {', '.join(sorted(known))}." if known else "Leave it out; none are known here.",
            )
        if len(request.query_params.getlist(name)) > 1:
            raise Undecodable(f"{name} is sent twice", field=name, remedy="Send it once.")


def _told(answer: type[msgspec.Struct], *problems: int) -> dict[str, Any]:
    """What a route declares for the OpenAPI document: its answer and its problems."""
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    described = {400: "The question cannot be read.", 404: "There is no such thing on record."}
    return {
        "response_class": Response,
        "responses": {
            200: {
                "description": (answer.__doc__ or "").partition("\n")[0],
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}},
            },
            **{status: {"description": described[status], **problem} for status in problems},
            # FastAPI would describe its own body here; ours is a problem like every other.
            422: {"description": "A parameter is not acceptable.", **problem},
            "default": {"description": "Any other problem.", **problem},
        },
    }


def router(repository: Repository, build: str) -> APIRouter:
    """Every route of the read door over one repository. `build` is the version that it tells of itself."""
    routes = APIRouter(dependencies=[Depends(_only_known_parameters)])

    # A code may be sent as a GS1 Digital Link, so an id may hold slashes; the longer paths are matched first.
    @routes.get(
        "/v1/parcels/{id:path}/verdicts/history",
        dependencies=[_CLAIMS],
        tags=["parcels"],
        operation_id="show_history",
        **_told(responses.HistoryAnswer, 400, 404),
    )
    def show_history(id: str, as_of: AsOfText = None) -> Response:  # noqa: A002 - the path's own word
        """How the answers about a parcel came to be: each version, and the event that made it."""
        with repository.snapshot() as snapshot:
            subject, moment, evidence = _question(snapshot, id, as_of)
            about = responses.about(subject, moment, snapshot)
        versions = tuple(
            msgspec.structs.replace(version, verdict=_provisional(version.verdict, moment))
            for version in history(evidence, moment.as_of)
        )
        return responses.respond(responses.HistoryAnswer(**about, versions=versions))

    @routes.get(
        "/v1/parcels/{id:path}/verdicts",
        dependencies=[_CLAIMS],
        tags=["parcels"],
        operation_id="show_verdicts",
        **_told(responses.VerdictsAnswer, 400, 404),
    )
    def show_verdicts(
        id: str,  # noqa: A002
        as_of: AsOfText = None,
        finding: Annotated[str | None, Query(description="Ask about one finding: DAMAGE, LOSS, ...")] = None,
        component: Annotated[str | None, Query(description="Of which part; default: the whole item.")] = None,
        damage: Annotated[str | None, Query(description="Of which mechanism; default: any.")] = None,
        severity: Annotated[str | None, Query(description="Of which severity; default: any.")] = None,
    ) -> Response:
        """Who was last to see it intact, and whom the rules then hold liable, with the evidence for it."""
        asked = questions.read_finding(finding, component, damage, severity)
        with repository.snapshot() as snapshot:
            subject, moment, evidence = _question(snapshot, id, as_of)
            about = responses.about(subject, moment, snapshot)
        verdicts = _verdicts(evidence, moment, asked)
        return responses.respond(responses.VerdictsAnswer(**about, asked=asked, verdicts=verdicts))

    @routes.get(
        "/v1/parcels/{id:path}/timeline",
        dependencies=[_CLAIMS],
        tags=["parcels"],
        operation_id="show_timeline",
        **_told(responses.TimelineAnswer, 400, 404),
    )
    def show_timeline(id: str, as_of: AsOfText = None) -> Response:  # noqa: A002
        """Who held the parcel when, where nobody did, and who looked at it."""
        with repository.snapshot() as snapshot:
            subject, moment, evidence = _question(snapshot, id, as_of)
            about = responses.about(subject, moment, snapshot)
        return responses.respond(responses.TimelineAnswer(**about, timeline=timeline(evidence, moment.as_of)))

    @routes.get(
        "/v1/parcels/{id:path}",
        dependencies=[_CLAIMS],
        tags=["parcels"],
        operation_id="show_parcel",
        **_told(responses.ParcelAnswer, 400, 404),
    )
    def show_parcel(id: str, as_of: AsOfText = None) -> Response:  # noqa: A002
        """A parcel at a glance."""
        with repository.snapshot() as snapshot:
            subject, moment, evidence = _question(snapshot, id, as_of)
            about = responses.about(subject, moment, snapshot)
        return responses.respond(responses.parcel(about, evidence, moment.as_of, _verdicts(evidence, moment, None)))

    @routes.get(
        "/v1/events",
        dependencies=[_EVENTS],
        tags=["events"],
        operation_id="list_events",
        **_told(responses.EventsAnswer, 400),
    )
    def list_events(
        subject: Annotated[str, Query(description="The parcel, unit, device or party, in any spelling.")],
        since: Annotated[str | None, Query(description="Recorded at this RFC 3339 time or later.")] = None,
        cursor: Cursor = None,
        limit: Limit = _PAGE,
    ) -> Response:
        """Every record about a subject in the order of recording, repeats, conflicts and unreadable ones included."""
        canonical = questions.read_subject(subject)
        begin = None if since is None else questions.read_instant(since, field="since")
        asked = ("about", canonical, None if begin is None else begin.isoformat())
        with repository.snapshot() as snapshot:
            found = snapshot.events_about(canonical, begin, _after(cursor, asked, EventKey), limit + 1)
            return responses.respond(_page_of_events(found, asked, limit, snapshot))

    @routes.get(
        "/v1/events/{id:path}",
        dependencies=[_EVENTS],
        tags=["events"],
        operation_id="show_event",
        **_told(responses.EventsAnswer, 400, 404),
    )
    def show_event(id: str, cursor: Cursor = None, limit: Limit = _PAGE) -> Response:  # noqa: A002
        """Every record with this event id, as recorded: ids are unique to a source, so there may be several."""
        if "\0" in id:
            raise Problem("unknown-event", "No event id holds a NUL character.")
        asked = ("id", id)
        with repository.snapshot() as snapshot:
            found = snapshot.events_with_id(id, _after(cursor, asked, EventKey), limit + 1)
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
        "/v1/cases",
        dependencies=[_CLAIMS],
        tags=["cases"],
        operation_id="list_cases",
        **_told(responses.CasesAnswer, 400),
    )
    def list_cases(
        kind: Annotated[str | None, Query(description="With a finding of this kind.")] = None,
        outcome: Annotated[str | None, Query(description="Whose first verdict has this outcome.")] = None,
        confidence: Annotated[str | None, Query(description="Whose first verdict is this sure.")] = None,
        party: Annotated[str | None, Query(description="Whose verdicts rest on this party.")] = None,
        cursor: Cursor = None,
        limit: Limit = _PAGE,
    ) -> Response:
        """Parcels with a finding, last opened first.

        A walk through the pages shows each case that is there throughout exactly once, whatever is added meanwhile.
        """
        wanted = questions.read_case_filter(kind, outcome, confidence, party)
        asked = ("cases", *wanted)
        with repository.snapshot() as snapshot:
            found = snapshot.cases(wanted, _after(cursor, asked, CaseKey), limit + 1)
            more = len(found) > limit
            page = found[:limit]
            return responses.respond(
                responses.CasesAnswer(
                    cases=tuple(responses.case(row) for row in page),
                    next=questions.write_cursor(asked, page[-1].key) if more else None,
                    flags=responses.flags_of(snapshot),
                )
            )

    @routes.get(
        "/v1/progress",
        dependencies=[_EVENTS],
        tags=["system"],
        operation_id="show_progress",
        **_told(responses.ProgressAnswer, 400),
    )
    def show_progress(
        until: Annotated[
            str | None, Query(description="A position vector, as the write door's answers tell positions.")
        ] = None,
    ) -> Response:
        """How far projecting and attributing are."""
        target = None if until is None else parse_positions(until, field="until")
        with repository.snapshot() as snapshot:
            recorded, waiting = snapshot.recorded(), snapshot.stale()
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
        dependencies=[_ANYBODY],
        tags=["system"],
        operation_id="show_system",
        **_told(responses.SystemAnswer),
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
        dependencies=[_ANYBODY],
        tags=["system"],
        operation_id="list_rules",
        **_told(responses.RulesAnswer),
    )
    def list_rules() -> Response:
        """The rules by name, so that one can be told which of them spoke."""
        with repository.snapshot() as snapshot:
            flags = responses.flags_of(snapshot)
        return responses.respond(responses.RulesAnswer(ruleset=RULESET, rules=tuple(RULES), flags=flags))

    return routes


def _question(snapshot: Snapshot, id_text: str, as_of: str | None) -> tuple[str, Moment, Evidence]:
    """The parcel, the moment and the evidence known then; 404 when nothing of the parcel was."""
    subject = questions.read_subject(id_text)
    if is_registry(subject):
        raise Problem(
            "unknown-parcel",
            f"{subject} is a registered thing, not a parcel. Its events are at /v1/events?subject={subject}.",
        )
    moment = snapshot.moment(questions.read_as_of(as_of))
    evidence = snapshot.evidence(subject)
    known = evidence.known_at(moment.as_of)
    if not known.facts and not known.parked:
        raise _unknown_parcel(subject, evidence)
    return subject, moment, evidence


def _unknown_parcel(subject: str, evidence: Evidence) -> Problem:
    recorded = [fact.record_time for fact in evidence.facts] + [parked.record_time for parked in evidence.parked]
    if recorded:
        first = min(recorded).isoformat().replace("+00:00", "Z")
        return Problem(
            "unknown-parcel",
            f"Nothing about {subject} had been recorded by then; the first record was made at {first}.",
            errors=[Reason("NOT_YET", "as_of", "It lies before the first record.", f"Ask as of {first} or later.")],
        )
    return Problem(
        "unknown-parcel",
        f"Nothing about {subject} is projected.",
        errors=[
            Reason(
                code="UNKNOWN",
                field="id",
                detail="No event names this issuer and code.",
                remedy="Check the issuer before the colon and the digits after it; a swapped digit is another parcel. "
                "A scan that was just recorded is seen once /v1/progress has passed its position.",
            )
        ],
    )


def _verdicts(evidence: Evidence, moment: Moment, asked: Finding | None) -> tuple[Verdict, ...]:
    if asked is None:
        found: tuple[Verdict, ...] = attribution.verdicts(evidence, moment.as_of)
    else:
        one = attribution.assess(evidence, moment.as_of, asked)
        found = () if one is None else (one,)
    told = (numbered(evidence, moment.as_of, verdict) for verdict in found)
    return tuple(msgspec.structs.replace(verdict, provisional=moment.provisional) for verdict in told)


def _provisional(verdict: Verdict | None, moment: Moment) -> Verdict | None:
    return None if verdict is None else msgspec.structs.replace(verdict, provisional=moment.provisional)


def _after(text: str | None, asked: tuple[str | None, ...], kind: type[Key]) -> Key | None:
    try:
        return questions.read_cursor(text, asked, kind)
    except Undecodable as error:
        reason = Reason("UNREADABLE", error.field, error.reason, error.remedy)
        raise Problem("bad-cursor", error.reason, errors=[reason]) from error


def _page_of_events(
    found: list[Any], asked: tuple[str | None, ...], limit: int, snapshot: Snapshot
) -> responses.EventsAnswer:
    page = found[:limit]
    return responses.EventsAnswer(
        events=tuple(responses.recorded_event(stored) for stored in page),
        next=questions.write_cursor(asked, EventKey(*page[-1].position)) if len(found) > limit else None,
        flags=responses.flags_of(snapshot),
    )

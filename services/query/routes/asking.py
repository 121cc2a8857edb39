"""What the routes share: who may ask, what a question's parameters mean, and the parcel that it is about."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Query, Request
from starlette.responses import Response

from schemas.errors import Reason, Undecodable
from services.custody.core.concerns import is_registry, policy_subject
from services.custody.core.facts import Evidence, Fact
from services.custody.core.journeys import cut
from services.edge.problems import MEDIA_TYPE, Problem
from services.edge.roles import Role, allow
from services.query import questions
from services.query.questions import Key
from services.query.repository import Moment, Question, Snapshot

DEFAULT_POLICY = "DEFAULT"
"""The tenant's own settings, and nothing on top of them."""

PAGE_MAX = 200
PAGE = 50

CLAIMS = Depends(allow(Role.CLAIMS, Role.ADMIN))
EVENTS = Depends(allow(Role.CLAIMS, Role.OPS, Role.ADMIN))
ANYBODY = Depends(allow(Role.SCANNER, Role.CLAIMS, Role.OPS, Role.ADMIN))

AsOfText = Annotated[
    str | None,
    Query(
        alias="as_of",
        description="The moment that is asked about: an RFC 3339 time with a zone, or a position vector such as "
        "`0:123,1:77` (partitions left out: nothing of them). Default: everything that is projected now.",
    ),
]
Journey = Annotated[
    int | None,
    Query(ge=1, le=9999, description="Which journey of the code, from 1: carriers use codes again. Default: the last."),
]
PolicyCode = Annotated[
    str | None,
    Query(description="What would follow if the contract went by these settings; flagged POLICY_ASKED, never cached."),
]
Cursor = Annotated[str | None, Query(description="`next` of the page before, unchanged.", max_length=2000)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many at most.")]


def only_known_parameters(request: Request) -> None:
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


def told(answer: type[msgspec.Struct], *problems: int) -> dict[str, Any]:
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
            304: {"description": "Nothing changed since the answer whose ETag was sent."},
            **{status: {"description": described[status], **problem} for status in problems},
            # FastAPI would describe its own body here; ours is a problem like every other.
            422: {"description": "A parameter is not acceptable.", **problem},
            "default": {"description": "Any other problem.", **problem},
        },
    }


def told_bytes(what: str, *problems: int, media_type: str = "application/octet-stream") -> dict[str, Any]:
    """The same for a route that answers with something else than JSON."""
    declared = told(msgspec.Struct, *problems)
    content = {media_type: {"schema": {"type": "string"}}}
    return declared | {"responses": declared["responses"] | {200: {"description": what, "content": content}}}


def question(
    snapshot: Snapshot,
    id_text: str,
    as_of: str | None,
    journey: int | None = None,
    policy: str | None = None,
    *,
    field: str = "as_of",
    there: bool = False,
) -> Question:
    """What is asked about; 404 when nothing of the parcel, or no such journey of its code, was known then.

    `field` is the parameter that names the moment. `there`: it is known by what others say of it, as a unit is into
    which something was packed.
    """
    subject = questions.read_subject(id_text)
    if is_registry(subject):
        raise Problem(
            "unknown-parcel",
            f"{subject} is a registered thing, not a parcel. Its events are at /v1/events?subject={subject}.",
        )
    moment = snapshot.moment(questions.read_as_of(as_of, field=field))
    evidence = snapshot.evidence(subject)
    known = evidence.known_at(moment.as_of)
    if not known.facts and not known.parked and not there:
        raise _unknown_parcel(subject, evidence)
    supposed = None if policy is None else questions.read_policy(policy)
    if supposed is not None:
        settings = _settings(snapshot, supposed, moment)
        evidence = replace(evidence, policy=supposed, registry=(*evidence.registry, *settings))
    journeys = cut(evidence, moment.as_of)
    wanted = len(journeys) if journey is None else journey
    if wanted > len(journeys):
        reason = Reason(
            code="NO_SUCH_JOURNEY",
            field="journey",
            detail=f"This code had {len(journeys)} by then.",
            remedy="Count them from 1, the first use of the code; leave it out for the last one.",
        )
        raise Problem("unknown-parcel", f"{subject} had no journey {wanted} by then.", errors=[reason])
    return Question(subject, moment, journeys[wanted - 1], len(journeys), supposed)


def _settings(snapshot: Snapshot, policy: str, moment: Moment) -> tuple[Fact, ...]:
    if policy == DEFAULT_POLICY:
        return ()
    settings = snapshot.evidence(policy_subject(policy)).known_at(moment.as_of).facts
    if not settings:
        raise Undecodable(
            f"no settings are recorded under {policy} by then",
            field="policy",
            remedy=f"Send the code of a policy that is set, or {DEFAULT_POLICY} for the tenant's own settings alone.",
        )
    return settings


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


def after(text: str | None, asked: tuple[str | None, ...], kind: type[Key]) -> Key | None:
    try:
        return questions.read_cursor(text, asked, kind)
    except Undecodable as error:
        reason = Reason("UNREADABLE", error.field, error.reason, error.remedy)
        raise Problem("bad-cursor", error.reason, errors=[reason]) from error

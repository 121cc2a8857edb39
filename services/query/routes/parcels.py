"""Answers about one parcel, as of any moment: at a glance, who held it, whom the rules hold, how that came to be."""

from typing import Annotated, overload

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from schemas.errors import Undecodable
from schemas.positions import AsOf
from services.custody.core.attribution import judge, judge_all
from services.custody.core.changes import changes
from services.custody.core.ground import lay
from services.custody.core.history import history, numbered
from services.custody.core.sequences import shown, windows
from services.custody.core.timeline import timeline
from services.custody.core.union import united
from services.custody.core.verdict import Finding, Verdict
from services.query import questions, responses
from services.query.repository import Moment, Question, Repository, numbers
from services.query.routes.asking import CLAIMS, AsOfText, Journey, PolicyCode, question, told


def add(routes: APIRouter, repository: Repository) -> None:
    """Add these routes."""

    # A code may be sent as a GS1 Digital Link, so an id may hold slashes; the longer paths are matched first.
    @routes.get(
        "/v1/parcels/{id:path}/verdicts/history",
        dependencies=[CLAIMS],
        tags=["parcels"],
        operation_id="show_history",
        **told(responses.HistoryAnswer, 400, 404),
    )
    def show_history(id: str, as_of: AsOfText = None, journey: Journey = None, policy: PolicyCode = None) -> Response:  # noqa: A002 - the path's own word
        """How the answers about a parcel came to be: each version, and the event that made it."""
        with repository.snapshot() as snapshot:
            asking = question(snapshot, id, as_of, journey, policy)
            about = responses.about(asking, snapshot)
        versions = tuple(
            msgspec.structs.replace(version, verdict=_provisional(version.verdict, asking.moment))
            for version in history(asking.evidence, asking.moment.as_of)
        )
        return responses.respond(responses.HistoryAnswer(**about, versions=versions))

    @routes.get(
        "/v1/parcels/{id:path}/verdicts/changes",
        dependencies=[CLAIMS],
        tags=["parcels"],
        operation_id="show_changes",
        **told(responses.ChangesAnswer, 400, 404),
    )
    def show_changes(
        id: str,  # noqa: A002
        since: Annotated[str, Query(description="What is known to the reader: a moment, as in `as_of`.")],
        until: Annotated[str | None, Query(description="The later moment; default: everything projected now.")] = None,
        journey: Journey = None,
    ) -> Response:
        """What changed between two moments, change by change, with the event that made it and the reason in words."""
        with repository.snapshot() as snapshot:
            asking = question(snapshot, id, until, journey, field="until")
            before = snapshot.moment(questions.read_as_of(since, field="since"))
            about = responses.about(asking, snapshot)
        known, asked = before.as_of, asking.moment.as_of
        if not _comes_after(asked, known):
            raise Undecodable(
                "since is not before until", field="since", remedy="Send the earlier of the two moments as since."
            )
        return responses.respond(
            responses.ChangesAnswer(**about, since=known.time, changes=changes(asking.evidence, known, asked))
        )

    @routes.get(
        "/v1/parcels/{id:path}/verdicts/union",
        dependencies=[CLAIMS],
        tags=["parcels"],
        operation_id="show_union",
        **told(responses.VerdictsAnswer, 400, 404),
    )
    def show_union(
        id: str,  # noqa: A002
        of: Annotated[
            str, Query(description="The findings, with commas: DAMAGE/whole/wet/any,DAMAGE/whole/crush/any.")
        ],
        as_of: AsOfText = None,
        journey: Journey = None,
        policy: PolicyCode = None,
    ) -> Response:
        """One answer for a result of several blows that cannot be divided (R35): their parts are named in it."""
        parts = questions.read_findings(of)
        with repository.snapshot() as snapshot:
            asking = question(snapshot, id, as_of, journey, policy)
            about = responses.about(asking, snapshot)
        verdict = united(lay(asking.evidence, asking.moment.as_of), parts)
        verdicts = () if verdict is None else (_provisional(verdict, asking.moment),)
        return responses.respond(responses.VerdictsAnswer(**about, asked=None, verdicts=verdicts))

    @routes.get(
        "/v1/parcels/{id:path}/verdicts",
        dependencies=[CLAIMS],
        tags=["parcels"],
        operation_id="show_verdicts",
        **told(responses.VerdictsAnswer, 400, 404),
    )
    def show_verdicts(
        id: str,  # noqa: A002
        as_of: AsOfText = None,
        finding: Annotated[str | None, Query(description="Ask about one finding: DAMAGE, LOSS, ...")] = None,
        component: Annotated[str | None, Query(description="Of which part; default: the whole item.")] = None,
        damage: Annotated[str | None, Query(description="Of which mechanism; default: any.")] = None,
        severity: Annotated[str | None, Query(description="Of which severity; default: any.")] = None,
        piece: Annotated[str | None, Query(description="Of which piece of a consignment; default: all.")] = None,
        journey: Journey = None,
        policy: PolicyCode = None,
    ) -> Response:
        """Who was last to see it intact, and whom the rules then hold liable, with the evidence for it."""
        asked = questions.read_finding(finding, component, damage, severity, piece)
        with repository.snapshot() as snapshot:
            asking = question(snapshot, id, as_of, journey, policy)
            about = responses.about(asking, snapshot)
            missing = snapshot.read(numbers.near, windows(asking.evidence.facts), asking.moment.as_of)
        verdicts = tuple(shown(verdict, missing) for verdict in _verdicts(asking, asked))
        return responses.respond(responses.VerdictsAnswer(**about, asked=asked, verdicts=verdicts))

    @routes.get(
        "/v1/parcels/{id:path}/timeline",
        dependencies=[CLAIMS],
        tags=["parcels"],
        operation_id="show_timeline",
        **told(responses.TimelineAnswer, 400, 404),
    )
    def show_timeline(id: str, as_of: AsOfText = None, journey: Journey = None, policy: PolicyCode = None) -> Response:  # noqa: A002
        """Who held the parcel when, where nobody did, and who looked at it."""
        with repository.snapshot() as snapshot:
            asking = question(snapshot, id, as_of, journey, policy)
            about = responses.about(asking, snapshot)
        return responses.respond(
            responses.TimelineAnswer(**about, timeline=timeline(asking.evidence, asking.moment.as_of))
        )

    @routes.get(
        "/v1/parcels/{id:path}",
        dependencies=[CLAIMS],
        tags=["parcels"],
        operation_id="show_parcel",
        **told(responses.ParcelAnswer, 400, 404),
    )
    def show_parcel(id: str, as_of: AsOfText = None, journey: Journey = None, policy: PolicyCode = None) -> Response:  # noqa: A002
        """A parcel at a glance."""
        with repository.snapshot() as snapshot:
            asking = question(snapshot, id, as_of, journey, policy)
            about = responses.about(asking, snapshot)
        return responses.respond(responses.parcel(about, asking.evidence, asking.moment.as_of, _verdicts(asking, None)))


def _verdicts(asking: Question, asked: Finding | None) -> tuple[Verdict, ...]:
    evidence, as_of = asking.evidence, asking.moment.as_of
    ground = lay(evidence, as_of)
    if asked is None:
        found: tuple[Verdict, ...] = judge_all(ground)
    else:
        one = judge(ground, asked)
        found = () if one is None else (one,)
    if asking.policy is None:
        # What would follow under other settings has no history: it never stood.
        found = tuple(numbered(evidence, as_of, verdict) for verdict in found)
    return tuple(msgspec.structs.replace(verdict, provisional=asking.moment.provisional) for verdict in found)


def _comes_after(later: AsOf, earlier: AsOf) -> bool:
    """Whether the later moment knows all that the earlier one does."""
    if earlier.time > later.time:
        return False
    return later.positions is None or earlier.positions is None or later.positions.reaches(earlier.positions)


@overload
def _provisional(verdict: Verdict, moment: Moment) -> Verdict: ...
@overload
def _provisional(verdict: None, moment: Moment) -> None: ...
def _provisional(verdict: Verdict | None, moment: Moment) -> Verdict | None:
    return None if verdict is None else msgspec.structs.replace(verdict, provisional=moment.provisional)

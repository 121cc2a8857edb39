"""What answers have in common: their bytes, their flags, and what every answer about a parcel says of itself."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

from services.custody.core.verdict import RULESET, Finding, Share, Verdict
from services.query.repository import Question, Snapshot

STORY_CLOCK = "STORY_CLOCK"
"""Flag of every answer of a system whose record times came from requests: stories, never evidence."""

POLICY_ASKED = "POLICY_ASKED"
"""Flag of an answer under settings that the question named: what would follow, not what stands."""

encoder = msgspec.json.Encoder(order="deterministic")


class Answer(Struct, frozen=True, kw_only=True):
    """What every answer about a parcel says of itself."""

    subject: str
    """The parcel or unit in canonical form, whatever spelling was asked."""
    journey: int
    """Which journey of the code this is about."""
    journeys: int
    """How many journeys the code has had by then; carriers use codes again."""
    as_of: datetime
    positions: str | None
    """Send this as `as_of` for the same answer again; null: `as_of` alone gives it for ever."""
    provisional: bool
    """True until every partition is read past `as_of`: what is still to come may change the answer."""
    ruleset: str
    flags: tuple[str, ...] = ()


class VerdictHead(Struct, frozen=True, kw_only=True):
    """A verdict in one line."""

    finding: Finding
    outcome: str
    liable: tuple[Share, ...]
    confidence: str


def respond(answer: Struct) -> Response:
    """The response that holds this answer. Equal answers give equal bytes."""
    return Response(encoder.encode(answer), media_type="application/json")


def flags_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Flags that every answer of this system carries."""
    return (STORY_CLOCK,) if snapshot.installation.story_clock else ()


def about(asking: Question, snapshot: Snapshot) -> dict[str, Any]:
    """The fields of `Answer`."""
    moment = asking.moment
    return {
        "ruleset": RULESET,
        "subject": asking.subject,
        "journey": asking.evidence.journey,
        "journeys": asking.journeys,
        "as_of": moment.as_of.time,
        "positions": None if moment.positions is None else str(moment.positions),
        "provisional": moment.provisional,
        "flags": (*flags_of(snapshot), *(() if asking.policy is None else (POLICY_ASKED,))),
    }


def head(verdict: Verdict) -> VerdictHead:
    """The verdict's first line."""
    return VerdictHead(
        finding=verdict.finding, outcome=verdict.outcome, liable=verdict.liable, confidence=verdict.confidence
    )

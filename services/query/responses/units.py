"""Answers about a unit: what is or was inside, what held the unit itself, its seals, and what happened to it."""

from datetime import datetime

from msgspec import Struct

from schemas.events import Scan, SealApplied, SealChecked
from schemas.positions import AsOf
from schemas.vocabulary import Condition, Facet, UnitKind
from services.custody.core.case import Ground
from services.custody.core.concerns import acting_party
from services.custody.core.containment import Stay
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.incidents import Seen
from services.custody.core.journeys import cut
from services.custody.core.timeline import Timeline
from services.query.responses.base import Answer

INCIDENTS_MAX = 100
"""Told in one answer: each is counted by a query of its own."""


class Inside(Struct, frozen=True, kw_only=True):
    """A time in a unit."""

    unit: str
    kind: UnitKind
    since: datetime
    until: datetime | None
    """Null: still inside, as far as is known."""
    ended: str | None
    """`unpacked`: recorded; `implied`: inferred by R9h, from `ended_by` where it is an event; null: still inside."""
    packed_by: str
    """Id of the event that put it in."""
    ended_by: str | None


class Content(Struct, frozen=True, kw_only=True):
    """An item that was put into the unit, and when it was inside."""

    subject: str
    stays: tuple[Inside, ...]
    """Empty: it was packed by a record that does not count, such as one that was taken back."""


class SealEvent(Struct, frozen=True, kw_only=True):
    """A seal applied, or looked at."""

    event: str
    position: str
    t: datetime
    party: str | None
    what: str
    """`applied`, `checked`, or `read` in the course of another act."""
    number: str | None
    match: bool | None
    condition: Condition | None
    """What was seen of the seal; null: nothing was said."""


class UnitIncident(Struct, frozen=True, kw_only=True):
    """Something that happened to the unit, told once for all that was inside."""

    incident: str
    event: str
    position: str
    t: datetime
    party: str | None
    inside: int
    """How many items were inside then by what was recorded."""


class UnitAnswer(Answer, frozen=True, kw_only=True):
    """A unit: its contents page by page, where it was itself, its seals and its incidents."""

    items: int
    """How many items were ever packed into it by then."""
    contents: tuple[Content, ...]
    """In the order of their codes."""
    next: str | None
    """Send it as `cursor` for the next contents, as of the same moment; null: these were the last."""
    within: tuple[Inside, ...]
    """In which other units it was itself, the nearest first."""
    timeline: Timeline
    """Who held the unit; what was inside has these events in its own timeline."""
    seals: tuple[SealEvent, ...]
    incidents: tuple[UnitIncident, ...]


def content(item: str, evidence: Evidence, unit: str, as_of: AsOf) -> Content:
    """When an item was in a unit, over all journeys of its code."""
    stays = [
        inside(stay, as_of)
        for journey in cut(evidence, as_of)
        for stay in lay(journey, as_of).contained.of_unit(unit)
        if stay.depth == 1 and stay.packed.subject == item
    ]
    return Content(subject=item, stays=tuple(sorted(stays, key=lambda stay: stay.since)))


def inside(stay: Stay, as_of: AsOf) -> Inside:
    """A stay as it is told. An end that lies ahead is the latest that it may have, not one that it had."""
    over = stay.until <= as_of.time
    if not over:
        ended, by = None, None
    elif stay.unpacked is not None:
        ended, by = "unpacked", stay.unpacked.id
    else:
        ended, by = "implied", stay.implied_by.id if stay.implied_by is not None else None
    return Inside(
        unit=stay.unit,
        kind=stay.kind,
        since=stay.since,
        until=stay.until if over else None,
        ended=ended,
        packed_by=stay.packed.id,
        ended_by=by,
    )


def within(ground: Ground) -> tuple[Inside, ...]:
    """The units that held it."""
    return tuple(inside(stay, ground.as_of) for stay in ground.contained.stays)


def seals(ground: Ground) -> tuple[SealEvent, ...]:
    """Every seal that was put on it or looked at, in order of time."""
    found = [
        SealEvent(
            event=fact.id,
            position=str(fact.position),
            t=fact.t,
            party=acting_party(fact.data),
            what=_what(fact.data),
            number=fact.data.seal.number if fact.data.seal is not None else None,
            match=fact.data.seal.match if fact.data.seal is not None else None,
            condition=_seen(fact.data),
        )
        for fact in ground.counted
        if isinstance(fact.data, Scan) and (isinstance(fact.data, (SealApplied, SealChecked)) or fact.data.seal)
    ]
    return tuple(sorted(found, key=lambda each: (each.t, each.position)))


def _what(data: Scan) -> str:
    return "applied" if isinstance(data, SealApplied) else "checked" if isinstance(data, SealChecked) else "read"


def _seen(data: Scan) -> Condition | None:
    values = [look.value for look in data.observations if look.facet is Facet.SEAL]
    return Condition.BAD if Condition.BAD in values else values[0] if values else None


def incident(of: Seen, count: int) -> UnitIncident:
    """An incident as it is told."""
    fact = of.fact
    return UnitIncident(
        incident=of.incident.value,
        event=fact.id,
        position=str(fact.position),
        t=fact.t,
        party=acting_party(fact.data),
        inside=count,
    )

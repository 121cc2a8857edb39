"""Answers about one parcel: at a glance, its timeline, its verdicts and how they came to be."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from schemas.events import ParcelAnnounced
from schemas.positions import AsOf
from schemas.vocabulary import RECIPIENT, SENDER
from services.custody.core.changes import Change
from services.custody.core.facts import Evidence
from services.custody.core.history import Version
from services.custody.core.timeline import Timeline, timeline
from services.custody.core.verdict import Finding, Verdict
from services.query.responses.base import Answer, VerdictHead, head


class State(StrEnum):
    """Where a parcel is in its journey, by the record."""

    NOT_TAKEN_OVER = "not_taken_over"  # nobody has taken it from the sender
    IN_CUSTODY = "in_custody"
    DELIVERED = "delivered"
    RETURNED = "returned"  # back with the sender


class EventCounts(Struct, frozen=True, kw_only=True):
    """How many records there are about a parcel, by what they are; repeats are left out."""

    events: int
    conflicts: int
    """Other contents under an identity that was taken: kept, shown, without effect."""
    parked: int
    """Records that this version cannot read: the evidence is incomplete."""


class ParcelAnswer(Answer, frozen=True, kw_only=True):
    """A parcel at a glance."""

    registered: bool
    """Whether paperwork came in: scans may come before it, or without it."""
    custodian: str | None
    """Who has possession by the record; null: no record can be read."""
    state: State
    verdicts: tuple[VerdictHead, ...]
    recorded: EventCounts


class TimelineAnswer(Answer, frozen=True, kw_only=True):
    """Who held it when, and who looked."""

    timeline: Timeline


class VerdictsAnswer(Answer, frozen=True, kw_only=True):
    """Every verdict that stands, or the one about the finding that was asked. None stands: an empty list (R0)."""

    asked: Finding | None
    verdicts: tuple[Verdict, ...]


class HistoryAnswer(Answer, frozen=True, kw_only=True):
    """How the answers came to be: each version, and the event that made it."""

    versions: tuple[Version, ...]


class ChangesAnswer(Answer, frozen=True, kw_only=True):
    """What changed between two moments, in the order in which it happened; `as_of` is the later one."""

    since: datetime
    changes: tuple[Change, ...]


def parcel(about: dict[str, Any], evidence: Evidence, as_of: AsOf, verdicts: Iterable[Verdict]) -> ParcelAnswer:
    """The parcel at a glance, from the same answers that its other pages tell at length."""
    known = evidence.known_at(as_of)
    told = timeline(evidence, as_of)
    conflicts = sum(excluded.why == "CONFLICT" for excluded in told.excluded)
    return ParcelAnswer(
        **about,
        registered=any(isinstance(fact.data, ParcelAnnounced) for fact in known.facts),
        custodian=told.holder if known.facts else None,
        state=_state(told),
        verdicts=tuple(head(verdict) for verdict in verdicts),
        recorded=EventCounts(events=len(known.facts) - conflicts, conflicts=conflicts, parked=len(known.parked)),
    )


def _state(told: Timeline) -> State:
    if len(told.segments) == 1:
        return State.NOT_TAKEN_OVER
    return {RECIPIENT: State.DELIVERED, SENDER: State.RETURNED}.get(told.holder, State.IN_CUSTODY)

"""Journeys: carriers recycle codes, so that the events under one code may be those of one parcel after another."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.events import HandoffAccepted, ParcelAnnounced, ParcelDropped, PolicySet
from schemas.positions import AsOf
from schemas.vocabulary import RECIPIENT, CaptureMode
from services.custody.core.concerns import POLICY
from services.custody.core.facts import Evidence, Fact
from services.custody.core.instants import later

REUSE_AFTER = timedelta(days=365)
"""Twelve months: UPU S10 lets an identifier be used again after that."""

_AHEAD_MAX = timedelta(days=1)


def cut(evidence: Evidence, as_of: AsOf) -> tuple[Evidence, ...]:
    """The evidence about each journey of the code, in order of time, as far as it was recorded by then.

    An announcement or an acceptance more than `reuse_after` after the delivery, or where there is none the last event,
    opens a new one. Records that cannot be read may belong to any, so that each has them. At least one comes back.
    """
    known = evidence.known_at(as_of)
    reuse_after = _reuse_after(known.registry)
    begins = _begins(known.facts, reuse_after)
    if not begins:
        return (known,)
    ends = [*begins, None]
    journeys = []
    for number, (since, until) in enumerate(zip([None, *begins], ends, strict=True), start=1):
        own = [
            fact
            for fact in known.facts
            if (since is None or _place(fact, reuse_after) >= since)
            and (until is None or _place(fact, reuse_after) < until)
        ]
        journeys.append(replace(known, facts=tuple(own), journey=number))
    return tuple(journeys)


def last(evidence: Evidence, as_of: AsOf) -> Evidence:
    """The evidence about the journey that a code stands for at that moment."""
    return cut(evidence, as_of)[-1]


def _begins(facts: Sequence[Fact], reuse_after: timedelta) -> list[datetime]:
    """When each journey but the first begins."""
    found: list[datetime] = []
    ended: datetime | None = None
    delivered = False
    plausible = (fact for fact in facts if _place(fact, reuse_after) == fact.t)
    for fact in sorted(plausible, key=lambda fact: (fact.t, fact.position)):
        if ended is not None and _opens(fact) and fact.t > later(ended, reuse_after):
            found.append(fact.t)
            ended, delivered = None, False
        if _delivers(fact):
            ended, delivered = fact.t, True
        elif not delivered:
            ended = fact.t
    return found


def _place(fact: Fact, reuse_after: timedelta) -> datetime:
    """Where in time a fact belongs: a clock that is wrong by a day ahead or a year behind opens no journey."""
    imported = getattr(fact.data, "mode", None) is CaptureMode.IMPORT
    ahead, behind = fact.t - fact.record_time, fact.record_time - fact.t
    return fact.record_time if ahead > _AHEAD_MAX or (behind > reuse_after and not imported) else fact.t


def _opens(fact: Fact) -> bool:
    """What begins with a parcel: paperwork, or somebody but its recipient taking it."""
    data = fact.data
    return isinstance(data, ParcelAnnounced) or (isinstance(data, HandoffAccepted) and data.taker != RECIPIENT)


def _delivers(fact: Fact) -> bool:
    data = fact.data
    return isinstance(data, ParcelDropped) or (isinstance(data, HandoffAccepted) and data.taker == RECIPIENT)


def _reuse_after(registry: Sequence[Fact]) -> timedelta:
    """The tenant's own setting, as last made: how carriers use codes again is no matter of a contract."""
    told = [
        (fact.order, fact.data.reuse_after_days)
        for fact in registry
        if fact.subject == POLICY and isinstance(fact.data, PolicySet) and fact.data.reuse_after_days is not None
    ]
    return timedelta(days=max(told)[1]) if told else REUSE_AFTER

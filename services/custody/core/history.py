"""The history of the answers: what would have been said after each recorded event, and what made it change."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct, structs

from schemas.positions import AsOf, Position
from services.custody.core import concerns
from services.custody.core.attribution import judge, judge_all
from services.custody.core.case import Ground
from services.custody.core.facts import Evidence, Fact, Parked, Rival
from services.custody.core.ground import lay
from services.custody.core.idle import Standstill
from services.custody.core.instants import ENDLESS, later
from services.custody.core.verdict import Finding, Replaces, Verdict


class Version(Struct, frozen=True, kw_only=True):
    """One answer about one finding, as it stood once an event had been recorded."""

    finding: Finding
    version: int
    record_time: datetime
    because: str | None
    """Id of the event that brought it on; None for a record that this version cannot read."""
    verdict: Verdict | None
    """None: the finding stood no more."""


def history(evidence: Evidence, as_of: AsOf) -> tuple[Version, ...]:
    """Distinct verdicts over the events one by one in (effective record time, position) order, up to `as_of`.

    A new version comes when outcome, liable, confidence, L, U, proved or flags change, when a finding opens, and when
    it stands no more. `replaces` in each verdict names the version before it and the event that made the difference.
    """
    return _told_over_time(evidence.known_at(as_of), judge_all)


def numbered(evidence: Evidence, as_of: AsOf, verdict: Verdict) -> Verdict:
    """The same verdict with its version, and what it replaces, as its finding's history has it.

    Time alone may have changed the answer since the last event: then it is one version further, because of no event.
    """

    def of_this_finding(ground: Ground) -> tuple[Verdict, ...]:
        found = judge(ground, verdict.finding)
        return (found,) if found is not None else ()

    versions = _told_over_time(evidence.known_at(as_of), of_this_finding)
    if not versions:
        return verdict
    last = versions[-1]
    if last.verdict is not None and not _differs(last, verdict):
        return structs.replace(verdict, version=last.version, replaces=last.verdict.replaces)
    return structs.replace(verdict, version=last.version + 1, replaces=Replaces(last.version, None))


def _told_over_time(known: Evidence, ask: Callable[[Ground], tuple[Verdict, ...]]) -> tuple[Version, ...]:
    """Ask after every record that may matter, and keep what was new."""
    told: list[Version] = []
    latest: dict[Finding, Version] = {}
    quiet_until = _quiet_until(known)
    disputed = {rival.identity for rival in known.rivals}
    still: Standstill | None = None
    for record_time, position, because, own in _moments(known):
        if record_time < quiet_until:
            continue
        if own is not None and still is not None and still.goes_on(own):
            continue
        ground = lay(_up_to(known, record_time, position), AsOf(record_time))
        standing = {verdict.finding: verdict for verdict in ask(ground)}
        still = Standstill(ground, standing, disputed)
        for finding in dict.fromkeys((*latest, *standing)):
            previous, verdict = latest.get(finding), standing.get(finding)
            if not _differs(previous, verdict):
                continue
            number = previous.version + 1 if previous is not None else 1
            if verdict is not None:
                replaces = Replaces(previous.version, because) if previous is not None else None
                verdict = structs.replace(verdict, version=number, replaces=replaces)
            latest[finding] = Version(
                finding=finding, version=number, record_time=record_time, because=because, verdict=verdict
            )
            told.append(latest[finding])
    return tuple(told)


def _quiet_until(known: Evidence) -> datetime:
    """Before this nothing can stand: nobody had reported anything (R0), and no deadline can have passed (R10, R22).

    A lower bound, so that asking at every earlier moment, which is most of them, can be left out.
    """
    trouble = [fact.record_time for fact in known.facts if concerns.reports(fact.data)]
    earliest = min((fact.t for fact in known.facts), default=None)
    if earliest is not None:
        waits = [
            hours
            for fact in (*known.facts, *known.registry)
            for hours in (
                getattr(fact.data, "promised_after_hours", None),
                getattr(fact.data, "deemed_lost_hours", None),
            )
            if hours is not None
        ]
        trouble += [later(earliest, timedelta(hours=hours)) for hours in waits]
        trouble += [due for fact in known.facts if (due := getattr(fact.data, "promised_at", None)) is not None]
    return min(trouble, default=ENDLESS)


class _Moment(NamedTuple):
    """A record that could have changed the answer."""

    record_time: datetime
    position: Position
    because: str | None
    """Its event's id; None where this version cannot read it."""
    own: Fact | None
    """The fact, where it is about the subject itself: a registration bears on everything."""


def _moments(known: Evidence) -> list[_Moment]:
    """Every record that could have changed the answer, in the order of recording."""
    unread: list[Rival | Parked] = [*known.rivals, *known.parked]
    moments = {other.position: _Moment(other.record_time, other.position, None, None) for other in unread}
    moments |= {fact.position: _Moment(fact.record_time, fact.position, fact.id, fact) for fact in known.facts}
    moments |= {fact.position: _Moment(fact.record_time, fact.position, fact.id, None) for fact in known.registry}
    return sorted(moments.values(), key=lambda moment: moment[:2])


def _up_to(known: Evidence, record_time: datetime, position: Position) -> Evidence:
    """The evidence up to and including one record."""
    last = (record_time, position)
    return Evidence(
        subject=known.subject,
        facts=tuple(fact for fact in known.facts if (fact.record_time, fact.position) <= last),
        registry=tuple(fact for fact in known.registry if (fact.record_time, fact.position) <= last),
        rivals=tuple(rival for rival in known.rivals if (rival.record_time, rival.position) <= last),
        parked=tuple(parked for parked in known.parked if (parked.record_time, parked.position) <= last),
        signatures=known.signatures,
    )


def _differs(previous: Version | None, verdict: Verdict | None) -> bool:
    before = previous.verdict if previous is not None else None
    if before is None or verdict is None:
        return before is not verdict
    return _told(before) != _told(verdict)


def _told(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.outcome,
        verdict.liable,
        verdict.confidence,
        verdict.L,
        verdict.U,
        verdict.proved,
        frozenset(verdict.flags),
    )

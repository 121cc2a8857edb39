"""PURE. What the read model keeps about one subject beside its events: its case, the history of its answers, its wait.

All of it is a function of the evidence, so the refresher may write it at any time and fsck may compare it at any
other: the answers are those at the latest record time of the evidence itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.events import Event, ParcelRelabelled
from schemas.positions import AsOf, Positions
from services.custody.core import attribution, concerns
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.history import Version, history
from services.custody.core.incidents import incident_of, incidents, names
from services.custody.core.journeys import cut
from services.custody.core.verdict import Verdict

FAR_FUTURE = datetime(9999, 12, 1, tzinfo=UTC)
"""`due` of a wait whose instant is not known yet (concerns.AWAITED)."""


@dataclass(frozen=True, slots=True)
class Case:
    """A row of `parcel_case`, but for the positions, and the history of its answers: one journey of a subject."""

    journey: int
    opened: datetime
    changed: datetime
    verdicts: tuple[Verdict, ...]
    incidents: tuple[str, ...]
    incident_at: datetime | None
    """When the first incident happened: what was inside then is for the store to count."""
    parties: tuple[str, ...]
    rests_on: tuple[str, ...]
    versions: tuple[Version, ...]
    inside: int = 0

    @property
    def columns(self) -> Mapping[str, Any]:
        """The values as the database keeps them."""
        first = self.verdicts[0] if self.verdicts else None
        return {
            "opened": self.opened,
            "changed": self.changed,
            "verdicts": as_json(self.verdicts),
            "kinds": sorted({verdict.finding.kind.value for verdict in self.verdicts}),
            "outcome": first.outcome.value if first else None,
            "confidence": first.confidence.value if first else None,
            "incidents": list(self.incidents),
            "inside": self.inside,
            "parties": list(self.parties),
            "rests_on": list(self.rests_on),
        }

    def holding(self, items: int, units: Iterable[str]) -> "Case":
        """The same with so many items inside, in these units beside the subject: the count rests on them too."""
        return replace(self, inside=items, rests_on=tuple(sorted({*self.rests_on, *units})))


@dataclass(frozen=True, slots=True)
class Wait:
    """A row of `watch`: the next instant at which time alone may change an answer, and which deadline it is."""

    due: datetime
    deadline: str
    since: datetime
    """When somebody took it over; what happened before that may move the instant, and nothing else does."""
    rests_on: tuple[str, ...] = ()
    """Where the instant is unknown: whatever could tell it when something more is recorded about it."""

    @property
    def columns(self) -> Mapping[str, Any]:
        """The values as the database keeps them."""
        return {"due": self.due, "deadline": self.deadline, "since": self.since, "rests_on": list(self.rests_on)}


@dataclass(frozen=True, slots=True)
class Casework:
    """Everything that follows from one subject's evidence. No cases: there is nothing for anybody to work on."""

    cases: tuple[Case, ...] = ()
    """At most one per journey."""
    watch: Wait | None = None
    """Of the last journey."""

    @property
    def case(self) -> Case | None:
        """The case about the latest journey that has one."""
        return self.cases[-1] if self.cases else None

    @property
    def case_rows(self) -> Mapping[int, Mapping[str, Any]]:
        """The rows of `parcel_case`, by journey."""
        return {case.journey: case.columns for case in self.cases}

    @property
    def version_rows(self) -> Mapping[tuple[int, str, int], Mapping[str, Any]]:
        """The rows of `verdict_version`, by journey, finding and version."""
        return {
            (case.journey, str(version.finding), version.version): {
                "record_time": version.record_time,
                "because": version.because,
                "verdict": None if version.verdict is None else as_json(version.verdict),
            }
            for case in self.cases
            for version in case.versions
        }


def casework(evidence: Evidence, positions: Positions | None) -> Casework:
    """Answer everything that may be asked about the subject. `positions` are those that the evidence was loaded to."""
    as_of = latest(evidence, positions)
    if as_of is None or evidence.subject != filed_under(evidence):
        return Casework()
    journeys = cut(evidence, as_of)
    cases = (_case(journey, as_of) for journey in journeys)
    return Casework(tuple(case for case in cases if case is not None), _wait(journeys[-1], as_of))


def filed_under(evidence: Evidence) -> str:
    """The label under which a parcel is worked on: the one that it was given last, so that it is listed once."""
    joined = concerns.labels(evidence.subject, evidence.facts)
    given = [
        (fact.t, fact.order, label)
        for fact in evidence.facts
        if isinstance(fact.data, ParcelRelabelled) and (label := concerns.canonical(fact.data.new)) in joined
    ]
    return max(given)[2] if given else evidence.subject


def opens(data: Event) -> bool:
    """Whether a subject with such an event may have a case; without any it has none, and nothing is computed."""
    return concerns.opens(data) or incident_of(data) is not None


def _wait(evidence: Evidence, as_of: AsOf) -> Wait | None:
    due = attribution.next_deadline(evidence, as_of)
    if due is None and not concerns.promised(evidence.facts):
        return None
    since = lay(evidence, as_of).scene.chain.taken_over_at
    if due is not None:
        return Wait(*due, since or FAR_FUTURE)
    # No deadline runs before somebody has the parcel. Every event of it is looked at until then.
    return Wait(FAR_FUTURE, concerns.AWAITED, FAR_FUTURE, rests_on(evidence)) if since is None else None


def _case(evidence: Evidence, as_of: AsOf) -> Case | None:
    """The case about one journey.

    It stays open for the list of cases while something stands, has stood, or was reported and does not count (a
    registration may change that).
    """
    opening = [fact.record_time for fact in evidence.facts if opens(fact.data)]
    if not opening:
        return None
    told = incidents(lay(evidence, as_of))
    versions = tuple(history(evidence, as_of))
    times = [version.record_time for version in versions] + [seen.fact.record_time for seen in told]
    if not times:
        reported = [
            fact.record_time for fact in evidence.facts if concerns.reports(fact.data) or incident_of(fact.data)
        ]
        times = [min(reported)] if reported else []
    if not times:
        return None
    return Case(
        journey=evidence.journey,
        opened=min(times),
        changed=max(times),
        verdicts=attribution.verdicts(evidence, as_of),
        incidents=names(told),
        incident_at=told[0].fact.t if told else None,
        parties=tuple(sorted(_parties(evidence))),
        rests_on=rests_on(evidence),
        versions=versions,
    )


def rests_on(evidence: Evidence) -> tuple[str, ...]:
    """Every subject beside its own that the answer may change with, sorted: whatever was loaded, and where to look."""
    facts = (*evidence.facts, *evidence.unit_facts)
    named = {other for fact in facts for other, _ in concerns.mentions(fact.subject, fact.data)}
    found = {
        *concerns.devices(facts),
        *(concerns.party_subject(party) for party in _parties(evidence)),
        *concerns.policies(evidence.facts),
        *concerns.sites(facts),
        *(fact.subject for fact in facts),
        *named,
        *(subject for other in evidence.linked for subject in rests_on(other)),
    }
    return tuple(sorted(found - {evidence.subject}))


def _parties(evidence: Evidence) -> frozenset[str]:
    return concerns.named_parties([*evidence.facts, *evidence.unit_facts, *evidence.registry])


def latest(evidence: Evidence, positions: Positions | None) -> AsOf | None:
    """The moment of the newest thing that is known; None where nothing is."""
    if not evidence.facts:
        return None
    times = [
        *(fact.record_time for fact in (*evidence.facts, *evidence.unit_facts, *evidence.registry)),
        *(packing.record_time for packing in evidence.neighbours),
        *(rival.record_time for rival in evidence.rivals),
        *(parked.record_time for parked in evidence.parked),
        *(moment.time for other in evidence.linked if (moment := latest(other, positions)) is not None),
    ]
    return AsOf(max(times), positions)


def as_json(value: object) -> Any:
    """A value as the public API tells it."""
    return msgspec.json.decode(msgspec.json.encode(value))

"""PURE. What the read model keeps about one subject beside its events: its case, the history of its answers, its wait.

All of it is a function of the evidence, so the refresher may write it at any time and fsck may compare it at any
other: the answers are those at the latest record time of the evidence itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.positions import AsOf, Positions
from services.custody.core import attribution, concerns
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.history import Version, history
from services.custody.core.verdict import Verdict

FAR_FUTURE = datetime(9999, 12, 1, tzinfo=UTC)
"""`due` of a wait whose instant is not known yet (concerns.AWAITED)."""


@dataclass(frozen=True, slots=True)
class Case:
    """A row of `parcel_case`, but for the positions."""

    opened: datetime
    changed: datetime
    verdicts: tuple[Verdict, ...]
    parties: tuple[str, ...]
    devices: tuple[str, ...]

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
            "parties": list(self.parties),
            "devices": list(self.devices),
        }


@dataclass(frozen=True, slots=True)
class Casework:
    """Everything that follows from one subject's evidence. `case` None: there is nothing for anybody to work on."""

    case: Case | None
    versions: tuple[Version, ...]
    watch: tuple[datetime, str] | None
    """The next instant at which time alone may change an answer, and which deadline it is."""

    @property
    def version_rows(self) -> Mapping[tuple[str, int], Mapping[str, Any]]:
        """The rows of `verdict_version`, by finding and version."""
        return {
            (str(version.finding), version.version): {
                "record_time": version.record_time,
                "because": version.because,
                "verdict": None if version.verdict is None else as_json(version.verdict),
            }
            for version in self.versions
        }


def casework(evidence: Evidence, positions: Positions | None) -> Casework:
    """Answer everything that may be asked about the subject. The positions are those that the evidence was loaded to.

    A case stays open for the list of cases while something stands, has stood, or was reported and does not count (a
    registration may change that).
    """
    as_of = latest(evidence, positions)
    if as_of is None:
        return Casework(None, (), None)
    due = attribution.next_deadline(evidence, as_of)
    if due is None and concerns.promised(evidence.facts) and lay(evidence, as_of).scene.chain.taken_over_at is None:
        # No deadline runs before somebody has the parcel. Every event of it is looked at until then.
        due = (FAR_FUTURE, concerns.AWAITED)
    if not any(concerns.opens(fact.data) for fact in evidence.facts):
        return Casework(None, (), due)
    verdicts = attribution.verdicts(evidence, as_of)
    versions = tuple(history(evidence, as_of))
    reported = concerns.first_report(evidence.facts)
    times = [version.record_time for version in versions] or ([reported] if reported is not None else [])
    if not times:
        return Casework(None, (), due)
    case = Case(
        opened=min(times),
        changed=max(times),
        verdicts=verdicts,
        parties=tuple(sorted(concerns.named_parties([*evidence.facts, *evidence.registry]))),
        devices=tuple(subject.partition(":")[2] for subject in concerns.devices(evidence.facts)),
    )
    return Casework(case, versions, due)


def latest(evidence: Evidence, positions: Positions | None) -> AsOf | None:
    """The moment of the newest thing that is known; None where nothing is."""
    if not evidence.facts:
        return None
    times = [
        *(fact.record_time for fact in (*evidence.facts, *evidence.registry)),
        *(rival.record_time for rival in evidence.rivals),
        *(parked.record_time for parked in evidence.parked),
    ]
    return AsOf(max(times), positions)


def as_json(value: object) -> Any:
    """A value as the public API tells it."""
    return msgspec.json.decode(msgspec.json.encode(value))

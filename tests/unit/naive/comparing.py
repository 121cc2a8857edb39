"""Holds the answers of the two solvers against one another."""

from fractions import Fraction
from typing import Any

from schemas.positions import AsOf
from schemas.vocabulary import FindingKind
from services.custody.core.attribution import assess, verdicts
from services.custody.core.facts import Evidence
from services.custody.core.verdict import Finding, Verdict
from tests.gathering import gather
from tests.naive.facts import WHOLE, Answer, Question, Recorded
from tests.naive.solve import answer
from tests.unit.naive.journey import PARCEL, Journey, record
from tests.unit.naive.recording import recorded

FLAGS = frozenset(
    [
        "ADMISSION", "AUTHORITY", "AUTHORITY_OPENING", "CLOCK_SKEW", "CONTRADICTION", "IDENTITY_UNPROVED",
        "LABEL_SWAP", "MECHANISM_EXCLUDED", "NO_PICKUP_CHECK", "OVERAGE", "PACKING_17_5", "PAID_LOSS", "RESIDUAL",
        "WEIGHT_AGREES", "WRONG_TAKER",
    ]
)  # fmt: skip
"""Flags that both solvers speak of."""


def disagreements(journey: Journey) -> dict[str, tuple[Any, Any]]:
    """Where the two answer otherwise: `KIND ... field` -> what the core says, what the naive solver says."""
    facts, good = record(journey)
    evidence = gather(PARCEL, facts, (), good)
    log = recorded(facts, good)
    found: dict[str, tuple[Any, Any]] = {}
    for finding in _findings(evidence, journey.as_of):
        core = assess(evidence, journey.as_of, finding)
        naive = _ask(log, journey.as_of, finding)
        for field, pair in _compare(core, naive).items():
            found[f"{_name(finding)} {field}"] = pair
    return found


def _findings(evidence: Evidence, as_of: AsOf) -> list[Finding]:
    """What the core lists by itself, and every kind asked without naming anything."""
    unnamed = [Finding(kind=kind, component=WHOLE, damage=None, severity=None, piece=None) for kind in FindingKind]
    listed = [verdict.finding for verdict in verdicts(evidence, as_of)]
    return [*unnamed, *(each for each in listed if each not in unnamed)]


def _ask(log: list[Recorded], as_of: AsOf, finding: Finding) -> Answer | None:
    question = Question(PARCEL, finding.kind, as_of, finding.component, finding.damage, finding.severity, finding.piece)
    return answer(log, question)


def _name(finding: Finding) -> str:
    words = [finding.kind, finding.component, finding.damage, finding.severity]
    return " ".join(str(word) for word in words if word not in (None, WHOLE))


def _compare(core: Verdict | None, naive: Answer | None) -> dict[str, tuple[Any, Any]]:
    if core is None or naive is None:
        stands = (core and core.outcome, naive and naive.outcome)
        return {} if stands == (None, None) else {"stands": stands}
    if "CLOCK_DOUBT" in core.flags:
        return {}  # R36 asks in other orders too; this solver does not
    pairs: dict[str, tuple[Any, Any]] = {
        "outcome": (core.outcome, naive.outcome),
        "liable": ({share.party: Fraction(share.share) for share in core.liable}, dict(naive.liable)),
        "confidence": (core.confidence, naive.confidence),
        "cause": (core.cause, naive.cause),
        "flags": (_told(set(core.flags)), _told(set(naive.flags))),
        "exposure": (set(core.exposure), set(naive.exposure)),
        "alternatives": (set(core.open_alternatives), set(naive.open_alternatives)),
    }
    if core.finding.kind is FindingKind.DELAY:
        pairs["delay"] = (_rounded(core.delay_h), _rounded(naive.delay_h))
    else:
        pairs["proved"] = (set(core.proved), set(naive.proved))
        pairs["L"] = (_end(core.L), _end(naive.L))
        pairs["U"] = (_end(core.U), _end(naive.U))
    return {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}


def _told(flags: set[str]) -> set[str]:
    """The flags to compare."""
    return flags & FLAGS


def _end(end: Any) -> tuple[Any, ...] | None:
    return None if end is None else (end.event, end.t)


def _rounded(hours: Any) -> dict[str, float]:
    return {party: round(each, 3) for party, each in hours.items()}

"""The verdict record: the answer about one finding, with what it rests on."""

from datetime import datetime

from msgspec import Struct

from schemas.vocabulary import Confidence, DamageMode, FindingKind, Outcome, Severity

RULESET = "2026.3"
"""Names the rules and their order. Any change of an answer for the same events changes it."""


class Finding(Struct, frozen=True, omit_defaults=True):
    """What is asked about (R19). `component` unnamed is the whole item; mode and severity unnamed match any."""

    kind: FindingKind
    component: str = "whole"
    damage: DamageMode | None = None
    severity: Severity | None = None
    piece: str | None = None
    """Of a consignment of several: which (R27)."""

    def __str__(self) -> str:
        parts = [self.kind, self.component, self.damage or "any", self.severity or "any"]
        return "/".join([*map(str, parts), *([self.piece] if self.piece is not None else [])])


class Share(Struct, frozen=True):
    """Somebody's part of the liability, as an exact fraction such as `1/3`."""

    party: str
    share: str


class Boundary(Struct, frozen=True, omit_defaults=True):
    """One end of the bracket."""

    event: str | None
    """Id of the event; None where a rule sets the instant without one."""
    position: str | None
    grade: int | None
    t: datetime
    how: str
    """`direct`, `presumed`, `seal`, or the id of the rule that set it."""
    observer: str | None = None
    rule: str | None = None


class Witness(Struct, frozen=True):
    """Who last looked and found it sound. A witness, not the culprit."""

    event: str
    position: str
    observer: str
    t: datetime


class Excluded(Struct, frozen=True):
    """An event that is kept and shown but does not count."""

    event: str
    position: str
    why: str


class Replaces(Struct, frozen=True):
    """Which earlier version of the answer this one replaced, and the event that did it."""

    version: int
    because: str | None


class Doubt(Struct, frozen=True):
    """Why the answer is not surer: a rule that keeps it down, and what it has against it."""

    rule: str
    en: str
    zh: str


class Explanation(Struct, frozen=True):
    """The answer in sentences: what was seen, by whom, what follows by which rule, what would change it."""

    zh: str
    en: str


class Verdict(Struct, frozen=True, kw_only=True):
    """The answer about one finding. An evidence assessment, not legal advice."""

    subject: str
    journey: int = 1
    """Which journey of the code: carriers use codes again."""
    finding: Finding
    parts: tuple[Finding, ...] = ()
    """Of one answer for several findings whose result cannot be divided: these (R35)."""
    outcome: Outcome
    cause: str | None = None
    liable: tuple[Share, ...] = ()
    proved: tuple[str, ...] = ()
    """Custodians of the bracket, in segment order."""
    L: Boundary | None = None
    U: Boundary | None = None
    last_seen_intact: Witness | None = None
    confidence: Confidence
    rules: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    exposure: tuple[tuple[datetime, datetime], ...] = ()
    """The parts of the bracket in which somebody can have got at it, where a seal closed the rest (R9)."""
    zones: tuple[tuple[str, str], ...] = ()
    delay_h: dict[str, float] = {}
    open_alternatives: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    gaps: tuple[str, ...] = ()
    footage: tuple[dict[str, str], ...] = ()
    notice_status: tuple[dict[str, str], ...] = ()
    external_debtors: tuple[str, ...] = ()
    applicable_regime: str | None = None
    evidence: tuple[str, ...] = ()
    """Ids of the events that the answer rests on, in time order."""
    doubt: tuple[Doubt, ...] = ()
    """Why it is not surer, rule by rule."""
    as_of: datetime
    provisional: bool = False
    ruleset: str = RULESET
    version: int = 1
    replaces: Replaces | None = None
    explanation: Explanation

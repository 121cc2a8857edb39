"""The verdict record: the answer about one finding, with what it rests on."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

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


class Narrowing(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How far one look at one moment would narrow the answer. Where to look, never who is liable."""

    rank: int
    """1: the first to ask for. The fewest parties left at worst, then the fewest hours, then what is kept shortest."""
    look_at: datetime | None = None
    """The moment whose picture would narrow it most; None: when custody passed, which nobody recorded."""
    parties_left_if_sound: tuple[str, ...] = ()
    """Who may have done it still, had it been sound then; of a loss, had it been there then."""
    parties_left_if_harmed: tuple[str, ...] = ()
    """Who may have done it still, had it been harmed by then; of a loss, had it been gone by then."""
    hours_left_if_sound: float | None = None
    """How much time would still be in question; None: that cannot be said beforehand."""
    hours_left_if_harmed: float | None = None


class Footage(Narrowing, frozen=True, omit_defaults=True, kw_only=True):
    """Pictures to ask for: whose, of which place, for which time, and until when they are kept."""

    party: str
    """Who had the item there, or may have had it."""
    held_by: str
    """Whom to ask for the pictures: who runs the site, as far as is registered."""
    site: str
    """The site's code; the party's where nobody wrote the site down."""
    door: str | None = None
    camera: str | None = None
    time_zone: str | None = None
    """The site's, where it is registered. The times here are instants; a wall clock would not stay the same."""
    since: datetime = field(name="from")
    until: datetime = field(name="to")
    kept_until: datetime | None = None
    """None: nobody registered how long. Ask at once."""


class Absent(StrEnum):
    """Which record is missing."""

    ACCEPT = "ACCEPT"  # nobody wrote down when this party took it over
    RELEASE = "RELEASE"  # the giver's side of a handoff
    LOOK_AT_TAKEOVER = "LOOK_AT_TAKEOVER"  # taken over, and its state not examined
    PICKUP_CHECK = "PICKUP_CHECK"  # contents not examined when it was picked up
    LOOK_AT_DELIVERY = "LOOK_AT_DELIVERY"  # contents not examined together when it was handed out
    SEAL_NUMBER = "SEAL_NUMBER"  # closed without a number on record
    LOOK_AT_OPENING = "LOOK_AT_OPENING"  # a unit opened, and its contents not examined then
    LOOK_AT_REPACKING = "LOOK_AT_REPACKING"  # a new carton without a look inside


class MissingScan(Narrowing, frozen=True, omit_defaults=True, kw_only=True):
    """A record that nobody made, and that would have narrowed the answer."""

    code: Absent
    party: str
    """Whose record it would have been."""
    since: datetime = field(name="from")
    until: datetime = field(name="to")
    """When it should have been made; the same instant twice where that is known."""
    en: str
    zh: str


class Explanation(Struct, frozen=True):
    """The answer in sentences: what was seen, by whom, what follows by which rule, what would change it.

    Paragraphs stand apart by an empty line.
    """

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
    footage: tuple[Footage, ...] = ()
    """While the answer is open: where to look. It may name sites of parties that are not liable."""
    missing_scans: tuple[MissingScan, ...] = ()
    """While the answer is open: which record would have told more, the best first. `gaps` has them as codes."""
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

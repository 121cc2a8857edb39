"""The case: what is known about a parcel at a moment, and what the rules have concluded about one finding so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from schemas.positions import AsOf
from schemas.vocabulary import Condition, Confidence, Outcome
from services.custody.core.acts import Act, Order
from services.custody.core.chain import Chain, Handoff
from services.custody.core.condition import Facets, Look
from services.custody.core.containment import Containment
from services.custody.core.facts import Evidence, Fact
from services.custody.core.folding import fold
from services.custody.core.instants import BEGINNING
from services.custody.core.paper import NO_PAPER, Paper
from services.custody.core.policy import Contract, Policy
from services.custody.core.registry import Registry
from services.custody.core.seals import Seals, read
from services.custody.core.spans import Span
from services.custody.core.verdict import Boundary, Excluded, Finding

SetAside = dict[tuple[int, int], tuple[Fact, str]]
"""Position of an event that is kept but not used -> the event, and why."""


@dataclass(slots=True, eq=False)
class Scene:
    """The acts that count for a finding, the chain they make, and what was set aside."""

    acts: Sequence[Act]
    chain: Chain
    excluded: SetAside
    rules: tuple[str, ...] = ()
    """Rules that decided what counts."""
    bads: list[tuple[Act, Look]] = field(init=False)
    """Every look that reports something bad, in order."""
    oks: list[tuple[Act, Look]] = field(init=False)
    """Every look that found something sound, in order."""
    seals: Seals | None = None
    """The seals that the acts tell of, once somebody asked."""

    def __post_init__(self) -> None:
        seen = [(act, look) for act in self.acts for look in act.looks]
        self.bads = [each for each in seen if each[1].value is Condition.BAD]
        self.oks = [each for each in seen if each[1].value is Condition.OK]


@dataclass(slots=True, eq=False)
class Ground:
    """What all findings about a parcel at one moment share."""

    evidence: Evidence
    as_of: AsOf
    registry: Registry
    policy: Policy
    contract: Contract
    """As redirections have left it."""
    scene: Scene
    """Before anything was taken back or set aside as self-serving (R18), which depends on the finding."""
    corrections: list[Fact]
    contained: Containment = field(default_factory=Containment)
    """Which units it was in when."""
    counted: tuple[Fact, ...] = ()
    """The parcel's own events, each content once, conflicts settled: also those that report no act."""
    linked: tuple["Ground", ...] = ()
    """The same about the parcels whose goods are said to be in it (R29)."""
    paper: Paper = NO_PAPER
    """What redirections, holds and signed lists say of its way."""
    withdrawn: tuple[Fact, ...] = ()
    """The paper that its authors took back (R18)."""

    def fold(self, acts: Sequence[Act]) -> Chain:
        """Who held it when, by some of the acts."""
        return fold(acts, self.registry, self.policy, self.paper)


@dataclass(slots=True, eq=False)
class Edge:
    """One end of the bracket. `order` tells before from after where instants are equal."""

    t: datetime
    order: Order
    rule: str
    how: str = "direct"
    act: Act | None = None
    grade: int | None = None

    def boundary(self) -> Boundary:
        """As the verdict record tells it."""
        act = self.act
        return Boundary(
            event=act.id if act else None,
            position=str(act.fact.position) if act else None,
            grade=self.grade,
            t=self.t,
            how=self.how,
            observer=act.party if act else None,
            rule=self.rule,
        )


RANKS = (Confidence.NONE, Confidence.LOW, Confidence.MODERATE, Confidence.HIGH)


@dataclass(slots=True, eq=False)
class Case:
    """The reasoning about one finding, filled in step by step. Local to one call; rules change it, nobody else."""

    ground: Ground
    scene: Scene
    finding: Finding
    openers: list[tuple[Act, Look]] = field(default_factory=list)
    U: Edge | None = None
    bad_facets: Facets = ()
    tampered: bool = False
    boundary: Handoff | None = None
    """The handoff that U lies on, be it that the taker noted the harm soon after (R6), or that nobody took (R25)."""
    contradicting: Act | None = None
    """The giver's release that says sound where the taker says bad (R7b)."""
    L: Edge | None = None
    witness: Act | None = None
    proved: list[str] = field(default_factory=list)
    reserved: list[tuple[Act, Act]] = field(default_factory=list)
    """Acceptances in the bracket from which nothing is presumed, and the act by which the taker reserved (R6)."""
    candidates: list[str] = field(default_factory=list)
    exposure: list[Span] = field(default_factory=list)
    """The parts of the bracket in which somebody can have got at the item, where a seal closed the rest (R9)."""
    zones: list[tuple[str, str]] = field(default_factory=list)
    outcome: Outcome | None = None
    """Set by the rule that ends the reasoning; None: shares decide (R20)."""
    cause: str | None = None
    answerable: tuple[str, ...] = ()
    """Who answers, where a rule that ends the reasoning says so."""
    refuted: bool = False
    """A better look showed a report of the harm to be a false alarm (R17)."""
    contested: bool = False
    """A later look says sound where U says bad, and is not believed (R17)."""
    doubtful: list[tuple[Act, Act]] = field(default_factory=list)
    """Acts whose order no clock can tell, where the other order would name others (R36)."""
    halves: bool = False
    """The answerable share by heads whatever the policy (R7b)."""
    delay: dict[str, Fraction] = field(default_factory=dict)
    """Hours beyond plan and excuse, by party (R22): the answerable share by them."""
    measured: bool = False
    """Whether every boundary that the hours were counted between is on record (R21)."""
    located: bool = False
    """Whether the place is known, so that its carrier answers to the claimant too (R20)."""
    parts: dict[str, Fraction] = field(default_factory=dict)
    """What part each who answers bears, where a rule says so itself (R14b)."""
    limits: dict[str, Confidence] = field(default_factory=dict)
    """Rules that keep the answer from being surer, and the highest confidence that each allows (R21)."""
    go_on_at: int = 0
    """The step of the order table at which the reasoning goes on, where a rule passes over some."""
    fired: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    dropped: SetAside = field(default_factory=dict)
    """Events that rules about this finding set aside."""

    @property
    def seals(self) -> Seals:
        """The seals around the item, as the acts that count for the finding tell them."""
        if self.scene.seals is None:
            self.scene.seals = read(self.scene.acts, self.ground.contained)
        return self.scene.seals

    @property
    def chain(self) -> Chain:
        """Who held it when."""
        return self.scene.chain

    @property
    def policy(self) -> Policy:
        """The settings."""
        return self.ground.policy

    @property
    def registry(self) -> Registry:
        """Who is who."""
        return self.ground.registry

    @property
    def confidence_max(self) -> Confidence:
        """The most that the rules which spoke allow."""
        return min(self.limits.values(), key=RANKS.index, default=Confidence.HIGH)

    def fire(self, rule: str, at_most: Confidence = Confidence.HIGH) -> None:
        """Note that a rule spoke, and the highest confidence that it allows (R21)."""
        if rule not in self.fired:
            self.fired.append(rule)
        self.limit(rule, at_most)

    def limit(self, rule: str, at_most: Confidence) -> None:
        """Keep the confidence down to what a rule allows."""
        if at_most is not Confidence.HIGH:
            self.limits[rule] = min(at_most, self.limits.get(rule, at_most), key=RANKS.index)

    def lapse(self, *rules: str) -> None:
        """A rule whose result is replaced has not spoken."""
        for rule in rules:
            self.limits.pop(rule, None)
            if rule in self.fired:
                self.fired.remove(rule)

    def flag(self, name: str) -> None:
        """Raise a flag once."""
        if name not in self.flags:
            self.flags.append(name)

    def set_aside(self, act: Act, why: str) -> None:
        """List an event as excluded."""
        self.dropped.setdefault(act.fact.position, (act.fact, why))

    def end(self, outcome: Outcome, *answerable: str, cause: str | None = None) -> bool:
        """Settle the answer; the value is what a rule that ends the reasoning returns."""
        self.outcome, self.answerable, self.cause = outcome, answerable, cause
        return True

    @property
    def since(self) -> datetime:
        """Where the bracket begins: at L, or with the sender."""
        return self.L.t if self.L is not None else BEGINNING

    @property
    def seen_since(self) -> datetime:
        """Where the bracket begins that was seen directly, whatever is presumed inside it."""
        return min(self.since, self.witness.t) if self.witness is not None else self.since

    @property
    def until(self) -> datetime:
        """Where the bracket ends."""
        assert self.U is not None
        return self.U.t

    @property
    def doubts(self) -> list[str]:
        """Rules that keep the answer from being surer, in the order in which they spoke."""
        return list(self.limits)

    @property
    def windows(self) -> Sequence[Span]:
        """When it can have happened: the whole bracket, or what seals leave of it."""
        return self.exposure or [(self.since, self.until)]

    def excluded(self) -> tuple[Excluded, ...]:
        """Everything that is kept and shown but did not count, in order of recording."""
        ends = [edge.act for edge in (self.L, self.U) if edge is not None]
        used = {act.fact.position for act in (*ends, self.witness) if act is not None}
        dropped = {at: each for at, each in self.dropped.items() if at not in used}
        found = sorted({**dropped, **self.scene.excluded}.values(), key=lambda each: each[0].order)
        return tuple(Excluded(fact.id, str(fact.position), why) for fact, why in found)

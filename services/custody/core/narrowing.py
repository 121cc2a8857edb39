"""Narrowing: what a look at one moment would leave of the question, by splitting the time that is still open there."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER, Confidence, FindingKind, Outcome
from services.custody.core.case import Case
from services.custody.core.chain import Handoff, Zone
from services.custody.core.condition import FACETS, says_ok
from services.custody.core.grades import VERIFIED
from services.custody.core.instants import BEGINNING
from services.custody.core.rules.confidence import confidence

Span = tuple[datetime, datetime]

_HOUR = timedelta(hours=1)
_NO_ACCEPT = "no ACCEPT by "


class Split(NamedTuple):
    """The two answers that a picture of one moment may give: sound then, or harmed by then."""

    at: datetime | None
    """None: the moment at which custody passed, whenever that was."""
    if_sound: tuple[str, ...]
    if_harmed: tuple[str, ...]
    hours_if_sound: float | None
    hours_if_harmed: float | None

    @property
    def tells(self) -> bool:
        """Whether either answer leaves somebody: else it would only contradict what is known already."""
        return bool(self.if_sound and self.if_harmed)

    @property
    def worth(self) -> tuple[int, int, float, float]:
        """Sorts the most telling first: parties left at worst, then on the whole; hours left at worst, on the whole."""
        sound, harmed = (_UNMEASURED if hours is None else hours for hours in self[3:])
        parties = (len(self.if_sound), len(self.if_harmed))
        return max(parties), sum(parties), max(sound, harmed), sum((sound, harmed))


_UNMEASURED = float("inf")


class OpenTime:
    """When the harm may have come, and who had the item then, by what was seen directly.

    What a presumption adds is left out: where to look is not who is liable.
    """

    def __init__(self, case: Case, since: datetime, until: datetime) -> None:
        """`since` BEGINNING: nobody on record saw it sound."""
        self.since, self.until = since, until
        self._splits: dict[datetime, Split] = {}
        self._spans = _spans(case, since, until)
        zones = [*case.chain.zones, *_possible_takeovers(case, until)]
        self.zones = [zone for zone in zones if zone.overlaps(since, until)]
        self._held = [(each.party, each.start, each.end) for each in case.chain.segments]
        for zone in self.zones:
            self._held += [(zone.giver, zone.since, zone.until), (zone.taker, zone.since, zone.until)]
        self._taken_over_at = case.chain.taken_over_at
        # What a logger or the other parcel of a swap rules out is not asked about.
        told_apart = "R11" in case.fired or "R29" in case.fired
        self._only = frozenset(case.candidates) if told_apart else None
        self._otherwise = (SENDER,) if "MECHANISM_EXCLUDED" in case.flags else ()
        self._beyond = (*_on_the_takers_side(case), *_taken_at_the_end(case))

    def holds(self, instant: datetime) -> bool:
        """Whether a look at that instant splits it."""
        return self.since < instant < self.until and self.split(instant).tells

    def concerns(self, party: str) -> bool:
        """Whether the party is still in question."""
        return self._only is None or party in self._only

    def within(self, since: datetime, until: datetime) -> list[Span]:
        """The parts of it that lie between two instants."""
        found = ((max(since, one), min(until, other)) for one, other in self._spans)
        return [(one, other) for one, other in found if one < other]

    def split(self, at: datetime) -> Split:
        """What a look at that instant would leave."""
        split = self._splits.get(at)
        if split is None:
            after, before = self.within(at, self.until), self.within(self.since, at)
            sound, harmed = self._and_beyond(after), self.parties(before)
            split = self._splits[at] = Split(at, sound, harmed, self.hours(after), self.hours(before))
        return split

    def split_at_end(self, taker: str) -> Split:
        """What a look at the very handoff at which it was found would leave: harmed by then, or on the taker's side."""
        before = self.within(self.since, self.until)
        return Split(self.until, (taker,), self.parties(before) or self._otherwise, 0.0, self.hours(before))

    def split_of(self, zone: Zone) -> Split:
        """What a look at the moment when custody passed would leave."""
        after, before = self.within(zone.until, self.until), self.within(self.since, zone.since)
        sound = dict.fromkeys((zone.taker, *self._and_beyond(after)))
        harmed = dict.fromkeys((*self.parties(before), zone.giver))
        return Split(None, tuple(sound), tuple(harmed), None, None)

    def best(self, party: str, since: datetime, until: datetime) -> Split:
        """The most telling moment of a time with one party: coming, leaving, passing on, or the middle."""
        found = [self.split(instant) for instant in (since, until) if self.holds(instant)]
        found += [
            self.split_of(zone)
            for zone in self.zones
            if party in (zone.giver, zone.taker) and zone.overlaps(since, until) and zone.since is not BEGINNING
        ]
        if not found:
            start = max(since, self._taken_over_at or since)
            found = [self.split(start + (until - start) / 2)]
        return min(found, key=lambda split: (split.worth, split.at or self.until))

    def parties(self, spans: Sequence[Span]) -> tuple[str, ...]:
        """Who had it, or may have had it, in any of these times, by who had it first."""
        found: dict[str, datetime] = {}
        for party, start, end in self._held:
            if self.concerns(party) and any(start < until and end > since for since, until in spans):
                found[party] = min(start, found.get(party, start))
        return tuple(sorted(found, key=lambda party: found[party]))

    def hours(self, spans: Iterable[Span]) -> float | None:
        """How long these times are, counted from the pick-up where nobody saw it sound before."""
        total = timedelta()
        for since, until in spans:
            start = since
            if since is BEGINNING:
                if self._taken_over_at is None:
                    return None
                start = min(self._taken_over_at, until)
            total += until - start
        return round(total / _HOUR, 2)

    def _and_beyond(self, spans: Sequence[Span]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.parties(spans), *self._beyond)))


def is_open(case: Case) -> bool:
    """Whether more evidence could still make the answer surer."""
    if case.outcome in (Outcome.JOINT, Outcome.SHARED, Outcome.UNDETERMINED):
        return True
    return confidence(case) is not Confidence.HIGH


def open_time(case: Case) -> OpenTime | None:
    """The time in question; None where there is none, such as of a delay."""
    if case.finding.kind is FindingKind.DELAY:
        return None
    if case.U is not None:
        # A broken seal bounds the time by itself, be the last look at the contents ever so old (R9b).
        since = case.since if "R9b" in case.fired else case.seen_since
        return OpenTime(case, since, case.until) if since < case.until else None
    if not case.openers:
        return None
    # Nothing that was reported can be used: it is asked from the last sound look to the report.
    reported = min(act.order for act, _ in case.openers)
    facets = FACETS[case.finding.kind]
    seen = [
        act.t
        for act, look in case.scene.oks
        if act.order < reported and look.direct and says_ok(look, case.finding, facets)
    ]
    since = max(seen, default=BEGINNING)
    return OpenTime(case, since, reported[0]) if since < reported[0] else None


def _spans(case: Case, since: datetime, until: datetime) -> list[Span]:
    """Without what a good seal takes out of it (R9a)."""
    if case.U is None or not case.exposure:
        return [(since, until)]
    before = [(since, case.since)] if since < case.since else []
    return [*before, *case.exposure]


def disputed_handoff(case: Case) -> Handoff | None:
    """The handoff at which one side says bad and the other did not sign to it, or says sound (R7), if it ends there."""
    edge = case.U
    if edge is None or edge.act is None:
        return None
    if "R9b" in case.fired:  # of the seal
        rules = set(case.fired)
        handoff = case.chain.handoff_by(edge.act)
    else:
        rules = {edge.rule}
        handoff = case.boundary
    alone = "R7a" in rules and (edge.grade or 0) < VERIFIED
    return handoff if alone or "R7b" in rules else None


def _on_the_takers_side(case: Case) -> tuple[str, ...]:
    """Who may have done it after all of this: the taker whose own word alone ends it."""
    handoff = disputed_handoff(case)
    if handoff is None:
        return ()
    contradicted = "R7b" in case.fired or case.contradicting is not None
    return (handoff.taker,) if contradicted or handoff.taker not in (SENDER, RECIPIENT) else ()


def _taken_at_the_end(case: Case) -> Iterator[str]:
    """Whoever took it in the very instant at which it ends, and before that by the order of the acts."""
    edge = case.U
    for segment in case.chain.segments:
        opened = segment.opened_by
        if edge is not None and opened is not None and segment.start == edge.t and opened.order < edge.order:
            yield segment.party


def _possible_takeovers(case: Case, until: datetime) -> Iterator[Zone]:
    """Where somebody was handed it, by the giver's word alone, and may have had it since."""
    holder = case.chain.segments[-1]
    for gap in case.chain.gaps:
        taker = gap.text.removeprefix(_NO_ACCEPT)
        if taker == gap.text or gap.since is not None or not holder.start <= gap.t < until:
            continue
        if holder.opened_by is not None and taker != holder.party != SENDER:
            yield Zone(holder.party, taker, gap.t, until, holder.opened_by)

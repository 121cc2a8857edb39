"""The chain of custody: segments, handoffs, zones and gaps, folded from acts in their order (R1)."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.vocabulary import RECIPIENT, SENDER, PartyRole
from services.custody.core.acts import Act, Kind, Order
from services.custody.core.instants import BEGINNING, ENDLESS
from services.custody.core.policy import Policy
from services.custody.core.registry import Registry

_HANDLERS = (PartyRole.CARRIER, PartyRole.LOCKER, PartyRole.AUTHORITY)


@dataclass(slots=True, eq=False)
class Segment:
    """One custodian's interval, from its first act as holder to the next one's."""

    party: str
    start: datetime
    end: datetime = ENDLESS
    opened_by: Act | None = None
    """The act that made it the holder; None for the sender at the origin."""
    implied: bool = False

    def overlaps(self, since: datetime, until: datetime) -> bool:
        """Whether it has a part inside the open interval."""
        return self.start < until and self.end > since

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies strictly inside."""
        return self.start < instant < self.end


@dataclass(slots=True, eq=False)
class Zone:
    """Where custody passed from giver to taker at an unknown moment: it belongs to both."""

    giver: str
    taker: str
    since: datetime
    until: datetime
    act: Act

    def overlaps(self, since: datetime, until: datetime) -> bool:
        """Whether it has a part inside the open interval; a zone reaches up to and includes the taker's first act."""
        return self.since < until and self.until > since


@dataclass(slots=True, eq=False)
class Handoff:
    """An explicit acceptance, with the giver's release where there is one in the window."""

    accept: Act
    giver: str
    release: Act | None
    skewed: bool = False
    """The acceptance is dated earlier than the release by more than clocks may differ."""
    wrong_taker: bool = False
    """The giver released to somebody else."""

    @property
    def taker(self) -> str:
        """Who took it."""
        return self.accept.party


@dataclass(slots=True, eq=False)
class Gap:
    """A side of a handoff that is missing."""

    t: datetime
    text: str
    since: datetime | None = None
    """Where the moment is not known: from when on it may have been."""

    def touches(self, since: datetime, until: datetime) -> bool:
        """Whether what is missing may lie after the one instant and no later than the other."""
        return (self.since or self.t) <= until and self.t > since


@dataclass(slots=True, eq=False)
class Chain:
    """Who held the parcel when."""

    segments: list[Segment]
    handoffs: list[Handoff] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def held_between(self, after: Order, before: Order) -> list[str]:
        """Who held it between two acts of the same instant: there only the order of the acts tells."""
        opened = [segment.opened_by.order if segment.opened_by is not None else None for segment in self.segments]
        return [
            segment.party
            for segment, start, end in zip(self.segments, opened, [*opened[1:], None], strict=True)
            if (start is None or start < before) and (end is None or end > after)
        ]

    @property
    def first_acceptance(self) -> Handoff | None:
        """The pick-up."""
        first = self.handoffs[0] if self.handoffs else None
        return first if first is not None and first.giver == SENDER and self.segments[0].end == first.accept.t else None

    @property
    def taken_over_at(self) -> datetime | None:
        """When it left the sender, by acceptance or by implication."""
        return self.segments[1].start if len(self.segments) > 1 else None

    @property
    def delivery(self) -> Handoff | None:
        """The recipient's acceptance; of several, the first."""
        return next((handoff for handoff in self.handoffs if handoff.taker == RECIPIENT), None)

    @property
    def delivered(self) -> bool:
        """Whether it is with the recipient, or back with the sender."""
        return len(self.segments) > 1 and self.segments[-1].party in (SENDER, RECIPIENT)

    def handoff_by(self, act: Act) -> Handoff | None:
        """The handoff that an acceptance made."""
        return next((handoff for handoff in self.handoffs if handoff.accept is act), None)

    def holder_at(self, instant: datetime) -> Segment:
        """The segment that an instant lies in; a boundary belongs to the taker."""
        return [segment for segment in self.segments if segment.start <= instant][-1]


def fold(acts: Sequence[Act], registry: Registry, policy: Policy) -> Chain:
    """Fold acts, sorted by `Act.order`, into the chain: in the order of what happened, whenever it arrived."""
    folding = _Folding(acts, registry, policy)
    for act in acts:
        folding.take(act)
    folding.find_unanswered_releases()
    folding.chain.gaps.sort(key=lambda gap: (gap.t, gap.text))
    return folding.chain


class _Folding:
    """The state of the fold: the chain so far and each party's last act."""

    def __init__(self, acts: Iterable[Act], registry: Registry, policy: Policy) -> None:
        self.chain = Chain([Segment(SENDER, BEGINNING)])
        self._registry = registry
        self._policy = policy
        self._last_act: dict[str, datetime] = {}
        self._releases: list[Act] = []
        self._acceptances: dict[str, list[datetime]] = {}
        for act in acts:
            if act.kind is Kind.RELEASE:
                self._releases.append(act)
            elif act.kind is Kind.ACCEPT and not act.standing.entry:
                self._acceptances.setdefault(act.party, []).append(act.t)

    @property
    def _current(self) -> Segment:
        return self.chain.segments[-1]

    def take(self, act: Act) -> None:
        """Let one act move custody, or not."""
        if act.kind is Kind.ACCEPT:
            if act.standing.entry:
                self._take_over_silently(act)
            else:
                self._accept(act)
        elif self._is_takeover(act):
            self._take_over_silently(act)
        if act.kind is not Kind.NOTICE:
            self._last_act[act.party] = act.t

    def _accept(self, act: Act) -> None:
        current = self._current
        if current.party == act.party and not current.implied:
            return  # a holder cannot take over from itself: an ordinary look
        if current.party == act.party:
            giver = self.chain.segments[-2].party
            if self._corroborates(act, giver):
                self.chain.segments.pop()
                self.chain.zones.pop()
                self.chain.gaps = [gap for gap in self.chain.gaps if gap.t != current.start]
                self._current.end = ENDLESS
            else:
                self.chain.zones[-1].until = act.t
        else:
            giver = current.party
        self._note_handoff(act, giver)
        self._open(act, implied=False)

    def _corroborates(self, act: Act, giver: str) -> bool:
        """Whether the giver's side confirms that this acceptance, and not an earlier sight, was the handoff."""
        return stands_behind(act, giver, self._registry) or self._release_to(giver, act) is not None

    def _note_handoff(self, act: Act, giver: str) -> None:
        release = self._release_to(giver, act)
        handoff = Handoff(act, giver, release)
        if release is not None:
            handoff.skewed = is_skewed(release, act, self._policy)
        else:
            handoff.wrong_taker = any(
                r.party == giver and r.counterpart not in (None, act.party) and self._near(r, act)
                for r in self._releases
            )
        self.chain.handoffs.append(handoff)
        self._note_missing_release(act, giver)
        named = act.counterpart
        if named is not None and named not in (giver, act.party) and named != SENDER:
            self.chain.gaps.append(Gap(act.t, f"no ACCEPT by {named}"))

    def _take_over_silently(self, act: Act) -> None:
        current = self._current
        if current.party == act.party:
            return
        since = self._last_act.get(current.party, current.start)
        self.chain.zones.append(Zone(current.party, act.party, since, act.t, act))
        self.chain.gaps.append(Gap(act.t, f"no ACCEPT by {act.party}", since))
        self._note_missing_release(act, current.party, since)
        self._open(act, implied=True)

    def _open(self, act: Act, *, implied: bool) -> None:
        self._current.end = act.t
        self.chain.segments.append(Segment(act.party, act.t, ENDLESS, act, implied))

    def _is_takeover(self, act: Act) -> bool:
        current = self._current
        if (
            act.party == current.party
            or current.party == RECIPIENT
            or (current.party == SENDER and self.chain.handoffs)
        ):
            return False  # its own look, or after delivery
        if not shows_possession(act, current.party, self._registry):
            return False
        return not self._belongs_to_a_handoff(act)

    def _belongs_to_a_handoff(self, act: Act) -> bool:
        """Part of a handoff that is on record: shortly before its own acceptance, or while clocks may still differ."""
        own = self._acceptances.get(act.party, [])
        coming = bisect_left(own, act.t)
        if coming < len(own) and own[coming] - act.t <= self._policy.handoff_window:
            return True
        handed_over_at = self._current.start
        previous = self.chain.segments[-2].party if len(self.chain.segments) > 1 else None
        return previous == act.party and act.t - handed_over_at <= self._policy.clock_skew

    def _release_to(self, giver: str, act: Act) -> Act | None:
        """The giver's latest release to the taker within the handoff window, on either side."""
        found = None
        for release in self._releases:
            if release.party == giver and release.counterpart in (None, act.party) and self._near(release, act):
                found = release
        return found

    def _near(self, release: Act, act: Act) -> bool:
        apart = release.t - act.t
        return -self._policy.handoff_window <= apart <= self._policy.handoff_window

    def _note_missing_release(self, act: Act, giver: str, earliest: datetime | None = None) -> None:
        if giver == SENDER:
            return  # the sender keeps no log
        since = self._current.start
        for release in self._releases:
            meant = release.counterpart in (None, act.party)
            if release.party == giver and meant and since <= release.t and self._at_most_after(release, act):
                return
        self.chain.gaps.append(Gap(act.t, f"no RELEASE by {giver}", earliest))

    def _at_most_after(self, release: Act, act: Act) -> bool:
        return release.t - act.t <= self._policy.handoff_window

    def find_unanswered_releases(self) -> None:
        """Every release to a named taker who never took it."""
        taken = [(segment.party, segment.start) for segment in self.chain.segments]
        for release in self._releases:
            taker = release.counterpart
            if taker is None or taker == release.party:
                continue
            earliest = timedelta(0) - self._policy.handoff_window
            if not any(party == taker and start - release.t >= earliest for party, start in taken):
                self.chain.gaps.append(Gap(release.t, f"no ACCEPT by {taker}"))


def shows_possession(act: Act, holder: str, registry: Registry) -> bool:
    """Whether an act by somebody who does not hold the item shows that it took it over without saying so.

    Not a notice that it is missing, not a survey, and not a look that it took together with the holder.
    """
    if act.kind not in (Kind.SCAN, Kind.LOOK) or not act.physical or act.neutral:
        return False
    if act.claimed_acceptance is not None:
        return False  # reports a handing over, so speaks against having it
    if act.kind is Kind.LOOK and stands_behind(act, holder, registry):
        return False
    return registry.role(act.party) in _HANDLERS


def stands_behind(act: Act, party: str, registry: Registry) -> bool:
    """Whether a party's side signed to an act of the other side: any party of its legal entity speaks for it."""
    return registry.entity(party) in {registry.entity(side) for side in act.joined}


def is_skewed(release: Act, accept: Act, policy: Policy) -> bool:
    """Whether the acceptance is dated before its release by more than the clocks may differ (CLOCK_SKEW)."""
    return release.t - accept.t > policy.clock_skew

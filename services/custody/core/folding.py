"""The fold of acts, in their order, into the chain of custody (R1), with drops, refusals and returns on the way."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime

from schemas.events import HandoffAccepted, ParcelDropped
from schemas.vocabulary import RECIPIENT, SENDER, DropPlace, PartyRole
from services.custody.core.acts import AT_HAND, Act, Kind
from services.custody.core.bearing import (
    FINAL,
    HANDLERS,
    is_drop,
    is_on_paper,
    is_skewed,
    is_unasked,
    left,
    shows_possession,
    stands_behind,
)
from services.custody.core.chain import Chain, Delivery, Drop, Gap, Handoff, Segment, Zone
from services.custody.core.instants import BEGINNING, ENDLESS, earlier, later
from services.custody.core.paper import NO_PAPER, Paper
from services.custody.core.policy import Policy
from services.custody.core.registry import Registry

_OPERATED = (DropPlace.LOCKER, DropPlace.STATION, DropPlace.SHOP)
"""Places that somebody runs: who leaves a parcel there gives it to that party, not to the final taker (R26)."""
_HAVING_NOTHING = (Kind.NOTICE, Kind.RETURN)
"""What somebody does who need not have it."""
_HANDLING = (PartyRole.CARRIER, PartyRole.AUTHORITY)
"""Whose handling takes it out of a locker."""


def fold(acts: Sequence[Act], registry: Registry, policy: Policy, paper: Paper = NO_PAPER) -> Chain:
    """Fold acts, sorted by `Act.order`, into the chain: in the order of what happened, whenever it arrived."""
    folding = _Folding(acts, registry, policy, paper)
    for act in acts:
        folding.take(act)
    folding.find_unanswered_releases()
    folding.find_unconfirmed_lines()
    folding.chain.gaps.sort(key=lambda gap: (gap.t, gap.text))
    return folding.chain


class _Releases:
    """The releases among some acts, by who gave and to whom, each in the order of time."""

    def __init__(self) -> None:
        self.all: list[Act] = []
        self._times: dict[str, list[datetime]] = {}
        self._to: dict[tuple[str, str | None], tuple[list[datetime], list[int]]] = {}

    def add(self, release: Act) -> None:
        """Take in one release, no earlier than those before it."""
        times, places = self._to.setdefault((release.party, release.counterpart), ([], []))
        times.append(release.t)
        places.append(len(self.all))
        self._times.setdefault(release.party, []).append(release.t)
        self.all.append(release)

    def latest(self, giver: str, taker: str, since: datetime, until: datetime) -> Act | None:
        """The giver's latest release to the taker, or to nobody by name, between two instants, these included."""
        found = []
        for meant in (None, taker):
            times, places = self._to.get((giver, meant), ((), ()))
            coming = bisect_right(times, until)
            if coming and times[coming - 1] >= since:
                found.append(places[coming - 1])
        return self.all[max(found)] if found else None

    def any_by(self, giver: str, since: datetime, until: datetime) -> bool:
        """Whether the giver released it to anybody between two instants, these included."""
        times = self._times.get(giver, ())
        coming = bisect_left(times, since)
        return coming < len(times) and times[coming] <= until


class _Folding:
    """The state of the fold: the chain so far and each party's last act."""

    def __init__(self, acts: Iterable[Act], registry: Registry, policy: Policy, paper: Paper) -> None:
        self.chain = Chain([Segment(SENDER, BEGINNING)])
        self._registry = registry
        self._policy = policy
        self._paper = paper
        self._last_act: dict[str, datetime] = {}
        self._releases = _Releases()
        self._acceptances: dict[str, list[datetime]] = {}
        self._in_a_locker = False
        for act in acts:
            if act.kind in AT_HAND:
                continue
            if act.kind is Kind.RELEASE:
                self._releases.add(act)
            elif act.kind is Kind.ACCEPT and not act.standing.entry and not is_unasked(act):
                self._acceptances.setdefault(act.party, []).append(act.t)

    @property
    def _current(self) -> Segment:
        return self.chain.segments[-1]

    @property
    def _left_the_sender(self) -> bool:
        return len(self.chain.segments) > 1

    def take(self, act: Act) -> None:
        """Let one act move custody, or not."""
        kind = act.kind
        if kind in AT_HAND and act.claimed_acceptance is None:
            if self._is_takeover(act):
                self._take_over_silently(act)
        elif is_drop(act):
            self._drop(act)
        elif kind is Kind.ACCEPT:
            if act.standing.entry:
                self._take_over_silently(act)
            else:
                self._accept(act)
        elif kind is Kind.REFUSE:
            self._refuse(act)
        elif kind is Kind.RETURN:
            self.chain.returns.append(act)
        elif self._is_takeover(act):
            self._take_over_silently(act)
        if kind not in _HAVING_NOTHING and not is_on_paper(act):
            self._last_act[act.party] = act.t
            if self._in_a_locker and kind in AT_HAND and self._registry.role(act.party) in _HANDLING:
                self._in_a_locker = False

    # --- taking ----------------------------------------------------------------------------------------------------

    def _accept(self, act: Act) -> None:
        current = self._current
        if current.party == act.party and not (current.implied or self._was_just_left_with(act)):
            return  # a holder cannot take over from itself: an ordinary look
        if current.party == act.party:
            giver = self.chain.segments[-2].party
            if current.dropped or self._corroborates(act, giver):
                self._undo_current()
            else:
                self.chain.zones[-1].until = act.t
        else:
            giver = current.party
        self._note_handoff(act, giver)
        self._open(act, act.party)

    def _was_just_left_with(self, act: Act) -> bool:
        """Whether the holder signs for what was left with it a little earlier: then that is the handoff."""
        return self._current.dropped and act.t - self._current.start <= self._policy.handoff_window

    def _undo_current(self) -> None:
        """The way in which the holder got it turns out not to be how custody passed."""
        gone = self.chain.segments.pop()
        if gone.implied:
            self.chain.zones.pop()
            gaps = self.chain.gaps  # so far in the order of time
            del gaps[bisect_left(gaps, gone.start, key=_told_at) : bisect_right(gaps, gone.start, key=_told_at)]
        if self.chain.deliveries and self.chain.deliveries[-1].accept is gone.opened_by:
            self.chain.deliveries.pop()  # whatever was delivered opened a segment, so that it can only be the last
        self._current.end = ENDLESS

    def _corroborates(self, act: Act, giver: str) -> bool:
        """Whether the giver's side confirms that this acceptance, and not an earlier sight, was the handoff."""
        return stands_behind(act, giver, self._registry) or self._release_to(giver, act) is not None

    def _note_handoff(self, act: Act, giver: str) -> None:
        since, until = self._around(act)
        release = self._releases.latest(giver, act.party, since, until)
        handoff = Handoff(act, giver, release)
        if release is not None:
            handoff.skewed = is_skewed(release, act, self._policy)
        else:
            # None near is to this taker: whichever is near is to another.
            handoff.wrong_taker = self._releases.any_by(giver, since, until)
        self.chain.handoffs.append(handoff)
        if act.party in FINAL:
            data = act.fact.data
            unattended = self._in_a_locker or (isinstance(data, HandoffAccepted) and data.unattended)
            self.chain.deliveries.append(Delivery(act, giver, act.party, unattended=unattended))
        self._in_a_locker = False
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
        self._open(act, act.party, implied=True)

    def _open(self, act: Act, party: str, *, implied: bool = False, dropped: bool = False) -> None:
        self._current.end = act.t
        self.chain.segments.append(Segment(party, act.t, ENDLESS, act, implied, dropped))

    def _is_takeover(self, act: Act) -> bool:
        current = self._current
        if act.party == current.party or self._is_delivered():
            return False  # its own look, or after delivery
        if not shows_possession(act, current.party, self._registry):
            return False
        return not self._belongs_to_a_handoff(act)

    def _is_delivered(self) -> bool:
        """Whether its way has ended; an order to send it back begins another (R24)."""
        current = self._current
        if current.party == SENDER:
            return self._left_the_sender
        if current.party != RECIPIENT:
            return False
        returns = self.chain.returns
        return not (returns and returns[-1].t >= current.start)

    def _belongs_to_a_handoff(self, act: Act) -> bool:
        """Part of a handoff that is on record: shortly before its own acceptance, or while clocks may still differ.

        A release to the holder is its side of the handoff as long as one may come late.
        """
        own = self._acceptances.get(act.party, [])
        coming = bisect_left(own, act.t)
        if coming < len(own) and own[coming] - act.t <= self._policy.handoff_window:
            return True
        handed_over_at = self._current.start
        previous = self.chain.segments[-2].party if len(self.chain.segments) > 1 else None
        is_its_side = act.kind is Kind.RELEASE and act.counterpart in (None, self._current.party)
        late = self._policy.handoff_window if is_its_side else self._policy.clock_skew
        return previous == act.party and act.t - handed_over_at <= late

    # --- leaving it somewhere, refusing ------------------------------------------------------------------------------

    def _drop(self, act: Act) -> None:
        """R13e, R26: what was left as agreed is with whoever runs the place, or delivered; else nothing moves."""
        place, consent, address = left(act)
        in_force = self._paper.address_at(act.t)
        misdirected = address is not None and in_force is not None and address != in_force
        # Of an entry nothing says when it happened, and it would free its author.
        agreed = consent and not misdirected and not act.standing.entry
        self.chain.drops.append(
            Drop(act, self._current.party, place, agreed, misdirected, proxy=act.kind is Kind.ACCEPT)
        )
        self._in_a_locker = place is DropPlace.LOCKER
        if not agreed or self._is_delivered():
            return
        self._show_that_the_dropper_had_it(act)
        holder = self._current.party
        if holder == SENDER:
            return
        data = act.fact.data
        runs_it = data.to if isinstance(data, ParcelDropped) else None
        if self._policy.drop_is_delivery or place not in _OPERATED:
            taker = SENDER if self.chain.returns else RECIPIENT
            if taker != holder:
                self.chain.deliveries.append(Delivery(act, holder, taker, dropped=True, unattended=True))
                self._open(act, taker, dropped=True)
        elif runs_it not in (None, *FINAL) and self._registry.entity(runs_it) != self._registry.entity(holder):
            self._open(act, runs_it, dropped=True)

    def _show_that_the_dropper_had_it(self, act: Act) -> None:
        """Whoever leaves it as agreed had it before, also where it never signed for it."""
        entity = self._registry.entity
        if entity(act.party) != entity(self._current.party) and self._registry.role(act.party) in HANDLERS:
            self._take_over_silently(act)

    def _refuse(self, act: Act) -> None:
        """R25: nobody takes; what was said at the door is kept as that of a handoff which was stopped."""
        giver = self._current.party
        if act.party in FINAL and giver != act.party and self._left_the_sender:
            self.chain.refusals.append(Handoff(act, giver, self._release_to(giver, act)))

    # --- releases and gaps -----------------------------------------------------------------------------------------

    def _release_to(self, giver: str, act: Act) -> Act | None:
        """The giver's latest release to the taker within the handoff window, on either side."""
        return self._releases.latest(giver, act.party, *self._around(act))

    def _around(self, act: Act) -> tuple[datetime, datetime]:
        """Between which instants the other side of a handoff is looked for."""
        return earlier(act.t, self._policy.handoff_window), later(act.t, self._policy.handoff_window)

    def _note_missing_release(self, act: Act, giver: str, earliest: datetime | None = None) -> None:
        if giver == SENDER:
            return  # the sender keeps no log
        _, until = self._around(act)
        if self._releases.latest(giver, act.party, self._current.start, until) is None:
            self.chain.gaps.append(Gap(act.t, f"no RELEASE by {giver}", earliest))

    def find_unanswered_releases(self) -> None:
        """Every release to a named taker who never took it, nor refused it."""
        taken = [(segment.party, segment.start) for segment in self.chain.segments]
        taken += [(refusal.taker, refusal.accept.t) for refusal in self.chain.refusals]
        last_taken: dict[str, datetime] = {}
        for party, start in taken:
            last_taken[party] = max(start, last_taken.get(party, start))
        for release in self._releases.all:
            taker = release.counterpart
            if taker is None or taker == release.party:
                continue
            last = last_taken.get(taker)
            if last is None or last - release.t < -self._policy.handoff_window:
                self.chain.gaps.append(Gap(release.t, f"no ACCEPT by {taker}"))

    def find_unconfirmed_lines(self) -> None:
        """Every list that was signed as too long to count and of which this line was never seen (R1)."""
        if not self._paper.unconfirmed:
            return
        starts: dict[str, list[datetime]] = {}
        for segment in self.chain.segments:
            starts.setdefault(segment.party, []).append(segment.start)
        for signed in self._paper.unconfirmed:
            since, until = self._around(signed)
            own = starts.get(signed.party, [])
            coming = bisect_left(own, since)
            if coming == len(own) or own[coming] > until:
                self.chain.gaps.append(Gap(signed.t, f"no ACCEPT by {signed.party}"))


def _told_at(gap: Gap) -> datetime:
    return gap.t

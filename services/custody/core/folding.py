"""The fold of acts, in their order, into the chain of custody (R1), with drops, refusals and returns on the way."""

from bisect import bisect_left
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
from services.custody.core.instants import BEGINNING, ENDLESS
from services.custody.core.paper import NO_PAPER, Paper
from services.custody.core.policy import Policy
from services.custody.core.registry import Registry

_OPERATED = (DropPlace.LOCKER, DropPlace.STATION, DropPlace.SHOP)
"""Places that somebody runs: who leaves a parcel there gives it to that party, not to the final taker (R26)."""


def fold(acts: Sequence[Act], registry: Registry, policy: Policy, paper: Paper = NO_PAPER) -> Chain:
    """Fold acts, sorted by `Act.order`, into the chain: in the order of what happened, whenever it arrived."""
    folding = _Folding(acts, registry, policy, paper)
    for act in acts:
        folding.take(act)
    folding.find_unanswered_releases()
    folding.find_unconfirmed_lines()
    folding.chain.gaps.sort(key=lambda gap: (gap.t, gap.text))
    return folding.chain


class _Folding:
    """The state of the fold: the chain so far and each party's last act."""

    def __init__(self, acts: Iterable[Act], registry: Registry, policy: Policy, paper: Paper) -> None:
        self.chain = Chain([Segment(SENDER, BEGINNING)])
        self._registry = registry
        self._policy = policy
        self._paper = paper
        self._last_act: dict[str, datetime] = {}
        self._releases: list[Act] = []
        self._acceptances: dict[str, list[datetime]] = {}
        self._in_a_locker = False
        for act in acts:
            if act.kind is Kind.RELEASE:
                self._releases.append(act)
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
        if is_drop(act):
            self._drop(act)
        elif act.kind is Kind.ACCEPT:
            if act.standing.entry:
                self._take_over_silently(act)
            else:
                self._accept(act)
        elif act.kind is Kind.REFUSE:
            self._refuse(act)
        elif act.kind is Kind.RETURN:
            self.chain.returns.append(act)
        elif self._is_takeover(act):
            self._take_over_silently(act)
        if act.kind not in (Kind.NOTICE, Kind.RETURN) and not is_on_paper(act):
            self._last_act[act.party] = act.t
            if act.kind in AT_HAND and self._registry.role(act.party) in (PartyRole.CARRIER, PartyRole.AUTHORITY):
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
            self.chain.gaps = [gap for gap in self.chain.gaps if gap.t != gone.start]
        self.chain.deliveries = [each for each in self.chain.deliveries if each.accept is not gone.opened_by]
        self._current.end = ENDLESS

    def _corroborates(self, act: Act, giver: str) -> bool:
        """Whether the giver's side confirms that this acceptance, and not an earlier sight, was the handoff."""
        return stands_behind(act, giver, self._registry) or self._release_to(giver, act) is not None

    def _note_handoff(self, act: Act, giver: str) -> None:
        release = self._release_to(giver, act)
        handoff = Handoff(act, giver, release)
        if release is not None:
            handoff.skewed = is_skewed(release, act, self._policy)
        elif self._releases:
            handoff.wrong_taker = any(
                r.party == giver and r.counterpart not in (None, act.party) and self._near(r, act)
                for r in self._releases
            )
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
        return current.party == RECIPIENT and not any(order.t >= current.start for order in self.chain.returns)

    def _belongs_to_a_handoff(self, act: Act) -> bool:
        """Part of a handoff that is on record: shortly before its own acceptance, or while clocks may still differ."""
        own = self._acceptances.get(act.party, [])
        coming = bisect_left(own, act.t)
        if coming < len(own) and own[coming] - act.t <= self._policy.handoff_window:
            return True
        handed_over_at = self._current.start
        previous = self.chain.segments[-2].party if len(self.chain.segments) > 1 else None
        return previous == act.party and act.t - handed_over_at <= self._policy.clock_skew

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
        found = None
        if not self._releases:
            return found
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
        """Every release to a named taker who never took it, nor refused it."""
        taken = [(segment.party, segment.start) for segment in self.chain.segments]
        taken += [(refusal.taker, refusal.accept.t) for refusal in self.chain.refusals]
        for release in self._releases:
            taker = release.counterpart
            if taker is None or taker == release.party:
                continue
            if not any(party == taker and start - release.t >= -self._policy.handoff_window for party, start in taken):
                self.chain.gaps.append(Gap(release.t, f"no ACCEPT by {taker}"))

    def find_unconfirmed_lines(self) -> None:
        """Every list that was signed as too long to count and of which this line was never seen (R1)."""
        for signed in self._paper.unconfirmed:
            near = (
                segment.party == signed.party and abs(segment.start - signed.t) <= self._policy.handoff_window
                for segment in self.chain.segments
            )
            if not any(near):
                self.chain.gaps.append(Gap(signed.t, f"no ACCEPT by {signed.party}"))

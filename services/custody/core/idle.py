"""Records that cannot change an answer, so that a parcel scanned thousands of times is not judged anew after each.

A lower bound: whatever is not sure to be idle is asked about. tests/unit/custody/core/test_idle.py holds it to the
answers that asking after every record gives.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import structs

from schemas.events import (
    ConditionObserved,
    DeadlinePassed,
    Event,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    NoticeGiven,
    PayloadWithheld,
    VerdictIssued,
)
from schemas.vocabulary import RECIPIENT, SENDER, Condition, Facet, FindingKind
from services.custody.core import lateness
from services.custody.core.acts import Act, Kind, act_of
from services.custody.core.case import Ground
from services.custody.core.clocks import longest_interval
from services.custody.core.facts import Fact
from services.custody.core.grades import Standing, standing_of
from services.custody.core.instants import BEGINNING, later
from services.custody.core.pieces import pieces_of
from services.custody.core.rules import admission, findings
from services.custody.core.verdict import Finding, Verdict

_MAY_BE_IDLE = (
    ItemScanned,
    HandoffAccepted,
    HandoffReleased,
    ConditionObserved,
    NoticeGiven,
    DeadlinePassed,
    VerdictIssued,
    PayloadWithheld,
)
"""Types that change nothing where they count for nothing, or report no act. Any other type is asked about."""

_ORDINARY = ("mode", "site", "operator", "observations", "transport")
"""What a scan or handoff may say beside whose it is and still be no more than that. Any other field is asked about."""

_FOLLOWED = (Kind.ACCEPT, Kind.RELEASE, Kind.SCAN, Kind.LOOK, Kind.NOTICE)
"""Kinds of act of which it is known how far they reach. A parcel that has any other is asked about when it moves."""

_TIED_TO_MOVEMENT = (FindingKind.LOSS, FindingKind.DELAY)


class Standstill:
    """The last moment that was judged, and what has been recorded since without bearing on the answer."""

    def __init__(self, ground: Ground, standing: Mapping[Finding, Verdict], disputed: frozenset[bytes]) -> None:
        """`standing` are the findings that stood then, `disputed` the identities that have several contents."""
        acts = ground.scene.acts
        last = ground.scene.chain.segments[-1]
        self._ground = ground
        self._disputed = disputed
        self._time = ground.as_of.time
        self._last_act = acts[-1].t if acts else None
        self._last_of: dict[str, datetime] = {}
        for act in acts:
            self._last_of[act.fact.envelope.source] = act.t
        self._recorded = {fact.identity: fact.content_hash for fact in ground.evidence.facts}
        self._highest: dict[str, int] = {}
        for fact in ground.evidence.facts:
            self._count(fact)
        self._lost = any(finding.kind is FindingKind.LOSS for finding in standing)
        # Then R18 sets nothing aside, so that every finding sees the same chain.
        self._signed = all(act.standing.signed or _is_claim(act) for act in acts)
        self._promised, self._deemed_lost = _deadlines(ground)
        self._holder = last.party
        self._moves_tell = (
            any(finding.kind in _TIED_TO_MOVEMENT for finding in standing)
            or last.implied
            or ground.scene.chain.delivery is not None
            or bool(ground.contained.stays)
            or any(act.kind not in _FOLLOWED for act in acts)
        )
        self._settled = _settled(ground)
        self._pieces = bool(pieces_of(ground))

    def goes_on(self, fact: Fact) -> bool:
        """Whether the answer is still the same with this fact; the next one is then seen on top of it."""
        if not isinstance(fact.data, _MAY_BE_IDLE) or self._time_tells(fact.record_time):
            return False
        if fact.identity in self._disputed:
            return False
        # A repeat is no news; another content under the same identity is a conflict.
        recorded = self._recorded.get(fact.identity)
        if recorded != fact.content_hash:
            if recorded is not None or not self._is_idle(fact):
                return False
            self._recorded[fact.identity] = fact.content_hash
        self._time = fact.record_time
        return True

    def _is_idle(self, fact: Fact) -> bool:
        """The same, for a content that is recorded for the first time."""
        ground = self._ground
        if not self._is_next_of_its_device(fact):
            return False
        standing = standing_of(fact, fact.t, ground.registry, ground.policy, ground.evidence.signatures)
        act = act_of(fact, fact.t, standing, ground.registry, ground.policy)
        # What is no act, or counts for nothing, is only listed.
        if act is None or standing.why is not None:
            self._count(fact)
            return True
        if not (self._is_one_more_sight(act) or self._is_one_more_move(act, standing)):
            return False
        self._count(fact)
        self._last_act = self._last_of[fact.envelope.source] = act.t
        self._signed = self._signed and standing.signed
        if act.kind is Kind.ACCEPT:
            self._holder = act.party
        return True

    def _is_next_of_its_device(self, fact: Fact) -> bool:
        """Whether number and clock agree that it is the latest; else it may date others of its device anew (R36)."""
        number = fact.envelope.sequence
        if number is None:
            return True
        highest = self._highest.get(fact.envelope.source, -1)
        return number.isdecimal() and int(number) > highest and (self._last_act is None or fact.t > self._last_act)

    def _count(self, fact: Fact) -> None:
        number, source = fact.envelope.sequence, fact.envelope.source
        if number is not None and number.isdecimal():
            self._highest[source] = max(self._highest.get(source, -1), int(number))

    def _time_tells(self, now: datetime) -> bool:
        """Whether a deadline went by since, or the parcel may have counted as lost: then a sight of it is news."""
        return any(instant <= now for instant in self._deemed_lost) or any(
            self._time <= instant <= now for instant in self._promised
        )

    def _is_one_more_sight(self, act: Act) -> bool:
        """Whether its holder merely had it at hand once more, after everything else that happened.

        Then no segment, handoff or zone changes; only findings about its presence ask for such a look. One that is
        unsigned is set aside wherever R18 set anything aside before; a signed one could take over there.
        """
        return (
            act.kind is Kind.SCAN
            and act.party == self._holder
            and self._is_ordinary(act)
            and (self._signed or not act.standing.signed)
        )

    def _is_one_more_move(self, act: Act, standing: Standing) -> bool:
        """Whether it merely changed hands once more, among those who had it before and long after all that was seen.

        Nothing that a bracket holds changes then: an acceptance or release speaks of handoffs within `handoff_window`
        of it, and every look lies further back than that. A taker who is new to the chain could bring a role that
        rules ask for; a delivery, a loss and a delay depend on who has it now.
        """
        return (
            act.kind in (Kind.ACCEPT, Kind.RELEASE)
            and not self._moves_tell
            and self._is_ordinary(act)
            and act.reservation is None
            and act.party not in (SENDER, RECIPIENT)
            and any(segment.party == act.party for segment in self._ground.scene.chain.segments)
            and self._signed
            and standing.signed
            and act.t > self._settled
        )

    def _is_ordinary(self, act: Act) -> bool:
        """Whether it came after everything else, and says that the item was there and nothing more."""
        return (
            (self._last_act is None or act.t > self._last_act)
            and not self._pieces
            and act.exposed
            and act.claimed_acceptance is None
            and _is_plain(act.fact.data)
            and all(look.facet is Facet.PRESENCE and look.value is Condition.OK for look in act.looks)
            and all(not stay.implied or stay.until < act.t for stay in self._ground.contained.stays)
            and not self._lost
            and not self._ground.corrections
            and self._is_in_no_doubt(act)
        )

    def _is_in_no_doubt(self, act: Act) -> bool:
        """Whether no act of another device is so near that clocks may have the order of the two wrong (R36)."""
        source, apart = act.fact.envelope.source, longest_interval(self._ground.policy)
        return all(act.t - t > apart for other, t in self._last_of.items() if other != source)


def _is_plain(data: Event) -> bool:
    """Whether an event says whose it is and only what is ordinary: every other field is as if it were not there."""
    match data:
        case ItemScanned():
            bare: Event = ItemScanned(mode=data.mode, party=data.party)
        case HandoffAccepted():
            bare = HandoffAccepted(mode=data.mode, taker=data.taker, giver=data.giver)
        case HandoffReleased():
            bare = HandoffReleased(mode=data.mode, giver=data.giver, taker=data.taker)
        case _:
            return False
    return structs.replace(data, **{name: getattr(bare, name) for name in _ORDINARY}) == bare


def _is_claim(act: Act) -> bool:
    """A claimant's notice, which R18 never sets aside."""
    return act.kind is Kind.NOTICE and act.party in (SENDER, RECIPIENT)


def _settled(ground: Ground) -> datetime:
    """After this a handoff reaches nothing that was seen or reserved, by any window and as far as clocks may differ."""
    seen = [act.t for act in ground.scene.acts if not _only_moves(act)]
    reach = max(ground.policy.handoff_window, ground.policy.reservation_window) + 2 * ground.policy.clock_skew
    return later(max(seen), reach) if seen else BEGINNING


def _only_moves(act: Act) -> bool:
    sound = all(look.facet is Facet.PRESENCE and look.value is Condition.OK for look in act.looks)
    return act.kind in (Kind.ACCEPT, Kind.RELEASE, Kind.SCAN) and act.reservation is None and sound


def _deadlines(ground: Ground) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """When it was promised for and when it counts as lost, in every scene that a finding may see of it."""
    contract, policy = ground.contract, ground.policy
    if policy.deemed_lost is None and contract.promised(BEGINNING) is None:
        return (), ()
    own = (admission.admit(ground, Finding(kind)) for kind in (FindingKind.LOSS, FindingKind.DELAY))
    scenes = (ground.scene, *own)
    promised = [contract.promised(scene.chain.taken_over_at) for scene in scenes]
    promised += [lateness.due_at(ground, scene) for scene in scenes]
    lost = (findings.deemed_lost_at(ground, scene) for scene in scenes)
    return tuple(t for t in promised if t is not None), tuple(t for t in lost if t is not None)

"""Records that cannot change an answer, so that a parcel scanned thousands of times is not judged anew after each.

A lower bound: whatever is not sure to be idle is asked about. tests/unit/custody/core/test_idle.py holds it to the
answers that asking after every record gives.
"""

from collections.abc import Collection
from datetime import datetime

from schemas.events import EventCorrected, ParcelAnnounced, Scan
from schemas.vocabulary import RECIPIENT, SENDER, Condition, Facet, FindingKind
from services.custody.core.acts import Act, Kind, act_of
from services.custody.core.case import Ground
from services.custody.core.facts import Fact
from services.custody.core.grades import standing_of
from services.custody.core.instants import BEGINNING
from services.custody.core.rules import admission, findings
from services.custody.core.verdict import Finding


class Standstill:
    """The last moment that was judged, and what has been recorded since without bearing on the answer."""

    def __init__(self, ground: Ground, standing: Collection[Finding], disputed: Collection[bytes]) -> None:
        """`standing` are the findings that stood then, `disputed` the identities that have several contents."""
        acts = ground.scene.acts
        self._ground = ground
        self._disputed = disputed
        self._time = ground.as_of.time
        self._last_act = acts[-1].t if acts else None
        self._lost = any(finding.kind is FindingKind.LOSS for finding in standing)
        # Then R18 sets nothing aside, so that every finding sees the same chain.
        self._signed = all(act.standing.signed or _is_claim(act) for act in acts)
        self._promised, self._deemed_lost = _deadlines(ground)

    def goes_on(self, fact: Fact) -> bool:
        """Whether the answer is still the same with this fact; the next one is then seen on top of it."""
        if fact.identity in self._disputed or isinstance(fact.data, (EventCorrected, ParcelAnnounced)):
            return False
        if self._time_tells(fact.record_time):
            return False
        ground = self._ground
        t = fact.t
        standing = standing_of(fact, t, ground.registry, ground.policy, ground.evidence.signatures)
        act = act_of(fact, t, standing, ground.registry, ground.policy)
        # What is no act, or counts for nothing, is only listed.
        if act is not None and standing.why is None:
            if not self._is_one_more_sight(act):
                return False
            self._last_act = t
            self._signed = self._signed and standing.signed
        self._time = fact.record_time
        return True

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
        data = act.fact.data
        return (
            act.kind is Kind.SCAN
            and act.party == self._ground.scene.chain.segments[-1].party
            and (self._last_act is None or act.t > self._last_act)
            and act.exposed
            and isinstance(data, Scan)
            and data.seal is None
            and all(look.facet is Facet.PRESENCE and look.value is Condition.OK for look in act.looks)
            and not self._lost
            and not self._ground.corrections
            and (self._signed or not act.standing.signed)
        )


def _is_claim(act: Act) -> bool:
    """A claimant's notice, which R18 never sets aside."""
    return act.kind is Kind.NOTICE and act.party in (SENDER, RECIPIENT)


def _deadlines(ground: Ground) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """When it was promised for and when it counts as lost, in every scene that a finding may see of it."""
    contract, policy = ground.contract, ground.policy
    if policy.deemed_lost is None and contract.promised(BEGINNING) is None:
        return (), ()
    own = (admission.admit(ground, Finding(kind)) for kind in (FindingKind.LOSS, FindingKind.DELAY))
    scenes = (ground.scene, *own)
    promised = (contract.promised(scene.chain.taken_over_at) for scene in scenes)
    lost = (findings.deemed_lost_at(ground, scene) for scene in scenes)
    return tuple(t for t in promised if t is not None), tuple(t for t in lost if t is not None)

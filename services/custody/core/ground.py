"""Steps 1 to 3 for all findings at once: what was known, which events count, what each is worth, who held it when."""

from schemas.events import EventCorrected
from schemas.positions import AsOf
from services.custody.core.acts import Act, act_of, instant_of
from services.custody.core.case import Ground, Scene, SetAside
from services.custody.core.counting import sort_out
from services.custody.core.facts import Evidence, Fact
from services.custody.core.grades import standing_of
from services.custody.core.policy import contract_of, policy_of
from services.custody.core.registry import Registry
from services.custody.core.rules.possession import custody


def lay(evidence: Evidence, as_of: AsOf) -> Ground:
    """Everything that questions about this parcel at this moment share. A pure function of its arguments."""
    known = evidence.known_at(as_of)
    counted, lost = sort_out(known.facts, known.rivals)
    registered, _ = sort_out(known.registry, known.rivals)
    registry, policy = Registry(registered), policy_of(registered)
    excluded: SetAside = {fact.position: (fact, "CONFLICT") for fact in lost}
    acts: list[Act] = []
    corrections: list[Fact] = []
    for fact in counted:
        if isinstance(fact.data, EventCorrected):
            corrections.append(fact)
            continue
        t = instant_of(fact)
        standing = standing_of(fact, t, registry, policy, known.signatures)
        act = act_of(fact, t, standing, registry, policy)
        if act is None:
            continue
        if standing.why is not None:
            excluded[fact.position] = (fact, standing.why)
            continue
        if act.claimed_acceptance is not None:
            excluded[fact.position] = (fact, "NOT_THE_TAKERS_ACT")
        acts.append(act)
    acts.sort(key=lambda act: act.order)
    scene = Scene(acts, custody(acts, registry, policy), excluded)
    return Ground(known, as_of, registry, policy, contract_of(counted), scene, corrections)

"""Steps 1 to 3 for all findings at once: what was known, which events count, what each is worth, who held it when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.events import EventCorrected
from schemas.positions import AsOf
from schemas.vocabulary import Facet
from services.custody.core.acts import Act, Kind, act_of, is_hindrance, reports_act
from services.custody.core.case import Ground, Scene, SetAside
from services.custody.core.clocks import effective_times
from services.custody.core.containment import Containment, Stay, Timed, contain
from services.custody.core.counting import sort_out
from services.custody.core.facts import Evidence, Fact
from services.custody.core.grades import Standing, standing_of
from services.custody.core.policy import Policy, contract_of, policy_of
from services.custody.core.registry import Registry
from services.custody.core.rules.possession import custody


def lay(evidence: Evidence, as_of: AsOf) -> Ground:
    """Everything that questions about this parcel at this moment share. A pure function of its arguments."""
    known = evidence.known_at(as_of)
    counted, lost = sort_out(known.facts, known.rivals)
    about_units, _ = sort_out(known.unit_facts, known.rivals)
    registered, _ = sort_out(known.registry, known.rivals)
    bench = _Bench(known, Registry(registered), policy_of(registered))
    own = bench.judge(counted)
    of_units = {unit: bench.judge(facts) for unit, facts in _by_subject(about_units).items()}
    contained = bench.contain(own, of_units)

    excluded: SetAside = {fact.position: (fact, "CONFLICT") for fact in lost}
    excluded |= {each.fact.position: (each.fact, each.standing.why) for each in own if each.standing.why is not None}
    excluded |= {fact.position: (fact, why) for fact, why in contained.refused}
    acts = [act for each in own if (act := bench.act(each)) is not None]
    for act in acts:
        if act.claimed_acceptance is not None:
            excluded[act.fact.position] = (act.fact, "NOT_THE_TAKERS_ACT")
    during = [(stay, each) for stay in contained.stays for each in of_units.get(stay.unit, ()) if _lies_in(each, stay)]
    acts += [act for stay, each in during if (act := bench.act_of_unit(each, stay, acts)) is not None]
    acts.sort(key=lambda act: act.order)
    corrections = [each.fact for each in (*own, *(each for _, each in during)) if _corrects(each)]
    return Ground(
        evidence=known,
        as_of=as_of,
        registry=bench.registry,
        policy=bench.policy,
        contract=contract_of(counted),
        scene=Scene(acts, custody(acts, bench.registry, bench.policy), excluded),
        corrections=corrections,
        contained=contained,
        counted=tuple(counted),
    )


class _Judged(NamedTuple):
    """A fact of one content, at its effective time, with what it can be worth."""

    fact: Fact
    t: datetime
    standing: Standing


class _Bench:
    """What every fact is judged by."""

    def __init__(self, known: Evidence, registry: Registry, policy: Policy) -> None:
        self._known = known
        self.registry = registry
        self.policy = policy

    def judge(self, facts: Sequence[Fact]) -> list[_Judged]:
        """Facts about one item or unit that report an act or correct one."""
        times = effective_times(facts, self.registry)
        judged = []
        for fact in facts:
            if reports_act(fact.data) or isinstance(fact.data, EventCorrected):
                t = times[fact.position]
                standing = standing_of(fact, t, self.registry, self.policy, self._known.signatures)
                if isinstance(fact.data, EventCorrected):
                    standing = standing._replace(why=None)  # R18 judges it with what it corrects
                judged.append(_Judged(fact, t, standing))
        return judged

    def contain(self, own: Iterable[_Judged], of_units: Mapping[str, Iterable[_Judged]]) -> Containment:
        """Which units it was in when, by the packings that count."""
        return contain(
            self._known.subject,
            _that_count(own),
            {unit: _that_count(judged) for unit, judged in of_units.items()},
            self._known.neighbours,
            self.policy.unit_max_stay,
            self.policy.clock_skew,
        )

    def act(self, each: _Judged) -> Act | None:
        """The act that a fact about the item itself reports, if it counts."""
        if each.standing.why is not None:
            return None
        return act_of(each.fact, each.t, each.standing, self.registry, self.policy)

    def act_of_unit(self, each: _Judged, stay: Stay, own: Iterable[Act]) -> Act | None:
        """The same for a fact about a unit that held the item then, if it says anything of the item."""
        if each.standing.why is not None:
            return None
        act = act_of(each.fact, each.t, each.standing, self.registry, self.policy, unit=stay.unit, hidden=stay.hides)
        if act is None or stay.hides or self._is_on_board(act, own):
            return act
        return None

    def _is_on_board(self, act: Act, own: Iterable[Act]) -> bool:
        """R1: a list taken under a valid reservation about its count is taken only for lines scanned near that time."""
        reservation = act.reservation
        if act.kind is not Kind.ACCEPT or reservation is None or reservation.facet is not Facet.COUNT:
            return True
        if not is_hindrance(reservation, self.policy):
            return True
        return any(
            other.party == act.party and other.physical and abs(other.t - act.t) <= self.policy.handoff_window
            for other in own
        )


def _by_subject(facts: Iterable[Fact]) -> Mapping[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.subject, []).append(fact)
    return found


def _that_count(judged: Iterable[_Judged]) -> list[Timed]:
    return [Timed(each.fact, each.t) for each in judged if each.standing.why is None]


def _lies_in(each: _Judged, stay: Stay) -> bool:
    """Whether a unit's event is the item's too. What happens as it comes out is, but for handoffs: it was out then."""
    if each.t == stay.until:
        return not _moves_custody(each.fact)
    return stay.since <= each.t < stay.until


def _moves_custody(fact: Fact) -> bool:
    return fact.data.TYPE.startswith("custody.handoff_")


def _corrects(each: _Judged) -> bool:
    return isinstance(each.fact.data, EventCorrected)

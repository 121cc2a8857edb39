"""Steps 1 to 3 for all findings at once: what was known, which events count, what each is worth, who held it when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, structs

from schemas.events import EventCorrected, NoticeGiven, UnitPacked, UnitUnpacked
from schemas.positions import AsOf
from schemas.vocabulary import Facet
from services.custody.core import clocks, concerns, weights
from services.custody.core.acts import Act, Kind, act_of, is_hindrance, reports_act
from services.custody.core.case import Ground, Scene, SetAside
from services.custody.core.containment import Containment, Stay, Timed, contain
from services.custody.core.counting import sort_out
from services.custody.core.facts import Evidence, Fact
from services.custody.core.grades import Standing, standing_of
from services.custody.core.instants import later
from services.custody.core.journeys import cut
from services.custody.core.paper import read, taken_back
from services.custody.core.policy import Policy, contract_of, is_dated, policy_of
from services.custody.core.registry import Registry
from services.custody.core.rules.possession import custody


def lay(evidence: Evidence, as_of: AsOf) -> Ground:
    """Everything that questions about this parcel at this moment share. A pure function of its arguments."""
    known = evidence.known_at(as_of)
    counted, lost = sort_out(known.facts, known.rivals)
    about_units, _ = sort_out(known.unit_facts, known.rivals)
    registered, _ = sort_out(known.registry, known.rivals)
    contract = contract_of(counted)
    named = evidence.policy if evidence.policy is not None else contract.announced.policy
    bench = _Bench(known, Registry(registered), policy_of(registered, named))
    told = bench.hear(counted, about_units)
    if is_dated(registered):
        in_force = policy_of(registered, named, _taken_over(told.acts, counted))
        if in_force != bench.policy:
            bench = _Bench(known, bench.registry, in_force)
            told = bench.hear(counted, about_units)

    excluded: SetAside = {fact.position: (fact, "CONFLICT") for fact in lost}
    excluded |= {each.fact.position: (each.fact, each.standing.why) for each in told.own if each.standing.why}
    excluded |= {fact.position: (fact, why) for fact, why in told.contained.refused}
    hearsay = (act.fact for act in told.acts if act.claimed_acceptance is not None and act.unit is None)
    excluded |= {fact.position: (fact, "NOT_THE_TAKERS_ACT") for fact in hearsay}  # R13a
    told.acts[:] = weights.compare(told.acts, bench.policy, contract.announced.content_grams)
    withdrawn = taken_back(known, counted, bench.registry, bench.policy)
    excluded |= {fact.position: (fact, "RETRACTED") for fact in withdrawn}
    counted = [fact for fact in counted if fact not in withdrawn] if withdrawn else counted
    paper = read(known, counted, told.acts, told.unconfirmed, contract, bench.registry, bench.policy)
    for fact, why in paper.set_aside:
        excluded.setdefault(fact.position, (fact, why))
    return Ground(
        evidence=known,
        as_of=as_of,
        registry=bench.registry,
        policy=bench.policy,
        contract=paper.contract,
        scene=Scene(told.acts, custody(told.acts, bench.registry, bench.policy, paper), excluded),
        corrections=told.corrections,
        contained=told.contained,
        counted=tuple(counted),
        paper=paper,
        withdrawn=tuple(withdrawn),
        linked=tuple(lay(journey, as_of) for other in known.linked for journey in cut(other, as_of)),
    )


def _taken_over(acts: Sequence[Act], counted: Sequence[Fact]) -> datetime | None:
    """When the parcel was taken over, which decides whose settings it goes by: its first acceptance, own or by unit.

    Until there is one, its first event. The settings without dates say which acceptances count.
    """
    accepted = next((act.t for act in acts if act.kind is Kind.ACCEPT and not act.standing.entry), None)
    return accepted if accepted is not None else min((fact.t for fact in counted), default=None)


class _Judged(Struct, frozen=True):
    """A fact of one content, at its effective time, with what it can be worth."""

    fact: Fact
    t: datetime
    standing: Standing


class _Told(NamedTuple):
    """What the facts say under some settings."""

    own: Sequence[_Judged]
    contained: Containment
    acts: list[Act]
    unconfirmed: list[Act]
    """Acceptances of a list, under a valid reservation about its count, that show nothing of this line (R1)."""
    corrections: list[Fact]


class _Bench:
    """What every fact is judged by."""

    def __init__(self, known: Evidence, registry: Registry, policy: Policy) -> None:
        self._known = known
        self._disputed_at = concerns.first_report(known.facts)
        self.registry = registry
        self.policy = policy

    def hear(self, counted: Sequence[Fact], about_units: Iterable[Fact]) -> _Told:
        """The acts of the parcel's own facts and of those about the units that hold it, sorted."""
        own = self.judge(counted)
        of_units = {unit: self.judge(facts) for unit, facts in _by_subject(about_units).items()}
        contained = self.contain(
            self._still_standing(own), {unit: self._still_standing(judged) for unit, judged in of_units.items()}
        )
        acts = [act for each in own if (act := self.act(each)) is not None]
        of_their_units = [
            act
            for stay in contained.stays
            for each in of_units.get(stay.unit, ())
            if _lies_in(each, stay) and (act := self.act_of_unit(each, stay)) is not None
        ]
        on_board: list[Act] = []
        unconfirmed: list[Act] = []
        for act in of_their_units:
            (on_board if self._is_on_board(act, acts) else unconfirmed).append(act)
        acts += on_board
        acts.sort(key=lambda act: act.order)
        corrections = [each.fact for each in own if type(each.fact.data) is EventCorrected]
        corrections += _corrections(of_their_units, of_units)
        return _Told(own, contained, acts, unconfirmed, corrections)

    def judge(self, facts: Sequence[Fact]) -> list[_Judged]:
        """Facts about one item or unit that report an act or correct one."""
        judged = [
            self._judged(fact, fact.t) for fact in facts if reports_act(fact.data) or type(fact.data) is EventCorrected
        ]
        if not clocks.is_in_doubt(each.fact for each in judged):
            return judged
        raised = clocks.raised(self._counted(judged))
        return [
            self._judged(each.fact, raised[each.fact.position]) if each.fact.position in raised else each
            for each in judged
        ]

    def _judged(self, fact: Fact, t: datetime) -> _Judged:
        standing = standing_of(fact, t, self.registry, self.policy, self._known.signatures)
        if type(fact.data) is EventCorrected:
            standing = structs.replace(standing, why=None)  # R18 judges it with what it corrects
        return _Judged(fact, t, standing)

    def _counted(self, judged: Iterable[_Judged]) -> Iterator[clocks.Counted]:
        """The events of enrolled devices, with what their devices' counts are worth (R36)."""
        for each in judged:
            fact, standing = each.fact, each.standing
            device = self.registry.device(fact.envelope.source)
            enrolment = device.enrolled_at(later(each.t, self.policy.clock_skew)) if device is not None else None
            if enrolment is not None:
                vouched = standing.why is None and standing.signed and not isinstance(fact.data, _UNJUDGED)
                yield clocks.Counted(fact, enrolment.since, vouched)

    def _still_standing(self, judged: Sequence[_Judged]) -> Sequence[_Judged]:
        """Without the packings and unpackings that their author took back under a signature, or typed in afterwards.

        Once anybody had reported anything, an entry about what lay in what may be in its author's favour (R18).
        """
        corrections = [each.fact for each in judged if isinstance(each.fact.data, EventCorrected)]
        if not corrections and all(each.standing.signed for each in judged):
            return judged
        gone = set()
        for fact in corrections:
            standing = standing_of(fact, fact.t, self.registry, self.policy, self._known.signatures)
            if standing.why is None and standing.signed:
                gone.add((getattr(fact.data, "corrects", ""), self.registry.entity(standing.speaker)))
        return [
            each
            for each in judged
            if not isinstance(each.fact.data, (UnitPacked, UnitUnpacked))
            or (
                (each.fact.id, self.registry.entity(each.fact.data.party)) not in gone
                and not (each.standing.entry and self._is_disputed_before(each.fact))
            )
        ]

    def _is_disputed_before(self, fact: Fact) -> bool:
        return self._disputed_at is not None and self._disputed_at < fact.record_time

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

    def act_of_unit(self, each: _Judged, stay: Stay) -> Act | None:
        """The same for a fact about a unit that held the item then."""
        if each.standing.why is not None:
            return None
        return act_of(each.fact, each.t, each.standing, self.registry, self.policy, unit=stay.unit, hidden=stay.hides)

    def _is_on_board(self, act: Act, own: Iterable[Act]) -> bool:
        """R1: a list taken under a valid reservation about its count is taken only for lines scanned near that time."""
        reservation = act.reservation
        if not act.exposed:
            return True
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
    """Whether a unit's event is the item's too. What happens as it comes out is; where that was at a handoff, no other.

    Of one instant a handoff comes first (R1), so that whatever else brings the item out finds it handed over.
    """
    if each.t == stay.until:
        ended_by = stay.unpacked or stay.implied_by
        return not (_moves_custody(each.fact) and ended_by is not None and _moves_custody(ended_by))
    return stay.since <= each.t < stay.until


def _moves_custody(fact: Fact) -> bool:
    return fact.data.TYPE.startswith("custody.handoff_")


def _corrections(acts: Iterable[Act], of_units: Mapping[str, Iterable[_Judged]]) -> Iterator[Fact]:
    """What takes back one of these acts of units, whenever it came: not only while the item was inside."""
    correcting = [
        (unit, each.fact, each.fact.data)
        for unit, judged in of_units.items()
        for each in judged
        if type(each.fact.data) is EventCorrected
    ]
    told = {(act.fact.subject, act.id) for act in acts} if correcting else ()
    for unit, fact, data in correcting:
        if (unit, data.corrects) in told:
            yield fact


_UNJUDGED = (EventCorrected, NoticeGiven)
"""Whose standing says nothing of their device: they raise no other event."""

"""R4's `proved`, R8, R29, R30, R20 and R21: among whom, in which shares, how surely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction

from schemas.events import HandoffAccepted, NoticeGiven
from schemas.vocabulary import (
    SENDER,
    Condition,
    Confidence,
    FindingKind,
    Outcome,
    PartyRole,
    SharePolicy,
)
from tests.naive.bracket import Bracket
from tests.naive.case import Case, build
from tests.naive.custody import Zone
from tests.naive.eventset import is_admission
from tests.naive.facts import Look, Question, canonical
from tests.naive.grades import CLAIMANTS, is_unsigned, other_side
from tests.naive.sealed import Mark


@dataclass
class Candidates:
    """Who may answer, and where in the bracket each of them held it."""

    parties: list[str]
    spans: list[tuple[str, datetime | None, datetime]] = field(default_factory=list)
    alternatives: set[str] = field(default_factory=set)
    beside: list[tuple[str, datetime | None, datetime]] = field(default_factory=list)
    """Where sender and recipient held it, who take no share beside carriers."""


def overlapping(case: Case, low: datetime | None, high: datetime) -> list[tuple[str, datetime | None, datetime]]:
    """R4: segments that overlap the open interval; at an acceptance, bad accuses the giver's side."""
    found = []
    for segment in case.custody.segments:
        start = segment.start if low is None else (low if segment.start is None else max(segment.start, low))
        end = high if segment.end is None else min(segment.end, high)
        if start is None or start < end:
            found.append((segment.party, start, end))
    return found or [(case.custody.holder_at(high), low, high)]


def zones_in(case: Case, low: datetime | None, high: datetime) -> list[Zone]:
    """R8: the zones that the open interval overlaps."""
    return [
        zone
        for zone in case.custody.zones
        if (zone.start is None or zone.start < high) and (low is None or zone.end > low)
    ]


def touching_zones(case: Case, bracket: Bracket) -> list[Zone]:
    """The zones to show: those in the bracket, and one that ends where it begins."""
    return [
        zone
        for zone in case.custody.zones
        if bracket.u_t is not None
        and (zone.start is None or zone.start < bracket.u_t)
        and (bracket.l_t is None or zone.end >= bracket.l_t)
    ]


def named_givers(case: Case, bracket: Bracket) -> set[str]:
    """R1: whom takers in the bracket name as giver, although another held it: they may have had it unsigned."""
    found = set()
    for taking, giver in case.custody.takings:
        named = taking.data.giver if isinstance(taking.data, HandoffAccepted) else None
        inside = bracket.u_t is not None and taking.t <= bracket.u_t and (bracket.l_t is None or bracket.l_t < taking.t)
        if not inside or named is None or named in (SENDER, taking.by):
            continue
        if not case.registry.same(named, giver):
            found.add(named)
            case.rules.add("R1-named")
    return found


def proved(case: Case, bracket: Bracket) -> frozenset[str]:
    """R4: every party of the segments in (L, U), and both of every zone there; without L from the sender on."""
    if bracket.u_t is None:
        return frozenset()
    parties = {party for party, _, _ in overlapping(case, bracket.l_t, bracket.u_t)}
    for zone in zones_in(case, bracket.l_t, bracket.u_t):
        parties |= {zone.a, zone.b}
    return frozenset(parties)


def candidates(case: Case, bracket: Bracket, windows: Sequence[tuple[datetime | None, datetime | None]]) -> Candidates:
    """R8: who held it in what is left of the bracket, both parties of a zone; R30: the presenter for an authority."""
    found = Candidates([])
    for low, high in windows:
        assert high is not None
        found.spans += overlapping(case, low, high)
        for zone in zones_in(case, low, high):
            case.rules.add("R8")
            start = zone.start if low is None else max(zone.start or low, low)
            found.spans += [(party, start, min(zone.end, high)) for party in (zone.a, zone.b)]
    found.spans = [_presenter(case, found, *span) for span in found.spans]
    parties = list(dict.fromkeys(party for party, _, _ in found.spans))
    order = _who_held_it_when(case, windows)
    parties.sort(key=lambda party: _last_index(order, party))
    carriers = [party for party in parties if case.registry.role(party) not in CLAIMANTS]
    if carriers:
        found.alternatives |= set(parties) - set(carriers)
        found.beside = [span for span in found.spans if span[0] not in carriers]
        found.spans = [span for span in found.spans if span[0] in carriers]
    found.parties = carriers or parties
    return found


def _who_held_it_when(case: Case, windows: Sequence[tuple[datetime | None, datetime | None]]) -> list[str]:
    """The holders one after another; whoever took it over in a zone may have had it up to the zone's end."""
    ends = [(low, high) for low, high in windows if high is not None]
    until = max(high for _, high in ends)
    held = [(zone.end, zone.b) for low, high in ends for zone in zones_in(case, low, high)]
    for segment in case.custody.segments:
        if segment.start is None:
            held.insert(0, (DAY_1, segment.party))
        elif segment.start < until:
            held.append((segment.start, segment.party))
    return [party for _, party in sorted(held, key=lambda each: each[0])]


DAY_1 = datetime.min.replace(tzinfo=UTC)


def _last_index(order: Sequence[str], party: str) -> int:
    return max((at for at, each in enumerate(order) if each == party), default=-1)


def _presenter(
    case: Case, found: Candidates, party: str, start: datetime | None, end: datetime
) -> tuple[str, datetime | None, datetime]:
    """R30: an authority's time is no share; whoever presented it to the authority stands in."""
    if case.registry.role(party) is not PartyRole.AUTHORITY:
        return party, start, end
    case.rules.add("R30")
    case.flags.add("AUTHORITY")
    found.alternatives.add(party)
    before = SENDER
    for segment in case.custody.segments:
        if segment.party == party and (segment.end is None or start is None or segment.end > start):
            break
        if case.registry.role(segment.party) is not PartyRole.AUTHORITY:
            before = segment.party
    return before, start, end


def r29_swapped(case: Case, bracket: Bracket, found: Candidates) -> None:
    """R29: two parcels hold each other's goods: whoever of the candidates held both at once."""
    if case.kind is not FindingKind.WRONG_CONTENT or bracket.u_t is None:
        return
    for notice in case.acts:
        if not isinstance(notice.data, NoticeGiven) or notice.data.holds is None:
            continue
        other = canonical(notice.data.holds)
        question = Question(other, FindingKind.WRONG_CONTENT, case.question.as_of)
        theirs = build(case.records, question)
        back = any(
            isinstance(act.data, NoticeGiven)
            and act.data.holds is not None
            and canonical(act.data.holds) == case.question.parcel
            and any(look.act.id == act.id for look in theirs.bads())
            for act in theirs.acts
        )
        if not back:
            continue
        both = [
            party
            for party, start, end in found.spans
            for segment in theirs.custody.segments
            if segment.party == party
            and segment.start is not None
            and segment.start < end
            and (segment.end is None or start is None or start < segment.end)
        ]
        if both:
            found.parties = list(dict.fromkeys(both))
            case.rules.add("R29")
            case.flags.add("LABEL_SWAP")
        return


def r20_shares(case: Case, found: Candidates, *, sealed_unit: bool) -> dict[str, Fraction]:
    """R20: shares by policy; LAST_CARRIER is one party, and for sealed units equal parts."""
    parties = found.parties
    if len(parties) <= 1:
        return {party: Fraction(1) for party in parties}
    case.rules.add("R20")
    weights = {party: Fraction(1) for party in parties}
    match case.settings.policy:
        case SharePolicy.LAST_CARRIER if not sealed_unit:
            case.rules.add("R20-last")
            return {parties[-1]: Fraction(1)}
        case SharePolicy.CONTRACT_TABLE:
            if all(case.settings.table.get(party) for party in parties):
                weights = {party: Fraction(case.settings.table[party]) for party in parties}
        case SharePolicy.FREIGHT:
            freight = {leg.party: leg.freight for leg in case.paper.plan}
            if all(freight.get(party) for party in parties):
                weights = {party: Fraction(freight[party] or 0) for party in parties}
    total = sum(weights.values())
    return {party: weight / total for party, weight in weights.items()}


BARS = {
    "R5", "R7a<5", "R7b", "R8", "R9a", "R9d", "R9g", "R10", "R11", "R13a", "R13b", "R13c", "R26", "R15", "R17", "R30",
    "R1-named", "ADMISSION", "R29", "R14b", "R6",
}  # fmt: skip
"""R21: with any of these nothing is HIGH."""


def r21_confidence(
    case: Case, bracket: Bracket, outcome: Outcome, shares: Mapping[str, Fraction], u_act: Mark | None
) -> Confidence:
    """R21: the lowest that any fired rule allows."""
    if outcome is Outcome.UNDETERMINED:
        return Confidence.NONE
    if outcome is Outcome.JOINT or case.rules & {"R17-stands", "R9g", "R20-last"}:
        return Confidence.LOW
    if outcome is Outcome.SHARED:
        return Confidence.MODERATE if len(shares) == 2 else Confidence.LOW
    if "R14a" in case.rules:
        assert bracket.u is not None
        signed = other_side(bracket.u.act, case.registry)
        return Confidence.HIGH if SENDER in signed and "R15" not in case.rules else Confidence.MODERATE
    if bracket.u is not None and (bracket.u.reserved or _admitted(case, bracket.u)):
        return Confidence.MODERATE
    u_grade = u_act.grade if u_act is not None else (bracket.u.grade if bracket.u is not None else 0)
    direct = bracket.l_grade >= 3 and u_grade >= 3 and max(bracket.l_grade, u_grade) >= 4
    barred = case.rules & BARS or "ADMISSION" in case.flags
    return Confidence.HIGH if direct and not barred else Confidence.MODERATE


def _admitted(case: Case, u: Look) -> bool:
    return (
        "ADMISSION" in case.flags
        and is_unsigned(u.act, case.registry)
        and is_admission(u.act, u.facet, Condition.BAD, case.custody, case.registry, u.t)
    )

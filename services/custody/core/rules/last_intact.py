"""Step 8: who last saw it sound. R4 L, the bracket, and the custodians in it."""

from collections.abc import Callable, Sequence

from schemas.vocabulary import Confidence
from services.custody.core.acts import Act
from services.custody.core.case import Case, Edge
from services.custody.core.chain import Segment, Zone
from services.custody.core.condition import Facets, Look, clears, is_slighter, says_ok
from services.custody.core.rules.rule import Rule
from services.custody.core.verdict import Finding

R4 = Rule(
    id="R4",
    name="last seen intact",
    en=(
        "The bracket begins at the latest direct look before the harm that found it sound. Everyone who held "
        "the parcel between the two may have done it; the one who looked is a witness, not the culprit."
    ),
    zh="责任区间始于损坏之前最后一次直接的完好记录。其间的保管方均可能造成损坏；最后查看者是见证人，并非责任人。",
    source="CMR 17, 37; 民法典 834",
)
RULES = (R4,)


def latest_ok(case: Case) -> bool:
    """R4: L, the witness, and `proved`. The release that R7b weighs is left out. Never ends.

    A zone inside the bracket belongs to both its parties (R1, R8), also where a rule ends the reasoning before R8 turns
    custodians into candidates: else a look that narrows the bracket could bring somebody into it.
    """
    facets = clears(case.finding.kind, case.bad_facets)
    found = [_latest(case, case.scene.oks, facets, says_ok, "R4")]
    if case.finding.severity is not None:
        found.append(_latest(case, case.scene.bads, facets, is_slighter, "R35"))
    case.L = max((edge for edge in found if edge is not None), key=lambda edge: edge.order, default=None)
    if case.L is not None:
        case.witness = case.L.act
    zoned = [party for zone in zones(case) for party in (zone.giver, zone.taker)]
    case.proved = in_chain_order(case, [*custodians(case), *zoned])
    return False


def _latest(
    case: Case,
    seen: Sequence[tuple[Act, Look]],
    facets: Facets,
    clears_it: Callable[[Look, Finding, Facets], bool],
    rule: str,
) -> Edge | None:
    """The latest direct look before U that clears the finding; of one act, its best look."""
    assert case.U is not None
    best: tuple[Act, Look] | None = None
    for act, look in reversed(seen):
        if best is not None and act is not best[0]:
            break
        if act.order >= case.U.order or act is case.contradicting or not look.direct:
            continue
        if clears_it(look, case.finding, facets) and (best is None or look.grade > best[1].grade):
            best = (act, look)
    if best is None:
        return None
    act, look = best
    if look.admission:
        case.fire("R18", Confidence.MODERATE)
        case.flag("ADMISSION")
    return Edge(act.t, act.order, rule, "direct", act, look.grade)


def zones(case: Case) -> list[Zone]:
    """The zones that the bracket as it stands overlaps."""
    return [zone for zone in case.chain.zones if any(zone.overlaps(*window) for window in case.windows)]


def in_chain_order(case: Case, parties: Sequence[str]) -> list[str]:
    """Parties by when they first held it, each once."""
    order = {segment.party: at for at, segment in reversed(list(enumerate(case.chain.segments)))}
    return sorted(dict.fromkeys(parties), key=lambda party: order.get(party, len(order)))


def custodians(case: Case) -> list[str]:
    """Whoever held the parcel inside the bracket as it stands, in the order of the segments."""
    if case.L is not None and case.U is not None and case.L.t == case.U.t:
        return list(dict.fromkeys(case.chain.held_between(case.L.order, case.U.order)))
    held = [
        segment.party
        for segment in case.chain.segments
        if any(segment.overlaps(*window) for window in case.windows) or _was_taken_just_before(segment, case)
    ]
    return list(dict.fromkeys(held))


def _was_taken_just_before(segment: Segment, case: Case) -> bool:
    """Whether it was taken over in the very instant in which the bracket ends, and before that by the order of acts."""
    if case.U is None or segment.opened_by is None or segment.start != case.U.t or case.windows[-1][1] != case.U.t:
        return False
    return segment.opened_by.order < case.U.order

"""Step 8: who last saw it sound. R4 L, the bracket, and the custodians in it."""

from schemas.vocabulary import Confidence
from services.custody.case import Case, Edge
from services.custody.chain import looks_of
from services.custody.condition import clears, is_slighter, says_ok
from services.custody.rules.rule import Rule

R4 = Rule(
    id="R4",
    name="last seen intact",
    en=(
        "The bracket begins at the latest direct look before the harm that found it sound. Everyone who held the parcel between "
        "the two may have done it; the one who looked is a witness, not the culprit."
    ),
    zh="责任区间始于损坏之前最后一次直接的完好记录。其间的保管方均可能造成损坏；最后查看者是见证人，并非责任人。",
    source="CMR 17, 37; 民法典 834",
)
RULES = (R4,)


def latest_ok(case: Case) -> bool:
    """R4: L, the witness, and `proved`. The release that R7b weighs is left out. Never ends."""
    assert case.U is not None
    facets = clears(case.finding.kind, case.bad_facets)
    admitted = False
    for act, look in looks_of(case.scene.acts):
        if act.order >= case.U.order:
            break
        if act is case.contradicting or not look.direct:
            continue
        slighter = is_slighter(look, case.finding, facets)
        if not slighter and not says_ok(look, case.finding, facets):
            continue
        if case.L is None or case.L.act is not act or look.grade > (case.L.grade or 0):
            case.L = Edge(act.t, act.order, "R35" if slighter else "R4", "direct", act, look.grade)
            case.witness = act
            admitted = look.admission
    if admitted:
        case.limit("R18", Confidence.MODERATE)
        case.flag("ADMISSION")
    case.proved = custodians(case)
    return False


def custodians(case: Case) -> list[str]:
    """Whoever held the parcel inside the bracket as it stands, in the order of the segments."""
    held = [segment.party for segment in case.chain.segments if segment.overlaps(case.since, case.until)]
    return list(dict.fromkeys(held))

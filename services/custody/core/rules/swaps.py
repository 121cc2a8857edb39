"""Step 12: goods under each other's labels. R29 swapped labels: who held both parcels at once."""

from msgspec import structs

from schemas.events import NoticeGiven
from schemas.vocabulary import Confidence, FindingKind
from services.custody.core import concerns
from services.custody.core.case import Case, Ground
from services.custody.core.rules import boundary, delivery, facets, findings, first_bad, last_intact
from services.custody.core.rules.admission import admit
from services.custody.core.rules.authority import held
from services.custody.core.rules.rule import POLICY, Rule

R29 = Rule(
    id="R29",
    name="swapped labels",
    en=(
        "A label proves the label, not the goods. Two parcels that hold each other's goods were swapped "
        "where both were held at once."
    ),
    zh="面单只证明面单本身，不证明内件。两件快件内件互换的，换错发生在同时保管两件的一方。",
    source=POLICY,
)
RULES = (R29,)


def held_both(case: Case) -> bool:
    """R29: where two parcels hold each other's goods, those candidates remain that held both at once. Never ends."""
    if case.finding.kind is not FindingKind.WRONG_CONTENT:
        return False
    others = [other for ground in case.ground.linked if (other := _swapped_with(case, ground)) is not None]
    if not others:
        return False
    case.flag("LABEL_SWAP")
    kept = [party for party in case.candidates if any(_had_both(party, case, other) for other in others)]
    if kept:
        case.candidates = kept
        case.fire("R29", Confidence.MODERATE)
    return False


def _swapped_with(case: Case, ground: Ground) -> Case | None:
    """The other parcel's case with its bracket, where each is said to hold the other's goods."""
    if _labels(ground) & _labels(case.ground):
        return None  # its own goods, under another number of its own
    finding = structs.replace(case.finding, piece=None)
    other = Case(ground, admit(ground, finding), finding)
    if not findings.stands(other) or not (_is_said_to_hold(case, ground) and _is_said_to_hold(other, case.ground)):
        return None
    if first_bad.earliest_bad(other):
        return None
    for rule in (delivery.relates_back, facets.noted_late, boundary.conflict, last_intact.latest_ok):
        rule(other)
    return other


def _is_said_to_hold(case: Case, other: Ground) -> bool:
    """Whether a direct report of the finding says that the other's goods are in it."""
    labels = _labels(other)
    said = (act.fact.data for act, look in case.openers if look.direct)
    return any(
        isinstance(data, NoticeGiven) and data.holds is not None and concerns.canonical(data.holds) in labels
        for data in said
    )


def _labels(ground: Ground) -> frozenset[str]:
    return concerns.labels(ground.evidence.subject, ground.evidence.facts)


def _had_both(party: str, one: Case, other: Case) -> bool:
    had = held(party, other)
    return any(since < end and until > begin for since, until in held(party, one) for begin, end in had)

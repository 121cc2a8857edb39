"""Step 12: customs and police. R30 authority: who presented the item to them stands in for them."""

from collections.abc import Iterator

from schemas.vocabulary import Confidence, PartyRole
from services.custody.core.case import Case
from services.custody.core.chain import Segment
from services.custody.core.rules.rule import Rule
from services.custody.core.spans import Span, union

R30 = Rule(
    id="R30",
    name="authority",
    en=(
        "While customs or police hold a parcel, whoever presented it stands in for them; the authority takes no share "
        "and stays an open alternative, and its time is excused."
    ),
    zh="海关、公安等机关占有期间，由提交查验的一方代为承担；该机关不分担责任，仅列为其他可能，其占有时间予以扣除。",
    source="58 Stat. 1536",
)
RULES = (R30,)


def presented(case: Case) -> bool:
    """R30 at step 12: in the place of every authority among the candidates, whoever presented it. Never ends."""
    case.candidates = stand_ins(case, *case.candidates)
    return False


def stand_ins(case: Case, *parties: str) -> list[str]:
    """The same parties, with whoever presented the item to it in the place of an authority; each once."""
    named = []
    for party in parties:
        if case.registry.role(party) is not PartyRole.AUTHORITY:
            named.append(party)
            continue
        case.fire("R30", Confidence.MODERATE)
        case.flag("AUTHORITY")
        if party not in case.alternatives:
            case.alternatives.append(party)
        named += list(_presenters(party, case)) or [party]
    return list(dict.fromkeys(named))


def stand_in(case: Case, party: str) -> str:
    """The same for one who alone would answer: the last to present it."""
    return stand_ins(case, party)[-1]


def presented_by(segment: Segment, case: Case) -> str:
    """Whose the time of a segment is: its own party's, of an authority's that of whoever presented the item to it."""
    segments = case.chain.segments
    for earlier in reversed(segments[: segments.index(segment) + 1]):
        if case.registry.role(earlier.party) is not PartyRole.AUTHORITY:
            return earlier.party
    return segment.party


def held(party: str, case: Case) -> list[Span]:
    """When a party had it, or may have had it, or stands in for who had it, inside the bracket."""
    spans = [(each.start, each.end) for each in case.chain.segments if presented_by(each, case) == party]
    spans += [(zone.since, zone.until) for zone in case.chain.zones if party in (zone.giver, zone.taker)]
    return union((max(since, begin), min(until, end)) for since, until in spans for begin, end in case.windows)


def _presenters(authority: str, case: Case) -> Iterator[str]:
    held = [segment for segment in case.chain.segments if segment.party == authority]
    inside = [segment for segment in held if any(segment.overlaps(*window) for window in case.windows)]
    for segment in inside or held[-1:]:
        yield presented_by(segment, case)

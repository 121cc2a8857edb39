"""One answer for a result that several blows brought about together and that cannot be divided (R35)."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from msgspec import structs

from schemas.vocabulary import Confidence, Outcome
from services.custody.core.attribution import judge
from services.custody.core.case import RANKS, Ground
from services.custody.core.explain import explain_union
from services.custody.core.rules import findings
from services.custody.core.rules.clocks import Trials
from services.custody.core.verdict import Doubt, Finding, Narrowing, Share, Verdict

Asked = TypeVar("Asked", bound=Narrowing)

_DOUBT = Doubt(
    "R35", "several blows brought it about, and nothing tells their parts apart", "系多次损坏共同造成，各自作用无法区分"
)


def united(ground: Ground, parts: Sequence[Finding]) -> Verdict | None:
    """R35: whoever is liable for any of the findings, in equal shares; None where none of them stands.

    Where only one stands its own verdict comes back; who is answerable for none of them changes nothing.
    """
    trials = Trials(ground)
    found = [verdict for part in dict.fromkeys(parts) if (verdict := judge(ground, part, trials)) is not None]
    if len(found) < 2:
        return found[0] if found else None
    found.sort(key=lambda verdict: findings.GRAVITY.index(verdict.finding.kind))
    chain = [segment.party for segment in ground.scene.chain.segments]
    liable = _in_order(chain, (share.party for verdict in found for share in verdict.liable))
    part = Fraction(1, len(liable)) if liable else Fraction(0)
    named = next((verdict.outcome for verdict in found if verdict.liable), Outcome.UNDETERMINED)
    several = len(liable) > 1
    naming = [verdict for verdict in found if verdict.liable] or found
    surest = min((verdict.confidence for verdict in naming), key=RANKS.index)
    if len(naming) < len(found):
        surest = min(surest, Confidence.LOW, key=RANKS.index)
    alternatives = dict.fromkeys(party for verdict in found for party in verdict.open_alternatives)
    level = min(surest, Confidence.LOW, key=RANKS.index) if several else surest
    shared = tuple(Share(party, str(part)) for party in liable)
    return structs.replace(
        found[0],
        finding=Finding(found[0].finding.kind, found[0].finding.component, piece=found[0].finding.piece),
        parts=tuple(verdict.finding for verdict in found),
        outcome=Outcome.SHARED if several else named,
        cause=None,
        liable=shared,
        proved=tuple(_in_order(chain, (party for verdict in found for party in verdict.proved))),
        L=None,
        U=None,
        last_seen_intact=None,
        confidence=level,
        rules=tuple(sorted({"R35", *_all(found, "rules")}, key=lambda rule: (int(rule.strip("Rabcdefgh")), rule))),
        flags=_all(found, "flags"),
        exposure=tuple(sorted(set(_all(found, "exposure")))),
        zones=_all(found, "zones"),
        open_alternatives=tuple(party for party in alternatives if party not in liable),
        excluded=_all(found, "excluded"),
        gaps=_all(found, "gaps"),
        footage=_ranked(verdict.footage for verdict in found),
        missing_scans=_ranked(verdict.missing_scans for verdict in found),
        notice_status=_all(found, "notice_status"),
        external_debtors=_all(found, "external_debtors"),
        evidence=_all(found, "evidence"),
        doubt=(*_all(found, "doubt"), _DOUBT) if several else _all(found, "doubt"),
        explanation=explain_union(found, shared, level),
    )


def _in_order(chain: Sequence[str], parties: Iterable[str]) -> list[str]:
    """Parties by when they first held it, each once."""
    named = set(parties)
    return sorted(named, key=lambda party: (chain.index(party) if party in chain else len(chain), party))


def _ranked(lists: Iterable[Sequence[Asked]]) -> tuple[Asked, ...]:
    """Where to look for any of the findings: the first of each, then the second, with ranks of their own."""
    groups: dict[tuple[int, int], list[Asked]] = {}
    for at, items in enumerate(lists):
        for item in items:
            groups.setdefault((item.rank, at), []).append(item)
    return tuple(
        structs.replace(item, rank=rank) for rank, key in enumerate(sorted(groups), start=1) for item in groups[key]
    )


def _all(found: Sequence[Verdict], name: str) -> tuple[Any, ...]:
    """What any of the verdicts says under a name, each once, in their order."""
    told: list[Any] = []
    for verdict in found:
        told += [each for each in getattr(verdict, name) if each not in told]
    return tuple(told)

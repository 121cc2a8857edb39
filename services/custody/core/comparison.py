"""How the answers about one case differ between two rulesets: what was told before, and what these rules tell."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from schemas.positions import AsOf, Positions
from services.custody.core import attribution
from services.custody.core.casework import FAR_FUTURE, filed_under, latest
from services.custody.core.difference import Told, differs
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.incidents import incidents, names
from services.custody.core.journeys import cut
from services.custody.core.verdict import Finding, Verdict


class Kind(StrEnum):
    """In what two answers differ."""

    OPENED = "opened"
    """No such finding stood before."""
    CLOSED = "closed"
    """It stands no more."""
    OUTCOME = "outcome"
    LIABLE = "liable"
    CONFIDENCE = "confidence"
    L = "L"
    U = "U"
    PROVED = "proved"
    FLAGS = "flags"
    RULES = "rules"
    """Nothing but the rules that spoke: the answer is the same, and no new version of it is made."""


class Answers(NamedTuple):
    """What is told about one case: one journey of a subject."""

    verdicts: tuple[Verdict, ...] = ()
    incidents: tuple[str, ...] = ()


class Differing(NamedTuple):
    """One finding that is answered otherwise, or by other rules."""

    finding: Finding
    before: Verdict | None
    """None: it did not stand."""
    after: Verdict | None
    kinds: tuple[Kind, ...]

    @property
    def is_new_version(self) -> bool:
        """Whether the answer itself is another."""
        return self.kinds != (Kind.RULES,)

    @property
    def speaks_now(self) -> tuple[str, ...]:
        """Rules that speak and did not before."""
        return _without(self.after, self.before)

    @property
    def silent_now(self) -> tuple[str, ...]:
        """Rules that spoke before and do no more."""
        return _without(self.before, self.after)


def answers(evidence: Evidence, journey: int, positions: Positions) -> Answers:
    """What these rules tell about one journey, knowing exactly what had been read at these positions.

    The moment is that of the newest thing known there, as for every stored case: time that passed since changes
    nothing.
    """
    known = evidence.known_at(AsOf(FAR_FUTURE, positions))
    as_of = latest(known, positions)
    if as_of is None or filed_under(known) != known.subject:
        return Answers()
    journeys = cut(known, as_of)
    if journey > len(journeys):
        return Answers()
    own = journeys[journey - 1]
    return Answers(attribution.verdicts(own, as_of), names(incidents(lay(own, as_of))))


def compare(before: Sequence[Verdict], now: Sequence[Verdict]) -> tuple[Differing, ...]:
    """The findings that differ, in the order in which they were told, new ones last."""
    old = {verdict.finding: verdict for verdict in before}
    new = {verdict.finding: verdict for verdict in now}
    found = (_differing(finding, old.get(finding), new.get(finding)) for finding in dict.fromkeys((*old, *new)))
    return tuple(each for each in found if each.kinds)


def _differing(finding: Finding, before: Verdict | None, now: Verdict | None) -> Differing:
    return Differing(finding, before, now, tuple(_kinds(before, now)))


def _kinds(before: Verdict | None, now: Verdict | None) -> Iterator[Kind]:
    if before is None or now is None:
        if now is not None:
            yield Kind.OPENED
        elif before is not None:
            yield Kind.CLOSED
    elif differs(before, now):
        told = zip(Told._fields, Told.of(before), Told.of(now), strict=True)
        yield from (Kind(name) for name, was, is_now in told if was != is_now)
    elif set(before.rules) != set(now.rules):
        yield Kind.RULES


def _without(one: Verdict | None, other: Verdict | None) -> tuple[str, ...]:
    known: Iterable[str] = other.rules if other is not None else ()
    return tuple(rule for rule in (one.rules if one is not None else ()) if rule not in known)

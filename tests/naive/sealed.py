"""R9: what seals prove. Only kinds that need access ask; for the others a good seal excludes nothing (R9c)."""

from dataclasses import dataclass
from datetime import datetime

from schemas.events import (
    HandoffAccepted,
    Scan,
    SealApplied,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import Condition, Facet, OpeningReason
from tests.naive.bracket import Bracket, opener_looked
from tests.naive.case import Case
from tests.naive.custody import release_to
from tests.naive.facts import Act
from tests.naive.grades import ceiling, grade, other_side, seal_grade
from tests.naive.looks import worth

Window = tuple[datetime | None, datetime]


@dataclass
class Mark:
    """One thing that was done to, or read from, one seal: applied, checked, or opened."""

    t: datetime
    act: Act
    applied: bool
    number: str | None
    good: bool | None
    """For checks: whether it matched; None: nothing was said of it."""
    grade: int
    opened: bool
    admitted: bool = False
    """Worth something only because it speaks against its author."""


@dataclass
class Breach:
    """R9b: from the last good check or the sealing to the first bad check."""

    start: Mark
    end: Mark
    chain: int


def chains(case: Case) -> list[list[Mark]]:
    """What is on record of each seal that was between the item and the world: of its units, and tape on itself."""
    found = []
    for stay in case.stays:
        if stay.listed:
            continue
        marks = []
        for act in sorted(case.everything, key=lambda each: each.order):
            if act.id in case.excluded:
                continue
            on_unit = act.record.subject == stay.unit and not isinstance(act.data, (UnitPacked, UnitUnpacked))
            if (on_unit and stay.start <= act.t <= stay.end) or act is stay.packed or act is stay.out:
                marks += _marks(case, act)
        found.append(marks)
    own = [act for act in case.acts if act.unit is None and not isinstance(act.data, (UnitPacked, UnitUnpacked))]
    found.append([mark for act in own for mark in _marks(case, act)])
    return [marks for marks in found if marks]


def _marks(case: Case, act: Act) -> list[Mark]:
    if not isinstance(act.data, Scan):
        return []
    seal, opened = act.data.seal, isinstance(act.data, (UnitOpened, UnitUnpacked))
    if isinstance(act.data, SealApplied) or (isinstance(act.data, UnitPacked) and seal is not None):
        recorded = seal_grade(act, case.registry, case.settings)
        number = seal.number if seal is not None and recorded >= 3 else None
        return [Mark(act.t, act, True, number, None, recorded, False)]
    seen = [each for each in act.observations if each.facet is Facet.SEAL]
    if not seen and not opened:
        return []
    plain = max((grade(act, each, case.registry, case.settings) for each in seen), default=0)
    best = max((worth(act, each, case.custody, case.registry, case.settings) for each in seen), default=0)
    good = None
    if seen and best >= 3:
        good = all(each.value is Condition.OK for each in seen) and not (seal is not None and seal.match is False)
    return [Mark(act.t, act, False, seal.number if seal else None, good, best, opened, admitted=plain < best)]


def r9_intervals(case: Case) -> list[tuple[tuple[datetime, datetime], int]]:
    """R9a, R9e, R9f: from the sealing with its number on record to the last matching check before an opening.

    Each with the number of its seal's chain.
    """
    found = []
    for chain, marks in enumerate(chains(case)):
        start: Mark | None = None
        last: datetime | None = None
        for mark in marks:
            if mark.applied:
                if start is not None and last is not None:
                    found.append(((start.t, last), chain))
                start, last = (mark if mark.number is not None else None), None
                continue
            if start is None:
                continue
            wrong_number = mark.number is not None and mark.number != start.number
            if mark.good and not wrong_number:
                last = mark.t
            if mark.opened or mark.good is False or wrong_number:
                if last is not None:
                    found.append(((start.t, last), chain))
                start, last = None, None
        if start is not None and last is not None:
            found.append(((start.t, last), chain))
    return found


def r9f_authority(case: Case, low: datetime | None, high: datetime) -> bool:
    """R9f: an authority had it opened inside the bracket."""
    return any(
        isinstance(act.data, UnitOpened)
        and act.data.because is OpeningReason.AUTHORITY
        and (low is None or low < act.t)
        and act.t < high
        for act in case.acts
    )


def r9b_breaches(case: Case) -> list[Breach]:
    """R9b: seal missing, altered or wrong."""
    found = []
    for chain, marks in enumerate(chains(case)):
        start: Mark | None = None
        last: Mark | None = None
        for mark in marks:
            if mark.applied:
                start = last = mark if mark.number is not None else None
                continue
            if start is None or last is None:
                continue
            wrong_number = mark.number is not None and mark.number != start.number
            if mark.good is False or wrong_number:
                found.append(Breach(last, mark, chain))
                start = last = None
            elif mark.good:
                last = mark
                if mark.opened:
                    start = last = None
    return found


def r7_seal_pair(case: Case, breach: Breach) -> str | None:
    """R7, seals alike: at a handoff the taker says broken; what the giver signed or released says who answers."""
    if not isinstance(breach.end.act.data, HandoffAccepted):
        return None
    giver = case.custody.holder_before(breach.end.act)
    if any(case.registry.same(party, giver) for party in other_side(breach.end.act, case.registry)):
        breach.end.grade = max(breach.end.grade, ceiling(breach.end.act, case.registry, case.settings, admission=False))
        return "R7c"
    release = release_to(breach.end.act, giver, case.acts, case.settings)
    if release is None or breach.start.act.id != release.id:
        return "R7a" if breach.end.grade == 5 else "R7a<5"
    if breach.start.grade == breach.end.grade:
        return "both"
    return "taker" if breach.start.grade > breach.end.grade else "R7b"


def subtract(low: datetime | None, high: datetime, closed: list[tuple[datetime, datetime]]) -> list[Window]:
    """What of (low, high) no interval covers."""
    windows: list[Window] = [(low, high)]
    for start, end in closed:
        left: list[Window] = []
        for since, until in windows:
            if end <= (since or end) and since is not None:
                left.append((since, until))
                continue
            if start >= until:
                left.append((since, until))
                continue
            if since is None or since < start:
                left.append((since, start))
            if end < until:
                left.append((max(end, since) if since is not None else end, until))
        windows = left
    return [(since, until) for since, until in windows if since is None or since < until]


def at_opening(case: Case, bracket: Bracket) -> datetime:
    """R9d: the opener's inspection in time counts as made when it was opened."""
    assert bracket.u is not None
    assert bracket.u_t is not None
    t = bracket.u_t
    for stay in case.stays:
        out = stay.out
        if stay.listed or stay.outer or out is None or out.by != bracket.u.act.by or out.t > bracket.u_t:
            continue
        if (
            bracket.delivery is None
            and (bracket.l_t is None or bracket.l_t <= out.t)
            and opener_looked(case, out)
            and bracket.u.act.t <= (out.t + case.settings.opening_window)
        ):
            t = min(t, out.t)
    return t


def was_sealed(case: Case, bracket: Bracket) -> bool:
    """R20: whether it was in a sealed unit for some of the bracket: up to a good check, or to where it was broken."""
    for marks in chains(case):
        since: datetime | None = None
        for mark in marks:
            on_unit = mark.act.record.subject != case.question.parcel or isinstance(mark.act.data, UnitPacked)
            if mark.applied:
                since = mark.t if on_unit and mark.number is not None else None
            if since is None:
                continue
            shows = mark.applied or mark.good is not None
            before = bracket.u_t is None or since < bracket.u_t
            if shows and before and (bracket.l_t is None or mark.t > bracket.l_t):
                return True
            if mark.opened or mark.good is False:
                since = None
    return False


def opener(case: Case, bracket: Bracket) -> str:
    """R9g: who opened what the item was in; where nobody on record did, who held it when it was found."""
    assert bracket.u_t is not None
    outs = [stay.out for stay in case.stays if not stay.outer and stay.out is not None and stay.out.t <= bracket.u_t]
    if outs:
        return max(outs, key=lambda each: each.t).by
    return case.custody.holder_at(bracket.u_t)

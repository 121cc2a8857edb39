"""Seals: when nobody can have got at the item, by what was put on and read off, and where one failed (R9).

What is closed is a unit that the item was in, or the item itself with numbered tape around it; a locker's door log
tells the same in other words.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.events import UnitOpened, UnitPacked, UnitUnpacked
from schemas.vocabulary import Condition, Facet, OpeningReason
from services.custody.core.acts import Act, Kind
from services.custody.core.concerns import canonical
from services.custody.core.containment import Containment
from services.custody.core.grades import DIRECT
from services.custody.core.spans import Span


class Sign(NamedTuple):
    """An act that shows a seal: put on, or found good or bad."""

    act: Act
    grade: int


@dataclass(slots=True, eq=False)
class Sealed:
    """From a seal whose number was recorded when it was put on to the last check that found it good (R9a)."""

    unit: str | None
    """None: tape on the item itself."""
    good: list[Sign]
    """How it was put on, and every check that found it good."""
    broken: Sign | None = None
    """The first check that found it missing, altered or another (R9b)."""

    @property
    def span(self) -> Span:
        """When nobody can have got at what is inside."""
        return self.good[0].act.t, self.good[-1].act.t


class Opening(NamedTuple):
    """An opening at an authority's wish, up to the next seal that is on record (R9f)."""

    since: datetime
    until: datetime | None


@dataclass(slots=True, eq=False)
class Seals:
    """Every seal around an item, in the order of time."""

    sealed: list[Sealed] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    unrecorded: list[Act] = field(default_factory=list)
    """Checks of a seal of which nobody wrote down the number when it was put on (R9e)."""


def read(acts: Iterable[Act], contained: Containment) -> Seals:
    """What acts, sorted by `Act.order`, tell of the seals around the item."""
    stays = [stay for stay in contained.stays if stay.hides]
    about: dict[tuple[str | None, int], list[Act]] = {}
    for act in acts:
        if not bears_on_seals(act):
            continue
        unit = unit_around(act)
        if unit is None:
            about.setdefault((None, 0), []).append(act)
        for at, stay in enumerate(stays):  # what befell the unit while it held something else tells nothing
            if stay.unit == unit and stay.since <= act.t <= stay.until:
                about.setdefault((unit, at), []).append(act)
    found = Seals()
    for (unit, _), seen in about.items():
        _Course(unit, found).follow(seen)
    found.sealed.sort(key=lambda each: each.good[0].act.order)
    found.openings.sort()
    return found


def bears_on_seals(act: Act) -> bool:
    """Whether the act can put a seal on, break one or show one; most acts are scans that say nothing of any."""
    if act.seal is not None or act.kind in _AT_THE_SEAL:
        return True
    return bool(act.looks) and any(look.facet is Facet.SEAL for look in act.looks)


_AT_THE_SEAL = (Kind.SEAL, Kind.PACK, Kind.OPEN, Kind.UNPACK, Kind.REPACK)


def unit_around(act: Act) -> str | None:
    """Around what the seal is that the act may show: the unit packed into or out of, the one around it, the item."""
    data = act.fact.data
    if isinstance(data, (UnitPacked, UnitUnpacked)):
        return canonical(data.unit)
    if act.unit is None and (inside := getattr(data, "inside", None)) is not None:
        return canonical(inside)
    return act.unit


class _Course:
    """One unit's seal after another: the one that is on, and what has become of those before."""

    def __init__(self, unit: str | None, found: Seals) -> None:
        self._unit = unit
        self._found = found
        self._on: Sealed | None = None
        self._number: str | None = None
        self._opened_at: datetime | None = None
        """Since when it has been open at an authority's wish."""

    def follow(self, acts: Iterable[Act]) -> None:
        """Take the acts in their order."""
        for act in acts:
            if act.kind in (Kind.SEAL, Kind.PACK):
                self._put_on(act)
            else:
                self._check(act)
            if act.kind in (Kind.OPEN, Kind.UNPACK, Kind.REPACK):
                self._open(act)
        if self._opened_at is not None:
            self._found.openings.append(Opening(self._opened_at, None))

    def _put_on(self, act: Act) -> None:
        seal = act.seal
        if seal is None or seal.number is None or seal.grade < DIRECT:
            if act.kind is Kind.SEAL:
                self._on = self._number = None  # another seal, of which nobody knows the number
            return
        if self._on is not None and seal.number == self._number:
            return  # told once more, with the next thing packed
        self._start(Sign(act, seal.grade), seal.number)

    def _start(self, sign: Sign, number: str) -> None:
        self._on, self._number = Sealed(self._unit, [sign]), number
        self._found.sealed.append(self._on)
        if self._opened_at is not None:
            self._found.openings.append(Opening(self._opened_at, sign.act.t))
            self._opened_at = None

    def _check(self, act: Act) -> None:
        shown = self._shown(act)
        if shown is None:
            return
        is_good, grade = shown
        if self._on is not None and is_good:
            self._on.good.append(Sign(act, grade))
        elif self._on is not None:
            self._on.broken = Sign(act, grade)
            self._on = None
        elif is_good and self._opened_at is not None and act.seal is not None and act.seal.number is not None:
            self._start(Sign(act, grade), act.seal.number)  # the first reading after it was opened and closed (R30)
        elif self._number is None:
            self._found.unrecorded.append(act)

    def _shown(self, act: Act) -> tuple[bool, int] | None:
        """Whether the act found the seal good, and how good that is; None where it did not look, or nobody can tell."""
        told = [
            (look.value is Condition.OK, look.grade)
            for look in act.looks
            if look.facet is Facet.SEAL and look.direct and look.value is not Condition.UNEXAMINED
        ]
        seal = act.seal
        if seal is not None and seal.grade >= DIRECT:
            if seal.number is not None and self._on is not None:
                told.append((seal.number == self._number and seal.match is not False, seal.grade))
            elif seal.match is not None:
                told.append((seal.match, seal.grade))
        if not told:
            return None
        is_good = all(good for good, _ in told)
        return is_good, max(grade for good, grade in told if good is is_good)

    def _open(self, act: Act) -> None:
        self._on = self._number = None
        data = act.fact.data
        if isinstance(data, UnitOpened) and data.because is OpeningReason.AUTHORITY:
            self._opened_at = act.t
        elif self._opened_at is not None:
            self._found.openings.append(Opening(self._opened_at, act.t))
            self._opened_at = None

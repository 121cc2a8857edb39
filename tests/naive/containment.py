"""Where an item was inside something else, and which acts of its units are therefore acts of the item."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.events import (
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    ParcelRelabelled,
    Scan,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import Facet, UnitKind
from tests.naive.facts import Act, canonical
from tests.naive.grades import says_not_here
from tests.naive.terms import Settings

DEEPEST = 4


@dataclass(frozen=True)
class Stay:
    """One time in one unit. `out` is the act that took it out; None: nobody recorded that (R9h)."""

    unit: str
    start: datetime
    end: datetime
    packed: Act
    out: Act | None
    listed: bool
    """A manifest: a list, which hides nothing."""
    outer: bool = False
    """A unit around the unit; what is opened to get at the item is the innermost."""


def labels_of(parcel: str, acts: Sequence[Act]) -> set[str]:
    """R28: every label of the item; a relabelling joins the timelines of the old and the new one."""
    labels = {parcel}
    for _ in acts:
        for act in acts:
            if isinstance(act.data, ParcelRelabelled):
                pair = {canonical(act.data.old), canonical(act.data.new)}
                if pair & labels:
                    labels |= pair
    return labels


def stays_of(labels: set[str], acts: Sequence[Act], settings: Settings, depth: int = DEEPEST) -> list[Stay]:
    """Every stay of an item in a unit, and in what that unit was in meanwhile."""
    own = [act for act in acts if act.record.subject in labels]
    found = []
    for act in own:
        if isinstance(act.data, UnitPacked):
            stay = _stay(act, own, acts, settings)
            found.append(stay)
            if depth > 1 and not stay.listed:
                for outer in stays_of({stay.unit}, acts, settings, depth - 1):
                    start, end = max(outer.start, stay.start), min(outer.end, stay.end)
                    if start < end:
                        out = outer.out if outer.end <= stay.end else stay.out
                        found.append(Stay(outer.unit, start, end, outer.packed, out, outer.listed, outer=True))
    return found


def _stay(packed: Act, own: Sequence[Act], acts: Sequence[Act], settings: Settings) -> Stay:
    """R9h: containment ends at the unpacking, else with the first act that cannot be if it were still inside."""
    assert isinstance(packed.data, UnitPacked)
    unit = canonical(packed.data.unit)
    listed = packed.data.kind is UnitKind.MANIFEST
    for act in sorted(own, key=lambda each: each.order):
        if act.order > packed.order and isinstance(act.data, UnitUnpacked) and canonical(act.data.unit) == unit:
            return Stay(unit, packed.t, act.t, packed, act, listed)
    end = packed.t + settings.unit_max_stay
    for act in acts:
        if act.t <= packed.t:
            continue
        exposed = act in own and _at_hand(act) and getattr(act.data, "inside", None) is None
        emptied = act.record.subject == unit and isinstance(act.data, ItemScanned) and act.data.empty
        if (exposed and not listed) or emptied:
            end = min(end, act.t)
    return Stay(unit, packed.t, end, packed, None, listed)


def _at_hand(act: Act) -> bool:
    return isinstance(act.data, Scan) and not isinstance(act.data, HandoffReleased) and not says_not_here(act)


def _signs_for_the_line(act: Act, own: Sequence[Act], settings: Settings) -> bool:
    """R1: a manifest is an ACCEPT of every line; with a valid N reservation only of lines that were scanned."""
    if not isinstance(act.data, HandoffAccepted):
        return isinstance(act.data, HandoffReleased)
    reservation = act.data.reservation
    if reservation is None or reservation.facet is not Facet.COUNT:
        return True
    if reservation.grounds not in settings.reservation_grounds:
        return True
    return any(
        isinstance(each.data, ItemScanned) and each.by == act.by and abs(each.t - act.t) <= settings.handoff_window
        for each in own
    )


def acts_of(labels: set[str], acts: Sequence[Act], stays: Sequence[Stay], settings: Settings) -> list[Act]:
    """The item's own acts, and those of its units while it was inside: those count for what is in them."""
    found = [act for act in acts if act.record.subject in labels]
    for stay in stays:
        for act in acts:
            if act.record.subject != stay.unit or not stay.start <= act.t <= stay.end:
                continue
            if stay.listed and not _signs_for_the_line(act, found, settings):
                continue
            if isinstance(act.data, (UnitPacked, UnitUnpacked)) and act is stay.packed:
                continue
            if any(each.record is act.record for each in found):
                continue
            found.append(Act(act.record, stay.unit if not stay.listed else None))
    return sorted(found, key=lambda each: each.order)

"""Footage: what to ask the handlers of the bracket for, from which camera, for which time, and until when it is kept.

Times are told as instants with the site's time zone beside them, not as its wall clock: an answer must come out the
same byte for byte when asked again, and the rules of time zones change.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER
from services.custody.core.case import Case
from services.custody.core.chain import Segment
from services.custody.core.instants import later


class _Stretch(NamedTuple):
    """A part of the bracket that the item spent at one place of a party."""

    party: str
    site: str | None
    since: datetime
    until: datetime


def footage(case: Case) -> tuple[dict[str, str], ...]:
    """One item for each camera of each site in the bracket, the site with the largest part of the bracket first.

    A site that nobody registered is asked as a whole, and so is a party whose site nobody wrote down.
    """
    if case.U is None:
        return ()
    found = sorted(_stretches(case), key=lambda stretch: stretch.since - stretch.until)
    return tuple(item for stretch in found for item in _asked(stretch, case))


def _stretches(case: Case) -> Iterator[_Stretch]:
    for segment in case.chain.segments:
        if segment.party in (SENDER, RECIPIENT) or segment.party not in case.proved:
            continue
        since, until = max(segment.start, case.seen_since), min(segment.end, case.until)
        if since > until:
            continue
        moves = _moves(segment, case)
        for at, (came, site) in enumerate(moves):
            left = moves[at + 1][0] if at + 1 < len(moves) else segment.end
            if max(came, since) < min(left, until) or (len(moves) == 1 and since == until):
                yield _Stretch(segment.party, site, max(came, since), min(left, until))


def _moves(segment: Segment, case: Case) -> list[tuple[datetime, str | None]]:
    """From when on the item was at which site of its holder, as far as the holder's own acts name one."""
    opened = segment.opened_by.site if segment.opened_by is not None else None
    moves = [(segment.start, opened)]
    for act in case.scene.acts:
        if act.party != segment.party or act.site is None or not segment.start <= act.t < segment.end:
            continue
        if moves[-1][1] is None and len(moves) == 1:
            moves = [(segment.start, act.site)]  # the first that it names is where it was before, for all we know
        elif act.site != moves[-1][1]:
            moves.append((act.t, act.site))
    return moves


def _asked(stretch: _Stretch, case: Case) -> Iterator[dict[str, str]]:
    asked = {
        "party": stretch.party,
        "site": stretch.site or stretch.party,
        "from": stretch.since.isoformat(),
        "to": stretch.until.isoformat(),
    }
    site = case.registry.site(stretch.site) if stretch.site is not None else None
    if site is None:
        yield asked
        return
    asked["time_zone"] = site.time_zone
    for camera in site.cameras:
        door = {"door": camera.door} if camera.door is not None else {}
        kept_until = later(stretch.until, timedelta(days=camera.days_kept)).isoformat()
        yield {**asked, **door, "camera": camera.camera, "kept_until": kept_until}
    if not site.cameras:
        yield asked

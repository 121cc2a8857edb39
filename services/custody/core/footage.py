"""Footage: while an answer is open, whose pictures of which place and time to ask for, the most telling first.

Times are told as instants with the site's time zone beside them, not as its wall clock: an answer must come out the
same byte for byte when asked again, and the rules of time zones change.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER, FindingKind
from services.custody.core.acts import Act
from services.custody.core.case import Case
from services.custody.core.chain import Segment
from services.custody.core.instants import BEGINNING, ENDLESS, earlier, later
from services.custody.core.narrowing import OpenTime, Split, disputed_handoff
from services.custody.core.verdict import Footage

AROUND_A_HANDOFF = timedelta(minutes=15)
"""How much is asked for on either side of a moment: a camera's clock is not the scanner's."""

_HOUR = timedelta(hours=1)
_AT_HOME = (SENDER, RECIPIENT)
"""Nobody is asked for pictures of a private door."""


class _Stretch(NamedTuple):
    """A time that the item spent, or may have spent, at one place of a party."""

    party: str
    site: str | None
    since: datetime
    until: datetime
    split: Split | None
    """None: of a delay, where no picture of its state would help."""

    @property
    def worth(self) -> tuple[float, ...]:
        """Sorts the most telling first; of a delay, the longest time that nobody saw."""
        if self.split is None:
            return ((self.since - self.until) / _HOUR,)
        return self.split.worth


def footage(case: Case, time: OpenTime | None) -> tuple[Footage, ...]:
    """One item for each camera of each place; those of one place and time have the same rank.

    A site that nobody registered is asked as a whole, and so is a party whose site nobody wrote down.
    """
    if case.finding.kind is FindingKind.DELAY:
        found = list(_unseen_handoffs(case))
    elif time is None:
        return ()
    else:
        found = [*_stretches(case, time), *_disputed_handoff(case, time)]
    ordered = sorted(found, key=lambda stretch: (stretch.worth, _kept(stretch, case), stretch.since, stretch.party))
    return tuple(item for at, stretch in enumerate(ordered, start=1) for item in _asked(at, stretch, case))


def _stretches(case: Case, time: OpenTime) -> Iterator[_Stretch]:
    for segment in case.chain.segments:
        if segment.party in _AT_HOME or not time.concerns(segment.party):
            continue
        moves = _moves(segment, case)
        for at, (came, site) in enumerate(moves):
            left = moves[at + 1][0] if at + 1 < len(moves) else segment.end
            yield from _open_part(segment.party, site, came, left, time)
    for zone in time.zones:
        if zone.taker not in _AT_HOME:
            # The giver's part of it belongs to its own segment already.
            site = zone.act.site if zone.act.party == zone.taker else None
            yield from _open_part(zone.taker, site, zone.since, zone.until, time)


def _open_part(party: str, site: str | None, since: datetime, until: datetime, time: OpenTime) -> Iterator[_Stretch]:
    for start, end in time.within(since, until):
        if start is not BEGINNING:
            yield _Stretch(party, site, start, end, time.best(party, start, end))


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


def _disputed_handoff(case: Case, time: OpenTime) -> Iterator[_Stretch]:
    """The very handoff at which one side noted the harm and the other did not sign to it: whose side was it on?"""
    handoff = disputed_handoff(case)
    if handoff is None:
        return
    accept, release = handoff.accept, handoff.release
    instants = [accept.t, release.t] if release is not None else [accept.t]
    since, until = earlier(min(instants), AROUND_A_HANDOFF), later(max(instants), AROUND_A_HANDOFF)
    split = time.split_at_end(handoff.taker)
    for party, act in ((handoff.giver, release), (handoff.taker, accept)):
        if party not in _AT_HOME:
            yield _Stretch(party, _site_of(party, act, accept.t, case), since, until, split)


def _site_of(party: str, act: Act | None, instant: datetime, case: Case) -> str | None:
    """Where a party acted, or where it had been before."""
    if act is not None and act.site is not None:
        return act.site
    held = [segment for segment in case.chain.segments if segment.party == party and segment.start <= instant]
    return _moves(held[-1], case)[-1][1] if held else None


def _unseen_handoffs(case: Case) -> Iterator[_Stretch]:
    """Of a delay: where custody passed at a moment that nobody wrote down, so that nobody's hours are known."""
    for zone in case.chain.zones:
        if zone.since is BEGINNING or zone.since >= zone.until:
            continue
        for party, act in ((zone.giver, None), (zone.taker, zone.act)):
            if party not in _AT_HOME:
                yield _Stretch(party, _site_of(party, act, zone.until, case), zone.since, zone.until, None)


def _kept(stretch: _Stretch, case: Case) -> datetime:
    """Until when the first of its pictures is gone."""
    site = case.registry.site(stretch.site) if stretch.site is not None else None
    days = [camera.days_kept for camera in site.cameras] if site is not None else []
    return later(stretch.until, timedelta(days=min(days))) if days else ENDLESS


def _asked(rank: int, stretch: _Stretch, case: Case) -> Iterator[Footage]:
    site = case.registry.site(stretch.site) if stretch.site is not None else None
    asked: dict[str, Any] = {
        "rank": rank,
        "party": stretch.party,
        "held_by": site.party if site is not None else stretch.party,
        "site": stretch.site or stretch.party,
        "time_zone": site.time_zone if site is not None else None,
        "since": stretch.since,
        "until": stretch.until,
        **told(stretch.split),
    }
    for camera in site.cameras if site is not None else ():
        kept_until = later(stretch.until, timedelta(days=camera.days_kept))
        yield Footage(**asked, door=camera.door, camera=camera.camera, kept_until=kept_until)
    if site is None or not site.cameras:
        yield Footage(**asked)


def told(split: Split | None) -> dict[str, Any]:
    """A split as the verdict tells it."""
    if split is None:
        return {}
    return {
        "look_at": split.at,
        "parties_left_if_sound": split.if_sound,
        "parties_left_if_harmed": split.if_harmed,
        "hours_left_if_sound": split.hours_if_sound,
        "hours_left_if_harmed": split.hours_if_harmed,
    }

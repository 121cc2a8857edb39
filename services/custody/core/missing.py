"""Missing scans: while an answer is open, which record nobody made, and how far it would have narrowed the answer."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER, Facet, FindingKind
from services.custody.core.acts import Act, Kind
from services.custody.core.case import Case
from services.custody.core.footage import told
from services.custody.core.instants import BEGINNING, later
from services.custody.core.narrowing import OpenTime, Split
from services.custody.core.seals import unit_around
from services.custody.core.verdict import Absent, MissingScan
from services.custody.core.wording import Text, date, event, facet, party, span

_HOME = (SENDER, RECIPIENT)
_NO_ACCEPT, _NO_RELEASE = "no ACCEPT by ", "no RELEASE by "
_HIDDEN_BY_A_SEAL = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT, FindingKind.LOSS)
"""R9: kinds for which a number on record would have closed the time inside."""
_INSIDE = (FindingKind.CONCEALED, FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT)
_TO_EXAMINE = {FindingKind.DAMAGE: Facet.OUTER, FindingKind.SHORTAGE: Facet.WEIGHT}
"""What a taker could have looked at without opening anything. Of what is hidden inside, nothing."""

_SAID = {
    Absent.ACCEPT: (
        Text(
            "No acceptance by {who} is on record for {span}. Ask {who} for one: it would show whether and "
            "when it took the parcel over.",
            "没有{who}于{span}期间的接收记录；如{who}存有该记录，请其提供，以查明其是否及何时接收、当时状态如何。",
        )
    ),
    Absent.RELEASE: Text(
        "No release by {who} is on record for the handover of {until}. Ask {who} for one: it would state "
        "how the parcel was then.",
        "没有{who}就{until}交接所作的移交记录；请{who}提供，以查明当时的状态。",
    ),
    Absent.LOOK_AT_TAKEOVER: Text(
        "No check of {what} by {who} is on record for its takeover on {until}. If {who} has one, ask for it: it would "
        "show whether {event} came before or after.",
        "未见{who}于{until}接收时查验{what}的记录；如有，请{who}提供，以判明{event}发生于该次交接之前还是之后。",
    ),
    Absent.PICKUP_CHECK: Text(
        "{who} recorded no check of the contents at pick-up on {until}; it would show whether they were sound when the "
        "sender handed them over.",
        "{who}于{until}揽收时没有收寄验视内件的记录；如有，请{who}提供，以判明交寄时内件是否完好。",
    ),
    Absent.LOOK_AT_DELIVERY: Text(
        "{who} has no opening together with the recipient on record for the delivery of {until}. If it has one, ask "
        "for it: it would show whether {event} came before or after delivery.",
        "{who}于{until}交付时没有与收件人当面开箱验视的记录；如有，请{who}提供，以判明{event}发生于交付之前还是之后。",
    ),
    Absent.SEAL_NUMBER: Text(
        "{who} closed it on {until} without writing a seal number down; with the number, the time under the seal could "
        "be taken out of the question.",
        "{who}于{until}封装时未记录封志号码；如有号码，封志完好的期间即可排除。",
    ),
    Absent.LOOK_AT_OPENING: Text(
        "{who} opened the unit on {until} and recorded no look at what was in it; a look then would have told whether "
        "{event} came before the opening.",
        "{who}于{until}开启总包时没有查验内装快件的记录；如有，请{who}提供，以判明{event}是否发生于开启之前。",
    ),
    Absent.LOOK_AT_REPACKING: Text(
        "{who} put it into a new carton on {until} without a look inside; a look then would have told whether the "
        "contents were sound.",
        "{who}于{until}更换外包装时未查看内件；如存有当时内件的记录，请{who}提供。",
    ),
}


_CALLED = {
    Absent.ACCEPT: Text("an acceptance by {who}", "{who}的接收记录"),
    Absent.RELEASE: Text("a release by {who}", "{who}的移交记录"),
    Absent.LOOK_AT_TAKEOVER: Text("a check by {who} at its takeover on {until}", "{who}于{until}接收时的查验记录"),
    Absent.PICKUP_CHECK: Text("a check of the contents by {who} at pick-up", "{who}揽收时的内件验视记录"),
    Absent.LOOK_AT_DELIVERY: Text("an opening together with the recipient at delivery", "交付时的当面开箱验视记录"),
    Absent.SEAL_NUMBER: Text("the seal number of {who} of {until}", "{who}于{until}封装时的封志号码"),
    Absent.LOOK_AT_OPENING: Text("a look by {who} at the opening on {until}", "{who}于{until}开启时的查验记录"),
    Absent.LOOK_AT_REPACKING: Text("a look inside by {who} at the repacking", "{who}更换外包装时的内件查看记录"),
}


def called(missed: MissingScan) -> Text:
    """A missing record by name, to stand in a list."""
    return _CALLED[missed.code].fill(who=party(missed.party), until=date(missed.until))


class _Missed(NamedTuple):
    """A record that should have been made, and what it would have told."""

    code: Absent
    party: str
    since: datetime
    until: datetime
    split: Split | None


def missing_scans(case: Case, time: OpenTime | None) -> tuple[MissingScan, ...]:
    """The most telling first: by the parties that it would have left at worst, then by the hours."""
    found = list(_of_a_delay(case) if time is None else _all(case, time))
    codes = list(Absent)
    telling = [each for each in found if each.split is None or each.split.tells]
    ordered = sorted(
        dict.fromkeys(telling),
        key=lambda each: (_worth(each), codes.index(each.code), each.until, each.since, each.party),
    )
    return tuple(_as_told(rank, each, case) for rank, each in enumerate(ordered, start=1))


def _worth(missed: _Missed) -> tuple[float, ...]:
    if missed.split is None:
        return ((missed.since - missed.until).total_seconds(),)
    return missed.split.worth


def _as_told(rank: int, missed: _Missed, case: Case) -> MissingScan:
    text = _SAID[missed.code].fill(
        who=party(missed.party),
        span=span(missed.since, missed.until),
        until=date(missed.until),
        what=facet(_TO_EXAMINE.get(case.finding.kind, Facet.OUTER)),
        event=event(case.finding.kind),
    )
    return MissingScan(
        rank=rank,
        code=missed.code,
        party=missed.party,
        since=missed.since,
        until=missed.until,
        en=text.en,
        zh=text.zh,
        **told(missed.split),
    )


def _all(case: Case, time: OpenTime) -> Iterator[_Missed]:
    yield from _handoffs(case, time)
    yield from _looks(case, time)
    yield from _openings(case, time)
    if case.finding.kind in _HIDDEN_BY_A_SEAL:
        yield from _unnumbered_seals(case, time)


def _handoffs(case: Case, time: OpenTime) -> Iterator[_Missed]:
    """Sides of handoffs that nobody recorded, where they would have told when custody passed or in what state."""
    recorded = set(case.gaps)
    for zone in time.zones:
        if zone.since is BEGINNING:
            continue
        since, until = max(zone.since, time.since), min(zone.until, time.until)
        for code, who, gap in (
            (Absent.ACCEPT, zone.taker, _NO_ACCEPT + zone.taker),
            (Absent.RELEASE, zone.giver, _NO_RELEASE + zone.giver),
        ):
            if gap in recorded:
                yield _Missed(code, who, since, until, time.split_of(zone))
    handoff = case.boundary
    unanswered = case.U is not None and case.U.rule == "R7a" and handoff is not None and handoff.release is None
    if unanswered and handoff is not None and handoff.giver not in _HOME:
        split = time.split_at_end(handoff.taker)
        yield _Missed(Absent.RELEASE, handoff.giver, handoff.accept.t, handoff.accept.t, split)


def _looks(case: Case, time: OpenTime) -> Iterator[_Missed]:
    """Takeovers at which nobody examined what a taker can examine."""
    kind = case.finding.kind
    examined = _TO_EXAMINE.get(kind)
    delivery = case.chain.delivery
    first = case.chain.first_acceptance
    for handoff in case.chain.handoffs:
        accept = handoff.accept
        at_the_start = handoff is first and time.since is BEGINNING and accept.t <= time.until
        if not time.holds(accept.t) and not at_the_start:
            continue
        if handoff is first and kind in _INSIDE and time.since is BEGINNING:
            if not _saw(accept, Facet.CONTENTS):
                yield _Missed(Absent.PICKUP_CHECK, accept.party, accept.t, accept.t, time.split(accept.t))
        elif examined is not None and accept.exposed and accept.party not in _HOME and not _saw(accept, examined):
            yield _Missed(Absent.LOOK_AT_TAKEOVER, accept.party, accept.t, accept.t, time.split(accept.t))
    if kind not in _INSIDE or delivery is None or delivery.accept.t != time.until:
        return
    # Harm that was shown later counts as there at delivery: a look then would have said so, or else whose it is.
    if not _saw(delivery.accept, Facet.CONTENTS):
        split = time.split_at_end(RECIPIENT)
        yield _Missed(Absent.LOOK_AT_DELIVERY, delivery.giver, time.until, time.until, split)


def _saw(act: Act, examined: Facet) -> bool:
    return any(look.facet is examined and look.direct for look in act.looks)


def _openings(case: Case, time: OpenTime) -> Iterator[_Missed]:
    """Units opened, and cartons renewed, without a look at what was inside."""
    kind = case.finding.kind
    for act in case.scene.acts:
        if act.kind not in (Kind.UNPACK, Kind.REPACK) or not time.holds(act.t):
            continue
        if act.kind is Kind.UNPACK and not _inspected_after(act, case):
            yield _Missed(Absent.LOOK_AT_OPENING, act.party, act.t, act.t, time.split(act.t))
        elif act.kind is Kind.REPACK and kind in _INSIDE and not _saw(act, Facet.CONTENTS):
            yield _Missed(Absent.LOOK_AT_REPACKING, act.party, act.t, act.t, time.split(act.t))


def _inspected_after(opening: Act, case: Case) -> bool:
    """Whether the opener looked at the item soon enough for it to count as at the opening (R9d)."""
    until = later(opening.t, case.policy.opening_window)
    facets = (Facet.OUTER, Facet.CONTENTS, Facet.WEIGHT)
    return any(
        opening.t <= act.t <= until and act.party == opening.party and any(_saw(act, each) for each in facets)
        for act in case.scene.acts
        if act.exposed or act is opening
    )


def _unnumbered_seals(case: Case, time: OpenTime) -> Iterator[_Missed]:
    """R9e: where it was closed and no number written down, so that later checks of the seal show nothing."""
    checked: dict[Act, Act] = {}
    for check in case.seals.unrecorded:
        unit = unit_around(check)
        closed = [
            act
            for act in case.scene.acts
            if act.kind in _CLOSING and act.order < check.order and unit_around(act) == unit
        ]
        if closed:
            checked[closed[-1]] = check
    for closing, check in checked.items():
        if closing.t < time.until:
            split = _under_seal(closing.t, check.t, time)
            yield _Missed(Absent.SEAL_NUMBER, closing.party, closing.t, closing.t, split)


_CLOSING = (Kind.SEAL, Kind.PACK, Kind.OPEN)
"""After which it is closed, for all that is on record; an opening, where nobody recorded the new seal."""


def _under_seal(closed: datetime, opened: datetime, time: OpenTime) -> Split:
    """What would be left with the time under the seal taken out, had it held; or only that time, had it not."""
    outside = [*time.within(time.since, closed), *time.within(opened, time.until)]
    inside = time.within(closed, opened)
    return Split(closed, time.parties(outside), time.parties(inside), time.hours(outside), time.hours(inside))


def _of_a_delay(case: Case) -> Iterator[_Missed]:
    """Where custody passed unseen, nobody's hours are known."""
    for zone in case.chain.zones:
        if zone.since is not BEGINNING:
            yield _Missed(Absent.ACCEPT, zone.taker, zone.since, zone.until, None)

"""R23: how well a party kept the records of its handoffs. Counted when somebody asks, shown, and never judged.

It rests on records about other parcels, so it can be no part of a verdict: there an event about another parcel changes
nothing. What it counts is what was recorded in the party's name, whether or not it would count as evidence.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from schemas.events import HandoffAccepted, HandoffReleased
from schemas.vocabulary import RECIPIENT, SENDER, CaptureMode, Condition, Facet
from services.custody.core.facts import Fact
from services.custody.core.rules.rule import Rule

R23 = Rule(
    id="R23",
    name="control record",
    en=(
        "For each custodian of the bracket the record of its handoffs over some days can be asked for: how many both "
        "sides recorded, how many it examined, recorded late or typed in. It is shown and never judged: no verdict, "
        "share or confidence rests on it. Whether missing controls are gross negligence is for a court to say."
    ),
    zh=(
        "可查询责任区间内各保管方若干日内的交接记录情况：双方均有记录的次数，以及其查验、迟录、手工录入的次数。"
        "该数据仅作展示，不作评判：任何认定、份额或可信度均不以此为依据；缺少交接控制是否构成重大过失，由法院认定。"
    ),
    source="HGB §435; BGH I ZR 128/00",
)
RULES = (R23,)

PERSONS = (SENDER, RECIPIENT)
"""They have no scanner: of a handoff with one of them only one side can be expected on record."""


class Kind(StrEnum):
    """What was recorded about an item."""

    ACCEPT = "accept"
    RELEASE = "release"
    LOOK = "look"


class Entry(NamedTuple):
    """One record about an item that a handoff of the party was about, by anybody."""

    subject: str
    kind: Kind
    party: str
    t: datetime


class Act(NamedTuple):
    """One side of a handoff as the party recorded it."""

    subject: str
    kind: Kind
    t: datetime
    other: str | None
    """The other side, where it was named."""
    examined: bool
    """Something beside its presence was looked at."""
    late: bool
    typed_in: bool


class Count(Struct, frozen=True, kw_only=True):
    """How many of how many."""

    count: int
    of: int
    share: float | None
    """Rounded to a thousandth; null: there is nothing to take a share of."""


class ControlRecord(Struct, frozen=True, kw_only=True):
    """Counts of a party's handoffs."""

    taken: Count
    """Acceptances by the party, from a business: those of which the giver's release is on record too."""
    given: Count
    """Handoffs out of the party's hands, to a business: those of which its release and the acceptance are on record."""
    examined: Count
    """Acceptances and releases by the party: those at which it examined the item, or soon before or after."""
    late: Count
    """Of the same: those recorded later than the settings' `late_after` after they happened."""
    typed_in: Count
    """Of the same: those typed in by hand."""


def act_of(fact: Fact, late_after: timedelta) -> Act | None:
    """The side of a handoff that a record is; None where it is none."""
    data = fact.data
    if isinstance(data, HandoffAccepted):
        kind, other = Kind.ACCEPT, data.giver
    elif isinstance(data, HandoffReleased):
        kind, other = Kind.RELEASE, data.taker
    else:
        return None
    return Act(
        subject=fact.subject,
        kind=kind,
        t=fact.t,
        other=other,
        examined=_examines(data),
        late=fact.record_time - fact.t > late_after,
        typed_in=data.mode is CaptureMode.MANUAL_ENTRY,
    )


def control_record(party: str, acts: Sequence[Act], around: Iterable[Entry], window: timedelta) -> ControlRecord:
    """Count. `acts` are the party's own; `around` is everything recorded about the items of these acts.

    Two sides belong together within `window` of one another, as in R7. Where the next to accept an item after the
    party has no release by it before, the party gave it without recording that.
    """
    items = _by_subject(around)
    taken = [
        _has(items[act.subject], Kind.RELEASE, act.t, window, other_than=party)
        for act in acts
        if act.kind is Kind.ACCEPT and _comes_from_a_business(party, act, items[act.subject], window)
    ]
    given = [*_released(party, acts, items, window), *_not_released(party, acts, items, window)]
    return ControlRecord(
        taken=_count(taken),
        given=_count(given),
        examined=_count(act.examined or _has(items[act.subject], Kind.LOOK, act.t, window, by=party) for act in acts),
        late=_count(act.late for act in acts),
        typed_in=_count(act.typed_in for act in acts),
    )


def _comes_from_a_business(party: str, act: Act, entries: Sequence[Entry], window: timedelta) -> bool:
    """Where no giver is named: whether a business had handed it over or taken it over before."""
    if act.other is not None:
        return act.other not in PERSONS
    return any(
        entry.kind is not Kind.LOOK and entry.party not in (party, *PERSONS) and entry.t <= act.t + window
        for entry in entries
    )


def _released(
    party: str, acts: Iterable[Act], items: Mapping[str, Sequence[Entry]], window: timedelta
) -> Iterator[bool]:
    """For each release to a business: whether anybody's acceptance goes with it."""
    for act in acts:
        if act.kind is not Kind.RELEASE or act.other in PERSONS:
            continue
        found = [entry for entry in items[act.subject] if entry.kind is Kind.ACCEPT and entry.party != party]
        near = [entry for entry in found if abs(entry.t - act.t) <= window]
        if not (near and all(entry.party in PERSONS for entry in near)):
            yield bool(near)


def _not_released(
    party: str, acts: Iterable[Act], items: Mapping[str, Sequence[Entry]], window: timedelta
) -> Iterator[bool]:
    """One False for each handoff to a business that the party did not record."""
    for act in acts:
        if act.kind is not Kind.ACCEPT:
            continue
        entries = items[act.subject]
        later = entries[bisect_right(entries, act.t, key=lambda entry: entry.t) :]
        following = next((entry for entry in later if entry.kind is Kind.ACCEPT), None)
        if following is None or following.party == party or following.party in PERSONS:
            continue
        released = (entry for entry in later if entry.kind is Kind.RELEASE and entry.party == party)
        if not any(entry.t <= following.t + window for entry in released):
            yield False


def _has(
    entries: Sequence[Entry],
    kind: Kind,
    t: datetime,
    window: timedelta,
    *,
    by: str | None = None,
    other_than: str | None = None,
) -> bool:
    """Whether there is such a record near this instant."""
    return any(
        entry.kind is kind and abs(entry.t - t) <= window and by in (None, entry.party) and entry.party != other_than
        for entry in entries
    )


def _examines(data: HandoffAccepted | HandoffReleased) -> bool:
    return any(
        look.facet is not Facet.PRESENCE and look.value is not Condition.UNEXAMINED for look in data.observations
    )


def _by_subject(around: Iterable[Entry]) -> Mapping[str, Sequence[Entry]]:
    items: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in around:
        items[entry.subject].append(entry)
    for entries in items.values():
        entries.sort(key=lambda entry: entry.t)
    return items


def _count(told: Iterable[bool]) -> Count:
    answers = list(told)
    count, of = sum(answers), len(answers)
    return Count(count=count, of=of, share=round(count / of, 3) if of else None)

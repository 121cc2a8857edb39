"""Evidence by its definition, from everything there is: what the loader must give, said slowly, without a database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.events import UnitPacked, UnitUnpacked
from schemas.positions import Position
from services.custody.core import concerns
from services.custody.core.concerns import Naming
from services.custody.core.containment import DEPTH_MAX, REST_MAX, longest_stay, window
from services.custody.core.facts import Evidence, Fact, Packing, Rival


def gather(
    subject: str,
    everything: Sequence[Fact],
    rivals: Iterable[Rival] = (),
    signatures: Mapping[tuple[Position, str], bool] | None = None,
) -> Evidence:
    """The evidence about a subject among all facts of a log, and about the parcels whose goods are said to be in it."""
    found = _gather(subject, everything, rivals, signatures)
    others = [_gather(other, everything, rivals, signatures) for other in concerns.goods_of(found.facts)]
    return replace(found, linked=tuple(others))


def _gather(
    subject: str,
    everything: Sequence[Fact],
    rivals: Iterable[Rival],
    signatures: Mapping[tuple[Position, str], bool] | None,
) -> Evidence:
    labels = concerns.labels(subject, everything)
    own = [fact for fact in everything if fact.subject in labels]
    longest = longest_stay(fact for fact in everything if concerns.is_registry(fact.subject))
    windows: dict[str, tuple[datetime, datetime]] = {}
    level = {subject: own}
    for _ in range(DEPTH_MAX):
        found: dict[str, list[Fact]] = {}
        for item, facts in level.items():
            for unit, span in _spans(item, facts, longest).items():
                before = windows.get(unit, span)
                windows[unit] = (min(before[0], span[0]), max(before[1], span[1]))
                found[unit] = [fact for fact in everything if fact.subject == unit and _lies_in(fact, windows[unit])]
        level = found
    return Evidence(
        subject=subject,
        facts=tuple(own),
        unit_facts=tuple(
            fact for fact in everything if fact.subject in windows and _lies_in(fact, windows[fact.subject])
        ),
        neighbours=tuple(
            Packing(unit, fact.t, role is Naming.PACKED, fact.position, fact.record_time)
            for fact in everything
            if fact.subject not in labels
            for unit, role in concerns.mentions(fact.subject, fact.data)
            if role in (Naming.PACKED, Naming.UNPACKED) and unit in windows and _lies_in(fact, windows[unit])
        ),
        registry=tuple(fact for fact in everything if concerns.is_registry(fact.subject)),
        rivals=tuple(rivals),
        signatures=signatures or {},
    )


def _spans(item: str, facts: Sequence[Fact], longest: timedelta) -> dict[str, tuple[datetime, datetime]]:
    """For each unit that the item was packed into: between which times its events can bear on the item."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for fact in facts:
        if not isinstance(fact.data, UnitPacked):
            continue
        unit = concerns.canonical(fact.data.unit)
        if unit is None or unit == item:
            continue
        out = [
            other.t
            for other in facts
            if isinstance(other.data, UnitUnpacked) and concerns.canonical(other.data.unit) == unit
        ]
        since, until = window(fact.t, max(out, default=None), longest)
        before = spans.get(unit, (since, until))
        spans[unit] = (min(before[0], since), max(before[1], until))
    return spans


def _lies_in(fact: Fact, span: tuple[datetime, datetime]) -> bool:
    if isinstance(fact.data, (UnitPacked, UnitUnpacked)) and span[0] - REST_MAX <= fact.t <= span[1] + REST_MAX:
        return True
    return span[0] <= fact.t <= span[1] or span[0] <= fact.record_time <= span[1]

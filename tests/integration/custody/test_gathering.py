"""Law: what is loaded from the read model gives the answers that everything in the log gives, at every moment."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import Engine, insert, text

from schemas import codec
from schemas.events import EventCorrected, ItemScanned, ParcelRelabelled
from schemas.positions import AsOf, Position, Positions
from schemas.readmodel import signature_check
from schemas.vocabulary import CaptureMode
from services.custody.core import concerns
from services.custody.core.attribution import next_deadline, verdicts
from services.custody.core.facts import Evidence, Fact, Rival, fact_of
from services.custody.core.ground import lay
from services.custody.core.journeys import last
from services.custody.core.timeline import timeline
from services.custody.evidence import load_many
from services.custody.store import project_batch
from services.log.table import TableLog
from tests.gathering import gather
from tests.records import entry, records_of
from tests.unit.custody.core.histories import CARRIERS, DAY_0, GOOD, SUBJECT, History, Told, key_of
from tests.unit.custody.core.histories import fact_of as told_as
from tests.unit.custody.core.test_laws_containment import NEIGHBOUR, UNITS, loads

OTHER_LABEL = "test:LABEL"
ASKED = (SUBJECT, OTHER_LABEL, NEIGHBOUR, *UNITS)
_EMPTIED = ("event", "mention", "event_identity", "identity_clash", "stale", "watch", "parcel_case", "signature_check")


@st.composite
def busy_loads(draw: st.DrawFn) -> History:
    """A load with what loading must not trip over: other labels, corrections of whatever, repeats, conflicts."""
    load = draw(loads())
    told = list(load.told)

    def tell(subject: str, data: Any, by: str, name: str) -> None:
        happened = timedelta(minutes=draw(st.integers(60, 21 * 24 * 60)), seconds=7)
        late = timedelta(minutes=draw(st.sampled_from((0, 0, 5, 60 * 24 * 5, 60 * 24 * 40))), microseconds=len(told))
        told.append(Told(name, by, happened, happened + late, data, subject=subject))

    for number in range(draw(st.integers(0, 2))):
        by = draw(st.sampled_from(CARRIERS))
        both = draw(st.booleans())
        relabelled = ParcelRelabelled(
            mode=CaptureMode.HUMAN_SCAN, party=by, old=SUBJECT, new=OTHER_LABEL, both_seen=both
        )
        tell(draw(st.sampled_from((SUBJECT, OTHER_LABEL))), relabelled, by, f"r{number}")
        tell(OTHER_LABEL, ItemScanned(mode=CaptureMode.HUMAN_SCAN, party=by), by, f"s{number}")
    if draw(st.booleans()):
        # The second half of its way under the other label: packed under one, unpacked under the other.
        told = [
            replace(each, subject=OTHER_LABEL) if each.subject == SUBJECT and each.t > timedelta(days=4) else each
            for each in told
        ]
    for number in range(draw(st.integers(0, 3))):
        wrong = draw(st.sampled_from(told))
        by = draw(st.sampled_from((wrong.by, wrong.by, "LH")))
        tell(wrong.subject, EventCorrected(party=by, corrects=wrong.id), by, f"c{number}")
    for number in range(draw(st.integers(0, 2))):
        again = draw(st.sampled_from(told))
        recorded = again.recorded + timedelta(minutes=draw(st.integers(1, 20 * 24 * 60)), microseconds=500 + number)
        if draw(st.booleans()):
            again = replace(again, t=again.t + timedelta(minutes=1))  # another content under one identity
        told.append(replace(again, recorded=recorded))
    return replace(load, told=tuple(told))


@settings(
    max_examples=25,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(busy_loads(), st.lists(st.integers(1, 40), min_size=3, max_size=3), st.data())
def test_what_is_loaded_answers_like_everything_there_is(
    engine: Engine, load: History, sizes: list[int], data: st.DataObject
) -> None:
    _empty(engine)
    everything, signatures = _record(engine, load, sizes)
    rivals = _rivals(everything)
    ends = {partition: len(records) for partition, records in records_of(TableLog(engine)).items() if records}
    cut = Positions(
        {partition: data.draw(st.integers(0, end), label=f"end {partition}") for partition, end in ends.items()}
    )
    days = data.draw(st.lists(st.integers(0, 30 * 24), max_size=3), label="hours")
    moments = [AsOf(DAY_0 + timedelta(days=90)), *(AsOf(DAY_0 + timedelta(hours=hours)) for hours in days)]

    with engine.connect() as connection:
        loaded = load_many(connection, ASKED)
        up_to = load_many(connection, ASKED, cut)

    known = [fact for fact in everything if cut.covers(fact.position)]
    for subject in ASKED:
        expected = _defined(gather(subject, everything, rivals, signatures), everything)
        if expected is None:
            continue
        for moment in (*moments, AsOf(moments[0].time, cut)):
            _same(loaded[subject], expected, moment)
        recorded = sorted({fact.record_time for fact in (*loaded[subject].facts, *loaded[subject].unit_facts)})
        for time in recorded[:: max(1, len(recorded) // 6)]:
            _same(loaded[subject], expected, AsOf(time))
        by_then = _defined(gather(subject, known, _rivals(known), signatures), known)
        if by_then is not None:
            _same(up_to[subject], by_then, AsOf(moments[0].time, cut))


def _defined(evidence: Evidence, everything: Sequence[Fact]) -> Evidence | None:
    """The evidence with every correction of what it holds, and without what its units did in one another: no unit is
    its own neighbour. None: a packing does not
    say whose it is, so that of two items of one load in one unit it is not told which was packed there again.
    """
    movers = {fact.position: fact.subject for fact in everything}
    packed = [
        (unit, fact.subject)
        for fact in {fact.identity: fact for fact in evidence.unit_facts}.values()
        for unit, role in concerns.mentions(fact.subject, fact.data)
        if role is concerns.Naming.PACKED
    ]
    own = {
        unit
        for fact in evidence.facts
        for unit, role in concerns.mentions(fact.subject, fact.data)
        if role is concerns.Naming.PACKED
    }
    items: dict[str, set[str]] = {unit: {evidence.subject} for unit in own}
    for unit, item in packed:
        items.setdefault(unit, set()).add(item)
    if any(len(items[unit]) > 1 for unit, _ in packed):
        return None
    known = {(fact.subject, fact.id) for fact in evidence.unit_facts}
    taken_back = [  # however late
        fact
        for fact in everything
        if isinstance(fact.data, EventCorrected)
        and (fact.subject, fact.data.corrects) in known
        and fact not in evidence.unit_facts
    ]
    return replace(
        evidence,
        unit_facts=(*evidence.unit_facts, *taken_back),
        neighbours=tuple(each for each in evidence.neighbours if movers[each.position] not in items[each.unit]),
    )


def _same(loaded: Evidence, expected: Evidence, moment: AsOf) -> None:
    """The answers; and what is loaded is little enough to be there by definition."""
    assert {fact.position for fact in loaded.facts} <= {fact.position for fact in expected.facts}
    assert {packing.position for packing in loaded.neighbours} <= {each.position for each in expected.neighbours}
    one, other = lay(loaded, moment).contained, lay(expected, moment).contained
    assert [_span(stay) for stay in one.stays] == [_span(stay) for stay in other.stays]
    assert [(fact.id, why) for fact, why in one.refused] == [(fact.id, why) for fact, why in other.refused]
    assert timeline(loaded, moment) == timeline(expected, moment)
    assert verdicts(loaded, moment) == verdicts(expected, moment)
    assert next_deadline(last(loaded, moment), moment) == next_deadline(last(expected, moment), moment)


def _span(stay: Any) -> tuple[object, ...]:
    return stay.item, stay.unit, stay.kind, stay.since, stay.until, stay.packed.id, stay.implied, stay.depth


def _record(
    engine: Engine, load: History, sizes: Sequence[int]
) -> tuple[list[Fact], Mapping[tuple[Position, str], bool]]:
    """Record a history through the log, project it in batches of these sizes, and read all of it back by hand."""
    told = sorted((*load.registry, *load.told), key=lambda each: each.recorded)
    log = TableLog(engine)
    positions = log.append([entry(_recorded(each)) for each in told])
    signatures = {
        (position, key_of(each.by, each.device)): each.signature == GOOD
        for each, position in zip(told, positions, strict=True)
        if each.signature is not None
    }
    with engine.begin() as connection:  # as if they had been checked: these keys are none
        rows = [(*position, key, valid) for (position, key), valid in signatures.items()]
        connection.execute(
            insert(signature_check), [dict(zip(signature_check.c.keys(), row, strict=True)) for row in rows]
        )
    records = records_of(log)
    for found in records.values():
        start, size = 0, itertools.cycle(sizes)
        while start < len(found):
            stop = start + next(size)
            project_batch(engine, found[start:stop], archive=False)
            start = stop
    recorded = dict(zip(positions, told, strict=True))
    return [
        fact_of(place, DAY_0 + recorded[place].recorded, record.value)
        for found in records.values()
        for record in found
        for place in [Position(record.partition, record.offset)]
    ], signatures


def _recorded(told: Told) -> codec.Envelope:
    made = told_as(told, Position(0, 0)).envelope
    return structs.replace(made, recordedtime=codec.format_instant(DAY_0 + told.recorded), recordedby="test")


def _rivals(everything: Iterable[Fact]) -> list[Rival]:
    """Every content of an identity that has several, as it came first."""
    firsts: dict[bytes, dict[bytes, Fact]] = {}
    for fact in sorted(everything, key=lambda fact: fact.order):
        firsts.setdefault(fact.identity, {}).setdefault(fact.content_hash, fact)
    return [
        Rival(fact.identity, fact.content_hash, fact.position, fact.record_time)
        for contents in firsts.values()
        if len(contents) > 1
        for fact in contents.values()
    ]


def _empty(engine: Engine) -> None:
    """Forget everything: a database of its own for each history would take longer than the history."""
    tables = ", ".join(f"projection.{name}" for name in _EMPTIED)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive.record DISABLE TRIGGER USER"))
        connection.execute(text(f"TRUNCATE archive.record, {tables}"))
        connection.execute(text("ALTER TABLE archive.record ENABLE TRIGGER USER"))
        for table in ("archive.log_head", "projection.position"):
            connection.execute(text(f"UPDATE {table} SET next_offset = 0"))
        connection.execute(text("UPDATE projection.position SET record_time = NULL"))

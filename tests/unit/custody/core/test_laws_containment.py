"""Laws of containment: bags in cages in trailers, packings learned late, forgotten unpackings, units used again."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    Event,
    HandoffAccepted,
    ItemScanned,
    Observation,
    Operator,
    PolicySet,
    Scan,
    Seal,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.positions import AsOf
from schemas.vocabulary import CaptureMode, Condition, Facet, UnitKind
from services.custody.core import concerns
from services.custody.core.attribution import verdicts
from services.custody.core.concerns import Naming
from services.custody.core.containment import DEPTH_MAX, LONGEST_STAY, Containment, Stay
from services.custody.core.facts import Evidence, Packing
from services.custody.core.ground import lay
from services.custody.core.history import history
from tests.unit.custody.core.histories import (
    CARRIERS,
    DAY_0,
    LATENESS,
    SUBJECT,
    History,
    Told,
    evidence,
    histories,
    law,
    observations,
    record,
    recorded_by,
    registry,
    without_positions,
)

NESTS = (
    ("u:B1",),
    ("u:M1",),
    ("u:B1", "u:CAGE"),
    ("u:B2", "u:CAGE", "u:TRAILER"),
    ("u:B1", "u:CAGE", "u:BOX", "u:TRAILER"),
    ("u:B2", "u:CAGE", "u:BOX", "u:TRAILER", "u:FERRY"),
)
KINDS = {"u:CAGE": UnitKind.CAGE, "u:BOX": UnitKind.CONTAINER, "u:M1": UnitKind.MANIFEST, "u:TRAILER": UnitKind.TRAILER}
UNITS = ("u:B1", "u:B2", "u:CAGE", "u:BOX", "u:TRAILER", "u:M1")
NEIGHBOUR = "test:NEXT"
T = TypeVar("T")
REASONS = {"CONTAINMENT_CYCLE", "TOO_DEEP"}


class _Loading:
    """Numbers the events of one load, so that no two are recorded at once."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.told: list[Told] = []

    def tell(self, subject: str, minutes: float, data: Event, by: str) -> None:
        index = len(self.told)
        happened = timedelta(minutes=minutes)
        late = timedelta(minutes=self._draw(st.sampled_from(LATENESS)), milliseconds=index + 1)
        self.told.append(Told(f"u{index}", by, happened, happened + late, data, subject=subject))

    def pack(self, item: str, unit: str, minutes: float, by: str) -> None:
        kind = KINDS.get(unit, UnitKind.BAG)
        self.tell(item, minutes, UnitPacked(mode=CaptureMode.HUMAN_SCAN, party=by, unit=unit, kind=kind), by)

    def unpack(self, item: str, unit: str, minutes: float, by: str) -> None:
        self.tell(item, minutes, UnitUnpacked(mode=CaptureMode.HUMAN_SCAN, party=by, unit=unit), by)

    def nest(self, start: int) -> None:
        """The parcel and another into a bag, the bag into a cage, and so on; out again, if nobody forgets."""
        boxes = self._draw(st.sampled_from(NESTS))
        by = self._draw(st.sampled_from(CARRIERS))
        at: float = start
        for inner, outer in itertools.pairwise((SUBJECT, *boxes)):
            at += self._draw(st.sampled_from((-1, 0, 1, 45)))
            self.pack(inner, outer, at, by)
        carried = at + 5
        for unit in boxes[-1:] if self._draw(st.booleans()) else ():
            carrier = self._draw(st.sampled_from(CARRIERS))
            self.tell(unit, carried, HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, taker=carrier), carrier)
        opener = self._draw(st.sampled_from(CARRIERS))
        at += self._draw(st.sampled_from((30, 60 * 8, 60 * 24 * 9)))
        for inner, outer in reversed(list(itertools.pairwise((SUBJECT, *boxes)))):
            at += self._draw(st.sampled_from((0, 1, 20)))
            if self._draw(st.integers(0, 3)):
                self.unpack(inner, outer, at, opener)

    def other_use(self) -> None:
        """Something else about a unit, or by somebody about the parcel itself."""
        unit = self._draw(st.sampled_from(UNITS))
        by = self._draw(st.sampled_from(CARRIERS))
        minutes = self._draw(st.integers(60, 10 * 24 * 60)) + 0.5
        match self._draw(st.sampled_from(("into", "next", "out", "look", "seal", "open", "accept", "empty"))):
            case "into":
                self.pack(unit, self._draw(st.sampled_from((*UNITS, SUBJECT))), minutes, by)
            case "next":
                self.pack(NEIGHBOUR, unit, minutes, by)
            case "out":
                self.unpack(NEIGHBOUR, unit, minutes, by)
            case "accept":
                self.tell(unit, minutes, HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, taker=by), by)
            case "empty":
                self.tell(unit, minutes, ItemScanned(mode=CaptureMode.HUMAN_SCAN, party=by, empty=True), by)
            case "open":
                self.tell(unit, minutes, UnitOpened(mode=CaptureMode.HUMAN_SCAN, party=by), by)
            case "seal":
                seal = Seal(number="111", match=self._draw(st.booleans()))
                self.tell(unit, minutes, SealChecked(mode=CaptureMode.HUMAN_SCAN, party=by, seal=seal), by)
            case _:
                seen = tuple(self._draw(st.lists(observations, max_size=2)))
                self.tell(unit, minutes, _look(by, *seen), by)


def _look(by: str, *seen: Observation) -> ConditionObserved:
    return ConditionObserved(
        mode=CaptureMode.HUMAN_INSPECT, operator=Operator(ref="p1"), party=by, observations=tuple(seen)
    )


@st.composite
def loads(draw: st.DrawFn) -> History:
    """Some history of the parcel, during which it travels in units, the same ones day after day; torn in the end."""
    begun = draw(histories(max_size=4))
    loading = _Loading(draw)
    for day in range(draw(st.integers(1, 3))):
        loading.nest((1 + day) * 24 * 60 + 1)
    for _ in range(draw(st.integers(0, 5))):
        loading.other_use()
    if draw(st.integers(0, 3)):
        last = draw(st.sampled_from(CARRIERS))
        loading.tell(SUBJECT, 20 * 24 * 60, _look(last, Observation(facet=Facet.OUTER, value=Condition.BAD)), last)
    return replace(begun, told=(*begun.told, *loading.told))


def contained(history: History, as_of: AsOf | None = None) -> Containment:
    return lay(evidence(history), as_of or history.as_of).contained


def spans(containment: Containment) -> list[tuple[object, ...]]:
    """The stays without where in the log their events lie."""
    return [
        (stay.item, stay.unit, stay.kind, stay.since, stay.until, stay.packed.id, stay.implied, stay.depth)
        for stay in containment.stays
    ]


@law
@given(loads(), st.randoms(use_true_random=False), st.lists(st.integers(0, 7), min_size=9, max_size=9))
def test_any_arrival_order_gives_the_same_stays_and_verdicts(
    load: History, chance: Random, partitions: list[int]
) -> None:
    """Invariant (i), with units."""
    recorded = evidence(load)
    elsewhere = evidence(load, dict(zip((SUBJECT, NEIGHBOUR, "policy:DEFAULT", *UNITS), partitions, strict=True)))
    shuffled = replace(
        elsewhere,
        facts=_shuffled(elsewhere.facts, chance),
        unit_facts=_shuffled(elsewhere.unit_facts, chance),
        neighbours=_shuffled(elsewhere.neighbours, chance),
        registry=_shuffled(elsewhere.registry, chance),
    )

    assert spans(lay(shuffled, load.as_of).contained) == spans(lay(recorded, load.as_of).contained)
    assert without_positions(verdicts(shuffled, load.as_of)) == without_positions(verdicts(recorded, load.as_of))


def _shuffled(items: tuple[T, ...], chance: Random) -> tuple[T, ...]:
    mixed = list(items)
    chance.shuffle(mixed)
    return tuple(mixed)


@law
@given(loads(), st.data())
def test_a_packing_or_any_other_event_sent_again_changes_nothing(load: History, data: st.DataObject) -> None:
    """Invariant (ii), with units."""
    again = data.draw(st.sampled_from(load.told))
    later = replace(again, recorded=again.recorded + timedelta(days=data.draw(st.integers(0, 20)), microseconds=7))
    repeated = replace(load, told=(*load.told, later))

    assert spans(contained(repeated)) == spans(contained(load))
    assert without_positions(verdicts(evidence(repeated), load.as_of)) == without_positions(
        verdicts(evidence(load), load.as_of)
    )


@law
@given(loads(), st.integers(0, 14 * 24))
def test_a_replay_knows_no_packing_that_was_recorded_later(load: History, hours: int) -> None:
    """Invariant (vi), with units."""
    moment = AsOf(DAY_0 + timedelta(hours=hours))
    by_then = recorded_by(load, moment)

    assert spans(contained(load, moment)) == spans(contained(by_then, moment))
    assert verdicts(evidence(load), moment) == verdicts(evidence(by_then), moment)


@law
@given(loads())
def test_stays_of_one_item_never_overlap_at_one_depth(load: History) -> None:
    """Lists apart: an item may be on a list and in a bag."""
    stays = contained(load).stays

    for one, other in itertools.combinations(stays, 2):
        if (one.depth, one.item, one.hides) == (other.depth, other.item, other.hides):
            assert not _overlap(one, other)


def _overlap(one: Stay, other: Stay) -> bool:
    return one.since < other.until and other.since < one.until


@law
@given(loads())
def test_a_load_is_at_most_so_deep_and_nothing_holds_itself(load: History) -> None:
    containment = contained(load)

    for stay in containment.stays:
        assert 1 <= stay.depth <= DEPTH_MAX
        assert stay.since < stay.until
        assert stay.unit not in (stay.item, SUBJECT)
        for path in _paths(stay, containment.stays):
            assert len(set(path)) == len(path)


def _paths(stay: Stay, stays: tuple[Stay, ...]) -> Iterator[tuple[str, ...]]:
    """Every chain of units from the parcel out to this stay, at one moment."""
    if stay.depth == 1:
        yield (stay.item, stay.unit)
        return
    for inner in stays:
        if inner.depth == stay.depth - 1 and inner.unit == stay.item and _overlap(inner, stay):
            yield from ((*path, stay.unit) for path in _paths(inner, stays))


@law
@given(loads())
def test_what_is_refused_is_a_packing_with_a_reason_and_each_answer_lists_it(load: History) -> None:
    """Invariant (ix), with units."""
    recorded = evidence(load)
    refused = lay(recorded, load.as_of).contained.refused

    for fact, why in refused:
        assert isinstance(fact.data, UnitPacked)
        assert why in REASONS
    for verdict in verdicts(recorded, load.as_of):
        assert {fact.id for fact, _ in refused} <= {excluded.event for excluded in verdict.excluded}


@law
@given(loads())
def test_what_lies_beyond_the_window_of_a_stay_changes_nothing(load: History) -> None:
    """What the loader leaves out, by `containment.window`, bears on no answer at any moment.

    As long as no unit rests in another for longer than `unit_max_stay`: of such a stay the loader sees one end only.
    """
    assume(not _rests_longer_than_any_stay(load))
    loaded, everything = evidence(load), _everything(load)

    for day in (2, 4, 8, 60):
        moment = AsOf(DAY_0 + timedelta(days=day))
        assert spans(lay(everything, moment).contained) == spans(lay(loaded, moment).contained)
        assert verdicts(everything, moment) == verdicts(loaded, moment)


def _rests_longer_than_any_stay(load: History) -> bool:
    packings = [(told.subject, told.data.unit, told.t) for told in load.told if isinstance(told.data, UnitPacked)]
    return any(
        (told.subject, told.data.unit) == (item, unit) and told.t - t > LONGEST_STAY and item != SUBJECT
        for told in load.told
        if isinstance(told.data, UnitUnpacked)
        for item, unit, t in packings
    )


def _everything(load: History) -> Evidence:
    """The evidence with all there is about any unit, whether or not the parcel was ever near it."""
    facts, _ = record(load)
    return replace(
        evidence(load),
        unit_facts=tuple(fact for fact in facts if fact.subject in UNITS),
        neighbours=tuple(
            Packing(unit, fact.t, role is Naming.PACKED, fact.position, fact.record_time)
            for fact in facts
            if fact.subject != SUBJECT
            for unit, role in concerns.mentions(fact.subject, fact.data)
            if role in (Naming.PACKED, Naming.UNPACKED)
        ),
    )


@law
@given(loads(), st.sampled_from(UNITS), st.sampled_from(CARRIERS), st.integers(30, 50))
def test_what_happens_to_a_unit_after_the_parcel_left_it_changes_nothing(
    load: History, unit: str, by: str, day: int
) -> None:
    t = timedelta(days=day)
    torn = _look(by, Observation(facet=Facet.OUTER, value=Condition.BAD))
    used_again = replace(load, told=(*load.told, Told("later", by, t, t, torn, subject=unit)))

    assert without_positions(verdicts(evidence(used_again), load.as_of)) == without_positions(
        verdicts(evidence(load), load.as_of)
    )


@law
@given(loads(), st.sampled_from(UNITS), st.booleans(), st.integers(60, 20 * 24 * 60))
def test_another_items_packing_shortens_only_what_nobody_unpacked(
    load: History, unit: str, into: bool, minutes: int
) -> None:
    """R9h: it may show that an unpacking was forgotten; a recorded one stands."""
    t = timedelta(minutes=minutes, seconds=11)
    move: Scan = (
        UnitPacked(mode=CaptureMode.HUMAN_SCAN, party="H1", unit=unit)
        if into
        else UnitUnpacked(mode=CaptureMode.HUMAN_SCAN, party="H1", unit=unit)
    )
    told = Told("more", "H1", t, t, move, subject="test:ANOTHER")
    before = [stay for stay in contained(load).stays if stay.depth == 1]
    after = [stay for stay in contained(replace(load, told=(*load.told, told))).stays if stay.depth == 1]

    assert [stay.packed.id for stay in after if not stay.implied] == [
        stay.packed.id for stay in before if not stay.implied
    ]
    ends = {stay.packed.id: stay.until for stay in before}
    for stay in after:
        if stay.packed.id in ends:
            assert stay.until <= ends[stay.packed.id]


@law
@given(loads())
def test_event_by_event_the_history_ends_where_the_whole_load_stands(load: History) -> None:
    recorded = evidence(load)
    facts = (*recorded.facts, *recorded.unit_facts, *recorded.registry)
    last = AsOf(max(fact.record_time for fact in facts))

    latest = {version.finding: version.verdict for version in history(recorded, last)}

    standing = {finding: verdict for finding, verdict in latest.items() if verdict is not None}
    at_once = {verdict.finding: verdict for verdict in verdicts(recorded, last)}
    assert standing.keys() == at_once.keys()
    for finding, told in standing.items():
        now = at_once[finding]
        assert (told.outcome, told.liable, told.L, told.U, told.proved) == (
            now.outcome,
            now.liable,
            now.L,
            now.U,
            now.proved,
        )


def test_whoever_took_the_bag_is_in_the_history_too() -> None:
    """C1 packs the parcel, H1 takes the bag and empties it, LH finds the parcel torn."""
    told = (
        _told("a1", "C1", 1, SUBJECT, HandoffAccepted(**_SEEN, taker="C1", observations=(_outer(Condition.OK),))),
        _told("a2", "C1", 2, SUBJECT, UnitPacked(mode=CaptureMode.HUMAN_SCAN, party="C1", unit="u:B1")),
        _told("a3", "H1", 3, "u:B1", HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, taker="H1")),
        _told("a4", "H1", 4, SUBJECT, UnitUnpacked(mode=CaptureMode.HUMAN_SCAN, party="H1", unit="u:B1")),
        _told("a5", "LH", 5, SUBJECT, HandoffAccepted(**_SEEN, taker="LH", observations=(_outer(Condition.BAD),))),
    )
    load = History(told, registry(PolicySet()))
    recorded = evidence(load)
    [version] = history(recorded, load.as_of)

    assert version.verdict is not None
    assert version.verdict.proved == verdicts(recorded, load.as_of)[0].proved == ("C1", "H1")


_SEEN: Any = {"mode": CaptureMode.HUMAN_INSPECT, "operator": Operator(ref="p1")}


def _outer(value: Condition) -> Observation:
    return Observation(facet=Facet.OUTER, value=value)


def _told(event_id: str, by: str, hours: int, subject: str, data: Event) -> Told:
    t = timedelta(hours=hours)
    return Told(event_id, by, t, t, data, subject=subject)

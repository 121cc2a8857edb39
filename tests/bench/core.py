"""How long the pure core takes for one parcel's answers, beside what decoding the same events takes.

Each time is that of the processor for one call, and starts from evidence at hand: events read, signatures checked. In
`verdicts()` is everything from there to the finished records of all findings, sentences and footage included; it is
`lay` (what counts, units, who held it when), then for each finding `reason` (the order table), `open order` (R36) and
`write` (the record). Nothing is kept from one call to the next.
"""

import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from schemas import codec
from schemas.events import (
    ConditionObserved,
    Event,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    Observation,
    Operator,
    PolicySet,
    Seal,
    SealChecked,
    UnitPacked,
    UnitUnpacked,
)
from schemas.positions import AsOf
from schemas.vocabulary import SENDER, CaptureMode, Condition, Facet, UnitKind
from services.custody.core import attribution
from services.custody.core.case import Ground
from services.custody.core.facts import Evidence, Fact, fact_of
from services.custody.core.ground import lay
from services.custody.core.history import history
from services.custody.core.rules import clocks, findings
from services.custody.core.signatures import valid
from services.custody.core.verdict import Finding
from services.scenario.build import compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of
from tests.unit.custody.core.histories import DAY_0, SUBJECT, History, Told, evidence, registry

STORY = """
name: twenty events from pick-up to a crushed carton at the door
parties:
  C1: {role: carrier, contracting: true}
  H1: {role: carrier}
  LH: {role: carrier}
  H2: {role: carrier}
  C2: {role: carrier}
events:
  - {id: e01, t: 1d, do: accept, by: C1, from: SENDER, see: {O: ok@4, C: ok@5, P: ok@4}}
  - {id: e02, t: 1d+2h, do: scan, by: C1, mode: HUMAN_SCAN}
  - {id: e03, t: 1d+8h, do: release, by: C1, to: H1}
  - {id: e04, t: 1d+8h+1m, do: accept, by: H1, from: C1, see: {O: ok@4}}
  - {id: e05, t: 1d+9h, do: scan, by: H1, mode: AUTO_SCAN}
  - {id: e06, t: 1d+10h, do: scan, by: H1, mode: AUTO_SCAN}
  - {id: e07, t: 1d+20h, do: release, by: H1, to: LH}
  - {id: e08, t: 1d+20h+1m, do: accept, by: LH, from: H1}
  - {id: e09, t: 2d, do: scan, by: LH, mode: HUMAN_SCAN}
  - {id: e10, t: 2d+4h, do: scan, by: LH, mode: HUMAN_SCAN}
  - {id: e11, t: 2d+12h, do: release, by: LH, to: H2}
  - {id: e12, t: 2d+12h+1m, do: accept, by: H2, from: LH, see: {O: ok@3}, mode: AUTO_SCAN}
  - {id: e13, t: 2d+13h, do: scan, by: H2, mode: AUTO_SCAN}
  - {id: e14, t: 2d+14h, do: scan, by: H2, mode: AUTO_SCAN}
  - {id: e15, t: 3d, do: release, by: H2, to: C2}
  - {id: e16, t: 3d+1m, do: accept, by: C2, from: H2}
  - {id: e17, t: 3d+2h, do: scan, by: C2, mode: HUMAN_SCAN}
  - {id: e18, t: 3d+4h, do: scan, by: C2, mode: HUMAN_SCAN}
  - {id: e19, t: 3d+6h, do: release, by: C2, to: RCP}
  - {id: e20, t: 3d+6h+1m, do: accept, by: RCP, from: C2, see: {O: bad@5}, countersigned_by: C2}
ask: [{finding: DAMAGE, as_of: 4d, expect: {outcome: SEGMENT}}]
"""


class Load(NamedTuple):
    """A parcel with everything that its answer may rest on."""

    name: str
    evidence: Evidence
    as_of: AsOf
    events: Sequence[Fact]
    """Those of the parcel and its units, which are decoded for comparison; the registry's are not counted."""
    aim_us: int


def of_its_own() -> Load:
    """Twenty events about the parcel itself."""
    compiled = compile_story(parse_story(STORY))
    told = evidence_of(compiled)
    keys = {key.keyid: key.public_key for fact in told.registry for key in getattr(fact.data, "keys", ())}
    # As the read model hands them over: each signature was checked once, in the background.
    checked = {
        (fact.position, keys[keyid]): valid(fact.envelope, keys[keyid])
        for fact in told.facts
        if (keyid := fact.envelope.keyid) is not None
    }
    scans = [fact for fact in told.facts if fact.data.TYPE.startswith("custody.") and fact.envelope.keyid]
    assert len(scans) == 20
    as_of = AsOf(compiled.instant(timedelta(days=4)))
    return Load("a parcel of 20 events", replace(told, signatures=checked), as_of, scans, 200)


NEST = (
    ("u:BAG", UnitKind.BAG),
    ("u:CAGE", UnitKind.CAGE),
    ("u:BOX", UnitKind.CONTAINER),
    ("u:TRAILER", UnitKind.TRAILER),
)
_HAND: dict[str, Any] = {"mode": CaptureMode.HUMAN_SCAN, "operator": Operator(ref="p1")}
_EYES: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": Operator(ref="p1")}
_HOURS = (("C1", 0), ("LH", 24), ("H2", 48))
"""Who has the trailer from which hour on."""


def in_four_units() -> Load:
    """A parcel in a bag in a cage in a container on a trailer, with fifty events about each of these."""
    told = sorted(_trip(), key=lambda each: each.t)
    recorded = evidence(History(tuple(told), registry(PolicySet())))
    assert len(recorded.unit_facts) == 200
    events = [*recorded.facts, *recorded.unit_facts]
    return Load("a parcel in 4 units, 200 events", recorded, AsOf(DAY_0 + timedelta(days=9)), events, 5000)


def _trip() -> Iterator[Told]:
    yield _told(SUBJECT, "C1", 1, HandoffAccepted(taker="C1", giver=SENDER, observations=_seen(Condition.OK), **_EYES))
    items = (SUBJECT, *(unit for unit, _ in NEST))
    for at, (item, (unit, kind)) in enumerate(zip(items, NEST, strict=False)):
        yield _told(item, "C1", 2 + at / 10, UnitPacked(party="C1", unit=unit, kind=kind, **_HAND))
        yield _told(item, "H2", 75 - at / 10, UnitUnpacked(party="H2", unit=unit, **_HAND))
    for (giver, _), (taker, hour) in pairwise(_HOURS):
        yield _told("u:TRAILER", giver, hour, HandoffReleased(giver=giver, taker=taker, **_HAND))
        yield _told("u:TRAILER", taker, hour + 0.05, HandoffAccepted(taker=taker, giver=giver, **_HAND))
    for number, unit in enumerate(items[1:]):
        for at in range(46 if unit == "u:TRAILER" else 48):
            yield _read_on_the_way(unit, 4.1 + number / 7 + 1.5 * at, sealed=at % 6 == 0)
    torn = ConditionObserved(party="H2", observations=_seen(Condition.BAD), **_EYES)
    yield _told(SUBJECT, "H2", 76, torn)


def _read_on_the_way(unit: str, hour: float, *, sealed: bool) -> Told:
    party = max((since, party) for party, since in _HOURS if since <= hour)[1]
    scanned = ItemScanned(party=party, **_HAND)
    checked = SealChecked(party=party, seal=Seal(number="7", match=True), **_HAND)
    return _told(unit, party, hour, checked if sealed else scanned)


def _told(subject: str, by: str, hour: float, data: Event) -> Told:
    t = timedelta(hours=hour)
    return Told(f"{data.TYPE} {subject} {hour:.3f}", by, t, t + timedelta(seconds=9), data, subject=subject)


def _seen(value: Condition) -> tuple[Observation, ...]:
    return (Observation(facet=Facet.OUTER, value=value),)


def in_turn(works: Sequence[Callable[[], object]], seconds: float = 12.0) -> list[list[float]]:
    """Microseconds of the processor for each work, in turn again and again: a busy machine slows all of them alike."""
    gc.collect()
    gc.freeze()  # what was loaded before is no part of the work
    took: list[list[float]] = [[] for _ in works]
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for kept, work in zip(took, works, strict=True):
            began = time.thread_time()
            work()
            kept.append((time.thread_time() - began) * 1e6)
    return took


def measured(load: Load) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is timed; the first is the floor."""
    recorded, as_of = load.evidence, load.as_of
    values = [(fact.position, fact.record_time, codec.encode_record(fact.envelope)) for fact in load.events]
    yield "decode its events", lambda: [fact_of(*value) for value in values]
    yield "verdicts()", lambda: attribution.verdicts(recorded, as_of)
    yield "verdicts(), not in words", lambda: attribution.verdicts(recorded, as_of, later={})
    yield "  lay", lambda: lay(recorded, as_of)
    ground = lay(recorded, as_of)
    finding = next(verdict.finding for verdict in attribution.judge_all(ground) if verdict.liable)
    yield "  find", lambda: findings.reported(ground)
    yield "  reason", lambda: attribution.reasoned(ground, finding)
    yield "  reason, open order", lambda: _ordered(ground, finding)
    yield "  reason, open order, write", lambda: attribution.judge(ground, finding)
    yield "history(): every moment", lambda: history(recorded, as_of)


def _ordered(ground: Ground, finding: Finding) -> None:
    case = attribution.reasoned(ground, finding)
    assert case is not None
    clocks.open_order(case, attribution.reasoned, clocks.Trials(ground))


def main() -> int:
    """Measure and print."""
    write = sys.stdout.write
    write(f"pure core, {platform.machine()}, Python {platform.python_version()}, one thread, microseconds of it\n")
    for load in (of_its_own(), in_four_units()):
        write(f"\n{load.name:34}{'median':>10}{'best':>10}{'of decode':>11}   aim {load.aim_us} for verdicts()\n")
        names, works = zip(*measured(load), strict=True)
        took = in_turn(works)
        for name, each in zip(names, took, strict=True):
            part = statistics.median(one / floor for one, floor in zip(each, took[0], strict=True))
            write(f"{name:34}{statistics.median(each):10.0f}{min(each):10.0f}{part:11.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

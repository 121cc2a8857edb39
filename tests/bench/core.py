"""How long the pure core takes for a parcel of twenty events, beside what decoding the same events takes."""

import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from schemas import codec
from schemas.events import Scan
from schemas.positions import AsOf
from services.custody.core.attribution import verdicts
from services.custody.core.facts import fact_of
from services.custody.core.history import history
from services.custody.core.signatures import valid
from services.scenario.build import compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of

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


def microseconds(work: Callable[[], object], seconds: float = 2.0) -> tuple[float, float]:
    """Median and best time of one call, over as many calls as fit into the seconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6, min(took) * 1e6


def main() -> int:
    """Measure and print."""
    compiled = compile_story(parse_story(STORY))
    told = evidence_of(compiled)
    keys = {key.keyid: key.public_key for fact in told.registry for key in getattr(fact.data, "keys", ())}
    # As the read model hands them over: each signature was checked once, in the background.
    checked = {
        (fact.position, keys[keyid]): valid(fact.envelope, keys[keyid])
        for fact in told.facts
        if (keyid := fact.envelope.keyid) is not None
    }
    evidence = replace(told, signatures=checked)
    as_of = AsOf(compiled.instant(timedelta(days=4)))
    facts = [fact for fact in evidence.facts if isinstance(fact.data, Scan)]
    values = [(fact.position, fact.record_time, codec.encode_record(fact.envelope)) for fact in facts]
    (verdict,) = verdicts(evidence, as_of)
    assert verdict.liable, "the benchmark's parcel has lost its answer"
    rows = (
        ("decode the 20 events", lambda: [fact_of(*value) for value in values]),
        ("verdicts()", lambda: verdicts(evidence, as_of)),
        ("history(): every moment", lambda: history(evidence, as_of)),
    )
    write = sys.stdout.write
    write(f"pure core, {len(facts)} events, {platform.machine()}, Python {platform.python_version()}, one thread\n")
    write(f"{'':26}{'median us':>12}{'best us':>10}{'of decode':>11}\n")
    floor = 0.0
    for name, work in rows:
        median, best = microseconds(work)
        floor = floor or median
        write(f"{name:26}{median:12.0f}{best:10.0f}{median / floor:11.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a broken seal on a trailer with 5,000 parcels in cages costs: projector, one parcel's question, refresher.

Every number is of one run, by the clock on the wall, on a database of its own without fsync.
"""

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from schemas import codec
from services.custody.core.attribution import verdicts
from services.custody.core.casework import latest
from services.custody.core.journeys import last
from services.custody.evidence import load_evidence
from services.custody.migrations import upgrade
from services.custody.refresh import Refresher
from services.custody.store import project_batch
from services.edge.database import make_engine
from services.log.table import TableLog
from services.parts.postgres import LocalPostgres, create_database
from tests.records import ACCEPTED, BAD, enrolment, entry, event

PARCELS = 5000
CAGES = 17
DAMAGED = 20
BATCH = 2000

TRAILER = "trailer:T1"
HAND: dict[str, Any] = {"mode": "HUMAN_SCAN", "party": "C1"}


def parcel(number: int) -> str:
    """The subject of a parcel."""
    return f"yto:BENCH{number:05}"


def packing(item: str, unit: str, at: float) -> codec.Envelope:
    """An item is put into a unit. Unsigned, as most scans of a belt are."""
    return event(f"pack {item}", item, "custody.unit_packed.v1", at=at, keyid=None, unit=unit, **HAND)


def loading() -> Iterator[codec.Envelope]:
    """Pick-up of every parcel, into a cage, the cages into the trailer."""
    yield enrolment()
    yield enrolment("SHA.S2", party="C2")
    for number in range(PARCELS):
        yield event(f"pick up {number}", parcel(number), at=20, keyid=None)
        yield packing(parcel(number), f"cage:{number % CAGES}", 20.1 + number / 1e6)
    for cage in range(CAGES):
        yield packing(f"cage:{cage}", TRAILER, 20.2)


def journey() -> Iterator[codec.Envelope]:
    """The trailer's events: taken over, seen on the road, and its seal found broken."""
    yield event("takeover", TRAILER, ACCEPTED, at=20.3, mode="HUMAN_SCAN", taker="C2", giver="C1")
    for number in range(10):
        yield event(f"on the road {number}", TRAILER, "custody.item_scanned.v1", at=20.4 + number / 100, **HAND)
    yield event("broken", TRAILER, "custody.seal_checked.v1", at=20.6, seal={"number": "9", "match": False}, **HAND)


def arrival() -> Iterator[codec.Envelope]:
    """Some of the parcels turn out to be damaged."""
    for number in range(DAMAGED):
        yield event(
            f"torn {number}", parcel(number * 7), ACCEPTED, at=21, source="/depots/SHA/devices/S2",
            mode="HUMAN_INSPECT", taker="C2", giver="C1", observations=BAD,
        )  # fmt: skip


def project(engine: Engine, envelopes: Sequence[codec.Envelope]) -> float:
    """Record, then project; the seconds of projecting alone."""
    log = TableLog(engine)
    starts = dict(log.ends())
    for start in range(0, len(envelopes), BATCH):
        log.append([entry(envelope) for envelope in envelopes[start : start + BATCH]])
    batches = [
        log.read(partition, start, min(BATCH, end - start))
        for partition, end in log.ends().items()
        for start in range(starts.get(partition, 0), end, BATCH)
    ]
    return seconds(lambda: [project_batch(engine, batch, archive=False) for batch in batches])


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def question(engine: Engine, subject: str) -> tuple[float, float]:
    """Loading and answering one parcel's question, in seconds."""
    with engine.connect() as connection:
        began = time.perf_counter()
        evidence = load_evidence(connection, subject)
        loaded = time.perf_counter()
    as_of = latest(evidence, None)
    assert as_of is not None
    verdicts(last(evidence, as_of), as_of)
    return loaded - began, time.perf_counter() - loaded


def rows(engine: Engine, table: str) -> int:
    """How many rows a table of the projection has."""
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM projection.{table}")).scalar_one())


@contextmanager
def database() -> Iterator[Engine]:
    """A migrated database on a server of its own."""
    server = LocalPostgres(
        Path(tempfile.mkdtemp(prefix="lastintact-bench-")), settings={"fsync": "off", "full_page_writes": "off"}
    )
    base = server.start()
    try:
        create_database(base, "bench")
        address, mark, query = base.partition("?")
        url = f"{address.rpartition('/')[0]}/bench{mark}{query}"
        upgrade(url)
        engine = make_engine(url)
        yield engine
        engine.dispose()
    finally:
        server.stop()


def main() -> int:
    """Measure and print."""
    write = sys.stdout.write
    write(
        f"{PARCELS} parcels in {CAGES} cages in a trailer, {platform.machine()}, Python {platform.python_version()}\n"
    )
    with database() as engine:
        loaded = list(loading())
        took = project(engine, loaded)
        write(f"projector, {len(loaded)} pick-ups and packings: {took:.2f} s, {len(loaded) / took:.0f} events/s\n")
        write(f"refresher behind it: {seconds(Refresher(engine).drain):.2f} s\n")
        before = {table: rows(engine, table) for table in ("event", "mention", "stale", "parcel_case")}
        told = list(journey())
        write(f"projector, the trailer's {len(told)} events: {project(engine, told) * 1e3:.1f} ms\n")
        after = {table: rows(engine, table) for table in before}
        write("rows written for them: " + ", ".join(f"{t} {after[t] - before[t]}" for t in before) + "\n")
        write(f"refresher behind it: {seconds(Refresher(engine).drain) * 1e3:.1f} ms\n")
        with engine.connect() as connection:
            cases = connection.execute(text("SELECT subject, incidents, inside FROM projection.parcel_case")).all()
        write(f"cases: {', '.join(f'{c.subject} {c.incidents} {c.inside} inside' for c in cases)}\n")
        asked = [question(engine, parcel(number * 97)) for number in range(40)]
        load, answer = (statistics.median(each) * 1e3 for each in zip(*asked, strict=True))
        write(f"one parcel's question, median of {len(asked)}: load {load:.1f} ms, verdicts {answer:.1f} ms\n")
        assert [case.subject for case in cases] == [TRAILER], "one incident, one case"
        project(engine, list(arrival()))
        write(f"refresher, {DAMAGED} of the parcels damaged: {seconds(Refresher(engine).drain) * 1e3:.0f} ms\n")
        one_more = event("later", TRAILER, "custody.item_scanned.v1", at=20.55, recorded=22.0, **HAND)
        write(f"projector, one more event of the trailer: {project(engine, [one_more]) * 1e3:.1f} ms\n")
        write(
            f"refresher, the trailer's case and the {DAMAGED} that rest on it: "
            f"{seconds(Refresher(engine).drain) * 1e3:.0f} ms\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a trailer of 5,000 parcels in twenty cages costs when its seal is found broken, and one parcel's question."""

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, func, select

from schemas import codec
from schemas.positions import AsOf
from schemas.readmodel import mention, parcel_case, stale
from services.custody import migrations
from services.custody.core.attribution import verdicts
from services.custody.core.casework import latest
from services.custody.evidence import load_evidence, read_positions
from services.custody.refresh import Refresher
from services.custody.store import project_batch
from services.edge.database import make_engine
from services.log.table import TableLog
from services.parts.postgres import LocalPostgres
from tests.projecting import project_all
from tests.records import ACCEPTED, BAD, enrolment, entry
from tests.records import event as scan

PARCELS = 5000
CAGES = 20
DAMAGED = 50
"""Parcels found torn before: those with a case that rests on the trailer."""
QUESTIONS = 50
TRAILER = "unit:TRAILER1"
T = TypeVar("T")


def seconds(work: Callable[[], T]) -> tuple[float, T]:
    """How long it took, and what it gave."""
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def main() -> int:
    """Measure on a Postgres of its own and print."""
    with tempfile.TemporaryDirectory(prefix="lastintact-bench-") as directory, LocalPostgres(Path(directory)) as server:
        url = server.create_database("trailer")
        migrations.upgrade(url)
        engine = make_engine(url, pool_size=4)
        try:
            _measure(engine)
        finally:
            engine.dispose()
    return 0


def _measure(engine: Engine) -> None:
    say = _table()
    loaded = [enrolment(), enrolment("SHA.S2", party="C2"), *_load()]
    _record(engine, loaded)
    took, projected = seconds(lambda: project_all(engine))
    rows = sum(each.rows for each in projected)
    say("project the load", took, f"{rows:,} events, {rows / took:,.0f} events/s")
    say("rows in mention", None, f"{_count(engine, mention):,}")
    took, done = seconds(Refresher(engine).drain)
    say("refresh: nothing is wrong", took, f"{done:,} marks, {_count(engine, parcel_case)} cases")

    _record(engine, [_seal_broken("s1", 2.0)])
    took, marks = _project_new(engine)
    say("project the trailer's broken seal", took, f"{marks} mark")
    took, done = seconds(Refresher(engine).drain)
    say("refresh", took, f"{done:,} marks, {_count(engine, parcel_case)} cases, {_inside(engine):,} parcels inside")

    _record(engine, _damage())
    project_all(engine)
    took, done = seconds(Refresher(engine).drain)
    say(f"refresh: {DAMAGED} of its parcels are torn", took, f"{done:,} marks, {_count(engine, parcel_case)} cases")
    _record(engine, [_seal_broken("s2", 2.1)])
    took, marks = _project_new(engine)
    say("project another look at the seal", took, f"{marks} mark")
    took, done = seconds(Refresher(engine).drain)
    say("refresh: they look again", took, f"{done:,} marks, {_count(engine, stale)} left")
    _ask(engine, say)


def _ask(engine: Engine, say: Callable[[str, float | None, str], None]) -> None:
    """One parcel's question, cold for the parcel: load, and answer."""
    loading: list[float] = []
    answering: list[float] = []
    held = 0
    for number in range(QUESTIONS):
        subject = _parcel(number * (PARCELS // QUESTIONS))
        with engine.connect() as connection:
            positions = read_positions(connection)
            took, evidence = seconds(lambda: load_evidence(connection, subject, positions))  # noqa: B023 - called here
        as_of = latest(evidence, positions)
        assert isinstance(as_of, AsOf)
        held += len(evidence.neighbours)
        loading.append(took)
        answering.append(seconds(lambda: verdicts(evidence, as_of))[0])  # noqa: B023 - called here
    for name, times in (("load", loading), ("verdicts()", answering)):
        say(f"one parcel: {name}", statistics.median(times), f"p50 of {QUESTIONS}; slowest {max(times) * 1000:.1f} ms")
    say("one parcel: neighbours loaded", None, f"{held / QUESTIONS:.1f} of {PARCELS // CAGES - 1 + CAGES - 1}")


def _parcel(number: int) -> str:
    return f"yto:B{number:06}"


def _load() -> Iterable[codec.Envelope]:
    """Everybody into a cage, the cages into the trailer, and the trailer away."""
    for number in range(PARCELS):
        yield _pack(_parcel(number), f"unit:CAGE{number % CAGES}", 1 + number / 100_000)
    for number in range(CAGES):
        yield _pack(f"unit:CAGE{number}", TRAILER, 1.5)
    yield scan("away", TRAILER, at=1.6)


def _pack(item: str, unit: str, at: float) -> codec.Envelope:
    return scan(f"pack-{item}", item, "custody.unit_packed.v1", at=at, mode="HUMAN_SCAN", party="C1", unit=unit)


def _seal_broken(event_id: str, at: float) -> codec.Envelope:
    seal = {"number": "999", "match": False}
    return scan(event_id, TRAILER, "custody.seal_checked.v1", at=at, mode="HUMAN_INSPECT", party="C1", seal=seal)


def _damage() -> Iterable[codec.Envelope]:
    for number in range(DAMAGED):
        subject = _parcel(number * (PARCELS // DAMAGED))
        data: dict[str, Any] = {"mode": "HUMAN_INSPECT", "taker": "C2", "giver": "C1", "observations": BAD}
        source = "/depots/SHA/devices/S2"
        yield scan(f"torn-{subject}", subject, ACCEPTED, at=3, source=source, **data)


def _record(engine: Engine, envelopes: Iterable[codec.Envelope]) -> None:
    log, entries = TableLog(engine), [entry(envelope) for envelope in envelopes]
    for start in range(0, len(entries), 1000):
        log.append(entries[start : start + 1000])


def _project_new(engine: Engine) -> tuple[float, int]:
    """How long projecting took what is new, and the marks that it made; finding it in the log is not counted."""
    log = TableLog(engine)
    with engine.connect() as connection:
        done = read_positions(connection)
    fresh = [log.read(partition, done.get(partition, 0), 1000) for partition in log.ends()]
    times = [seconds(lambda: project_batch(engine, records, archive=False)) for records in fresh if records]  # noqa: B023
    return sum(took for took, _ in times), sum(projected.marks for _, projected in times)


def _count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _inside(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.max(parcel_case.c.inside))).scalar_one())


def _table() -> Callable[[str, float | None, str], None]:
    write = sys.stdout.write
    write(f"a trailer of {PARCELS:,} parcels in {CAGES} cages, {platform.machine()}, {platform.python_version()}\n")

    def say(name: str, took: float | None, text: str) -> None:
        shown = "" if took is None else f"{took * 1000:,.1f} ms"
        write(f"{name:38}{shown:>13}  {text}\n")
        sys.stdout.flush()

    return say


if __name__ == "__main__":
    sys.exit(main())

"""Replay gives the live read model again, while events keep coming and readers keep reading."""

import random
import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from schemas.errors import Unavailable
from schemas.readmodel import event, metadata, position, stale
from services.custody import replay as replaying
from services.custody.refresh import Refresher
from services.custody.replay import Replaying, replay
from services.custody.table_worker import project_what_is_there
from services.log.port import Entry
from services.log.table import TableLog
from tests.projecting import subjects_apart
from tests.readmodel_rows import built_rows
from tests.records import ACCEPTED, ANNOUNCED, BAD, GOOD, POLICY, append, enrolment, entry
from tests.records import event as scan

NEVER = threading.Event()


def some_load(dice: random.Random, event_id: str, parcel: str, at: float, parcel_count: int) -> Entry:
    """Something about units: packed, unpacked, seals, a scan of a unit, units in units, a new label."""
    cage, trailer = f"cage:{dice.randrange(parcel_count // 2)}", f"trailer:{dice.randrange(parcel_count // 4)}"
    hand: dict[str, Any] = {"mode": "HUMAN_SCAN", "party": dice.choice(["C1", "H1"])}
    item, unit = dice.choice([(parcel, cage), (parcel, cage), (cage, trailer), (parcel, trailer)])
    late = at + dice.choice([0, 0, 2])
    match dice.randrange(8):
        case 0 | 1 | 2:
            told = scan(event_id, item, "custody.unit_packed.v1", at=at, recorded=late, unit=unit, **hand)
        case 3 | 4:
            told = scan(event_id, item, "custody.unit_unpacked.v1", at=at, recorded=late, unit=unit, **hand)
        case 5:
            seal = {"number": "1", "match": dice.random() < 0.8}
            told = scan(event_id, unit, "custody.seal_checked.v1", at=at, recorded=late, seal=seal, **hand)
        case 6:
            told = scan(
                event_id, unit, "custody.item_scanned.v1", at=at, recorded=late, empty=dice.random() < 0.3, **hand
            )
        case _:
            told = scan(event_id, parcel, "custody.parcel_relabelled.v1", at=at, old=parcel, new=f"{parcel}N", **hand)
    return entry(told)


def some_day(seed: int, count: int, parcel_count: int = 8) -> list[Entry]:
    """Scans good and bad, repeats, conflicts across partitions, late ones, settings, unreadable ones, units."""
    dice = random.Random(seed)
    parcels = [*subjects_apart(8), *(f"yto:P{number}" for number in range(8, parcel_count))]
    entries = [entry(enrolment()), entry(scan("s1", "policy:DEFAULT", POLICY, deemed_lost_hours=720))]
    for number in range(count):
        parcel = dice.choice(parcels)
        at = dice.uniform(0, 5)
        match dice.randrange(13):
            case 10 | 11 | 12:
                entries.append(some_load(dice, f"{seed}u{number}", parcel, at, parcel_count))
            case 0:
                entries.append(Entry(parcel.encode(), b"?" * number))
            case 1:
                entries.append(dice.choice(entries))
            case 2:
                # One of a few ids: a conflict as soon as another parcel has it too.
                entries.append(entry(scan(f"twice{dice.randrange(5)}", parcel, at=at)))
            case 3:
                entries.append(entry(scan(f"{seed}a{number}", parcel, ANNOUNCED, at=at, promised_after_hours=48)))
            case kind:
                looks = BAD if kind == 4 else GOOD
                taker = dice.choice(["C1", "H1", "LH"])
                late = at + dice.choice([0, 0, 0, 3])
                entries.append(
                    entry(
                        scan(
                            f"{seed}e{number}",
                            parcel,
                            ACCEPTED,
                            at=at,
                            recorded=late,
                            mode="HUMAN_INSPECT",
                            taker=taker,
                            observations=looks,
                        )
                    )
                )
    return entries


def catch_up(engine: Engine) -> None:
    project_what_is_there(engine, TableLog(engine), NEVER)
    Refresher(engine).drain()


def test_replay_gives_the_live_rows_again(engine: Engine) -> None:
    TableLog(engine).append(some_day(1, 200))
    catch_up(engine)
    before = built_rows(engine)
    assert all(before[name] for name in before)
    told: list[str] = []

    replayed = replay(engine, say=told.append)

    assert built_rows(engine) == before
    assert replayed.records == 202
    assert told[-1] == "202 of 202 records"
    assert replayed.switched_seconds < 5


def test_replay_heals_what_was_changed_by_hand(engine: Engine) -> None:
    TableLog(engine).append(some_day(2, 60))
    catch_up(engine)
    before = built_rows(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE projection.event SET party = 'NOBODY', standing = 'repeat'"))
        connection.execute(text("DELETE FROM projection.parcel_case"))
        connection.execute(text("DELETE FROM projection.event_identity"))

    replay(engine)

    assert built_rows(engine) == before


def test_replay_while_events_keep_arriving_and_readers_keep_reading(engine: Engine) -> None:
    log = TableLog(engine)
    log.append(some_day(3, 150))
    catch_up(engine)
    stop = threading.Event()
    failures: list[BaseException] = []
    longest = [0.0]

    def beside(work: "threading.Thread | object") -> threading.Thread:
        def guarded() -> None:
            try:
                while not stop.is_set():
                    work()  # type: ignore[operator] # a plain callable
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    arriving = iter(some_day(4, 5000, parcel_count=500))

    def write() -> None:
        log.append([next(arriving) for _ in range(5)])
        project_what_is_there(engine, log, stop)

    def refresh() -> None:
        if not Refresher(engine).step():
            stop.wait(0.01)

    def read() -> None:
        began = time.monotonic()
        frozen = engine.execution_options(isolation_level="REPEATABLE READ")
        with frozen.connect() as connection:
            positions = {row.partition: row.next_offset for row in connection.execute(select(position))}
            query = select(event.c.partition, func.count().label("rows")).group_by(event.c.partition)
            rows = {row.partition: row.rows for row in connection.execute(query)}
        longest[0] = max(longest[0], time.monotonic() - began)
        assert {partition: offset for partition, offset in positions.items() if offset} == rows

    threads = [beside(work) for work in (write, refresh, read)]
    try:
        for _ in range(3):
            replay(engine)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)

    assert not failures, failures
    catch_up(engine)
    live = built_rows(engine)
    assert {row[0]: row[1] for row in live["position"]} == dict(log.ends())
    replay(engine)
    again = built_rows(engine)
    # A clean scan moves no wait, it is renewed when it is due: one refreshed in between may be behind.
    for rows in (again, live):
        del rows["watch"]
    assert again == live
    assert longest[0] < 10


def test_marks_of_the_old_table_mean_nothing_behind_the_switch(engine: Engine) -> None:
    TableLog(engine).append(some_day(5, 60))
    project_what_is_there(engine, TableLog(engine), NEVER)
    with engine.connect() as connection:
        old = set(connection.execute(select(stale.c.mark)).scalars())
    replay(engine)
    TableLog(engine).append(some_day(6, 30))
    project_what_is_there(engine, TableLog(engine), NEVER)

    with engine.connect() as connection:
        new = set(connection.execute(select(stale.c.mark)).scalars())
    assert new
    assert min(new) > max(old)


def test_the_rebuilt_tables_are_the_defined_ones(engine: Engine) -> None:
    before = _shape(engine)

    replay(engine)

    assert _shape(engine) == before
    # The next migration finds every index under its own name.
    assert {name for name, _ in before} >= {"event_by_subject", "event_by_id", "watch_by_due", "stale_by_subject"}


def _shape(engine: Engine) -> set[tuple[str, str]]:
    query = text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'projection'")
    with engine.connect() as connection:
        return {(name, definition) for name, definition in connection.execute(query)}


def test_a_reader_that_never_ends_makes_replay_give_up_and_change_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    TableLog(engine).append(some_day(7, 30))
    catch_up(engine)
    before = built_rows(engine)
    monkeypatch.setattr(replaying, "_SWITCH_TRIES", 2)
    monkeypatch.setattr(replaying, "_SWITCH_TRY_SECONDS", 0.1)

    with engine.connect() as reader:
        reader.execute(select(position))
        with pytest.raises(Unavailable):
            replay(engine)

    assert built_rows(engine) == before
    replay(engine)
    assert built_rows(engine) == before


def test_only_one_replay_at_a_time(engine: Engine) -> None:
    with engine.connect() as other:
        other.execute(text(f"SELECT pg_advisory_lock({replaying._REPLAY_LOCK})"))
        with pytest.raises(Replaying):
            replay(engine)
        other.rollback()


def test_the_old_tables_can_be_kept_until_the_next_replay(engine: Engine) -> None:
    append(engine, scan("e1", "yto:YT1"))
    catch_up(engine)
    replay(engine, keep_old=True)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM projection_old.event")).scalar_one() == 1

    replay(engine)

    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT count(*) FROM projection_old.event"))
    assert {table.schema for table in metadata.sorted_tables} >= {"projection"}

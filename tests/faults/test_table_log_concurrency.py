"""Appenders to the table log that roll back, dawdle and die, and a reader beside them that must see no hole."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from schemas.positions import Position
from schemas.topics import partition_of
from services.edge.database import make_engine
from services.log import table
from services.log.crash import VARIABLE
from services.log.port import Entry, LogRecord
from services.log.table import TableLog

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]


class RolledBackOnPurpose(Exception):
    """What an appender meets in place of its commit."""


@dataclass
class Tail:
    """A reader that follows the log while others append, and notes what it saw, in the order it saw it."""

    log: TableLog
    seen: dict[int, list[LogRecord]] = field(default_factory=lambda: defaultdict(list))
    holes: list[LogRecord] = field(default_factory=list)

    def follow(self, stop: threading.Event) -> None:
        """Read until told to stop, and then to the end."""
        while True:
            last_round = stop.is_set()
            for partition in range(self.log.partitions):
                while found := self.log.read(partition, len(self.seen[partition]), 7):
                    for record in found:
                        if record.offset != len(self.seen[partition]):
                            self.holes.append(record)
                        self.seen[partition].append(record)
            if last_round:
                return

    def values(self) -> set[bytes]:
        """Everything seen."""
        return {record.value for records in self.seen.values() for record in records}


@dataclass(frozen=True)
class Appended:
    """One append that was acknowledged, and when it was under way."""

    began: float
    ended: float
    positions: Sequence[Position]
    values: Sequence[bytes]


def entries_of(writer: str, number: int, chance: random.Random) -> list[Entry]:
    """A few entries over a few partitions; every value says whose it is."""
    return [
        Entry(b"yto:YT%d" % chance.randrange(12), f"{writer}/{number}/{item}".encode())
        for item in range(chance.randrange(1, 6))
    ]


def at_commit(engine: Engine, do: Callable[[], None]) -> None:
    """Run something where an appender has taken its offsets and written its records, but has not committed."""

    @event.listens_for(engine, "commit")
    def before_commit(_connection: Connection) -> None:
        do()


def test_a_reader_beside_appenders_that_roll_back_sees_every_commit_once_and_no_hole(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(11)

    def sometimes_fail(point: str) -> None:
        assert point == "appended"
        time.sleep(chance.random() * 0.004)
        if chance.random() < 0.3:
            raise RolledBackOnPurpose

    # The point where fault tests kill the process lies where we need it: all is written, nothing is committed.
    monkeypatch.setattr(table, "crash_point", sometimes_fail)
    writing = make_engine(engine.url.render_as_string(hide_password=False), pool_size=8)
    log = TableLog(writing)
    acknowledged: list[Appended] = []
    rolled_back: set[bytes] = set()

    def append(writer: int) -> None:
        own_chance = random.Random(writer)
        for number in range(40):
            entries = entries_of(f"w{writer}", number, own_chance)
            values = [entry.value for entry in entries]
            began = time.monotonic()
            try:
                positions = log.append(entries)
            except RolledBackOnPurpose:
                rolled_back.update(values)
            else:
                acknowledged.append(Appended(began, time.monotonic(), positions, values))

    tail = Tail(TableLog(engine))
    run_beside(tail, [lambda writer=writer: append(writer) for writer in range(8)])  # type: ignore[misc]
    writing.dispose()

    assert rolled_back
    assert tail.holes == []
    assert tail.values() == {value for appended in acknowledged for value in appended.values}
    for appended in acknowledged:
        for position, value in zip(appended.positions, appended.values, strict=True):
            assert tail.seen[position.partition][position.offset].value == value
    assert_in_the_order_of_commits(acknowledged)


def assert_in_the_order_of_commits(acknowledged: Sequence[Appended]) -> None:
    """What had been acknowledged before another append began lies before it in every partition they share."""
    by_partition: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    for appended in acknowledged:
        for position in appended.positions:
            by_partition[position.partition].append((position.offset, appended.began, appended.ended))
    compared = 0
    for placed in by_partition.values():
        latest_begin = 0.0
        for _, began, ended in sorted(placed):
            assert ended > latest_begin, "it lies behind an append that began after it was acknowledged"
            latest_begin = max(latest_begin, began)
            compared += 1
    assert compared > 100


def run_beside(tail: Tail, writers: Sequence[Callable[[], None]]) -> None:
    """Run all writers at once with the reader beside them; an error in any of them fails the test."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    stop = threading.Event()
    reader = threading.Thread(target=guarded, args=(lambda: tail.follow(stop),))
    threads = [threading.Thread(target=guarded, args=(writer,)) for writer in writers]
    reader.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    reader.join()
    assert errors == []


def test_nobody_overtakes_a_slow_first_committer_in_its_partition(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    slow_engine, fast_engine = make_engine(url, pool_size=1), make_engine(url, pool_size=4)
    has_offsets, may_commit = threading.Event(), threading.Event()

    def dawdle() -> None:
        has_offsets.set()
        assert may_commit.wait(30)

    slow, fast = TableLog(slow_engine), TableLog(fast_engine)
    at_commit(slow_engine, dawdle)
    shared = partition_of(b"yto:SHARED")
    elsewhere = next(b"yto:%d" % number for number in range(100) if partition_of(b"yto:%d" % number) != shared)
    tail = Tail(TableLog(engine))
    fast_is_done = threading.Event()

    def append_slowly() -> None:
        slow.append([Entry(b"yto:SHARED", b"slow 1"), Entry(b"yto:SHARED", b"slow 2")])

    def append_fast() -> None:
        assert has_offsets.wait(30)
        fast.append([Entry(elsewhere, b"elsewhere")])
        threading.Timer(0.5, may_commit.set).start()
        fast.append([Entry(b"yto:SHARED", b"fast")])
        assert may_commit.is_set(), "it was acknowledged although one before it in the partition was open"
        fast_is_done.set()

    run_beside(tail, [append_slowly, append_fast])
    slow_engine.dispose()
    fast_engine.dispose()

    assert fast_is_done.is_set()
    assert tail.holes == []
    assert [record.value for record in tail.seen[shared]] == [b"slow 1", b"slow 2", b"fast"]
    assert [record.value for record in tail.seen[partition_of(elsewhere)]] == [b"elsewhere"]


def test_an_append_over_many_partitions_is_seen_whole_or_not_at_all(engine: Engine) -> None:
    log, whole = TableLog(engine), 12
    keys = [b"yto:YT%d" % number for number in range(whole)]
    torn: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            if sum(log.ends().values()) % whole:
                torn.append(sum(log.ends().values()))

    def append() -> None:
        for _ in range(30):
            log.append([Entry(key, b"x") for key in keys])

    looker = threading.Thread(target=look)
    looker.start()
    run_beside(Tail(TableLog(engine)), [append] * 4)
    stop.set()
    looker.join()

    assert torn == []
    assert sum(log.ends().values()) == 4 * 30 * whole


_APPENDER = """
import os, random, sys
from services.edge.database import make_engine
from services.log.port import Entry
from services.log.table import TableLog

log = TableLog(make_engine(os.environ["TEST_DATABASE"], pool_size=1))
chance = random.Random()
for number in range(30):
    values = [f"{sys.argv[1]}/{number}/{item}".encode() for item in range(4)]
    entries = [Entry(b"yto:YT%d" % chance.randrange(12), value) for value in values]
    for entry, position in zip(entries, log.append(entries), strict=True):
        os.write(1, b"%d %d %s\\n" % (position.partition, position.offset, entry.value))
"""
"""Appends and tells each position on standard output, unbuffered, so that a killed one has told all it knew."""


@pytest.mark.slow
def test_appenders_killed_before_their_commit_leave_no_hole_and_nothing_told_is_lost(
    engine: Engine, database_url: str
) -> None:
    told: dict[tuple[int, int], bytes] = {}

    def append(name: str) -> None:
        process = subprocess.run(
            [sys.executable, "-c", _APPENDER, name],
            cwd=ROOT,
            # At each append, between writing and committing, one in twenty dies.
            env={**os.environ, "TEST_DATABASE": database_url, VARIABLE: "appended:0.05"},
            stdout=subprocess.PIPE,
            check=False,
        )
        killed.append(process.returncode < 0)
        for line in process.stdout.splitlines():
            partition, offset, value = line.split(b" ", 2)
            told[int(partition), int(offset)] = value

    killed: list[bool] = []
    tail = Tail(TableLog(engine))
    run_beside(tail, [lambda name=name: append(f"p{name}") for name in range(6)])  # type: ignore[misc]

    assert any(killed)
    assert tail.holes == []
    assert told
    for (partition, offset), value in told.items():
        assert tail.seen[partition][offset].value == value
    for records in tail.seen.values():
        assert all(before.offset + 1 == after.offset for before, after in pairwise(records))

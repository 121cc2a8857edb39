"""What every log must do. The three adapters inherit this suite; each says how to make, reopen and interrupt itself."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from schemas.errors import Unavailable
from schemas.positions import Position
from schemas.topics import partition_of
from services.log.port import Entry, EventLog, LogRecord

MEGABYTE = 1024**2


@dataclass(frozen=True)
class Outage:
    """A log whose server can be taken away and brought back."""

    log: EventLog
    begin: Callable[[], object]
    end: Callable[[], object]


def read_to_end(log: EventLog, partition: int, start: int = 0, limit: int = 7) -> list[LogRecord]:
    """Everything from `start` on, in steps of at most `limit`."""
    records: list[LogRecord] = []
    while found := log.read(partition, start + len(records), limit):
        assert len(found) <= limit
        records += found
    return records


def read_everything(log: EventLog) -> list[LogRecord]:
    """All partitions, one after the other."""
    return [record for partition in range(log.partitions) for record in read_to_end(log, partition, limit=500)]


def some_entries(count: int, mark: str = "") -> Sequence[Entry]:
    """Entries over many keys, each with a value of its own."""
    return [Entry(f"s10:RR{number % 23:09}CN".encode(), f"{mark}{number}".encode()) for number in range(count)]


def append_in_the_end(log: EventLog, entries: Sequence[Entry], seconds: float = 60.0) -> Sequence[Position]:
    """Append as a scanner does: again while the log says that it is unavailable, up to a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return log.append(entries)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


class LogContract:
    """The suite. A subclass gives the fixtures `log`, `reopen` and `outage`."""

    def test_positions_come_in_the_order_of_the_entries(self, log: EventLog) -> None:
        entries = some_entries(100)

        positions = log.append(entries)

        assert len(positions) == len(set(positions)) == 100
        there = {record.position: (record.key, record.value) for record in read_everything(log)}
        assert [there[position] for position in positions] == entries

    def test_the_key_decides_the_partition(self, log: EventLog) -> None:
        entries = some_entries(50)

        positions = log.append(entries)

        assert [one.partition for one in positions] == [partition_of(entry.key, log.partitions) for entry in entries]
        assert len({one.partition for one in positions}) > 1

    def test_records_of_a_key_keep_their_order(self, log: EventLog) -> None:
        for number in range(0, 30, 3):
            log.append([Entry(b"s10:A", str(number + step).encode()) for step in range(3)])

        values = [int(record.value) for record in read_to_end(log, partition_of(b"s10:A", log.partitions))]

        assert values == list(range(30))

    def test_offsets_count_from_zero_without_a_hole(self, log: EventLog) -> None:
        for batch in range(5):
            log.append(some_entries(20 + batch))

        for partition in range(log.partitions):
            records = read_to_end(log, partition)
            assert [record.offset for record in records] == list(range(len(records)))
            assert {record.partition for record in records} <= {partition}

    def test_ends_are_the_next_offsets(self, log: EventLog) -> None:
        assert dict(log.ends()) == dict.fromkeys(range(log.partitions), 0)

        log.append(some_entries(60))

        assert dict(log.ends()) == {partition: len(read_to_end(log, partition)) for partition in range(log.partitions)}

    def test_reading_starts_at_any_offset_and_stops_at_the_limit(self, log: EventLog) -> None:
        log.append([Entry(b"s10:A", str(number).encode()) for number in range(12)])
        partition = partition_of(b"s10:A", log.partitions)
        everything = read_to_end(log, partition)

        for start in (0, 1, 5, 11):
            for limit in (1, 4, 100):
                found = log.read(partition, start, limit)
                assert 0 < len(found) <= limit
                assert list(found) == everything[start : start + len(found)]
            assert read_to_end(log, partition, start) == everything[start:]

    def test_reading_at_and_past_the_end_is_empty(self, log: EventLog) -> None:
        log.append([Entry(b"s10:A", b"1"), Entry(b"s10:A", b"2")])
        partition = partition_of(b"s10:A", log.partitions)

        assert list(log.read(partition, 2, 10)) == []
        assert list(log.read(partition, 1000, 10)) == []
        assert list(log.read((partition + 1) % log.partitions, 0, 10)) == []

    def test_reading_backwards_and_forwards_gives_the_same(self, log: EventLog) -> None:
        log.append([Entry(b"s10:A", str(number).encode()) for number in range(6)])
        partition = partition_of(b"s10:A", log.partitions)

        one_by_one = [log.read(partition, start, 1)[0] for start in (5, 0, 3, 4, 1, 2)]

        assert sorted(one_by_one) == read_to_end(log, partition)

    def test_what_is_appended_after_the_end_was_read_is_read_next(self, log: EventLog) -> None:
        partition = partition_of(b"s10:A", log.partitions)
        for number in range(3):
            assert list(log.read(partition, number, 10)) == []

            log.append([Entry(b"s10:A", str(number).encode())])

            assert [record.value for record in log.read(partition, number, 10)] == [str(number).encode()]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (b"s10:A", b""),
            (b"", b"no key"),
            (b"\x00\xff", b"\x00\\N\t\n\r\"'\\x41"),
            (b"s10:A", bytes(range(256))),
            ("custom:包裹".encode(), "外包装完好".encode()),
            (b"s10:A", b"\xc3\x28 not utf-8"),
        ],
    )
    def test_bytes_come_back_exactly(self, log: EventLog, key: bytes, value: bytes) -> None:
        (position,) = log.append([Entry(key, value)])

        assert [tuple(record) for record in log.read(position.partition, position.offset, 1)] == [
            (position.partition, position.offset, key, value)
        ]

    def test_a_megabyte_comes_back_exactly_beside_small_neighbours(self, log: EventLog) -> None:
        # Random, so that no compression brings it under a limit by accident.
        values = [b"before", os.urandom(MEGABYTE), b"between", os.urandom(MEGABYTE), b"after"]

        log.append([Entry(b"s10:A", value) for value in values])

        partition = partition_of(b"s10:A", log.partitions)
        assert [record.value for record in read_to_end(log, partition)] == values

    def test_appending_nothing_changes_nothing(self, log: EventLog) -> None:
        assert list(log.append([])) == []

        assert set(log.ends().values()) == {0}

    def test_appenders_at_once_lose_and_mix_nothing(self, log: EventLog) -> None:
        def append(writer: int) -> None:
            for batch in range(10):
                entries = some_entries(15, mark=f"{writer}/{batch}/")
                positions = log.append(entries)
                for entry, position in zip(entries, positions, strict=True):
                    acknowledged[position] = entry

        acknowledged: dict[tuple[int, int], Entry] = {}
        with ThreadPoolExecutor(6) as pool:
            for done in [pool.submit(append, writer) for writer in range(6)]:
                done.result()

        records = read_everything(log)
        assert {record.position: Entry(record.key, record.value) for record in records} == acknowledged
        assert len(records) == len(acknowledged) == 6 * 10 * 15
        for writer in range(6):
            for key in {record.key for record in records}:
                told = [
                    tuple(map(int, record.value.split(b"/")[1:]))
                    for record in records
                    if record.key == key and record.value.startswith(b"%d/" % writer)
                ]
                assert told == sorted(told), "a writer's records of one key are in the order it appended them"

    def test_a_log_opened_again_has_everything(self, log: EventLog, reopen: Callable[[], EventLog]) -> None:
        log.append(some_entries(40))
        before = read_everything(log)
        log.close()

        again = reopen()

        assert (again.log_id, again.partitions) == (log.log_id, log.partitions)
        assert read_everything(again) == before
        again.append(some_entries(10))
        assert len(read_everything(again)) == 50
        again.close()

    def test_closing_twice_is_idle(self, log: EventLog) -> None:
        log.append(some_entries(3))

        log.close()
        log.close()

    def test_a_closed_log_is_unavailable(self, log: EventLog) -> None:
        log.close()

        with pytest.raises(Unavailable):
            log.append(some_entries(1))
        with pytest.raises(Unavailable):
            log.read(0, 0, 1)
        with pytest.raises(Unavailable):
            log.ends()

    def test_an_outage_is_unavailable_and_loses_nothing_that_was_acknowledged(self, outage: Outage) -> None:
        log = outage.log
        before = some_entries(30, mark="before ")
        during = some_entries(5, mark="during ")
        acknowledged = dict(zip(log.append(before), before, strict=True))

        outage.begin()
        with pytest.raises(Unavailable) as told:
            log.append(during)
        with pytest.raises(Unavailable):
            log.read(0, 0, 1)
        with pytest.raises(Unavailable):
            log.ends()
        outage.end()
        after = some_entries(30, mark="after ")
        acknowledged |= zip(append_in_the_end(log, after), after, strict=True)

        assert told.value.retry_after_seconds > 0
        there = {record.position: Entry(record.key, record.value) for record in read_everything(log)}
        assert there.items() >= acknowledged.items()
        # What was refused may have been written all the same; nothing else may be there.
        others = {entry.value for position, entry in there.items() if position not in acknowledged}
        assert others <= {entry.value for entry in (*during, *after)}

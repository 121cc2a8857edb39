"""The projector's transaction: every record a row, once; identities settled whatever the order of partitions."""

import random
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, select, text

from schemas.readmodel import event, event_identity, identity_clash, position, stale
from schemas.topics import partition_of
from services.custody.store import OffsetHole, project_batch
from services.log.port import Entry, LogRecord
from services.log.table import TableLog
from tests.projecting import project_all, subjects_apart
from tests.readmodel_rows import built_rows
from tests.records import ACCEPTED, ANNOUNCED, BAD, append, entry, records_of
from tests.records import event as scan


def standings(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(select(event.c.partition, event.c.offset, event.c.standing))
        return {f"{partition}:{offset}": standing for partition, offset, standing in rows}


def test_every_record_becomes_one_row_in_its_place(engine: Engine) -> None:
    append(engine, *(scan(f"e{n}", f"yto:YT{n % 7}", at=n) for n in range(40)))

    project_all(engine, size=3)

    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(event)).scalar_one() == 40
        positions = {row.partition: row.next_offset for row in connection.execute(select(position))}
    assert positions == dict(TableLog(engine).ends())


def test_a_record_delivered_again_changes_nothing(engine: Engine) -> None:
    append(engine, *(scan(f"e{n}", "yto:YT1", at=n) for n in range(6)))
    partition = partition_of(b"yto:YT1")
    records = TableLog(engine).read(partition, 0, 10)
    project_batch(engine, records[:4], archive=False)
    before = built_rows(engine)

    again = project_batch(engine, records[:4], archive=False)

    assert (again.skipped, again.rows) == (4, 0)
    assert built_rows(engine) == before
    overlapping = project_batch(engine, records[2:], archive=False)
    assert (overlapping.skipped, overlapping.rows, overlapping.next_offset) == (2, 2, 6)


@pytest.mark.parametrize("kept", [slice(1, None), slice(0, None, 2)], ids=["before", "between"])
def test_a_hole_in_the_offsets_stops_before_anything_is_written(engine: Engine, kept: slice) -> None:
    append(engine, *(scan(f"e{n}", "yto:YT1", at=n) for n in range(4)))
    records = TableLog(engine).read(partition_of(b"yto:YT1"), 0, 10)
    before = built_rows(engine)

    with pytest.raises(OffsetHole):
        project_batch(engine, records[kept], archive=False)

    assert built_rows(engine) == before


def test_the_same_content_again_is_a_repeat_in_the_same_batch_and_in_a_later_one(engine: Engine) -> None:
    first = scan("e1", "yto:YT1")
    append(engine, first, first)
    project_all(engine)
    append(engine, scan("e1", " yto:yt1 "), first)
    project_all(engine)

    partition = partition_of(b"yto:YT1")
    assert standings(engine) == {
        f"{partition}:0": "event",
        f"{partition}:1": "repeat",
        f"{partition}:2": "event",  # sent with another spelling of the subject: other signed bytes, so a conflict
        f"{partition}:3": "repeat",
    }


def test_effective_record_time_never_goes_back(engine: Engine) -> None:
    append(engine, scan("e1", "yto:YT1", at=5), scan("e2", "yto:YT1", at=3), scan("e3", "yto:YT1", at=6))

    project_all(engine, size=1)

    with engine.connect() as connection:
        times = [row[0].day for row in connection.execute(select(event.c.record_time).order_by(event.c.offset))]
    assert times == [6, 6, 7]


UNREADABLE = {
    "no JSON": b"\xff\xfe",
    "empty": b"",
    "a NUL in the id": entry(scan("e\0x", "yto:YT1")).value,
    "an id too long for an index": entry(scan("e" * 9000, "yto:YT1")).value,
    "unknown type": entry(scan("e9", "yto:YT1", "custody.teleported.v1", to="Mars")).value,
    "wrong fields": entry(scan("e9", "yto:YT1", ACCEPTED, taker=7)).value,
    "a time without zone": entry(scan("e9", "yto:YT1")).value.replace(b'Z","datacontenttype', b'","datacontenttype'),
    "a time before the calendar": entry(scan("e9", "yto:YT1")).value.replace(
        b'"time":"2026-01-01T00:00:00.000000Z"', b'"time":"0001-01-01T00:00:00+14:00"'
    ),
    "no recorded time": entry(scan("e9", "yto:YT1")).value.replace(b"recordedtime", b"recordedtide"),
    "an old version that cannot be lifted": entry(
        scan("e9", "yto:YT1", "custody.condition_observed.v1", mode="HUMAN_SCAN", party="C1", weight_kg="heavy")
    ).value,
}


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_record_is_parked_and_its_neighbours_go_on(engine: Engine, value: bytes) -> None:
    good = [entry(scan("e1", "yto:YT1", at=1)), entry(scan("e2", "yto:YT1", at=2))]
    TableLog(engine).append([good[0], Entry(b"yto:YT1", value), good[1]])

    project_all(engine)

    with engine.connect() as connection:
        rows = connection.execute(select(event).order_by(event.c.offset)).all()
    assert [row.standing for row in rows] == ["event", "parked", "event"]
    assert rows[1].reason
    assert len(rows[1].leaf) == 32
    assert rows[1].record_time <= rows[2].record_time


def test_a_key_that_is_no_subject_stops_nothing(engine: Engine) -> None:
    TableLog(engine).append([Entry(b"\xff\x00" * 2000, b"?"), Entry(b"", b"?")])

    projected = project_all(engine)

    assert sum(batch.parked for batch in projected) == 2


def test_contents_under_one_identity_clash_across_partitions(engine: Engine) -> None:
    one, two = subjects_apart(2)
    append(engine, scan("e1", one, at=2), scan("e1", two, at=1))

    project_all(engine)

    with engine.connect() as connection:
        holder = connection.execute(select(event_identity.c.subject)).scalar_one()
        clash = set(connection.execute(select(identity_clash.c.subject)).scalars())
        marked = set(connection.execute(select(stale.c.subject)).scalars())
    assert holder == two
    assert clash == {one, two}
    assert marked == {one, two}


def test_rows_do_not_depend_on_how_partitions_were_interleaved(
    engine: Engine, empty_archive: Callable[[], Engine]
) -> None:
    dice = random.Random(7)
    apart = subjects_apart(8)
    for _ in range(300):
        # Few ids and few times: repeats, conflicts within and across partitions, and ties all come up.
        append_one = scan(
            f"e{dice.randrange(40)}", dice.choice(apart), at=dice.randrange(4), recorded=dice.randrange(6)
        )
        TableLog(engine).append([entry(append_one)])
    archive = records_of(TableLog(engine))

    for records in archive.values():
        if records:
            project_batch(engine, records, archive=False)
    expected = built_rows(engine)
    assert expected["identity_clash"]

    for seed in range(3):
        other = empty_archive()
        _project_interleaved(other, archive, random.Random(seed))
        assert built_rows(other) == expected


def _project_interleaved(engine: Engine, archive: dict[int, list[LogRecord]], dice: random.Random) -> None:
    left = {partition: records for partition, records in archive.items() if records}
    while left:
        partition = dice.choice(list(left))
        size = dice.randint(1, 9)
        project_batch(engine, left[partition][:size], archive=True)
        left[partition] = left[partition][size:]
        if not left[partition]:
            del left[partition]


def test_projectors_of_all_partitions_at_once_settle_identities_the_same(
    engine: Engine, empty_archive: Callable[[], Engine]
) -> None:
    dice = random.Random(11)
    apart = subjects_apart(8)
    TableLog(engine).append(
        [entry(scan(f"e{dice.randrange(30)}", dice.choice(apart), recorded=dice.randrange(9))) for _ in range(800)]
    )
    archive = records_of(TableLog(engine))
    project_all(engine)
    other = empty_archive()
    failures: list[BaseException] = []

    def work(records: list[LogRecord]) -> None:
        try:
            for start in range(0, len(records), 10):
                project_batch(other, records[start : start + 10], archive=True)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(records,)) for records in archive.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not failures
    assert built_rows(other) == built_rows(engine)


def test_two_projectors_on_one_partition_project_each_record_once(engine: Engine) -> None:
    append(engine, *(scan(f"e{n}", "yto:YT1", at=n) for n in range(60)))
    records = TableLog(engine).read(partition_of(b"yto:YT1"), 0, 100)
    rows: list[int] = []

    def work() -> None:
        for start in range(0, 60, 5):
            # Each batch reaches back, as after a rebalance.
            rows.append(project_batch(engine, records[max(0, start - 5) : start + 5], archive=False).rows)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sum(rows) == 60
    assert len(standings(engine)) == 60


def test_only_what_may_need_a_case_is_marked(engine: Engine) -> None:
    append(
        engine,
        scan("e1", "yto:CLEAN"),
        scan("e2", "yto:BAD", ACCEPTED, mode="HUMAN_INSPECT", taker="C1", observations=BAD),
        scan("e3", "yto:PROMISED", ANNOUNCED, promised_after_hours=48),
    )

    project_all(engine)

    with engine.connect() as connection:
        assert set(connection.execute(select(stale.c.subject)).scalars()) == {"yto:BAD", "yto:PROMISED"}


def test_a_marked_subject_is_marked_again_by_any_further_event(engine: Engine) -> None:
    bad = scan("e1", "yto:BAD", ACCEPTED, mode="HUMAN_INSPECT", taker="C1", observations=BAD)
    append(engine, bad)
    project_all(engine)
    append(engine, scan("e2", "yto:BAD", at=1), bad)

    project_all(engine)

    with engine.connect() as connection:
        # One for the bad scan, one for the clean one after it, none for the repeat.
        assert connection.execute(select(func.count()).select_from(stale)).scalar_one() == 2


def test_with_archive_the_records_are_kept_byte_for_byte_beside_the_rows(
    engine: Engine, empty_archive: Callable[[], Engine]
) -> None:
    append(engine, *(scan(f"e{n}", "yto:YT1", at=n) for n in range(3)))
    records = TableLog(engine).read(partition_of(b"yto:YT1"), 0, 10)
    other = empty_archive()

    project_batch(other, records, archive=True)

    assert TableLog(other).read(partition_of(b"yto:YT1"), 0, 10) == records


def test_a_frozen_colleague_makes_the_batch_unavailable_and_nothing_is_lost(engine: Engine) -> None:
    from schemas.errors import Unavailable
    from services.custody import store

    append(engine, scan("e1", "yto:YT1"))
    records = TableLog(engine).read(partition_of(b"yto:YT1"), 0, 10)
    original = store._LOCK_SECONDS
    with engine.connect() as frozen:
        frozen.execute(text("SELECT * FROM projection.position FOR UPDATE"))
        try:
            store._LOCK_SECONDS = 1
            with pytest.raises(Unavailable):
                project_batch(engine, records, archive=False)
        finally:
            store._LOCK_SECONDS = original

    assert project_batch(engine, records, archive=False).rows == 1

"""A stored value that is not what the archive says is named: table, key, column, what is stored, what is expected."""

import pytest
from sqlalchemy import Engine, text

from services.custody import fsck as checking
from services.custody.fsck import Difference, Summary, fsck
from services.custody.refresh import Refresher
from services.custody.replay import replay
from services.custody.table_worker import project_what_is_there
from services.log.table import TableLog
from tests.integration.custody.test_replay import NEVER, catch_up, some_day
from tests.records import ACCEPTED, ANNOUNCED, BAD, append, enrolment
from tests.records import event as scan

PACKED = "custody.unit_packed.v1"
CHECKED = "custody.seal_checked.v1"


def check(engine: Engine) -> tuple[Summary, list[Difference]]:
    found: list[Difference] = []
    return fsck(engine, found.append), found


def tamper(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        for trigger in ("DISABLE", "ENABLE"):
            connection.execute(text(f"ALTER TABLE archive.record {trigger} TRIGGER USER"))
            if trigger == "DISABLE":
                assert connection.execute(text(statement)).rowcount == 1


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A parcel with a case, one with nothing, one that is awaited, and a bag whose seal was broken."""
    append(
        engine,
        enrolment(),
        scan("e1", "yto:YT1", at=1),
        scan("e2", "yto:YT1", ACCEPTED, at=2, mode="HUMAN_INSPECT", taker="H1", giver="C1", observations=BAD),
        scan("e3", "yto:YT2", at=3),
        scan("p1", "yto:YT1", PACKED, at=1, mode="HUMAN_SCAN", party="C1", unit="bag:1"),
        scan("p2", "yto:YT3", PACKED, at=1, mode="HUMAN_SCAN", party="C1", unit="bag:1"),
        scan("a1", "yto:YT4", ANNOUNCED, at=1, promised_after_hours=48),
        scan("i1", "bag:1", CHECKED, at=1.5, mode="HUMAN_INSPECT", party="C1", seal={"match": False}),
    )
    catch_up(engine)
    return engine


def test_an_untouched_database_is_clean_whatever_came(engine: Engine) -> None:
    TableLog(engine).append(some_day(1, 250))
    catch_up(engine)
    told: list[str] = []

    summary = fsck(engine, lambda difference: pytest.fail(str(difference)), say=told.append)

    assert (summary.differences, summary.exit_code) == (0, 0)
    assert summary.records == 252
    assert summary.cases
    assert told[-1] == "252 of 252 records"


OTHER = {
    "record_time": "'2030-01-01Z'",
    "leaf": "'\\x00'",
    "subject": "'yto:SOMEONE'",
    "standing": "'parked'",
    "reason": "'no reason'",
    "identity": "'\\x01'",
    "content_hash": "'\\x02'",
    "event_id": "'other'",
    "source": "'/depots/X/devices/Y'",
    "type": "'custody.item_scanned.v1'",
    "event_time": "'2030-01-01Z'",
    "party": "'NOBODY'",
    "sequence": "7",
}


@pytest.mark.parametrize("column", OTHER)
def test_each_column_of_an_event_row_is_compared(filled: Engine, column: str) -> None:
    tamper(filled, f"UPDATE projection.event SET {column} = {OTHER[column]} WHERE event_id = 'e3'")

    summary, found = check(filled)

    assert (str(found[0].table), found[0].column) == ("projection.event", column)
    assert summary.differences == 1
    assert summary.exit_code == 1
    partition, offset = found[0].key.split(":")
    with filled.connect() as connection:
        there = text('SELECT count(*) FROM projection.event WHERE partition = :p AND "offset" = :o')
        assert connection.execute(there, {"p": partition, "o": offset}).scalar_one() == 1


TAMPERED = {
    "an event row is gone": ("DELETE FROM projection.event WHERE event_id = 'e3'", "projection.event"),
    "an event row too much": (
        """
        INSERT INTO projection.event SELECT partition, 99, record_time, leaf, subject, standing
        FROM projection.event WHERE event_id = 'e3'
        """,
        "projection.event",
    ),
    "an identity's holder": (
        "UPDATE projection.event_identity SET subject = 'yto:X' WHERE subject = 'yto:YT2'",
        "projection.event_identity",
    ),
    "an identity is gone": (
        "DELETE FROM projection.event_identity WHERE subject = 'yto:YT2'",
        "projection.event_identity",
    ),
    "a clash that never was": (
        "INSERT INTO projection.identity_clash SELECT * FROM projection.event_identity WHERE subject = 'yto:YT2'",
        "projection.identity_clash",
    ),
    "a position": (
        "UPDATE projection.position SET next_offset = next_offset + 1 WHERE partition = 0",
        "projection.position",
    ),
    "a position's time": (
        "UPDATE projection.position SET record_time = '2030-01-01Z' WHERE partition = 0",
        "projection.position",
    ),
    "a case's verdicts": (
        "UPDATE projection.parcel_case SET verdicts = '[]' WHERE outcome IS NOT NULL",
        "projection.parcel_case",
    ),
    "a case's outcome": (
        "UPDATE projection.parcel_case SET outcome = 'SENDER' WHERE inside > 0",
        "projection.parcel_case",
    ),
    "a case's time": (
        "UPDATE projection.parcel_case SET opened = '2030-01-01Z' WHERE inside > 0",
        "projection.parcel_case",
    ),
    "a case is gone": ("DELETE FROM projection.parcel_case WHERE inside > 0", "projection.parcel_case"),
    "a case that never was": (
        """
        INSERT INTO projection.parcel_case (
            subject, journey, opened, changed, verdicts, kinds, incidents, inside, parties, rests_on, positions
        )
        SELECT 'yto:YT2', journey, opened, changed, verdicts, kinds, incidents, inside, parties, rests_on, positions
        FROM projection.parcel_case WHERE inside > 0
        """,
        "projection.parcel_case",
    ),
    "what a case counted inside": (
        "UPDATE projection.parcel_case SET inside = 3 WHERE inside > 0",
        "projection.parcel_case",
    ),
    "a case's incidents": (
        "UPDATE projection.parcel_case SET incidents = '{SENSOR}' WHERE inside > 0",
        "projection.parcel_case",
    ),
    "what a case rests on": (
        "UPDATE projection.parcel_case SET rests_on = '{policy:DEFAULT}' WHERE inside > 0",
        "projection.parcel_case",
    ),
    "a case's journey": ("UPDATE projection.parcel_case SET journey = 2 WHERE inside > 0", "projection.parcel_case"),
    "what a wait rests on": ("UPDATE projection.watch SET rests_on = '{}'", "projection.watch"),
    "from when a wait runs": ("UPDATE projection.watch SET since = '2030-01-01Z'", "projection.watch"),
    "whom an event names": (
        "UPDATE projection.mention SET other = 'bag:2' WHERE subject = 'yto:YT3'",
        "projection.mention",
    ),
    "how it names it": ("UPDATE projection.mention SET role = 'holds' WHERE subject = 'yto:YT3'", "projection.mention"),
    "when it names it": (
        "UPDATE projection.mention SET event_time = '2030-01-01Z' WHERE subject = 'yto:YT3'",
        "projection.mention",
    ),
    "that it names anybody": ("DELETE FROM projection.mention WHERE subject = 'yto:YT3'", "projection.mention"),
    "somebody whom nobody named": (
        """
        INSERT INTO projection.mention SELECT 'bag:9', subject, role, partition, "offset", event_time, record_time
        FROM projection.mention WHERE subject = 'yto:YT3'
        """,
        "projection.mention",
    ),
    "a version of history": (
        "UPDATE projection.verdict_version SET verdict = NULL WHERE version = 1",
        "projection.verdict_version",
    ),
    "a version's reason": (
        "UPDATE projection.verdict_version SET because = 'e1' WHERE version = 1",
        "projection.verdict_version",
    ),
    "an archived byte": (
        "UPDATE archive.record SET value = value || ' '::bytea WHERE key = 'yto:YT2'::bytea",
        "projection.event",
    ),
    "an archived record is gone": ("DELETE FROM archive.record WHERE key = 'yto:YT2'::bytea", "archive.record"),
    "the head of a partition": (
        "UPDATE archive.log_head SET next_offset = next_offset + 1 WHERE partition = 0",
        "archive.log_head",
    ),
}


@pytest.mark.parametrize(("statement", "table"), TAMPERED.values(), ids=TAMPERED.keys())
def test_whatever_was_changed_by_hand_is_named(filled: Engine, statement: str, table: str) -> None:
    tamper(filled, statement)

    summary, found = check(filled)

    assert table in {difference.table for difference in found}
    assert summary.by_table[table] >= 1
    assert summary.exit_code == 1
    assert all(str(difference) for difference in found)


def test_cases_that_wait_for_the_refresher_are_counted_and_not_blamed(filled: Engine) -> None:
    append(filled, scan("e4", "yto:YT1", ACCEPTED, at=4, mode="HUMAN_INSPECT", taker="H2", observations=BAD))
    project_what_is_there(filled, TableLog(filled), NEVER)

    summary, found = check(filled)

    assert (found, summary.pending) == ([], 1)
    Refresher(filled).drain()
    assert check(filled)[0].pending == 0


def test_fsck_is_clean_behind_a_replay(filled: Engine) -> None:
    replay(filled)
    said: list[str] = []

    assert checking.check(filled, say=said.append) == []
    assert said[-1] == "8 records and 3 cases compared, 0 values differ"

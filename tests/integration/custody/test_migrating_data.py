"""A database that an earlier version filled is brought up to date, and replay tells the rest."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, select, text

from schemas.readmodel import event, mention, parcel_case, stale, watch
from services.custody import migrations
from services.custody.fsck import check
from services.custody.refresh import Refresher
from services.custody.replay import replay
from services.edge.database import make_engine
from tests.records import append, enrolment
from tests.records import event as scan

AN_EARLIER_CASE = """
    INSERT INTO projection.parcel_case
        (subject, opened, changed, verdicts, kinds, outcome, confidence, parties, devices, positions)
    VALUES ('yto:YT1', '2026-01-02Z', '2026-01-02Z', '[]', '{DAMAGE}', NULL, NULL, '{C1,Hub-x}', '{SHA.S1}', '0:1')
"""
AN_EARLIER_VERSION = """
    INSERT INTO projection.verdict_version (subject, finding, version, record_time)
    VALUES ('yto:YT1', 'DAMAGE', 1, '2026-01-02Z')
"""
AN_EARLIER_WAIT = "INSERT INTO projection.watch VALUES ('yto:YT2', '9999-12-01Z', 'first_acceptance')"


@pytest.fixture
def earlier(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database at the first version, with something in it."""
    to_the_head = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, revision: to_the_head(config, "0001"))
        migrations.upgrade(empty_database_url)
    made = make_engine(empty_database_url)
    yield made
    made.dispose()


def test_what_is_there_is_kept_and_computed_anew(earlier: Engine) -> None:
    with earlier.begin() as connection:
        for statement in (AN_EARLIER_CASE, AN_EARLIER_VERSION, AN_EARLIER_WAIT):
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO projection.stale (subject) VALUES ('device:SHA.S1')"))

    migrations.upgrade(earlier.url.render_as_string(hide_password=False))

    with earlier.connect() as connection:
        case = connection.execute(select(parcel_case)).one()
        wait = connection.execute(select(watch)).one()
        marks = {tuple(row) for row in connection.execute(select(stale.c.subject, stale.c.itself, stale.c.others))}
    assert (case.journey, case.incidents, case.inside) == (1, [], 0)
    assert case.rests_on == ["device:SHA.S1", "party:C1", "party:HUB-X", "policy:DEFAULT"]
    assert (wait.rests_on, wait.since) == ([], wait.due)
    assert marks == {("device:SHA.S1", True, True), ("yto:YT1", True, False), ("yto:YT2", True, False)}


def test_a_replay_fills_in_what_only_the_archive_tells(earlier: Engine) -> None:
    packed = scan("p1", "yto:YT1", "custody.unit_packed.v1", at=1, mode="HUMAN_SCAN", party="C1", unit="cage:1")
    append(earlier, enrolment(), packed)
    migrations.upgrade(earlier.url.render_as_string(hide_password=False))
    with earlier.begin() as connection:
        # As if it had projected them: it parked what it did not know, and named nobody.
        connection.execute(
            text(
                "UPDATE projection.position SET next_offset = h.next_offset FROM archive.log_head h"
                " WHERE h.partition = projection.position.partition"
            )
        )
    replay(earlier)
    Refresher(earlier).drain()

    with earlier.connect() as connection:
        assert connection.execute(select(mention.c.other)).scalars().all() == ["cage:1"]
        assert connection.execute(select(event.c.standing)).scalars().all() == ["event", "event"]
    assert check(earlier) == []

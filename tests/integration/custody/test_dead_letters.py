"""Dead letters: records that a build cannot read keep their place, and count there once another build can."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner, Result

from schemas import codec
from schemas.errors import Undecodable
from schemas.events import EVENT_TYPES
from schemas.positions import Position
from schemas.readmodel import event
from schemas.topics import partition_of
from services.cli import app
from services.custody import dead_letters
from services.custody.dead_letters import NoDeadLetter
from services.custody.fsck import check
from services.custody.refresh import Refresher
from services.log.port import Entry
from services.log.table import TableLog
from tests.projecting import project_all
from tests.readmodel_rows import built_rows
from tests.records import ACCEPTED, BAD, append, enrolment
from tests.records import event as scan

PARCEL = "yto:YT1"
PACKED = "custody.unit_packed.v1"

Dlq = Callable[..., Result]


@pytest.fixture
def older_build(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A build that does not know the type yet; call it to upgrade."""
    known = dict(EVENT_TYPES)
    decoders = dict(codec._data_decoders)
    monkeypatch.setattr(codec, "EVENT_TYPES", {name: kind for name, kind in known.items() if name != PACKED})
    monkeypatch.setattr(codec, "_data_decoders", {name: one for name, one in decoders.items() if name != PACKED})

    def upgrade() -> None:
        monkeypatch.setattr(codec, "EVENT_TYPES", known)
        monkeypatch.setattr(codec, "_data_decoders", decoders)

    return upgrade


@pytest.fixture
def dlq(engine: Engine, database_url: str) -> Dlq:
    """The command on this database."""

    def run(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(
            app,
            ["dlq", *arguments],
            input=answer,
            env={"LASTINTACT_DATABASE_URL": database_url},
            catch_exceptions=False,
        )

    return run


def tell_the_day(engine: Engine) -> None:
    """A parcel is packed into a bag, which travels; it comes out torn."""
    append(
        engine,
        enrolment(),
        enrolment("SHA.S2", party="H1"),
        scan("a1", PARCEL, at=1),
        scan("p1", PARCEL, PACKED, at=2, party="C1", unit="yto:BAG1", mode="HUMAN_SCAN"),
        scan("u1", "yto:BAG1", at=3, source="/depots/SHA/devices/S2", mode="HUMAN_SCAN", taker="H1"),
        scan("a2", PARCEL, at=4, source="/depots/SHA/devices/S2", mode="HUMAN_INSPECT", taker="H1", observations=BAD),
        scan("a3", "yto:YT2", at=4),
    )


def test_a_letter_keeps_its_place_and_counts_there_once_it_can_be_read(
    engine: Engine, older_build: Callable[[], None]
) -> None:
    tell_the_day(engine)
    project_all(engine)
    Refresher(engine).drain()
    with engine.connect() as connection:
        (letter,) = dead_letters.listed(connection)
    assert (letter.subject, letter.type, letter.event_id) == (PARCEL, PACKED, "p1")
    assert "not known" in letter.reason

    older_build()
    (read,) = dead_letters.replay(engine, [letter])
    Refresher(engine).drain()

    assert read.still is None
    with engine.connect() as connection:
        assert dead_letters.waiting(connection) == 0
    # As if the newer build had projected it from the start: fsck folds everything anew and finds nothing else.
    assert check(engine) == []


def test_replaying_twice_is_idle(engine: Engine, older_build: Callable[[], None]) -> None:
    tell_the_day(engine)
    project_all(engine)
    with engine.connect() as connection:
        letters = dead_letters.listed(connection)
    older_build()
    dead_letters.replay(engine, letters)
    before = built_rows(engine)

    dead_letters.replay(engine, letters)

    assert built_rows(engine) == before


def test_what_still_cannot_be_read_stays_one_with_todays_reason(engine: Engine) -> None:
    TableLog(engine).append([Entry(PARCEL.encode(), b"not JSON")])
    append(engine, scan("e1", PARCEL, at=1))
    project_all(engine)
    with engine.connect() as connection:
        letters = dead_letters.listed(connection)

    (read,) = dead_letters.replay(engine, letters)

    assert read.still is not None
    assert "JSON" in read.still
    with engine.connect() as connection:
        assert dead_letters.waiting(connection) == 1


def test_a_record_whose_very_envelope_was_unreadable_needs_the_whole_replay(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = codec.decode_record

    def fail(value: bytes) -> codec.Envelope:
        raise Undecodable("not for this build")

    monkeypatch.setattr(codec, "decode_record", fail)
    append(engine, scan("e1", PARCEL, at=1))
    project_all(engine)
    monkeypatch.setattr(codec, "decode_record", real)
    with engine.connect() as connection:
        letters = dead_letters.listed(connection)

    (read,) = dead_letters.replay(engine, letters)

    assert read.still is not None
    assert "lastintact replay" in read.still


def test_the_discarded_are_off_the_list_for_good_and_still_told_of(engine: Engine, dlq: Dlq) -> None:
    TableLog(engine).append([Entry(PARCEL.encode(), b"not JSON")] * 2)
    project_all(engine)
    place = Position(partition_of(PARCEL.encode()), 0)

    done = dlq("discard", str(place), "--reason", "test traffic", "--yes")

    assert done.exit_code == 0, done.stderr
    with engine.connect() as connection:
        assert dead_letters.waiting(connection) == 1
        (gone,) = dead_letters.listed(connection, discarded=True)
        assert (gone.place, gone.discarded) == (place, "test traffic")
        standings = connection.execute(select(event.c.standing)).scalars().all()
    assert standings == ["parked", "parked"]
    assert "discarded: test traffic" in dlq("list", "--discarded").stdout
    with pytest.raises(Exception, match="added to"), engine.begin() as connection:
        connection.execute(text("DELETE FROM archive.operation"))


def test_a_place_without_a_letter_is_told(engine: Engine, dlq: Dlq) -> None:
    append(engine, scan("e1", PARCEL, at=1))
    project_all(engine)
    place = Position(partition_of(PARCEL.encode()), 0)

    with engine.connect() as connection, pytest.raises(NoDeadLetter, match=str(place)):
        dead_letters.found(connection, place)
    refused = dlq("show", str(place))
    assert refused.exit_code == 2
    assert "dlq list" in refused.stderr


class TestCommand:
    """`lastintact dlq`."""

    def test_lists_shows_and_replays_after_asking(
        self, engine: Engine, dlq: Dlq, older_build: Callable[[], None]
    ) -> None:
        tell_the_day(engine)
        project_all(engine)
        listed = dlq("list")
        assert re.search(rf"^\d:\d  2026-01-03T00:00:00Z  {PARCEL}  {re.escape(PACKED)}  type: ", listed.stdout)
        assert "1 wait" in listed.stderr
        place = listed.stdout.split()[0]
        assert "not known" in dlq("show", place).stdout
        assert '"unit":"yto:BAG1"' in dlq("show", place, "--raw").stdout
        assert dlq("replay", "--all").exit_code == 1

        older_build()
        assert "dlq replay" in dlq("show", place).stdout
        declined = dlq("replay", place, answer="n\n")
        assert "1 of 1 can be read now" in declined.stderr
        assert "replayed" not in declined.stderr
        done = dlq("replay", "--all", answer="y\n")

        assert "1 replayed" in done.stderr
        assert dlq("list").stdout == ""

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("replay",), "--all"),
            (("replay", "3:1", "--all"), "--all"),
            (("replay", "three"), "PARTITION:OFFSET"),
            (("discard", "3:1", "--reason", " "), "--reason is empty"),
        ],
    )
    def test_what_it_cannot_do_it_says(self, dlq: Dlq, arguments: tuple[str, ...], told: str) -> None:
        refused = dlq(*arguments)

        assert refused.exit_code == 2
        assert told in refused.stderr


def test_the_type_is_what_this_test_takes_it_for() -> None:
    assert {PACKED, ACCEPTED} <= set(EVENT_TYPES)

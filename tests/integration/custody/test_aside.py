"""An error of the core about one subject costs that subject's answer and nobody else's."""

import json
from datetime import datetime

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError

from schemas import codec
from schemas.positions import AsOf, Positions
from schemas.readmodel import parcel_case, stale
from services.custody import refresh, ticker
from services.custody.core.attribution import next_deadline
from services.custody.core.casework import Casework, casework
from services.custody.core.facts import Evidence
from services.custody.evidence import load_evidence
from services.custody.fsck import check
from services.custody.refresh import Refresher
from services.custody.sweep import Sweep
from services.custody.ticker import Ticker
from tests.integration.custody.test_ticker import at, door
from tests.projecting import project_all
from tests.records import ACCEPTED, ANNOUNCED, BAD, append, enrolment
from tests.records import event as scan


class Puzzled(Exception):
    """What the core would raise on evidence that nobody thought of."""


class Core:
    """The core, but for the subjects that it fails on."""

    def __init__(self) -> None:
        self.fails_on: set[str] = set()

    def casework(self, evidence: Evidence, positions: Positions | None) -> Casework:
        self._look_at(evidence)
        return casework(evidence, positions)

    def next_deadline(self, evidence: Evidence, as_of: AsOf) -> tuple[datetime, str] | None:
        self._look_at(evidence)
        return next_deadline(evidence, as_of)

    def _look_at(self, evidence: Evidence) -> None:
        if evidence.subject in self.fails_on:
            raise Puzzled


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Core:
    """A fake at the boundary of the shell."""
    fake = Core()
    monkeypatch.setattr(refresh, "casework", fake.casework)
    monkeypatch.setattr(ticker, "next_deadline", fake.next_deadline)
    return fake


def bad(event_id: str, subject: str, day: float = 1.0) -> codec.Envelope:
    return scan(event_id, subject, ACCEPTED, at=day, mode="HUMAN_INSPECT", taker="C2", giver="C1", observations=BAD)


def cases(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(parcel_case.c.subject)).scalars())


def marked(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(stale.c.subject)).scalars())


def test_the_others_go_on_and_the_log_names_subject_and_event(
    engine: Engine, core: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    append(engine, enrolment(), *(bad(f"e{n}", f"yto:P{n}") for n in range(5)))
    project_all(engine)
    core.fails_on = {"yto:P2"}
    parked: list[str] = []

    Refresher(engine, parked.append).drain()

    assert cases(engine) == {f"yto:P{n}" for n in (0, 1, 3, 4)}
    assert marked(engine) == {"yto:P2"}  # for the next process, and so that nobody takes it for done
    assert parked == ["refresher"]
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "set aside" in line]
    assert (line["parcel_id"], line["event_id"], line["part"]) == ("yto:P2", "e2", "refresher")
    assert "Puzzled" in line["exception"]


def test_what_is_set_aside_is_left_alone_until_its_next_event(engine: Engine, core: Core) -> None:
    append(engine, enrolment(), bad("e1", "yto:P1"))
    project_all(engine)
    core.fails_on = {"yto:P1"}
    parked: list[str] = []
    refresher = Refresher(engine, parked.append)
    refresher.drain()
    core.fails_on = set()

    assert refresher.step() == 0
    assert cases(engine) == set()
    append(engine, scan("e2", "yto:P1", at=2))  # clean: its mark is enough to be marked again
    project_all(engine)
    refresher.drain()

    assert parked == ["refresher"]
    assert (cases(engine), marked(engine)) == ({"yto:P1"}, set())


def test_another_process_tries_again(engine: Engine, core: Core) -> None:
    append(engine, enrolment(), bad("e1", "yto:P1"))
    project_all(engine)
    core.fails_on = {"yto:P1"}
    Refresher(engine).drain()
    core.fails_on = set()

    Refresher(engine).drain()

    assert cases(engine) == {"yto:P1"}
    assert check(engine) == []


def test_many_that_fail_keep_nobody_waiting(engine: Engine, core: Core) -> None:
    append(engine, enrolment(), *(bad(f"e{n}", f"yto:P{n}") for n in range(12)))
    project_all(engine)
    core.fails_on = {f"yto:P{n}" for n in range(10)}
    refresher = Refresher(engine)

    for _ in range(6):
        refresher.step(limit=3)  # less than those that are set aside

    assert cases(engine) == {"yto:P10", "yto:P11"}


def test_a_fault_of_the_database_is_everybodys(engine: Engine) -> None:
    append(engine, enrolment(), bad("e1", "yto:P1"))
    project_all(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE projection.parcel_case RENAME COLUMN kinds TO other"))

    with pytest.raises(ProgrammingError):
        Refresher(engine).drain()


def test_the_ticker_tells_the_others_and_tries_again_behind_the_next_event(engine: Engine, core: Core) -> None:
    append(engine, enrolment())
    for n in range(3):
        append(engine, scan(f"a{n}", f"yto:P{n}", ANNOUNCED, promised_after_hours=48), scan(f"e{n}", f"yto:P{n}", at=1))
    project_all(engine)
    Refresher(engine).drain()
    core.fails_on = {"yto:P0"}
    told: list[str] = []
    parked: list[str] = []
    late = Ticker(engine, door(engine, 3.1, told), at(3.1), parked.append)

    assert [late.step(limit=1) for _ in range(4)] == [0, 1, 1, 0]

    assert parked == ["ticker"]
    core.fails_on = set()
    assert late.step() == 0
    append(engine, scan("e9", "yto:P0", at=3.05))
    project_all(engine)
    assert late.step() == 1


def test_a_record_that_this_version_reads_no_more_makes_the_evidence_incomplete(engine: Engine) -> None:
    append(engine, enrolment(), bad("e1", "yto:P1"), bad("e2", "yto:P1", 2))
    project_all(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive.record DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE archive.record SET value = 'not read any more' WHERE key = :key AND value LIKE :id"),
            {"key": b"yto:P1", "id": b'%"e1"%'},
        )

    Refresher(engine).drain()
    sweep = Sweep(engine)
    while sweep.step():
        pass

    with engine.connect() as connection:
        evidence = load_evidence(connection, "yto:P1")
        verdicts = connection.execute(select(parcel_case.c.verdicts)).scalar_one()
    assert [fact.id for fact in evidence.facts] == ["e2"]
    assert len(evidence.parked) == 1
    assert "EVIDENCE_INCOMPLETE" in verdicts[0]["flags"]

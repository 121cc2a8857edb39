"""What an answer rests on: everything about the subject and all that it refers to, as of any position vector."""

from sqlalchemy import Engine, select
from sqlalchemy import event as sa_event

from schemas.positions import Positions
from schemas.readmodel import signature_check
from services.custody.evidence import load_evidence, load_many, read_positions
from services.custody.sweep import Sweep
from services.log.port import Entry
from services.log.table import TableLog
from tests.projecting import project_all, subjects_apart
from tests.records import PARTY, POLICY, PUBLIC_KEY, append, enrolment
from tests.records import event as scan


def test_facts_parked_rivals_and_registry_come_together(engine: Engine) -> None:
    one, two = subjects_apart(2)
    first = scan("e1", one, at=1)
    append(
        engine,
        enrolment(party="HUB"),
        scan("p1", "party:C1", PARTY, party="C1", role="carrier"),
        scan("p2", "party:HUB", PARTY, party="HUB", role="carrier"),
        scan("p3", "party:OTHER", PARTY, party="OTHER", role="carrier"),
        scan("s1", "policy:DEFAULT", POLICY, notice_days=3),
        first,
        first,
        scan("e1", two, at=2),
    )
    TableLog(engine).append([Entry(one.encode(), b"?")])
    project_all(engine)

    with engine.connect() as connection:
        evidence = load_evidence(connection, one)

    assert [fact.id for fact in evidence.facts] == ["e1"]
    assert {fact.envelope.subject for fact in evidence.registry} == {
        "device:SHA.S1",
        "party:C1",
        "party:HUB",  # the party that the device speaks for
        "policy:DEFAULT",
    }
    assert len(evidence.rivals) == 2
    assert len(evidence.parked) == 1
    assert evidence.signatures == {(evidence.facts[0].position, PUBLIC_KEY): True}


def test_nothing_past_the_positions_is_seen(engine: Engine) -> None:
    append(engine, enrolment(), scan("e1", "yto:YT1", at=1))
    project_all(engine)
    with engine.connect() as connection:
        then = read_positions(connection)
        before = load_evidence(connection, "yto:YT1")
    append(
        engine,
        scan("e2", "yto:YT1", at=2),
        scan("p1", "party:C1", PARTY, at=2, party="C1", role="carrier"),
        scan("e1", subjects_apart(1)[0], at=2),
    )
    project_all(engine)

    with engine.connect() as connection:
        assert load_evidence(connection, "yto:YT1", then) == before
        assert load_evidence(connection, "yto:YT1", Positions()).facts == ()
        assert load_evidence(connection, "yto:YT1") != before


def test_many_subjects_cost_no_more_queries_than_one(engine: Engine) -> None:
    append(engine, enrolment(), *(scan(f"e{n}", f"yto:YT{n % 10}", at=n) for n in range(40)))
    project_all(engine)
    statements: list[str] = []
    sa_event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))

    with engine.connect() as connection:
        load_evidence(connection, "yto:YT0")
    for_one = len(statements)
    with engine.connect() as connection:
        together = load_many(connection, [f"yto:YT{n}" for n in range(10)])

    assert len(statements) - for_one == for_one <= 7
    with engine.connect() as connection:
        assert all(load_evidence(connection, subject) == evidence for subject, evidence in together.items())


def test_the_sweep_finds_what_an_answer_would_and_never_changes_it(engine: Engine) -> None:
    good = scan("e1", "yto:YT1", at=1)
    forged = scan("e2", "yto:YT1", at=2)
    forged = type(forged)(
        **{name: getattr(forged, name) for name in forged.__struct_fields__ if name != "time"}, time=good.time
    )
    append(engine, enrolment(), good, forged, scan("e3", "yto:YT1", at=3, keyid=None))
    project_all(engine)
    with engine.connect() as connection:
        before = load_evidence(connection, "yto:YT1")

    sweep = Sweep(engine)
    while sweep.step(limit=2):
        pass

    with engine.connect() as connection:
        valid = list(connection.execute(select(signature_check.c.valid).order_by(signature_check.c.offset)).scalars())
        assert load_evidence(connection, "yto:YT1") == before
    assert valid.count(True) == 1
    assert valid.count(False) == 1
    assert sorted(before.signatures.values()) == [False, True]

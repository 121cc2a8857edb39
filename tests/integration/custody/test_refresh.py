"""Attributed after it is projected: marks become cases, and what a case rests on marks it again."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from schemas import codec
from schemas.positions import Positions
from schemas.readmodel import parcel_case, stale, verdict_version, watch
from services.custody import refresh, store
from services.custody.core.casework import Casework, casework
from services.custody.core.concerns import AWAITED
from services.custody.core.facts import Evidence
from services.custody.refresh import Refresher
from tests.projecting import project_all
from tests.records import ACCEPTED, ANNOUNCED, BAD, PARTY, POLICY, append, enrolment
from tests.records import event as scan


def bad_scan(event_id: str, subject: str, *, at: float = 0.0, device: str = "S1") -> codec.Envelope:
    return scan(
        event_id,
        subject,
        ACCEPTED,
        at=at,
        source=f"/depots/SHA/devices/{device}",
        mode="HUMAN_INSPECT",
        taker="C2",
        giver="C1",
        observations=BAD,
    )


def cases(engine: Engine) -> Mapping[str, Row[Any]]:
    with engine.connect() as connection:
        return {row.subject: row for row in connection.execute(select(parcel_case))}


def marks(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.execute(select(stale.c.subject)).scalars())


def waits(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row.subject: row.deadline for row in connection.execute(select(watch))}


def test_a_bad_scan_opens_a_case_and_the_mark_goes(engine: Engine) -> None:
    append(engine, enrolment(), scan("e1", "yto:YT1"), bad_scan("e2", "yto:YT1", at=1), scan("e3", "yto:YT2"))
    project_all(engine)

    removed = Refresher(engine).drain()

    assert removed == 2  # the parcel's and the device's
    assert marks(engine) == []
    assert list(cases(engine)) == ["yto:YT1"]
    case = cases(engine)["yto:YT1"]
    assert case.parties == ["C1", "C2"]
    assert {"device:SHA.S1", "party:C1", "party:C2", "policy:DEFAULT"} <= set(case.rests_on)
    assert case.kinds == ["DAMAGE"]
    assert case.outcome == case.verdicts[0]["outcome"]
    assert case.opened == case.changed


def test_the_history_is_kept_version_by_version(engine: Engine) -> None:
    append(engine, enrolment(), scan("e1", "yto:YT1"), bad_scan("e2", "yto:YT1", at=2))
    project_all(engine)
    Refresher(engine).drain()
    append(engine, bad_scan("e3", "yto:YT1", at=1))
    project_all(engine)

    Refresher(engine).drain()

    with engine.connect() as connection:
        rows = connection.execute(
            select(verdict_version).order_by(verdict_version.c.finding, verdict_version.c.version)
        ).all()
    assert [row.because for row in rows if row.version == 1] == ["e2"]
    assert cases(engine)["yto:YT1"].changed == max(row.record_time for row in rows)
    # What was known first stays the first version, also when it is computed again from nothing.
    assert cases(engine)["yto:YT1"].opened == min(row.record_time for row in rows)


def test_a_clean_scan_of_a_parcel_with_a_case_makes_it_fresh_again(engine: Engine) -> None:
    append(engine, bad_scan("e1", "yto:YT1", at=1))
    project_all(engine)
    Refresher(engine).drain()
    before = cases(engine)["yto:YT1"].positions
    append(engine, scan("e2", "yto:YT1", at=2))
    project_all(engine)

    assert marks(engine) == ["yto:YT1"]
    Refresher(engine).drain()
    assert cases(engine)["yto:YT1"].positions != before


def test_a_device_event_reaches_the_cases_that_rest_on_the_device_only(engine: Engine) -> None:
    append(engine, bad_scan("e1", "yto:YT1", device="S1"), bad_scan("e2", "yto:YT2", device="S2"))
    project_all(engine)
    Refresher(engine).drain()
    before = {subject: case.positions for subject, case in cases(engine).items()}
    append(engine, enrolment("SHA.S1", at=1))
    project_all(engine)
    assert marks(engine) == ["device:SHA.S1"]

    refresher = Refresher(engine)
    assert refresher.step() == 1
    assert marks(engine) == ["yto:YT1"]
    refresher.drain()

    after = {subject: case.positions for subject, case in cases(engine).items()}
    assert after["yto:YT1"] != before["yto:YT1"]
    assert after["yto:YT2"] == before["yto:YT2"]


def test_a_party_event_reaches_the_cases_that_name_the_party_in_whatever_spelling(engine: Engine) -> None:
    append(
        engine,
        bad_scan("e1", "yto:YT1"),
        scan("e2", "yto:YT2", ACCEPTED, mode="HUMAN_INSPECT", taker="Hub-x", observations=BAD),
    )
    project_all(engine)
    Refresher(engine).drain()
    append(engine, scan("p1", "party:Hub-x", PARTY, at=1, party="Hub-x", role="carrier"))
    project_all(engine)

    Refresher(engine).step()

    assert marks(engine) == ["yto:YT2"]


def test_a_policy_event_reaches_every_case_and_every_wait(engine: Engine) -> None:
    append(
        engine,
        bad_scan("e1", "yto:YT1"),
        scan("a1", "yto:YT2", ANNOUNCED, promised_after_hours=48),
        scan("e2", "yto:YT3"),
    )
    project_all(engine)
    Refresher(engine).drain()
    append(engine, scan("s1", "policy:DEFAULT", POLICY, at=1, notice_days=3))
    project_all(engine)

    Refresher(engine).step()

    assert marks(engine) == ["yto:YT1", "yto:YT2"]


def test_a_promise_waits_for_the_first_acceptance_and_then_for_its_instant(engine: Engine) -> None:
    append(engine, scan("a1", "yto:YT1", ANNOUNCED, promised_after_hours=48))
    project_all(engine)
    Refresher(engine).drain()
    assert waits(engine) == {"yto:YT1": AWAITED}
    append(engine, scan("e1", "yto:YT1", at=1))
    project_all(engine)
    Refresher(engine).drain()
    assert waits(engine) == {"yto:YT1": AWAITED}  # nobody answers for the device that says so
    append(engine, enrolment(at=1))
    project_all(engine)

    Refresher(engine).drain()

    assert waits(engine) == {"yto:YT1": "promised_time"}
    assert cases(engine) == {}


def test_registering_a_device_later_never_loses_a_report_that_did_not_count_yet(engine: Engine) -> None:
    # An entry nobody signed from a device nobody knows may be worth nothing; the case stays to be looked at again.
    append(engine, bad_scan("e1", "yto:YT1"))
    project_all(engine)
    Refresher(engine).drain()

    append(engine, enrolment("SHA.S1", at=1, party="C2"))
    project_all(engine)
    Refresher(engine).step()

    assert marks(engine) == ["yto:YT1"]


def test_a_subject_that_takes_long_keeps_no_other_waiting(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step ends with what is done by then, the longest waiting first, and goes on from there."""
    subjects = [f"yto:YT{number}" for number in range(5)]
    append(engine, enrolment(), *(bad_scan(f"e{subject}", subject) for subject in subjects))
    project_all(engine)
    refresher = Refresher(engine)
    monkeypatch.setattr(refresh, "_CHUNK_SECONDS", 0.0)

    done = []
    while refresher.step():
        done.append(len(cases(engine)))

    assert done == [1, 2, 3, 4, 5]
    assert marks(engine) == []


def test_computing_for_long_does_not_cost_the_session(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    append(engine, enrolment(), bad_scan("e1", "yto:YT1"))
    project_all(engine)
    monkeypatch.setattr(store, "_IDLE_SECONDS", 1)

    def slowly(evidence: Evidence, positions: Positions | None) -> Casework:
        time.sleep(2)
        return casework(evidence, positions)

    monkeypatch.setattr(refresh, "casework", slowly)
    Refresher(engine).drain()

    assert list(cases(engine)) == ["yto:YT1"]

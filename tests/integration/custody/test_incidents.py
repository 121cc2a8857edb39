"""One incident on a unit is one case with a count, whatever was inside; and what rests on a unit is looked at again."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from schemas import codec
from schemas.readmodel import parcel_case, stale, verdict_version, watch
from services.custody.core.concerns import AWAITED
from services.custody.fsck import check
from services.custody.refresh import Refresher
from tests.integration.custody.test_units import pack, relabel, seen, unpack
from tests.projecting import project_all
from tests.records import ACCEPTED, ANNOUNCED, BAD, append, enrolment
from tests.records import event as scan

CHECKED = "custody.seal_checked.v1"
OPENED = "custody.unit_opened.v1"
OBSERVED = "custody.condition_observed.v2"
CORRECTED = "custody.event_corrected.v1"

BROKEN = {"mode": "HUMAN_INSPECT", "party": "C1", "seal": {"number": "999", "match": False}}
HELD = {"mode": "HUMAN_INSPECT", "party": "C1", "seal": {"number": "111", "match": True}}


def seal(event_id: str, unit: str, at: float, data: Mapping[str, Any] = BROKEN) -> codec.Envelope:
    return scan(event_id, unit, CHECKED, at=at, **data)


def damaged(event_id: str, subject: str, at: float) -> codec.Envelope:
    return scan(event_id, subject, ACCEPTED, at=at, mode="HUMAN_INSPECT", taker="C2", giver="C1", observations=BAD)


def catch_up(engine: Engine) -> None:
    project_all(engine)
    Refresher(engine).drain()


def cases(engine: Engine) -> dict[str, Row[Any]]:
    with engine.connect() as connection:
        return {row.subject: row for row in connection.execute(select(parcel_case))}


def marked(engine: Engine) -> set[tuple[str, bool, bool]]:
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(select(stale.c.subject, stale.c.itself, stale.c.others))}


@pytest.fixture
def trailer(engine: Engine) -> Engine:
    """Six parcels in two cages and two loose ones, all in one trailer."""
    append(engine, enrolment(), enrolment("SHA.S2", party="C2"))
    append(engine, *(pack(f"yto:T{n}", f"cage:{n % 2}", 20 + n / 100) for n in range(6)))
    append(engine, *(pack(f"cage:{n}", "trailer:1", 21) for n in range(2)))
    append(engine, pack("yto:T6", "trailer:1", 21), pack("yto:T7", "trailer:1", 21))
    catch_up(engine)
    assert cases(engine) == {}
    return engine


def test_a_trailers_broken_seal_is_one_case_with_a_count_and_none_for_what_is_inside(trailer: Engine) -> None:
    append(trailer, seal("s1", "trailer:1", 22))
    catch_up(trailer)

    (case,) = cases(trailer).values()
    assert (case.subject, case.journey, case.incidents, case.inside) == ("trailer:1", 1, ["SEAL_BROKEN"], 8)
    assert (case.verdicts, case.outcome, case.kinds) == ([], None, [])
    assert {"cage:0", "cage:1"} <= set(case.rests_on)
    assert case.opened == case.changed
    with trailer.connect() as connection:
        assert connection.execute(select(verdict_version)).all() == []
    assert check(trailer) == []


def test_the_count_is_of_what_was_inside_then(trailer: Engine) -> None:
    append(
        trailer,
        unpack("yto:T0", "cage:0", 21.5),
        unpack("yto:T6", "trailer:1", 21.5),
        seal("s1", "trailer:1", 22),
        pack("yto:T9", "cage:1", 23),
        unpack("yto:T7", "trailer:1", 23),
    )
    catch_up(trailer)

    assert cases(trailer)["trailer:1"].inside == 6


def test_a_packing_that_becomes_known_later_corrects_the_count(trailer: Engine) -> None:
    append(trailer, seal("s1", "trailer:1", 22))
    catch_up(trailer)
    append(trailer, pack("yto:LATE", "cage:1", 21.2, recorded=30))
    catch_up(trailer)

    assert cases(trailer)["trailer:1"].inside == 9
    assert check(trailer) == []


def test_what_was_packed_too_long_ago_counts_no_more(trailer: Engine) -> None:
    append(trailer, seal("s1", "trailer:1", 40))
    catch_up(trailer)

    assert cases(trailer)["trailer:1"].inside == 0


@pytest.mark.parametrize(
    ("kind", "data", "incident"),
    [
        (CHECKED, BROKEN, "SEAL_BROKEN"),
        (CHECKED, {**HELD, "observations": [{"facet": "S", "value": "bad"}]}, "SEAL_BROKEN"),
        (OPENED, {"mode": "HUMAN_INSPECT", "party": "C1", "because": "damage"}, "UNIT_OPENED"),
        (
            OBSERVED,
            {
                "mode": "IMPORT",
                "party": "C1",
                "logger": {"armed": [], "exceedances": [{"t": "2026-01-20T00:00:00Z", "g": 40}]},
            },
            "SENSOR",
        ),
        (CHECKED, HELD, None),
        (OPENED, {"mode": "HUMAN_INSPECT", "party": "C1", "because": "handling"}, None),
        (OPENED, {"mode": "HUMAN_INSPECT", "party": "C1", "because": "authority"}, None),
    ],
)
@pytest.mark.parametrize("subject", ["cage:0", "yto:PARCEL"])
def test_what_is_an_incident_opens_a_case_without_a_verdict(
    trailer: Engine, subject: str, kind: str, data: dict[str, Any], incident: str | None
) -> None:
    append(trailer, scan("i1", subject, kind, at=22, **data))
    catch_up(trailer)

    found = cases(trailer)
    if incident is None:
        assert found == {}
        return
    assert list(found) == [subject]
    assert (found[subject].incidents, found[subject].outcome) == ([incident], None)
    assert found[subject].inside == (3 if subject == "cage:0" else 0)


def test_an_incident_that_is_taken_back_is_none(trailer: Engine) -> None:
    append(trailer, seal("s1", "trailer:1", 22))
    catch_up(trailer)
    append(trailer, scan("c1", "trailer:1", CORRECTED, at=22.1, party="C1", corrects="s1"))
    catch_up(trailer)

    assert cases(trailer)["trailer:1"].incidents == []
    assert check(trailer) == []


def test_a_childs_case_is_looked_at_again_when_something_happens_to_its_unit(trailer: Engine) -> None:
    append(trailer, damaged("d1", "yto:T0", 24), damaged("d2", "yto:ELSEWHERE", 24))
    catch_up(trailer)
    before = {subject: case.positions for subject, case in cases(trailer).items()}
    assert {"cage:0", "trailer:1"} <= set(cases(trailer)["yto:T0"].rests_on)

    append(trailer, seen("e1", "trailer:1", 22, recorded=25))
    project_all(trailer)

    assert marked(trailer) == {("trailer:1", False, True)}  # the trailer has no case: only those in it look
    Refresher(trailer).step()
    assert marked(trailer) == {("yto:T0", True, False)}
    Refresher(trailer).drain()
    after = {subject: case.positions for subject, case in cases(trailer).items()}
    assert after["yto:T0"] != before["yto:T0"]
    assert after["yto:ELSEWHERE"] == before["yto:ELSEWHERE"]
    assert check(trailer) == []


def test_units_that_rest_on_one_another_do_not_wake_each_other_for_ever(trailer: Engine) -> None:
    append(
        trailer,
        pack("cage:0", "cage:1", 22),
        pack("cage:1", "cage:0", 22),
        seal("s1", "cage:0", 22),
        seal("s2", "cage:1", 22),
    )
    catch_up(trailer)
    append(trailer, seen("e1", "cage:0", 22.5))
    project_all(trailer)

    Refresher(trailer).drain()

    assert marked(trailer) == set()
    assert set(cases(trailer)) == {"cage:0", "cage:1"}
    assert check(trailer) == []


def test_a_parcel_that_is_awaited_is_looked_at_when_its_bag_is_taken_over(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        scan("a1", "yto:YT1", ANNOUNCED, at=19, promised_after_hours=48),
        pack("yto:YT1", "bag:1", 19.5, source="/depots/NEW/devices/D1"),
    )
    catch_up(engine)
    with engine.connect() as connection:
        assert connection.execute(select(watch.c.deadline)).scalar_one() == AWAITED
    append(engine, scan("e1", "bag:1", ACCEPTED, at=20))
    project_all(engine)

    Refresher(engine).step()

    assert ("yto:YT1", True, False) in marked(engine)


def test_an_event_from_before_the_takeover_moves_the_wait(engine: Engine) -> None:
    append(engine, enrolment(), scan("a1", "yto:YT1", ANNOUNCED, at=19, promised_after_hours=48))
    append(engine, scan("e1", "yto:YT1", at=20), scan("e2", "yto:YT1", at=21))
    catch_up(engine)
    with engine.connect() as connection:
        before = connection.execute(select(watch.c.due)).scalar_one()

    append(engine, scan("e3", "yto:YT1", at=21.5))
    project_all(engine)
    assert marked(engine) == set()  # a clean scan moves no wait ...
    append(engine, scan("e0", "yto:YT1", at=19.9, recorded=21.6))
    catch_up(engine)

    with engine.connect() as connection:  # ... but one from before the first acceptance does
        assert connection.execute(select(watch.c.due)).scalar_one() < before


def test_a_relabelled_parcel_is_listed_once_under_its_last_label(engine: Engine) -> None:
    append(engine, enrolment(), enrolment("SHA.S2", party="C2"), damaged("d1", "yto:OLD", 1))
    catch_up(engine)
    assert list(cases(engine)) == ["yto:OLD"]

    append(engine, relabel("r1", "yto:OLD", "yto:NEW", 2))
    catch_up(engine)
    assert list(cases(engine)) == ["yto:NEW"]

    append(engine, seen("e1", "yto:OLD", 1.5, recorded=3))
    project_all(engine)
    positions = cases(engine)["yto:NEW"].positions
    Refresher(engine).drain()
    assert cases(engine)["yto:NEW"].positions != positions
    assert check(engine) == []


def test_a_report_under_the_old_label_opens_the_case_under_the_new_one(engine: Engine) -> None:
    append(engine, enrolment(), scan("e1", "yto:OLD"), relabel("r1", "yto:OLD", "yto:NEW", 1, under="yto:OLD"))
    catch_up(engine)

    append(engine, damaged("d1", "yto:OLD", 2))
    catch_up(engine)

    assert list(cases(engine)) == ["yto:NEW"]
    assert cases(engine)["yto:NEW"].kinds == ["DAMAGE"]
    assert check(engine) == []


def test_a_code_that_is_used_again_has_a_case_per_journey(engine: Engine) -> None:
    append(engine, enrolment(), scan("e1", "yto:YT1"), damaged("d1", "yto:YT1", 1))
    append(engine, scan("e2", "yto:YT1", at=500), damaged("d2", "yto:YT1", 501))
    catch_up(engine)

    with engine.connect() as connection:
        rows = connection.execute(select(parcel_case).order_by(parcel_case.c.journey)).all()
        versions = connection.execute(select(verdict_version.c.journey, verdict_version.c.because)).all()
    assert [row.journey for row in rows] == [1, 2]
    assert [row.opened.year for row in rows] == [2026, 2027]
    assert {(1, "d1"), (2, "d2")} <= {tuple(row) for row in versions}
    assert check(engine) == []

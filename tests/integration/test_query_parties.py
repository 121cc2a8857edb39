"""A party's control record over a real database: bounded, as of any moment, and no part of any verdict."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from schemas.codec import Envelope
from schemas.events import HandoffReleased, PolicySet
from schemas.positions import AsOf
from schemas.vocabulary import CaptureMode, Condition
from services.query.repository import handoffs
from tests.integration.query_world import World, accept, changed, crushed, day, envelope, registrations

H1 = "/v1/parties/H1/control-record"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


def release(subject: str, event_id: str, by: str, at: float) -> Envelope:
    return envelope(subject, event_id, HandoffReleased(mode=CaptureMode.HUMAN_SCAN, giver=by), day(at), depot=by)


def counts(answer: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (told["count"], told["of"]) for name, told in answer["record"].items()}


def test_a_partys_handoffs_are_counted_with_what_they_mean(world: World) -> None:
    # C1 picks A up; H1 takes it silently; LH takes it without H1 having released it.
    world.tell(*crushed("yto:A"))
    # B: H1 takes it from C1, who releases it, looks at it, and releases it to LH, who takes it.
    world.tell(
        envelope("yto:B", "b1", accept("C1", giver="SENDER"), day(1), depot="C1"),
        release("yto:B", "b2", "C1", 2),
        envelope("yto:B", "b3", accept("H1", giver="C1", outer=Condition.OK), day(2.01)),
        release("yto:B", "b4", "H1", 3),
        envelope("yto:B", "b5", accept("LH", giver="H1"), day(3.01), depot="LH"),
    )

    told = world.told(H1)

    assert (told["party"], told["rule"], told["acts"], told["cut"]) == ("H1", "R23", 3, False)
    assert counts(told) == {"taken": (1, 2), "given": (1, 2), "examined": (1, 3), "late": (0, 3), "typed_in": (0, 3)}
    assert told["record"]["given"]["share"] == 0.5
    assert "never judged" in told["meaning"]["en"]
    assert "不作评判" in told["meaning"]["zh"]
    assert counts(world.told("/v1/parties/C1/control-record"))["taken"] == (0, 0)


def test_no_verdict_changes_with_the_record_of_its_parties(world: World) -> None:
    world.tell(*crushed("yto:A"))
    world.refresh()
    before = world.told("/v1/parcels/yto:A/verdicts")
    assert world.told(H1)["acts"] == 1

    late = envelope("yto:B", "late", accept("H1"), day(2.5))
    world.tell(changed(late, recordedtime="2026-01-20T00:00:00Z"), envelope("yto:C", "c1", accept("H1"), day(3)))
    world.refresh()

    assert world.told(H1)["acts"] == 3
    after = world.told("/v1/parcels/yto:A/verdicts", as_of=before["positions"])
    assert after["verdicts"] == before["verdicts"]


def test_days_and_until_bound_what_is_counted(world: World) -> None:
    for number in (1, 5, 9):
        world.tell(envelope(f"yto:A{number}", f"a{number}", accept("H1"), day(number)))

    def acts(**asked: Any) -> int:
        return int(world.told(H1, **asked)["acts"])

    assert acts() == 3
    assert acts(days=4) == 1  # the bound itself is out
    assert acts(days=5) == 2
    assert acts(until="2026-01-06T00:00:00Z") == 2
    assert acts(until="2026-01-06T00:00:00Z", days=2) == 1
    told = world.told(H1, until="2026-01-06T00:00:00Z")
    assert (told["since"], told["until"]) == ("2025-10-08T00:00:00Z", "2026-01-06T00:00:00Z")


def test_what_was_recorded_later_is_not_known_before(world: World) -> None:
    scan = envelope("yto:A", "a1", accept("H1"), day(1))
    world.tell(changed(scan, recordedtime="2026-01-05T00:00:00Z"))

    assert world.told(H1, until="2026-01-04T00:00:00Z")["acts"] == 0
    told = world.told(H1, until="2026-01-05T00:00:00Z")
    assert counts(told)["late"] == (1, 1)
    assert told["late_after_seconds"] == 86400


def test_the_settings_in_force_say_what_is_late_and_what_belongs_together(world: World) -> None:
    world.tell(
        envelope("policy:DEFAULT", "set", PolicySet(late_after_hours=200, handoff_window_hours=1), day(0)),
        changed(envelope("yto:A", "a1", accept("H1", giver="C1"), day(1)), recordedtime="2026-01-05T00:00:00Z"),
        release("yto:A", "a2", "C1", 0.9),
    )

    told = world.told(H1)

    assert (told["late_after_seconds"], told["handoff_window_seconds"]) == (720000, 3600)
    assert counts(told)["late"] == (0, 1)
    assert counts(told)["taken"] == (0, 1)


def test_an_event_sent_twice_or_with_two_contents_is_one_handoff(world: World) -> None:
    scan = envelope("yto:A", "a1", accept("H1"), day(1))
    other = envelope("yto:A", "a1", accept("H1", outer=Condition.OK), day(1))
    world.tell(scan, scan, other)

    told = world.told(H1)

    assert (told["acts"], counts(told)["examined"]) == (1, (0, 1))


def test_only_so_many_acts_are_counted_the_latest_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handoffs, "ACTS_MAX", 2)
    for number in range(3):
        looked = Condition.OK if number == 0 else None
        world.tell(envelope(f"yto:A{number}", f"a{number}", accept("H1", outer=looked), day(1 + number)))

    told = world.told(H1)

    assert (told["acts"], told["cut"], counts(told)["examined"]) == (2, True, (0, 2))
    assert world.told(H1, until="2026-01-03T00:00:00Z")["cut"] is False


def test_a_party_with_nothing_to_count_is_told_so_and_an_unknown_one_is_not_found(world: World) -> None:
    told = world.told(H1)
    assert (told["acts"], told["record"]["late"]) == (0, {"count": 0, "of": 0, "share": None})

    for party in ("NOBODY", "h1", "RCP", "SENDER"):
        answer = world.ask(f"/v1/parties/{party}/control-record")
        assert answer.status_code == httpx.codes.NOT_FOUND
        assert answer.json()["errors"][0]["field"] == "id"


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/v1/parties/H%201/control-record", {}, 400),
        (H1, {"days": 0}, 422),
        (H1, {"days": 367}, 422),
        (H1, {"until": "yesterday"}, 400),
        (H1, {"until": "0:5"}, 400),
    ],
)
def test_what_cannot_be_read_is_refused(world: World, path: str, asked: dict[str, Any], status: int) -> None:
    assert world.ask(path, **asked).status_code == status


@pytest.mark.parametrize(("role", "status"), [("claims", 200), ("ops", 200), ("admin", 200), ("scanner", 403)])
def test_who_may_see_it(world: World, role: str, status: int) -> None:
    assert world.ask(H1, role).status_code == status


def test_an_index_finds_a_partys_handoffs(world: World) -> None:
    """Among few rows the planner would read all; forbidden that, it must find the index."""
    statements: list[str] = []
    with world.engine.connect() as connection:
        connection.execute(text("SET enable_seqscan = off"))
        bound = handoffs.own("H1", day(0), AsOf(day(30))).compile(world.engine, compile_kwargs={"literal_binds": True})
        statements += connection.execute(text(f"EXPLAIN {bound}")).scalars()

    assert any("event_by_party" in line for line in statements), "\n".join(statements)

"""A unit's page: what is or was inside and how each stay ended, its seals, its incidents, for thousands of items."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from schemas.codec import Envelope
from schemas.events import (
    Observation,
    Seal,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import CaptureMode, Condition, Facet, OpeningReason, UnitKind
from tests.integration.query_world import World, accept, crushed, day, envelope, registrations

CAGE = "cage:C7"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


def pack(item: str, at: datetime, unit: str = CAGE, kind: UnitKind = UnitKind.CAGE) -> Envelope:
    data = UnitPacked(mode=CaptureMode.HUMAN_SCAN, party="H1", unit=unit, kind=kind)
    return envelope(item, f"pack-{item}-{at:%d%H%M}", data, at)


def unpack(item: str, at: datetime, unit: str = CAGE) -> Envelope:
    data = UnitUnpacked(mode=CaptureMode.HUMAN_SCAN, party="H1", unit=unit)
    return envelope(item, f"unpack-{item}-{at:%d%H%M}", data, at)


def test_each_item_is_told_with_when_it_was_inside_and_how_that_ended(world: World) -> None:
    world.tell(
        *(pack(item, day(2)) for item in ("yto:A", "yto:B", "yto:C")),
        unpack("yto:A", day(3)),
        envelope("yto:B", "seen", accept("LH", outer=Condition.OK), day(3.5), depot="LH"),
    )

    told = world.told(f"/v1/units/{CAGE}")

    stays = {content["subject"]: content["stays"] for content in told["contents"]}
    (a,), (b,), (c,) = stays["yto:A"], stays["yto:B"], stays["yto:C"]
    assert told["items"] == 3
    assert (a["since"], a["until"], a["ended"]) == ("2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "unpacked")
    assert a["ended_by"] == f"unpack-yto:A-{day(3):%d%H%M}"
    assert (b["ended"], b["ended_by"]) == ("implied", "seen")
    assert (c["until"], c["ended"], c["kind"]) == (None, None, "cage")


def test_a_unit_packed_twice_tells_both_stays(world: World) -> None:
    world.tell(pack("yto:A", day(2)), unpack("yto:A", day(3)), pack("yto:A", day(4)))

    (content,) = world.told(f"/v1/units/{CAGE}")["contents"]

    assert [stay["ended"] for stay in content["stays"]] == ["unpacked", None]


def test_a_unit_tells_its_custody_its_seals_and_what_held_it(world: World) -> None:
    seal = Seal(number="S1", match=True)
    world.tell(
        pack("yto:A", day(1.5)),
        envelope(CAGE, "s1", SealApplied(mode=CaptureMode.HUMAN_INSPECT, party="H1", seal=seal), day(2)),
        pack(CAGE, day(2.5), "trailer:T1", UnitKind.TRAILER),
        envelope(CAGE, "take", accept("LH", giver="H1"), day(3), depot="LH"),
        envelope(CAGE, "s2", SealChecked(mode=CaptureMode.HUMAN_INSPECT, party="LH", seal=seal), day(3.5), depot="LH"),
    )

    told = world.told(f"/v1/units/{CAGE}")

    assert [(each["event"], each["what"], each["number"], each["match"]) for each in told["seals"]] == [
        ("s1", "applied", "S1", True),
        ("s2", "checked", "S1", True),
    ]
    assert "LH" in [segment["party"] for segment in told["timeline"]["segments"]]
    assert [stay["unit"] for stay in told["within"]] == ["trailer:T1"]


def test_an_incident_is_told_once_with_how_many_items_were_inside(world: World) -> None:
    broken = SealChecked(
        mode=CaptureMode.HUMAN_INSPECT,
        party="H1",
        seal=Seal(number="X", match=False),
        observations=(Observation(Facet.SEAL, Condition.BAD),),
    )
    opened = UnitOpened(mode=CaptureMode.HUMAN_INSPECT, party="H1", because=OpeningReason.DAMAGE)
    world.tell(
        *(pack(f"yto:I{number}", day(2)) for number in range(5)),
        pack("yto:IN_BAG", day(1.5), "bag:B1", UnitKind.BAG),
        pack("bag:B1", day(2)),
        unpack("yto:I0", day(2.5)),
        envelope(CAGE, "broken", broken, day(3)),
        *(unpack(f"yto:I{number}", day(3.2)) for number in (1, 2)),
        envelope(CAGE, "opened", opened, day(4)),
    )
    world.refresh()

    told = world.told(f"/v1/units/{CAGE}")["incidents"]
    cases = world.told("/v1/cases")["cases"]

    assert [(each["incident"], each["event"], each["inside"]) for each in told] == [
        ("SEAL_BROKEN", "broken", 5),
        ("UNIT_OPENED", "opened", 3),
    ]
    # One row for the clerk, not one for each of the items.
    assert [(case["subject"], case["incidents"], case["inside"]) for case in cases] == [
        (CAGE, ["SEAL_BROKEN", "UNIT_OPENED"], 5)
    ]
    assert world.told("/v1/cases", incident="SEAL_BROKEN")["cases"] == cases
    assert world.told("/v1/cases", incident="SENSOR")["cases"] == []


def test_the_page_as_of_its_positions_never_changes_by_a_byte(world: World) -> None:
    world.tell(pack("yto:A", day(2)), pack("yto:B", day(2)))
    before = world.ask(f"/v1/units/{CAGE}")
    world.tell(unpack("yto:A", day(3)), pack("yto:C", day(3)), envelope(CAGE, "x", accept("LH"), day(4), depot="LH"))

    assert world.ask(f"/v1/units/{CAGE}").content != before.content
    assert world.ask(f"/v1/units/{CAGE}", as_of=before.json()["positions"]).content == before.content


def test_a_walk_meets_each_item_once_and_none_that_came_later(world: World) -> None:
    items = [f"yto:I{number:02d}" for number in range(9)]
    world.tell(*(pack(item, day(2)) for item in items))
    seen: list[str] = []
    pages: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = world.told(f"/v1/units/{CAGE}", limit=2, **cursor)
        seen += [content["subject"] for content in page["contents"]]
        pages.append(page["positions"])
        assert page["items"] == 9
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        world.tell(pack(f"yto:I05LATE{len(seen)}", day(3)), unpack("yto:I08", day(3)))

    assert seen == items
    assert len(set(pages)) == 1


def test_what_nobody_recorded_is_no_unit(world: World) -> None:
    world.tell(*crushed("yto:A"))

    answer = world.ask("/v1/units/cage:NEVER")
    registered = world.ask("/v1/units/party:C1")

    assert answer.status_code == registered.status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(("key", "status"), [("scanner", 403), ("ops", 403), ("", 401)])
def test_units_are_closed_to_others(world: World, key: str, status: int) -> None:
    assert world.ask(f"/v1/units/{CAGE}", key).status_code == status


@pytest.mark.timeout(300)
def test_five_thousand_items_in_one_trailer_are_told_page_by_page(world: World) -> None:
    trailer, count = "trailer:T9", 5_000
    items = [f"yto:P{number:05d}" for number in range(count)]
    world.record(*(pack(item, day(2), trailer, UnitKind.TRAILER) for item in items))
    world.project()
    broken = SealChecked(mode=CaptureMode.HUMAN_INSPECT, party="H1", seal=Seal(number="X", match=False))
    world.tell(envelope(trailer, "broken", broken, day(3)))
    world.refresh()

    first = world.told(f"/v1/units/{trailer}", limit=200)
    second = world.told(f"/v1/units/{trailer}", limit=200, cursor=first["next"])

    assert first["items"] == count
    assert [content["subject"] for content in first["contents"]] == items[:200]
    assert [content["subject"] for content in second["contents"]] == items[200:400]
    assert all(len(content["stays"]) == 1 for content in first["contents"])
    assert [(each["incident"], each["inside"]) for each in first["incidents"]] == [("SEAL_BROKEN", count)]
    assert [(case["subject"], case["inside"]) for case in world.told("/v1/cases")["cases"]] == [(trailer, count)]

"""Did my scans arrive, and what was refused: receipts and refusals, and who sees whose."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from schemas.codec import Envelope
from schemas.errors import Reason
from services.edge.callers import Caller, Role
from services.edge.keys import KeyStore
from services.ingest.store import Refused, keep_refused
from services.query.repository.receipts import HOLES_MAX
from tests.integration.query_world import World, accept, changed, day, envelope, registrations


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


def numbered(number: int | None, at: datetime, *, depot: str = "H1", device: str = "d1") -> Envelope:
    """A scan of some parcel with the device's own number."""
    told = envelope(f"yto:N{number}", f"n-{device}-{number}", accept("H1"), at, depot=depot)
    sequence = None if number is None else f"{number:08d}"
    return changed(told, source=f"/depots/{depot}/devices/{device}", sequence=sequence)


def test_a_receipt_tells_the_highest_contiguous_number_and_the_holes(world: World) -> None:
    world.tell(*(numbered(number, day(1)) for number in (3, 4, 5, 8, 9, 11)))

    told = world.told("/v1/devices/H1.d1/receipt", "scanner")

    assert told["device"] == "H1.d1"
    assert (told["first"], told["contiguous"]) == (3, 5)
    assert told["holes"] == [{"first": 6, "last": 7}, {"first": 10, "last": 10}]
    assert told["holes_cut"] is False
    assert (told["last"]["sequence"], told["last"]["event"]) == (11, "n-d1-11")


def test_a_hole_closes_when_its_scans_arrive_late_or_twice(world: World) -> None:
    world.tell(numbered(1, day(1)), numbered(4, day(1)))
    world.tell(numbered(3, day(2)), numbered(2, day(2)), numbered(2, day(2)))

    told = world.told("/v1/devices/H1.d1/receipt", "ops")

    assert told["holes"] == []
    assert told["contiguous"] == told["last"]["sequence"] == 4


def test_devices_of_one_name_at_two_depots_are_two(world: World) -> None:
    world.tell(numbered(1, day(1)), numbered(7, day(1), depot="C1"))

    assert world.told("/v1/devices/C1.d1/receipt", "admin")["first"] == 7
    assert world.told("/v1/devices/H1.d1/receipt", "admin")["first"] == 1


def test_a_list_of_holes_is_bounded_and_says_so(world: World) -> None:
    positions = world.record(*(numbered(2 * number, day(1)) for number in range(HOLES_MAX + 5)))
    world.project()

    told = world.told("/v1/devices/H1.d1/receipt", "ops")

    assert len(positions) == HOLES_MAX + 5
    assert len(told["holes"]) == HOLES_MAX
    assert told["holes_cut"] is True
    assert told["contiguous"] == 0


@pytest.mark.parametrize("device", ["C1.d1", "H1.d2", "H1.D1", "NOWHERE.d1"])
def test_a_scanner_sees_its_own_depot_and_existing_devices_only(world: World, device: str) -> None:
    world.tell(numbered(1, day(1)), numbered(1, day(1), depot="C1"))

    answer = world.ask(f"/v1/devices/{device}/receipt", "scanner")

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.json()["type"] == "/problems/unknown-device"


def test_a_key_for_some_devices_sees_those_only(world: World, tmp_path: Path) -> None:
    world.tell(numbered(1, day(1)), numbered(2, day(1), device="d2"))
    keys = KeyStore(world.engine, tmp_path / "pepper")
    world.keys["d2"] = keys.add(role="scanner", label="one device", depot="H1", devices=["d2"]).text

    assert world.ask("/v1/devices/H1.d2/receipt", "d2").status_code == httpx.codes.OK
    assert world.ask("/v1/devices/H1.d1/receipt", "d2").status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(("key", "status"), [("claims", 403), ("", 401)])
def test_receipts_and_refusals_are_closed_to_others(world: World, key: str, status: int) -> None:
    for path in ("/v1/devices/H1.d1/receipt", "/v1/refusals", "/v1/refusals/1"):
        assert world.ask(path, key).status_code == status


@pytest.mark.parametrize("device", ["H1", "H1.d1.d2", "H1.", "H 1.d1"])
def test_what_is_no_device_is_refused(world: World, device: str) -> None:
    assert world.ask(f"/v1/devices/{device}/receipt", "ops").json()["errors"][0]["field"] == "id"


def refuse(world: World, depot: str | None, *bodies: bytes) -> None:
    """Keep refused bytes as the write door does."""
    role = Role.SCANNER if depot else Role.OPS
    reasons = (Reason("UNREADABLE", "data", "Not JSON.", "Send JSON."),)
    refused = [Refused(body, reasons) for body in bodies]
    keep_refused(world.engine, Caller("k1", role, depot), refused, day(1), bytes_max=100)


def test_refusals_are_listed_latest_first_with_their_reasons(world: World) -> None:
    refuse(world, "H1", b"one", b"two!!")

    told = world.told("/v1/refusals", "scanner")["refusals"]

    assert [each["bytes"] for each in told] == [5, 3]
    assert told[0]["reasons"] == [
        {"code": "UNREADABLE", "field": "data", "detail": "Not JSON.", "remedy": "Send JSON."}
    ]
    assert (told[0]["depot"], told[0]["key_id"]) == ("H1", "k1")


def test_refused_bytes_are_given_back_exactly_and_never_shown(world: World) -> None:
    refuse(world, "H1", b"<script>\x00\xff</script>")
    (refusal,) = world.told("/v1/refusals", "scanner")["refusals"]

    answer = world.ask(f"/v1/refusals/{refusal['id']}", "scanner")

    assert answer.content == b"<script>\x00\xff</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_scanner_sees_the_refusals_of_its_own_depot_only(world: World) -> None:
    refuse(world, "H1", b"ours")
    refuse(world, "C1", b"theirs")
    refuse(world, None, b"nobody's")

    everything = world.told("/v1/refusals", "ops")["refusals"]
    ours = world.told("/v1/refusals", "scanner")["refusals"]

    assert [each["depot"] for each in everything] == [None, "C1", "H1"]
    assert [each["depot"] for each in ours] == ["H1"]
    for each in everything:
        expected = httpx.codes.OK if each["depot"] == "H1" else httpx.codes.NOT_FOUND
        assert world.ask(f"/v1/refusals/{each['id']}", "scanner").status_code == expected
        assert world.ask(f"/v1/refusals/{each['id']}", "admin").status_code == httpx.codes.OK


def test_a_walk_through_refusals_meets_each_once_while_more_come_in(world: World) -> None:
    refuse(world, "H1", *(b"x" * size for size in range(1, 8)))
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = world.told("/v1/refusals", "scanner", limit=3, **cursor)
        seen += [each["bytes"] for each in page["refusals"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        refuse(world, "H1", b"late")

    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_cursor_of_another_keys_list_is_refused(world: World) -> None:
    refuse(world, "H1", b"one", b"two")
    cursor = world.told("/v1/refusals", "ops", limit=1)["next"]

    assert world.ask("/v1/refusals", "scanner", limit=1, cursor=cursor).status_code == httpx.codes.BAD_REQUEST


@pytest.mark.parametrize(("number", "status"), [("7", 404), ("999999999999999999", 404), ("x", 400), ("-1", 400)])
def test_a_refusal_that_is_not_there_is_not_found(world: World, number: str, status: int) -> None:
    assert world.ask(f"/v1/refusals/{number}", "ops").status_code == status

"""Whom to ask for footage: the sites of the bracket, their cameras, for which time, and until when it is kept."""

from datetime import timedelta
from typing import Any

from schemas.events import (
    Camera,
    ConditionObserved,
    HandoffAccepted,
    ItemScanned,
    Observation,
    Operator,
    PolicySet,
    SiteRegistered,
)
from schemas.vocabulary import CaptureMode, Condition, Facet, FindingKind
from services.custody.core.attribution import assess
from services.custody.core.ground import lay
from services.custody.core.verdict import Finding
from tests.unit.custody.core.histories import DAY_0, History, Told, evidence, registry

HOUR = timedelta(hours=1)
BY_HAND: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": Operator(ref="p1")}


def site(code: str, recorded: timedelta = HOUR / 2, **said: Any) -> Told:
    data = SiteRegistered(site=code, **({"party": "H1", "time_zone": "Asia/Shanghai"} | said))
    return Told(f"{code}-{recorded}", "OFFICE", recorded, recorded, data, None, f"site:{code.upper()}")


def accept(by: str, t: timedelta, value: Condition | None = None, at: str | None = None) -> Told:
    seen = (Observation(facet=Facet.OUTER, value=value),) if value is not None else ()
    return Told(f"a-{by}", by, t, t, HandoffAccepted(taker=by, site=at, observations=seen, **BY_HAND))


def scan(id_: str, by: str, t: timedelta, at: str | None) -> Told:
    return Told(id_, by, t, t, ItemScanned(party=by, mode=CaptureMode.HUMAN_SCAN, site=at))


WAY = (
    accept("C1", HOUR, Condition.OK, at="shop"),
    accept("H1", 3 * HOUR, Condition.UNEXAMINED, at="hub.a"),
    scan("s1", "H1", 6 * HOUR, "hub.b"),
    scan("s2", "H1", 7 * HOUR, "hub.b"),
    Told(
        "torn",
        "H1",
        10 * HOUR,
        10 * HOUR,
        ConditionObserved(party="H1", observations=(Observation(facet=Facet.OUTER, value=Condition.BAD),), **BY_HAND),
    ),
)


def asked(*sites: Told, way: tuple[Told, ...] = WAY) -> list[dict[str, str]]:
    history = History(way, (*registry(PolicySet(auto_accept_is_clean=False)), *sites))
    verdict = assess(evidence(history), history.as_of, Finding(FindingKind.DAMAGE))
    assert verdict is not None
    return list(verdict.footage)


def at(t: timedelta) -> str:
    return (DAY_0 + t).isoformat()


def test_a_registered_site_is_asked_camera_by_camera() -> None:
    cameras = (Camera(camera="c7", door="north", days_kept=20), Camera(camera="c9"))

    found = [item for item in asked(site("hub.b", cameras=cameras)) if item["site"] == "hub.b"]

    b = {"party": "H1", "site": "hub.b", "from": at(6 * HOUR), "to": at(10 * HOUR), "time_zone": "Asia/Shanghai"}
    assert found == [
        {**b, "door": "north", "camera": "c7", "kept_until": at(10 * HOUR + timedelta(days=20))},
        {**b, "camera": "c9", "kept_until": at(10 * HOUR + timedelta(days=30))},
    ]


def test_the_site_with_most_of_the_bracket_comes_first() -> None:
    assert [(item["site"], item["from"], item["to"]) for item in asked()] == [
        ("hub.b", at(6 * HOUR), at(10 * HOUR)),
        ("hub.a", at(3 * HOUR), at(6 * HOUR)),
        ("shop", at(HOUR), at(3 * HOUR)),
    ]


def test_without_a_site_the_party_is_asked() -> None:
    way = (WAY[0], accept("H1", 3 * HOUR), WAY[-1])

    assert [(item["party"], item["site"]) for item in asked(way=way)] == [("H1", "H1"), ("C1", "shop")]


def test_a_site_without_cameras_is_asked_all_the_same() -> None:
    (first, *_) = asked(site("hub.b", doors=("north",)))

    assert first["time_zone"] == "Asia/Shanghai"
    assert "camera" not in first
    assert "kept_until" not in first


def test_a_site_that_is_registered_twice_is_as_registered_last() -> None:
    """By when it was recorded: the order in which the evidence holds the two does not matter."""
    old = site("hub.b", HOUR / 4, cameras=(Camera(camera="old"),), time_zone="UTC")
    new = site("HUB.B", HOUR / 2, cameras=(Camera(camera="new"),))

    for registered in ((old, new), (new, old)):
        cameras = [(item.get("camera"), item.get("time_zone")) for item in asked(*registered)]
        assert cameras[0] == ("new", "Asia/Shanghai")


def test_who_and_what_nobody_registered() -> None:
    history = History(WAY, registry(PolicySet()))

    found = lay(evidence(history), history.as_of).registry

    assert found.site("nowhere") is None
    assert found.role("NOBODY").value == "carrier"
    assert found.entity("NOBODY") == "NOBODY"
    assert found.device("/depots/NOBODY/devices/d") is None

"""The read door's lists: events as they were recorded, and the worklist; walks through pages meet everything once."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select

from schemas import codec
from schemas.leaf import leaf
from schemas.readmodel import parcel_case, verdict_version
from services.log.port import Entry
from tests.integration.query_world import World, accept, changed, crushed, day, envelope, registrations

PARCEL = "yto:YT1"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with World(database_url, tmp_path).open() as opened:
        opened.tell(*registrations())
        yield opened


# --- events -------------------------------------------------------------------------------------------------------


def test_an_event_is_told_byte_for_byte_as_it_was_sent(world: World) -> None:
    sent = b'{ "taker":"C1",\n "mode" : "HUMAN_SCAN", "taker_was": 1.50, "zh": "\\u5b8c\\u597d" }'
    told = changed(envelope(PARCEL, "e1", accept("C1"), day(1)), data=sent, extensions={"traceparent": "00-1"})
    (position,) = world.tell(told)

    (event,) = world.told("/v1/events/e1")["events"]

    value_hash = hashlib.sha256(codec.encode_record(told)).digest()
    assert base64.b64decode(event["data_base64"]) == sent
    assert b'"taker_was": 1.50, "zh": "\\u5b8c\\u597d"' in world.ask("/v1/events/e1").content
    assert event["position"] == str(position)
    assert event["subject"] == PARCEL
    assert event["standing"] == "event"
    assert event["counts"] is True
    assert event["content_hash"] == codec.content_hash(told).hex()
    assert event["leaf"] == leaf(world.log.log_id, *position, PARCEL.encode(), value_hash).hex()
    assert event["attributes"]["source"] == "/depots/H1/devices/d1"
    assert event["attributes"]["recordedby"] == "test"
    assert event["attributes"]["traceparent"] == "00-1"
    assert event["conflicts"] == []


def test_data_that_is_no_json_is_told_as_bytes_only(world: World) -> None:
    sent = b"\xff\x00 not JSON"
    world.tell(
        changed(envelope(PARCEL, "e1", accept("C1"), day(1)), data=sent, datacontenttype="application/octet-stream")
    )

    (event,) = world.told("/v1/events/e1")["events"]

    assert base64.b64decode(event["data_base64"]) == sent
    assert event["data"] is None
    assert event["standing"] == "parked"
    assert event["reason"]


def test_a_record_that_is_no_envelope_is_still_told(world: World) -> None:
    world.log.append([Entry(PARCEL.encode(), b"\x00garbage")])
    world.project()

    (event,) = world.told("/v1/events", subject=PARCEL)["events"]

    assert event["standing"] == "parked"
    assert event["attributes"] is None
    assert event["data_base64"] is None


def test_a_repeat_is_told_and_does_not_count(world: World) -> None:
    told = envelope(PARCEL, "e1", accept("C1"), day(1))
    world.tell(told, changed(told, recordedtime=codec.format_instant(day(2))))

    events = world.told("/v1/events/e1")["events"]

    assert [(event["standing"], event["counts"]) for event in events] == [("event", True), ("repeat", False)]


def test_a_conflict_is_told_on_both_sides(world: World) -> None:
    first = envelope(PARCEL, "e1", accept("C1"), day(1))
    other = envelope("yto:OTHER", "e1", accept("H1"), day(2))
    world.tell(first, other)

    events = {event["subject"]: event for event in world.told("/v1/events/e1")["events"]}

    assert events[PARCEL]["counts"] is True
    assert events["yto:OTHER"]["counts"] is False
    (rival,) = events[PARCEL]["conflicts"]
    assert rival["subject"] == "yto:OTHER"
    assert rival["counts"] is False
    assert rival["content_hash"] == codec.content_hash(other).hex()
    (holder,) = events["yto:OTHER"]["conflicts"]
    assert holder["subject"] == PARCEL
    assert holder["counts"] is True


def test_events_of_several_sources_under_one_id_are_all_told(world: World) -> None:
    world.tell(*(envelope(PARCEL, "e1", accept("C1"), day(1), depot=depot) for depot in ("C1", "H1", "LH")))

    sources = {event["attributes"]["source"] for event in world.told("/v1/events/e1")["events"]}

    assert sources == {f"/depots/{depot}/devices/d1" for depot in ("C1", "H1", "LH")}


@pytest.mark.parametrize("path", ["/v1/events/e1", "/v1/events"])
def test_a_walk_through_events_meets_each_once_while_more_come_in(world: World, path: str) -> None:
    parameters = {} if path.endswith("e1") else {"subject": PARCEL}
    depots = [f"D{number}" for number in range(9)]
    for depot in depots[:6]:
        world.tell(envelope(PARCEL, "e1", accept("C1"), day(1), depot=depot))

    seen: list[str] = []
    cursor: dict[str, str] = {}
    late = iter(depots[6:])
    while True:
        page = world.told(path, limit=2, **parameters, **cursor)
        seen += [event["attributes"]["source"] for event in page["events"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        world.tell(*(envelope(PARCEL, "e1", accept("C1"), day(2), depot=depot) for depot in islice(late, 1)))

    assert len(seen) == len(set(seen))
    assert {f"/depots/{depot}/devices/d1" for depot in depots[:6]} <= set(seen)


def test_events_since_an_instant_leave_out_earlier_records(world: World) -> None:
    world.tell(*crushed(PARCEL))

    events = world.told("/v1/events", subject=PARCEL, since="2026-01-03T00:00:00Z")["events"]

    assert [event["attributes"]["id"] for event in events] == [f"{PARCEL}-2", f"{PARCEL}-3"]


# --- cases --------------------------------------------------------------------------------------------------------


def test_the_worklist_holds_parcels_with_a_finding_last_opened_first(world: World) -> None:
    world.tell(*crushed("yto:A"), *crushed("yto:B", day(11)), envelope("yto:CLEAN", "c", accept("C1"), day(1)))
    world.refresh()

    cases = world.told("/v1/cases")["cases"]

    assert [case["subject"] for case in cases] == ["yto:B", "yto:A"]
    assert cases[0]["kinds"] == ["DAMAGE"]
    assert cases[0]["verdicts"][0]["liable"] == [{"party": "H1", "share": "1"}]


def test_the_worklist_is_filtered(world: World) -> None:
    world.tell(*crushed(PARCEL))
    world.refresh()

    for filters, found in (
        ({"kind": "DAMAGE"}, True),
        ({"kind": "LOSS"}, False),
        ({"outcome": "SEGMENT"}, True),
        ({"outcome": "JOINT"}, False),
        ({"confidence": "MODERATE"}, True),
        ({"confidence": "HIGH"}, False),
        ({"party": "H1"}, True),
        ({"party": "NOBODY"}, False),
        ({"kind": "DAMAGE", "party": "LH", "outcome": "SEGMENT"}, True),
        ({"kind": "DAMAGE", "party": "LH", "outcome": "SENDER"}, False),
    ):
        assert bool(world.told("/v1/cases", **filters)["cases"]) is found, filters


# Few instants and many subjects: ties are where a cursor goes wrong.
PLACES = st.tuples(st.integers(0, 3), st.integers(0, 40))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PLACES, max_size=20), st.lists(st.lists(PLACES, max_size=4), max_size=8), st.integers(1, 7))
def test_a_walk_through_the_worklist_meets_each_case_once_while_others_are_opened(
    world: World, there: list[tuple[int, int]], coming: list[list[tuple[int, int]]], limit: int
) -> None:
    with world.engine.begin() as connection:
        connection.execute(delete(parcel_case))
    known: set[str] = set()
    open_cases(world, known, there)
    throughout = set(known)

    seen: list[str] = []
    cursor: dict[str, str] = {}
    batches = iter(coming)
    while True:
        page = world.told("/v1/cases", limit=limit, **cursor)
        seen += [case["subject"] for case in page["cases"]]
        if page["next"] is None:
            break
        assert len(page["cases"]) == limit
        cursor = {"cursor": page["next"]}
        open_cases(world, known, next(batches, []))

    assert len(seen) == len(set(seen))
    assert throughout <= set(seen)


def case_row(subject: str, **columns: Any) -> dict[str, Any]:
    """A row of the worklist as the refresher writes it."""
    return {
        "subject": subject,
        "journey": 1,
        "opened": day(1),
        "changed": day(1),
        "verdicts": [],
        "kinds": [],
        "outcome": "UNDETERMINED",
        "confidence": None,
        "parties": [],
        "incidents": [],
        "inside": 0,
        "rests_on": [],
        "positions": "0:1",
        **columns,
    }


def open_cases(world: World, known: set[str], places: list[tuple[int, int]]) -> None:
    """Cases as the refresher writes them, each subject once."""
    rows = []
    for number, name in places:
        subject = f"yto:P{name}"
        if subject in known:
            continue
        known.add(subject)
        opened: datetime = day(1) + timedelta(microseconds=number)
        rows.append(case_row(subject, opened=opened, changed=opened))
    if rows:
        with world.engine.begin() as connection:
            connection.execute(insert(parcel_case), rows)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.integers(0, 25), st.lists(st.integers(0, 5), min_size=1, max_size=3), max_size=16),
    st.lists(st.lists(st.integers(0, 40), max_size=5), max_size=8),
    st.integers(1, 5),
)
def test_a_walk_by_changed_is_as_of_its_first_page_while_cases_change_and_open(
    world: World, there: dict[int, list[int]], changing: list[list[int]], limit: int
) -> None:
    with world.engine.begin() as connection:
        connection.execute(delete(parcel_case))
        connection.execute(delete(verdict_version))
    # What is projected reaches past what is there, and not to what changes during the walk.
    world.tell(envelope("yto:CLEAN", "clean", accept("C1"), day(2)))
    for name, minutes in there.items():
        for minute in minutes:
            change_case(world, f"yto:P{name}", day(1) + timedelta(minutes=minute))
    first = {case["subject"]: case["changed"] for case in world.told("/v1/cases", limit=100, sort="changed")["cases"]}

    seen: list[str] = []
    cursor: dict[str, str] = {}
    batches = iter(changing)
    clock = day(3)
    while True:
        page = world.told("/v1/cases", limit=limit, sort="changed", **cursor)
        seen += [case["subject"] for case in page["cases"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        for name in next(batches, []):
            clock += timedelta(minutes=1)
            change_case(world, f"yto:P{name}", clock)

    assert seen == sorted(first, key=lambda subject: (-datetime.fromisoformat(first[subject]).timestamp(), subject))


def change_case(world: World, subject: str, at: datetime) -> None:
    """A new version of a case's answer, its case opened with the first, as the refresher writes them."""
    with world.engine.begin() as connection:
        here = (parcel_case.c.subject == subject) & (parcel_case.c.journey == 1)
        before = connection.execute(select(parcel_case.c.opened, parcel_case.c.changed).where(here)).first()
        opened, last = before if before is not None else (at, at)
        versions = connection.execute(
            select(func.count()).select_from(verdict_version).where(verdict_version.c.subject == subject)
        ).scalar_one()
        connection.execute(
            insert(verdict_version).values(
                subject=subject, journey=1, finding="DAMAGE", version=versions + 1, record_time=at
            )
        )
        connection.execute(delete(parcel_case).where(here))
        connection.execute(
            insert(parcel_case),
            [case_row(subject, opened=min(opened, at), changed=max(last, at))],
        )


def test_the_order_of_the_list_is_one_of_its_words(world: World) -> None:
    answer = world.ask("/v1/cases", sort="newest")

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "opened, changed" in answer.json()["errors"][0]["remedy"]


def test_a_cursor_of_another_order_is_refused(world: World) -> None:
    open_cases(world, set(), [(0, 1), (0, 2)])
    cursor = world.told("/v1/cases", limit=1)["next"]

    assert world.ask("/v1/cases", limit=1, sort="changed", cursor=cursor).status_code == httpx.codes.BAD_REQUEST


def test_a_row_without_a_verdict_or_an_incident_is_nobodys_work(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            insert(parcel_case),
            [
                case_row("yto:NOTHING", outcome=None),
                case_row("cage:BROKEN", outcome=None, incidents=["SEAL_BROKEN"], inside=5_000),
                case_row("yto:JUDGED", journey=2),
            ],
        )

    cases = world.told("/v1/cases")["cases"]

    assert [(case["subject"], case["journey"], case["incidents"], case["inside"]) for case in cases] == [
        ("cage:BROKEN", 1, ["SEAL_BROKEN"], 5_000),
        ("yto:JUDGED", 2, [], 0),
    ]

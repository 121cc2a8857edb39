"""Laws of the pure projection: one by one equals all at once, time never goes back, any bytes give a row."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas import codec
from schemas.events import (
    EVENT_TYPES,
    ConditionObserved,
    DeadlinePassed,
    Event,
    HandoffAccepted,
    ItemScanned,
    NoticeGiven,
    Observation,
    ParcelAnnounced,
    Reservation,
    Seal,
)
from schemas.leaf import leaf
from schemas.positions import Position
from schemas.topics import partition_of
from schemas.vocabulary import CaptureMode, Condition, Facet
from services.custody.core import concerns, projection
from services.custody.core.facts import fact_of
from services.custody.core.projection import Claim, Judgement
from services.log.port import LogRecord
from tests.records import entry
from tests.records import event as scan

PACKED = "custody.unit_packed.v1"
RELABELLED = "custody.parcel_relabelled.v1"
OPENED = "custody.unit_opened.v1"
CHECKED = "custody.seal_checked.v1"
OBSERVED = "custody.condition_observed.v2"

LOG = "lastintact/test"
START = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECT = b"yto:YT1"
PARTITION = partition_of(SUBJECT)


def records(values: list[bytes]) -> list[LogRecord]:
    return [LogRecord(PARTITION, offset, SUBJECT, value) for offset, value in enumerate(values)]


VALUES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda number, days: entry(scan(f"e{number}", "yto:YT1", at=days, keyid=None)).value,
            st.integers(0, 4),
            st.integers(0, 6),
        ),
    ),
    max_size=12,
)


@given(VALUES, st.integers(0, 12))
def test_one_batch_or_two_give_the_same_rows_but_for_repeats_across_them(values: list[bytes], cut: int) -> None:
    readings = [projection.read(record) for record in records(values)]
    whole = projection.settle(readings, LOG, None)

    first = projection.settle(readings[:cut], LOG, None)
    second = projection.settle(readings[cut:], LOG, first.record_time)
    for content in first.contents.keys() & second.contents.keys():
        projection.repeat(second.contents[content])  # what the store finds out by the identity table

    assert [row.columns for row in (*first.rows, *second.rows)] == [row.columns for row in whole.rows]
    assert second.record_time == whole.record_time


@given(VALUES)
def test_record_time_never_goes_back_and_every_record_has_its_leaf(values: list[bytes]) -> None:
    rows = projection.settle([projection.read(record) for record in records(values)], LOG, None).rows

    assert [row.offset for row in rows] == list(range(len(values)))
    assert sorted(row.record_time for row in rows) == [row.record_time for row in rows]
    assert len({row.leaf for row in rows}) == len(rows)
    for row in rows:
        assert (row.standing == "parked") == (row.reason is not None)


def test_the_leaf_is_that_of_the_record_alone() -> None:
    import hashlib

    value = b"anything"
    row = projection.settle([projection.read(record) for record in records([value])], LOG, START).rows[0]

    assert row.leaf == leaf(LOG, PARTITION, 0, SUBJECT, hashlib.sha256(value).digest())
    assert row.record_time == START


@pytest.mark.parametrize(
    "record",
    [
        LogRecord(PARTITION, 0, b"yto:OTHER", entry(scan("e1", "yto:YT1", keyid=None)).value),
        LogRecord((PARTITION + 1) % 8, 0, SUBJECT, entry(scan("e1", "yto:YT1", keyid=None)).value),
        LogRecord(PARTITION, 0, b"yto:yt1", entry(scan("e1", "yto:yt1", keyid=None)).value),
    ],
    ids=["another key", "another partition", "a key that is not canonical"],
)
def test_a_record_out_of_its_place_claims_no_identity(record: LogRecord) -> None:
    reading = projection.read(record)

    assert reading.reason is not None
    assert reading.identity is None


CLAIMS = st.lists(
    st.builds(
        lambda content, partition, offset, hours: Claim(
            b"identity", bytes([content]), partition, offset, START + timedelta(hours=hours), f"yto:{content}"
        ),
        st.integers(0, 5),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
    unique_by=(lambda claim: claim.content_hash, lambda claim: claim.order),
)


@settings(max_examples=200)
@given(CLAIMS, st.randoms(use_true_random=False))
def test_who_holds_an_identity_does_not_depend_on_the_order_of_arrival(
    claims: list[Claim], dice: random.Random
) -> None:
    expected = min(claims, key=lambda claim: claim.order)
    shuffled = list(claims)
    dice.shuffle(shuffled)
    holders = {shuffled[0].identity: shuffled[0]}
    clashing: dict[tuple[bytes, bytes], Claim] = {}

    for claim in shuffled[1:]:
        judgement = _judge(claim, holders, clashing)
        clashing |= {(each.identity, each.content_hash): each for each in judgement.clashes}
        holders |= {each.identity: each for each in judgement.holders}

    assert holders[b"identity"] == expected
    assert set(clashing.values()) == (set(claims) if len(claims) > 1 else set())


@given(CLAIMS)
def test_a_content_that_is_known_is_a_repeat_and_touches_nobody(claims: list[Claim]) -> None:
    holders = {b"identity": min(claims, key=lambda claim: claim.order)}
    clashing = {(claim.identity, claim.content_hash): claim for claim in claims}

    for claim in claims:
        judgement = _judge(claim, holders, clashing)
        assert judgement.repeats == {(claim.identity, claim.content_hash)}
        assert (judgement.clashes, judgement.holders, judgement.subjects) == ((), (), frozenset())


def _judge(claim: Claim, holders: dict[bytes, Claim], clashing: dict[tuple[bytes, bytes], Claim]) -> Judgement:
    return projection.judge([claim], holders, {b"identity": tuple(clashing.values())})


SEEN_BAD = (Observation(facet=Facet.OUTER, value=Condition.BAD),)
SEEN_OK = (Observation(facet=Facet.OUTER, value=Condition.OK),)
LOOK = CaptureMode.HUMAN_INSPECT


@pytest.mark.parametrize(
    ("data", "reports", "wakes"),
    [
        (ItemScanned(mode=LOOK, party="H1"), False, False),
        (ItemScanned(mode=LOOK, party="H1", observations=SEEN_OK), False, False),
        (ItemScanned(mode=LOOK, party="H1", observations=SEEN_BAD), True, True),
        (ItemScanned(mode=LOOK, party="H1", seal=Seal(number="1", match=False)), True, True),
        (ItemScanned(mode=LOOK, party="H1", seal=Seal(number="1", match=True)), False, False),
        (
            ConditionObserved(
                mode=LOOK, party="H1", observations=(Observation(facet=Facet.OUTER, value=Condition.OK, tamper=True),)
            ),
            True,
            True,
        ),
        (
            HandoffAccepted(mode=LOOK, taker="H1", reservation=Reservation(facet=Facet.OUTER, grounds="torn")),
            True,
            True,
        ),
        (HandoffAccepted(mode=LOOK, taker="H1"), False, False),
        (NoticeGiven(party="RCP"), True, True),
        (ParcelAnnounced(promised_after_hours=48), False, True),
        (DeadlinePassed(deadline="promised_time", due=START), False, True),
    ],
)
def test_only_reports_and_waits_wake_a_subject(data: Event, reports: bool, wakes: bool) -> None:
    assert concerns.reports(data) is reports
    assert concerns.wakes(data) is wakes


def reading(envelope: codec.Envelope) -> projection.Reading:
    return projection.read(LogRecord(PARTITION, 0, SUBJECT, codec.encode_record(envelope)))


@given(st.integers(-(2**53), 2**53), st.integers(0, 6))
def test_the_row_has_the_time_that_the_core_goes_by(offset_ms: int, days: int) -> None:
    envelope = structs.replace(scan("e1", "yto:YT1", at=days, keyid=None), clockoffsetms=offset_ms)

    row = reading(envelope)

    assert row.event_time == fact_of(Position(0, 0), START, codec.encode_record(envelope)).t


@pytest.mark.parametrize(
    ("sequence", "stored"),
    [
        (None, None),
        ("0", 0),
        ("00000042", 42),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("0" * 32, 0),
        ("-1", None),
        ("1.5", None),
        ("\u0661\u0662", None),
        ("A7", None),
        ("", None),
    ],
)
def test_only_a_plain_number_is_a_sequence(sequence: str | None, stored: int | None) -> None:
    envelope = structs.replace(scan("e1", "yto:YT1", keyid=None), sequence=sequence)

    assert reading(envelope).sequence == stored


def test_an_event_that_cannot_be_read_keeps_its_number_for_the_receipt() -> None:
    envelope = structs.replace(scan("e1", "yto:YT1", "custody.teleported.v1", keyid=None, to="Mars"), sequence="7")

    assert (reading(envelope).reason is not None, reading(envelope).sequence) == (True, 7)


def settled(*envelopes: codec.Envelope) -> projection.Batch:
    return projection.settle(
        [
            projection.read(LogRecord(PARTITION, offset, SUBJECT, entry(envelope).value))
            for offset, envelope in enumerate(envelopes)
        ],
        LOG,
        None,
    )


def test_whom_an_event_names_is_a_row_once_and_in_one_spelling() -> None:
    packed = scan("e1", "yto:YT1", PACKED, mode="HUMAN_SCAN", party="C1", unit=" CAGE: 12 ", keyid=None)
    relabelled = scan(
        "e2", "yto:YT1", RELABELLED, mode="HUMAN_SCAN", party="C1", old="yto:YT1", new="yto:YT9", keyid=None
    )

    found = settled(packed, packed, relabelled).mentions()

    assert [(each.other, each.role, each.offset) for each in found] == [
        ("cage:12", "packed", 0),
        ("yto:YT9", "relabelled", 2),
        ("yto:YT1", "relabelled", 2),  # both labels find it alike
    ]


def test_every_type_that_names_others_is_looked_at() -> None:
    """The projector asks few types whom they name; a type that is added must be added there."""
    fields = {"unit", "old", "new", "holds"}

    naming = {kind for kind in EVENT_TYPES.values() if fields & set(kind.__struct_fields__)}

    assert naming == projection._NAMING


@pytest.mark.parametrize(
    ("kind", "data", "wakes"),
    [
        (OPENED, {"because": "damage"}, True),
        (OPENED, {"because": "handling"}, False),
        (OPENED, {"because": "authority"}, False),
        (CHECKED, {"seal": {"number": "1", "match": False}}, True),
        (CHECKED, {"seal": {"number": "1", "match": True}}, False),
        (OBSERVED, {"logger": {"armed": [], "exceedances": [{"t": "2026-01-01T00:00:00Z"}]}}, True),
        (OBSERVED, {"logger": {"armed": []}}, False),
    ],
)
def test_an_incident_wakes_its_subject(kind: str, data: dict[str, Any], wakes: bool) -> None:
    batch = settled(scan("e1", "yto:YT1", kind, mode="HUMAN_SCAN", party="C1", keyid=None, **data))

    assert [row.standing for row in batch.rows] == ["event"]
    assert bool(batch.waking) is wakes

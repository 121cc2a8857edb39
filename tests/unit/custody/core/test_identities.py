"""Records that share an identity: repeats, clashes and who holds it; and what a row takes over from its record."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from schemas import codec
from schemas.positions import Position
from schemas.topics import partition_of
from services.custody.core import projection
from services.custody.core.projection import EVENT, REPEAT, Claim, Mention, Reading
from services.log.port import LogRecord
from tests.records import DAY_0, entry, event

LOG = "lastintact/test"
SUBJECT = "yto:YT1"
PARTITION = partition_of(SUBJECT.encode())
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def claim(identity: str, content: str, hours: int, subject: str = SUBJECT) -> Claim:
    return Claim(identity.encode(), content.encode(), 0, hours, NOON + timedelta(hours=hours), subject)


def judged(
    candidates: Sequence[Claim], held: Sequence[Claim], clashing: Mapping[bytes, Sequence[Claim]] | None = None
) -> projection.Judgement:
    return projection.judge(candidates, {each.identity: each for each in held}, clashing or {})


HELD = claim("id", "first", 5)


def test_the_same_content_again_is_a_repeat() -> None:
    found = judged([claim("id", "first", 9)], [HELD])

    assert found.repeats == {(b"id", b"first")}
    assert (found.clashes, found.holders, found.subjects) == ((), (), frozenset())


def test_another_content_clashes_and_touches_both_subjects() -> None:
    other = claim("id", "second", 9, "yto:YT2")

    found = judged([other], [HELD])

    assert found.clashes == (HELD, other)
    assert (found.repeats, found.holders) == (frozenset(), ())
    assert found.subjects == {SUBJECT, "yto:YT2"}


def test_what_was_recorded_earlier_takes_the_identity_over() -> None:
    earlier = claim("id", "second", 1, "yto:YT2")

    found = judged([earlier], [HELD])

    assert found.clashes == (HELD, earlier)
    assert found.holders == (earlier,)


def test_of_several_newcomers_the_earliest_holds_and_all_are_listed() -> None:
    second, third, fourth = (claim("id", name, at) for name, at in (("b", 3), ("c", 1), ("d", 2)))

    found = judged([second, third, fourth], [HELD])

    assert found.holders == (third,)
    assert found.clashes == (HELD, second, second, third, third, fourth)


def test_a_newcomer_twice_in_a_batch_is_a_repeat_the_second_time() -> None:
    second = claim("id", "b", 9)

    found = judged([second, second], [HELD])

    assert found.clashes == (HELD, second)
    assert found.repeats == {(b"id", b"b")}


def test_everybody_who_clashed_before_is_touched_by_a_new_clash_and_nobody_else() -> None:
    before = claim("id", "b", 9, "yto:YT2")
    elsewhere = claim("other", "x", 9, "yto:YT9")
    new = claim("id", "c", 10, "yto:YT3")

    found = judged([new], [HELD], {b"id": (HELD, before), b"other": (elsewhere,)})

    assert found.subjects == {SUBJECT, "yto:YT2", "yto:YT3"}


def test_identities_are_judged_apart() -> None:
    others = claim("other", "x", 5), claim("other", "y", 1, "yto:YT9")

    found = judged([claim("id", "first", 9), others[1], claim("id", "b", 9)], [HELD, others[0]])

    assert found.repeats == {(b"id", b"first")}
    assert found.clashes == (others[0], others[1], HELD, claim("id", "b", 9))
    assert found.holders == (others[1],)


# --- rows -------------------------------------------------------------------------------------------------------------


def read(envelope: codec.Envelope, offset: int = 0) -> Reading:
    return projection.read(LogRecord(PARTITION, offset, SUBJECT.encode(), entry(envelope).value))


def test_a_row_claims_its_identity_with_when_and_where_it_was_recorded() -> None:
    sent = event("e1", SUBJECT, at=2, keyid=None)
    [row] = projection.settle([read(sent, 4)], LOG, None).rows

    assert projection.claim_of(row) == Claim(
        codec.identity(sent.source, "e1"),
        codec.content_hash(sent),
        PARTITION,
        4,
        DAY_0 + timedelta(days=2),
        SUBJECT,
    )
    assert projection.claim_of(row).order == (DAY_0 + timedelta(days=2), PARTITION, 4)


def test_a_row_has_everything_that_lists_are_made_of() -> None:
    [row] = projection.settle([read(event("e1", SUBJECT, at=2, recorded=3, keyid=None), 4)], LOG, None).rows

    named = dict(zip(row.__slots__, row.columns, strict=True))
    assert {name: getattr(row, name) for name in row.__slots__} == named
    assert (named["record_time"], named["event_time"]) == (DAY_0 + timedelta(days=3), DAY_0 + timedelta(days=2))
    assert (named["event_id"], named["source"], named["type"], named["party"]) == (
        "e1",
        "/depots/SHA/devices/S1",
        "custody.handoff_accepted.v1",
        "C1",
    )


def test_an_unreadable_event_sent_twice_is_parked_once_and_then_a_repeat() -> None:
    unknown = event("e1", SUBJECT, "custody.teleported.v1", keyid=None, to="Mars")

    batch = projection.settle([read(unknown, 0), read(unknown, 1)], LOG, None)

    assert [(row.standing, row.reason is None) for row in batch.rows] == [("parked", False), (REPEAT, True)]
    assert list(batch.contents.values()) == [batch.rows[0]]


def test_each_content_of_a_batch_is_kept_with_its_first_row() -> None:
    first, other = (event("e1", SUBJECT, keyid=None, mode="AUTO_SCAN", taker=party) for party in ("C1", "C2"))

    batch = projection.settle([read(first, 0), read(other, 1), read(first, 2)], LOG, None)

    assert [row.standing for row in batch.rows] == [EVENT, EVENT, REPEAT]
    assert list(batch.contents.values()) == [batch.rows[0], batch.rows[1]]
    assert len(batch.contents) == 2


def test_a_mention_says_when_it_happened_and_when_it_was_recorded() -> None:
    packed = event(
        "e1", SUBJECT, "custody.unit_packed.v1", at=2, recorded=3, keyid=None, mode="HUMAN_SCAN", party="C1", unit="a:B"
    )

    [found] = projection.settle([read(packed, 4)], LOG, None).mentions()

    assert found == Mention(
        "a:B", SUBJECT, "packed", PARTITION, 4, DAY_0 + timedelta(days=2), DAY_0 + timedelta(days=3)
    )


@pytest.mark.parametrize(
    ("key", "subject"),
    [
        (b"yto:YT1", "yto:YT1"),
        (b"a\0b", "a\ufffdb"),
        (b"\xff", "\\xff"),
        (b"x" * 512, "x" * 512),
    ],
)
def test_a_row_names_its_subject_as_text_that_the_database_can_hold(key: bytes, subject: str) -> None:
    assert projection.subject_of_key(key) == subject


def test_a_key_that_is_too_long_is_cut_and_told_apart() -> None:
    one, two = (projection.subject_of_key(b"x" * 512 + end) for end in (b"a", b"b"))

    assert one != two
    assert one.startswith("x" * 128 + "~")
    assert len(one) == len(two) == 128 + 1 + 64


def test_an_enrolment_wakes_whoever_rests_on_the_device() -> None:
    subject = "device:SHA.S1"
    enrolled = event(
        "e1", subject, "registry.device_enrolled.v1", keyid=None, device="SHA.S1", party="C1", keys=[], instruments=[]
    )
    record = LogRecord(partition_of(subject.encode()), 0, subject.encode(), entry(enrolled).value)

    batch = projection.settle([projection.read(record)], LOG, None)

    assert batch.waking == set(batch.contents)


def test_without_any_clock_time_counts_from_the_beginning_and_never_back() -> None:
    nowhere = codec.encode_record(codec.decode_record(entry(event("e1", SUBJECT, at=3, keyid=None)).value))
    records = [b"nothing", nowhere, b"nothing", entry(event("e2", SUBJECT, at=1, keyid=None)).value]

    readings = [projection.read(LogRecord(PARTITION, at, SUBJECT.encode(), value)) for at, value in enumerate(records)]
    batch = projection.settle(readings, LOG, None)

    third = DAY_0 + timedelta(days=3)
    assert [row.record_time for row in batch.rows] == [datetime(1970, 1, 1, tzinfo=UTC), third, third, third]
    assert batch.record_time == third
    assert projection.settle([], LOG, third).record_time == third


def test_a_place_in_the_log_is_written_by_partition_and_offset() -> None:
    assert str(Position(3, 120)) == "3:120"

"""What callers may ask, and how a question that cannot be read is refused: naming the parameter and the remedy."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Undecodable
from schemas.positions import Positions
from schemas.vocabulary import Confidence, DamageMode, FindingKind, Outcome, Severity
from services.custody.core.verdict import Finding
from services.query import questions
from services.query.questions import CaseFilter, CaseKey, EventKey

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(8999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
ASKED = st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=5).map(tuple)


@pytest.mark.parametrize(
    "text",
    ["yto:YT8812345678", " YTO:yt8812345678 ", "yto:YT 8812 345678"],
)
def test_every_spelling_of_a_code_asks_about_the_same_parcel(text: str) -> None:
    assert questions.read_subject(text) == "yto:YT8812345678"


def test_a_digital_link_asks_about_its_sscc() -> None:
    assert questions.read_subject("https://id.example.com/00/106141411234567897") == "sscc:106141411234567897"


def test_no_as_of_means_what_is_projected_now() -> None:
    assert questions.read_as_of(None) is None


def test_an_instant_is_read_in_any_zone_as_the_same_moment() -> None:
    eastern, utc = questions.read_as_of("2026-07-07T17:30:00+08:00"), questions.read_as_of("2026-07-07T09:30:00Z")

    assert eastern == utc == datetime(2026, 7, 7, 9, 30, tzinfo=UTC)
    assert isinstance(eastern, datetime)
    assert eastern.utcoffset() == utc.utcoffset()  # type: ignore[union-attr]  # equal to a datetime


def test_a_position_vector_is_read_as_one() -> None:
    assert questions.read_as_of("1:77,0:123") == Positions({0: 123, 1: 77})


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "2026-07-07"),
        ("yesterday", "2026-07-07"),
        ("2026-07-07T09:30:00", "zone"),
        ("2026-07-07T17:30:00 08:00", "%2B"),
        ("0001-01-01T00:00:00+14:00", "instant"),
        ("9999-12-31T23:59:59-14:00", "instant"),
        ("99:1", "position vector"),
        ("0:1,,", "partition:offset"),
        (":", "partition:offset"),
        ("3", "partition:offset"),
        ("0:99999999999999999999999999999999", "partition:offset"),
        ("0:1,0:2", "once"),
        ("0:1,1:5,0:1", "once"),
        (f"0:{2**63}", "told"),
    ],
)
def test_an_as_of_that_is_none_is_refused_naming_the_field_and_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(Undecodable) as refused:
        questions.read_as_of(text)

    assert refused.value.field == "as_of"
    assert remedy in refused.value.remedy


@given(st.text(max_size=40))
def test_no_text_for_as_of_is_a_bug(text: str) -> None:
    with contextlib.suppress(Undecodable):
        assert isinstance(questions.read_as_of(text), (datetime, Positions))


def test_a_finding_is_asked_with_what_narrows_it() -> None:
    asked = questions.read_finding("DAMAGE", "screen", "wet", "heavy")

    assert asked == Finding(FindingKind.DAMAGE, "screen", DamageMode.WET, Severity.HEAVY)


def test_a_finding_without_more_is_about_the_whole_item() -> None:
    assert questions.read_finding("LOSS", None, None, None) == Finding(FindingKind.LOSS)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (("damage", None, None, None), "finding"),
        (("DAMAGE", "Das Ganze", None, None), "component"),
        (("DAMAGE", None, "fire", None), "damage"),
        (("DAMAGE", None, None, "mortal"), "severity"),
        ((None, "screen", None, None), "component"),
        ((None, None, None, "slight"), "severity"),
    ],
)
def test_a_finding_in_other_words_is_refused(asked: tuple[str | None, ...], field: str) -> None:
    with pytest.raises(Undecodable) as refused:
        questions.read_finding(*asked)

    assert refused.value.field == field


def test_the_worklist_is_filtered_by_closed_words() -> None:
    wanted = questions.read_case_filter("SHORTAGE", "JOINT", "LOW", "LH")

    assert wanted == CaseFilter(FindingKind.SHORTAGE, Outcome.JOINT, Confidence.LOW, "LH")


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        (("gone", None, None, None), "kind"),
        ((None, "GUILTY", None, None), "outcome"),
        ((None, None, "99%", None), "confidence"),
        ((None, None, None, "LH'; --"), "party"),
    ],
)
def test_a_filter_in_other_words_is_refused(filters: tuple[str | None, ...], field: str) -> None:
    with pytest.raises(Undecodable) as refused:
        questions.read_case_filter(*filters)

    assert refused.value.field == field


@given(ASKED, INSTANTS, st.text(max_size=97))
def test_a_cursor_of_cases_leads_back_to_its_place(
    asked: tuple[str | None, ...], opened: datetime, subject: str
) -> None:
    key = CaseKey(opened, subject, 2)

    assert questions.read_cursor(questions.write_cursor(asked, key), asked, CaseKey) == key


@given(ASKED, st.integers(0, 7), st.integers(0, 2**63 - 1))
def test_a_cursor_of_events_leads_back_to_its_place(asked: tuple[str | None, ...], partition: int, offset: int) -> None:
    key = EventKey(partition, offset)

    assert questions.read_cursor(questions.write_cursor(asked, key), asked, EventKey) == key


def test_a_cursor_of_another_list_is_refused() -> None:
    cursor = questions.write_cursor(("cases", "DAMAGE"), CaseKey(datetime(2026, 1, 1, tzinfo=UTC), "yto:A", 1))

    with pytest.raises(Undecodable, match="other filters"):
        questions.read_cursor(cursor, ("cases", "LOSS"), CaseKey)


@given(st.text(max_size=60))
def test_no_text_for_a_cursor_is_a_bug(text: str) -> None:
    with pytest.raises(Undecodable) as refused:
        questions.read_cursor(text, ("cases",), CaseKey)

    assert refused.value.field == "cursor"


def test_several_findings_are_read_as_their_verdicts_name_them() -> None:
    wet = Finding(FindingKind.DAMAGE, damage=DamageMode.WET)
    screen = Finding(FindingKind.CONCEALED, "screen", DamageMode.IMPACT, Severity.HEAVY, "p1")

    assert questions.read_findings(f"{wet}, {screen}") == (wet, screen)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DAMAGE/whole/wet/any", "one finding is no union"),
        ("DAMAGE/whole/wet/any,DAMAGE", "names no finding"),
        ("DAMAGE/whole/wet/any,any/whole", "names no finding"),
        ("DAMAGE/whole/wet/any,DAMAGE/whole/soggy/any", "none of the words for damage"),
        (",".join(["DAMAGE/whole"] * 11), "more than 10 findings"),
    ],
)
def test_a_union_that_cannot_be_read_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        questions.read_findings(text)

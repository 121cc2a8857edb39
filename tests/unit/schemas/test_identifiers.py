"""Identifiers as scanned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Undecodable
from schemas.identifiers import gs1_check_digit, parse_source, parse_subject, s10_check_digit
from schemas.positions import Position, Positions, parse_positions


def test_s10_check_digit_of_the_standards_example() -> None:
    assert s10_check_digit("47312482") == 9


def test_sscc_check_digit_of_the_standards_example() -> None:
    assert gs1_check_digit("10614141123456789") == 7


@pytest.mark.parametrize(
    ("text", "canonical", "check"),
    [
        ("yto:YT8812345678", "yto:YT8812345678", None),
        (" YTO: yt88 1234 5678 ", "yto:YT8812345678", None),
        ("RA473124829CN", "s10:RA473124829CN", True),
        ("s10:RA473124820CN", "s10:RA473124820CN", False),
        ("sscc:106141411234567897", "sscc:106141411234567897", True),
        ("sscc:106141411234567890", "sscc:106141411234567890", False),
        ("https://id.gs1.org/00/106141411234567897", "sscc:106141411234567897", True),
        ("https://example.com/some/path/00/106141411234567897?x=1", "sscc:106141411234567897", True),
    ],
)
def test_spellings_of_one_code_have_one_canonical_form(text: str, canonical: str, check: bool | None) -> None:
    found = parse_subject(text)

    assert str(found) == canonical
    assert found.check_digit_ok is check
    assert parse_subject(str(found)) == found


@pytest.mark.parametrize(
    "text", ["", "12345", "a b:c", "yto:", "yto:\x00", "yto:" + "9" * 65, "https://example.com/01/123", ":X"]
)
def test_what_names_no_issuer_and_code_is_refused(text: str) -> None:
    with pytest.raises(Undecodable) as refused:
        parse_subject(text)

    assert refused.value.field == "subject"
    assert refused.value.remedy


def test_a_source_names_depot_and_device() -> None:
    source = parse_source("/depots/H1/devices/sc_07")

    assert source == ("H1", "sc_07")
    assert str(source) == "/depots/H1/devices/sc_07"
    assert source.device_id == "H1.sc_07"
    assert parse_subject(source.subject).issuer == "device"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/depots/H1",
        "/depots/H1/devices/",
        "/depots/../devices/x",
        "/depots/H1/devices/a/b",
        "/depots/H1/devices/x\n",
    ],
)
def test_other_sources_are_refused(text: str) -> None:
    with pytest.raises(Undecodable):
        parse_source(text)


@given(st.dictionaries(st.integers(0, 500), st.integers(0, 10**15)))
def test_a_position_vector_reads_back(vector: dict[int, int]) -> None:
    positions = Positions(vector)
    if vector:
        assert parse_positions(str(positions)) == positions


@pytest.mark.parametrize("text", ["", "0", "0:", ":1", "a:b", "0:1,,1:2", "-1:2"])
def test_no_position_vector_is_refused(text: str) -> None:
    with pytest.raises(Undecodable):
        parse_positions(text)


def test_a_vector_covers_what_lies_before_it() -> None:
    vector = Positions({0: 5})

    assert vector.covers(Position(0, 4))
    assert not vector.covers(Position(0, 5))
    assert not vector.covers(Position(1, 0))
    assert vector.reaches({0: 5})
    assert not vector.reaches({0: 5, 1: 1})

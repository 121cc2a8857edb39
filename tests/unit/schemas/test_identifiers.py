"""Identifiers as scanned: the published examples, then the laws."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Undecodable
from schemas.identifiers import Subject, gs1_check_digit, parse_source, parse_subject, s10_check_digit
from schemas.positions import Position, Positions, parse_positions


@pytest.mark.parametrize(("serial", "digit"), [("47312482", 9), ("28704377", 5), ("00000000", 5)])
def test_s10_check_digit_of_the_standards_example(serial: str, digit: int) -> None:
    assert s10_check_digit(serial) == digit


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
    "text", ["", "12345", "a b:c", "yto:", "yto:\x00", "yto:" + "9" * 97, "https://example.com/01/123", ":X"]
)
def test_what_names_no_issuer_and_code_is_refused(text: str) -> None:
    with pytest.raises(Undecodable) as refused:
        parse_subject(text)

    assert refused.value.field == "subject"
    assert refused.value.remedy


# GS1 EPC Tag Data Standard 1.13, section 7 (URI, element string), and the translations of its examples into Digital
# Links that RalphTro/gs1-epc-digitallink-translator and openEPCIS test themselves against.
PUBLISHED = [
    ("urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908", "sscc:106141412345678908"),
    (
        "urn:epc:id:sgtin:0614141.812345.6789",
        "https://id.gs1.org/01/80614141123458/21/6789",
        "sgtin:80614141123458.6789",
    ),
    (
        "urn:epc:id:sgtin:0614141.712345.32a%2Fb",
        "https://id.gs1.org/01/70614141123451/21/32a%2Fb",
        "sgtin:70614141123451.32~61~2F~62",
    ),
    (
        "urn:epc:id:sgln:0614141.12345.400",
        "https://id.gs1.org/414/0614141123452/254/400",
        "gln:0614141123452.400",
    ),
    ("urn:epc:id:sgln:4012345.00011.0", "https://id.gs1.org/414/4012345000115", "gln:4012345000115"),
    (
        "urn:epc:id:grai:0614141.12345.5678",
        "https://id.gs1.org/8003/006141411234525678",
        "grai:0614141123452.5678",
    ),
    ("urn:epc:id:gsin:4012345.222333444", "https://id.gs1.org/402/40123452223334442", "gsin:40123452223334442"),
    (
        "urn:epc:id:ginc:0614141.xyz47%2F11",
        "https://id.gs1.org/401/0614141xyz47%2F11",
        "ginc:0614141~78~79~7A47~2F11",
    ),
]


@pytest.mark.parametrize(("epc", "link", "canonical"), PUBLISHED)
def test_the_published_spellings_of_a_gs1_key_are_one_subject(epc: str, link: str, canonical: str) -> None:
    found = parse_subject(epc)

    assert str(found) == canonical
    assert parse_subject(link) == found == parse_subject(canonical)
    assert found.check_digit_ok is (None if canonical.startswith("ginc") else True)


@pytest.mark.parametrize(
    "text",
    [
        "]C100106141411234567897",  # GS1-128
        "]C10010614141123456789702095060001343521510",  # and what follows it in the same bar code
        "]e000106141411234567897",  # GS1 DataBar
        "]d200106141411234567897",  # GS1 DataMatrix
        "]Q300106141411234567897",  # GS1 QR Code
        "\x1d00106141411234567897",  # FNC1, as scanners without symbology identifiers render it
        "]C1\x1d00106141411234567897",
        "(00)106141411234567897",  # as printed below the bars
        "(00) 1 0614141 123456789 7",
        "HTTPS://ID.EXAMPLE/00/106141411234567897",  # a QR code in capitals, which is smaller
    ],
)
def test_an_sscc_is_read_from_a_bar_code(text: str) -> None:
    assert parse_subject(text) == Subject("sscc", "106141411234567897", True)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://example.com/01/9506000134352/21/A1", "sgtin:09506000134352.A1"),
        ("https://example.com/p/01/09506000134352/22/2A/10/ABC/21/A1?17=290101", "sgtin:09506000134352.A1"),
        ("https://example.com/01/00/106141411234567897", "sscc:106141411234567897"),
        ("https://example.com/414/9506000134352/00/106141411234567897", "sscc:106141411234567897"),
        ("urn:epc:id:sgln:061414112345..400", "gln:0614141123452.400"),
    ],
)
def test_other_parts_of_a_link_do_not_matter(text: str, canonical: str) -> None:
    assert str(parse_subject(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "https://id.gs1.org/01/70614141123458/21/1",
        "https://id.gs1.org/414/0614141123459",
        "https://id.gs1.org/8003/006141411234595678",
        "https://id.gs1.org/402/40123452223334449",
        "https://id.gs1.org/00/106141411234567890",
        "gln:0614141123459",
        "sscc:7",
    ],
)
def test_a_bad_check_digit_is_flagged_and_never_fatal(text: str) -> None:
    assert parse_subject(text).check_digit_ok is False


@pytest.mark.parametrize(
    "text",
    [
        "https://id.gs1.org/01/09506000134352",
        "https://id.gs1.org/01/09506000134352/10/LOT",
        "https://id.gs1.org/8003/00614141123452",
        "https://id.gs1.org/01/09506000134352/21/" + "9" * 21,
        "https://id.gs1.org/01/09506000134352/21/a%20b",
        "https://id.gs1.org/401/%00",
        "https://id.gs1.org/401/%FF",
        "https://id.gs1.org/402/123",
        "https://id.gs1.org/00/\u0661\u0662" + "0" * 16,
        "urn:epc:id:sscc:0614141.123",
        "urn:epc:id:sscc:0614141.1234567890.5",
        "urn:epc:id:sgtin:0614141.812345",
        "urn:epc:id:giai:0614141.12345400",
        "urn:epc:id:\u017fscc:0614141.1234567890",  # a long s is an s to a careless comparison
        "http\u017f://id.gs1.org/414/0614141123452",
        "urn:epc:idpat:sgtin:0614141.812345.*",
        "00106141411234567897",
        "(00)10614141123456789",
        "(00)1061414112345678971",
        "(01)09506000134352",
    ],
)
def test_what_names_no_single_thing_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(Undecodable) as refused:
        parse_subject(text)

    assert refused.value.field == "subject"
    assert refused.value.remedy


DIGITS = "0123456789"
COMPANIES = st.text(DIGITS, min_size=6, max_size=12)
# Character set 82 of the GS1 General Specifications.
SERIALS = st.text("!\"%&'()*+,-./:;<=>?_" + DIGITS + "ABCXYZabcxyz", min_size=1, max_size=16)


@given(company=COMPANIES, filler=st.text(DIGITS, min_size=13, max_size=13), serial=SERIALS)
def test_an_epc_and_the_link_of_the_same_key_are_one_subject(company: str, filler: str, serial: str) -> None:
    item, plain, coded = filler[: 13 - len(company)], filler[: 12 - len(company)], quote(serial, safe="")
    gtin, other = item[:1] + company + item[1:], company + plain
    gtin, other = gtin + str(gs1_check_digit(gtin)), other + str(gs1_check_digit(other))

    for epc, link in (
        (f"sgtin:{company}.{item}.{coded}", f"01/{gtin}/21/{coded}"),
        (f"grai:{company}.{plain}.{coded}", f"8003/0{other}{coded}"),
        (f"sgln:{company}.{plain}.x{coded}", f"414/{other}/254/x{coded}"),
        (f"ginc:{company}.{coded}", f"401/{company}{coded}"),
    ):
        found = parse_subject(f"urn:epc:id:{epc}")
        assert found == parse_subject(f"https://example.com/{link}")
        assert found == parse_subject(str(found))
        assert found.check_digit_ok is not False


@given(one=SERIALS, other=SERIALS)
def test_two_serials_are_never_one_subject(one: str, other: str) -> None:
    first, second = (
        parse_subject(f"https://example.com/01/09506000134352/21/{quote(serial, safe='')}") for serial in (one, other)
    )

    assert (first == second) == (one == other)


@given(st.text(DIGITS, min_size=17, max_size=17), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(body: str, at: int, more: int) -> None:
    check = gs1_check_digit(body)
    wrong = body[:at] + str((int(body[at]) + more) % 10) + body[at + 1 :]

    assert parse_subject(f"sscc:{body}{check}").check_digit_ok
    assert not parse_subject(f"sscc:{wrong}{check}").check_digit_ok


@given(st.one_of(st.text(max_size=60), st.from_regex(r"(https?://|urn:epc:id:|\]C1|\(00\))[ -~]{0,80}\Z")))
def test_whatever_is_read_has_a_canonical_form_that_reads_back(text: str) -> None:
    try:
        found = parse_subject(text)
    except Undecodable:
        return

    assert parse_subject(str(found)) == found


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

"""Codes, sources, times and position vectors that name nothing, and those that are just read still."""

from collections.abc import Callable, Iterator

from schemas import codec
from schemas.errors import Undecodable
from schemas.identifiers import parse_source, parse_subject
from schemas.positions import parse_positions

LINK = "https://id.gs1.org"

SUBJECTS = (
    "parcel 7",
    "x" * 90,
    "yto/7:YT1",
    "RA473124829CN",
    "ra 473 124 829 cn",
    "RA47312482CN",
    "https://example.com/x",
    ":YT1",
    "y_to:YT1",
    "a" * 32 + ":YT1",
    "a" * 33 + ":YT1",
    "-yto:YT1",
    " YTO : yt 1 ",
    "yto:",
    "yto:YT,1",
    "yto:" + "A" * 96,
    "yto:" + "A" * 97,
    "yto:-1",
    f"{LINK}/01/09506000134352",
    f"{LINK}/01/09506000134352/21/" + "a" * 20,
    f"{LINK}/01/09506000134352/21/" + "a" * 21,
    f"{LINK}/01/9506000134352/21/S%2F1",
    f"{LINK}/01/9506000134352/21/S%201",
    f"{LINK}/01/950600013435/10/LOT/21/7",
    f"{LINK}/01/95060001343/21/7",
    f"{LINK}/401/" + "A" * 30,
    f"{LINK}/401/" + "A" * 31,
    f"{LINK}/402/95060001343520007",
    f"{LINK}/402/9506000134352000",
    f"{LINK}/414/9506000134352",
    f"{LINK}/414/9506000134352/254/" + "A" * 20,
    f"{LINK}/414/9506000134352/254/" + "A" * 21,
    f"{LINK}/414/950600013435",
    f"{LINK}/417/9506000134352",
    f"{LINK}/8003/09506000134352",
    f"{LINK}/8003/09506000134352" + "7" * 16,
    f"{LINK}/8003/09506000134352" + "7" * 17,
    f"{LINK}/8003/19506000134352777",
    f"{LINK}/00/10614141123456789",
    f"{LINK}/00/106141411234567897",
    f"{LINK}/shelf/00/106141411234567897?a=b",
    "urn:epc:id:sscc:0614141.1123456789",
    "urn:epc:id:sscc:0614141.1123456789.1",
    "urn:epc:id:sgtin:0614141.112345.400",
    "urn:epc:id:sgtin:0614141.112345",
    "urn:epc:id:sgln:0614141.12345.0",
    "urn:epc:id:sgln:0614141.12345.400",
    "urn:epc:id:grai:0614141.12345.400",
    "urn:epc:id:grai:0614141.12345",
    "urn:epc:id:gsin:0614141.123456789",
    "urn:epc:id:gsin:0614141.123456789.2",
    "urn:epc:id:ginc:0614141.xyz%2F7",
    "urn:epc:id:sgtin:0614141.1123456.400",
    "(00)106141411234567897",
    "(00) 1 0614141 123456789 7",
    "]C100106141411234567897",
)

SOURCES = (
    "/depots/H1/devices/SC07",
    "/depots/H1/devices/",
    "/depots/" + "H" * 64 + "/devices/" + "S" * 64,
    "/depots/" + "H" * 65 + "/devices/SC07",
    "/depots/H1/devices/" + "S" * 65,
    "x" * 90,
)

TIMES = ("2026-07-07T09:30:00+08:00", "2026-07-07T09:30:00", "soon", "never" * 20)

VECTORS = (
    "0:123,1:77",
    " 1:77 , 0:123",
    "0:" + "1" * 27,
    "0:" + "1" * 28,
    "",
    "0",
    "0:",
    ":1",
    "a:1",
    "0:b",
    "0:1;1:2" * 20,
)


def told() -> Iterator[tuple[str, str]]:
    """Each text with what is read from it, or what is said to it."""
    for text in SUBJECTS:
        yield f"subject {text}", _said(lambda given: str(parse_subject(given)), text)
    for text in SOURCES:
        yield f"source {text}", _said(lambda given: str(parse_source(given)), text)
    for text in TIMES:
        yield f"time {text}", _said(lambda given: codec.format_instant(codec.parse_instant(given)), text)
    yield "time of a contract: soon", _said(lambda given: str(codec.parse_instant(given, field="promised")), "soon")
    for text in VECTORS:
        yield f"positions {text}", _said(lambda given: str(parse_positions(given)), text)
    yield "positions since: x", _said(lambda given: str(parse_positions(given, field="since")), "x")


def _said(read: Callable[[str], str], text: str) -> str:
    try:
        return f"is read as {read(text)}"
    except Undecodable as error:
        return f"{error.field}: {error.reason}\n-> {error.remedy}"

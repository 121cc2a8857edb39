"""Identifiers as scanned, brought into one canonical form `issuer:code`, with their check digits looked at.

Carriers recycle codes and labels get scratched: a code is a name, not an identity, and a bad check digit is a
finding about the label. Nothing here refuses a code for its digits. Canonical forms are keys of logs: a spelling that
is read today is read alike for ever.

| spelling | canonical form |
|---|---|
| `issuer:code`, such as a carrier's waybill | the issuer in lower case, the code in upper case, without spaces |
| a bare UPU S10 code | `s10:` |
| SSCC: GS1 Digital Link (00), EPC URN, GS1 element string | `sscc:` and 18 digits |
| GTIN with serial: Digital Link (01, 21), EPC URN | `sgtin:`, 14 digits, a dot and the serial |
| GLN: Digital Link (414, 254), EPC URN | `gln:`, 13 digits, and with an extension a dot and the extension |
| GRAI with serial: Digital Link (8003), EPC URN | `grai:`, 13 digits, a dot and the serial |
| GSIN: Digital Link (402), EPC URN | `gsin:` and 17 digits |
| GINC: Digital Link (401), EPC URN | `ginc:` and the code |

GS1 tells lower from upper case in serials, extensions and consignment codes, and allows signs that a code has not:
there each of these is written `~` and two hexadecimal digits, so that two codes never become one.
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from schemas.errors import Undecodable

_ISSUER = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
# 96: a GINC of 30 characters, each of them written as three, still fits.
_CODE = re.compile(r"[A-Z0-9][A-Z0-9._~-]{0,95}\Z")
# What needs no work: nearly everything that is read after the door.
_CANONICAL = re.compile(r"([a-z0-9][a-z0-9-]{0,31}):([A-Z0-9][A-Z0-9._~-]{0,95})\Z")
_S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}\Z")
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


class Subject(NamedTuple):
    """A parcel, a unit or a registered thing, in canonical form."""

    issuer: str
    """Who gave the code: a GS1 key (`sscc`, `grai`, ...), `s10`, a carrier, or a registry (`party`, `device`, ...)."""
    code: str
    """Upper case, without spaces."""
    check_digit_ok: bool | None
    """None where the issuer's codes carry no check digit that we know."""

    def __str__(self) -> str:
        return f"{self.issuer}:{self.code}"


def s10_check_digit(serial: str) -> int:
    """The check digit of an eight-digit S10 serial number (UPU standard S10: weights 8 6 4 2 3 5 9 7, modulo 11)."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)


def gs1_check_digit(body: str) -> int:
    """The check digit that closes a GS1 key such as an SSCC (GS1 General Specifications 7.9: weights 3, 1)."""
    return -(3 * sum(map(int, body[::-2])) + sum(map(int, body[-2::-2]))) % 10


def parse_subject(text: str) -> Subject:
    """Read any spelling of the table above.

    Raises `Undecodable` when no issuer and code can be told; a wrong check digit is reported in the result instead.
    """
    found = _CANONICAL.match(text)
    issuer, code = found.groups() if found else _read(text)
    return Subject(issuer, code, _check_digit_ok(issuer, code))


def _read(text: str) -> tuple[str, str]:
    found = _SSCC_ELEMENT.match(text)
    if found:
        return "sscc", (found[1] or found[2]).replace(" ", "")
    text = text.strip()
    key = _of_link(text) if "://" in text else _of_epc(text)
    if key:
        return key
    if ":" in text and "/" not in text:
        issuer, _, code = text.partition(":")
        issuer, code = issuer.strip().lower(), code.replace(" ", "").upper()
    else:
        issuer, code = "s10", text.replace(" ", "").upper()
        if not _S10.match(code):
            raise Undecodable(
                f"{text[:80]!r} names no issuer",
                field="subject",
                remedy="Send issuer:code, for example yto:YT8812345678.",
            )
    if not _ISSUER.match(issuer):
        raise Undecodable(
            f"issuer {issuer[:40]!r} is not a name",
            field="subject",
            remedy="Use lower-case letters, digits and hyphens before the colon, at most 32.",
        )
    if not _CODE.match(code):
        raise Undecodable(
            f"code {code[:80]!r} has characters that no label carries",
            field="subject",
            remedy="Use letters, digits, dot, underscore, tilde and hyphen after the colon, at most 96.",
        )
    return issuer, code


# --- check digits -------------------------------------------------------------------------------------------------


def _closes(digits: str, length: int) -> bool:
    return (
        len(digits) == length
        and digits.isascii()
        and digits.isdecimal()
        and gs1_check_digit(digits[:-1]) == int(digits[-1])
    )


_CHECKS: dict[str, Callable[[str], bool]] = {
    "sscc": lambda code: _closes(code, 18),
    "gsin": lambda code: _closes(code, 17),
    "sgtin": lambda code: _closes(code.partition(".")[0], 14),
    "gln": lambda code: _closes(code.partition(".")[0], 13),
    "grai": lambda code: _closes(code.partition(".")[0], 13),
    "s10": lambda code: bool(_S10.match(code)) and s10_check_digit(code[2:10]) == int(code[10]),
}


def _check_digit_ok(issuer: str, code: str) -> bool | None:
    check = _CHECKS.get(issuer)
    return check(code) if check else None


# --- GS1 keys in their other spellings ----------------------------------------------------------------------------

# What a GS1 serial may hold (GS1 General Specifications 7.11, character set 82).
_SERIAL = re.compile(r"[!\"%&'()*+,./0-9:;<=>?A-Z_a-z-]+\Z")
_ESCAPED = re.compile(r"[^A-Z0-9._-]")

# As scanners send a GS1-128, DataBar, DataMatrix or QR code (with symbology identifier, or FNC1 as they render it),
# and as it is printed below the bars.
_SSCC_ELEMENT = re.compile(
    r"[ \t\r\n]*(?:(?:\]C1|\]e0|\]d2|\]Q3|\x1d)\x1d?00([0-9]{18})|\(00\)((?: *[0-9]){18}) *(?=[\r\n(]|\Z))"
)
# Read so from the first version on, whatever stands around it; therefore looked at before the other keys.
_SSCC_LINK = re.compile(r"https?://[^/?#]+(?:/[^/?#]+)*?/00/([0-9]{18})(?:[/?#].*)?\Z")
_LINK = re.compile(r"https?://[^/?#]+/([^?#]+)", re.IGNORECASE | re.ASCII)
_EPC = re.compile(r"urn:epc:id:(sscc|sgtin|sgln|grai|gsin|ginc):([0-9]{6,12})\.(.*)\Z", re.IGNORECASE | re.ASCII)


def _of_link(text: str) -> tuple[str, str] | None:
    """The key that a GS1 Digital Link names (GS1 Digital Link: URI syntax 1.4; `/key/value/qualifier/value`)."""
    found = _SSCC_LINK.match(text)
    if found:
        return "sscc", found[1]
    found = _LINK.match(text)
    if not found:
        return None
    parts = [unquote(part) for part in found[1].split("/")]
    for at, name in enumerate(parts[:-1]):
        value, further = parts[at + 1], parts[at + 2 :]
        qualifiers = dict(zip(further[::2], further[1::2], strict=False))
        if name == "00" and re.fullmatch(r"[0-9]{18}", value):
            return "sscc", value
        if name == "01" and re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", value):
            return _sgtin(value.zfill(14), qualifiers.get("21", ""))
        if name == "401":
            return _ginc(value)
        if name == "402" and re.fullmatch(r"[0-9]{17}", value):
            return "gsin", value
        if name == "414" and re.fullmatch(r"[0-9]{13}", value):
            return _gln(value, qualifiers.get("254", ""))
        if name == "8003" and re.match(r"0[0-9]{13}", value):
            return _grai(value[1:14], value[14:])
    return None


def _of_epc(text: str) -> tuple[str, str] | None:
    """The key that an EPC pure identity URI names (EPC Tag Data Standard, 6 and 7); its check digit is worked out."""
    found = _EPC.match(text)
    if not found:
        return None
    scheme, company, rest = found[1].lower(), found[2], found[3]
    if scheme == "ginc":
        return _ginc(company + unquote(rest))
    reference, dot, serial = rest.partition(".")
    serial = unquote(serial)
    if dot and scheme in {"sscc", "gsin"}:
        return None
    # The indicator of a GTIN and the extension digit of an SSCC stand before the company prefix.
    body = reference[:1] + company + reference[1:] if scheme in {"sgtin", "sscc"} else company + reference
    if len(body) != {"sscc": 17, "sgtin": 13, "sgln": 12, "grai": 12, "gsin": 16}[scheme] or not (
        body.isascii() and body.isdecimal()
    ):
        return None
    key = f"{body}{gs1_check_digit(body)}"
    match scheme:
        case "sgtin":
            return _sgtin(key, serial)
        case "sgln":
            return _gln(key, "" if serial == "0" else serial)  # 0 stands for none (EPC Tag Data Standard, 6.3.4)
        case "grai":
            return _grai(key, serial)
    return scheme, key


def _sgtin(gtin: str, serial: str) -> tuple[str, str]:
    if not serial:
        raise _no_single_thing(f"the GTIN {gtin}", "21")
    return "sgtin", f"{gtin}.{_escaped(serial, 20)}"


def _grai(asset: str, serial: str) -> tuple[str, str]:
    if not serial:
        raise _no_single_thing(f"the GRAI {asset}", "in 8003")
    return "grai", f"{asset}.{_escaped(serial, 16)}"


def _gln(location: str, extension: str) -> tuple[str, str]:
    return "gln", f"{location}.{_escaped(extension, 20)}" if extension else location


def _ginc(code: str) -> tuple[str, str]:
    return "ginc", _escaped(code, 30)


def _escaped(text: str, length_max: int) -> str:
    if len(text) > length_max or not _SERIAL.match(text):
        raise Undecodable(
            f"{text[:80]!r} is no GS1 serial or reference",
            field="subject",
            remedy=f"Send at most {length_max} of the characters that GS1 allows, percent-encoded.",
        )
    return _ESCAPED.sub(lambda found: f"~{ord(found[0]):02X}", text)


def _no_single_thing(named: str, where: str) -> Undecodable:
    return Undecodable(
        f"{named} without a serial names a kind of thing and no single one",
        field="subject",
        remedy=f"Send its serial too ({where}), or a code of your own as issuer:code.",
    )


# --- sources ------------------------------------------------------------------------------------------------------

_SOURCE = re.compile(r"/depots/([A-Za-z0-9_-]{1,64})/devices/([A-Za-z0-9_-]{1,64})\Z")


class Source(NamedTuple):
    """A device at a depot: the `source` of an event, `/depots/{depot}/devices/{device}`."""

    depot: str
    device: str

    def __str__(self) -> str:
        return f"/depots/{self.depot}/devices/{self.device}"

    @property
    def device_id(self) -> str:
        """The device's name across the installation, `{depot}.{device}`."""
        return f"{self.depot}.{self.device}"

    @property
    def subject(self) -> str:
        """The subject of the events that enrol and revoke this device (canonical, so in upper case)."""
        return f"device:{self.device_id.upper()}"


def parse_source(text: str) -> Source:
    """Read a `source`. Raises `Undecodable` when it does not name a depot and a device."""
    found = _SOURCE.match(text)
    if not found:
        raise Undecodable(
            f"source {text[:80]!r} names no device of a depot",
            field="source",
            remedy="Send /depots/{depot}/devices/{device}, with letters, digits, hyphen and underscore in both names.",
        )
    return Source(found[1], found[2])

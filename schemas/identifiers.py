"""Identifiers as scanned, brought into one canonical form `issuer:code`, with their check digits looked at.

Carriers recycle codes and labels get scratched: a code is a name, not an identity, and a bad check digit is a
finding about the label. Nothing here refuses a code for its digits.
"""

import re
from typing import NamedTuple

from schemas.errors import Undecodable

_ISSUER = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9._~-]{0,63}\Z")
_S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}\Z")
_SSCC_LINK = re.compile(r"https?://[^/?#]+(?:/[^/?#]+)*?/00/([0-9]{18})(?:[/?#].*)?\Z")

_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


class Subject(NamedTuple):
    """A parcel, a unit or a registered thing, in canonical form."""

    issuer: str
    """Who gave the code: `sscc`, `s10`, a carrier, or a registry (`party`, `device`, `policy`)."""
    code: str
    """Upper case, without spaces."""
    check_digit_ok: bool | None
    """None where the issuer's codes carry no check digit that we know."""

    def __str__(self) -> str:
        return f"{self.issuer}:{self.code}"


def s10_check_digit(serial: str) -> int:
    """The check digit of an eight-digit S10 serial number (UPU standard S10: weights 8 6 4 2 3 5 9 7, modulo 11)."""
    rest = 11 - sum(int(d) * w for d, w in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)


def gs1_check_digit(body: str) -> int:
    """The check digit that closes a GS1 key such as an SSCC (GS1 General Specifications 7.9: weights 3, 1)."""
    return -sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(body))) % 10


def parse_subject(text: str) -> Subject:
    """Read `issuer:code`, a GS1 Digital Link with an SSCC, or a bare S10 code.

    Raises `Undecodable` when no issuer and code can be told; a wrong check digit is reported in the result instead.
    """
    text = text.strip()
    link = _SSCC_LINK.match(text)
    if link:
        issuer, code = "sscc", link[1]
    elif ":" in text and "/" not in text:
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
            remedy="Use letters, digits, dot, underscore, tilde and hyphen after the colon, at most 64.",
        )
    return Subject(issuer, code, _check_digit_ok(issuer, code))


def _check_digit_ok(issuer: str, code: str) -> bool | None:
    if issuer == "sscc":
        return len(code) == 18 and code.isdecimal() and gs1_check_digit(code[:-1]) == int(code[-1])
    if issuer == "s10":
        return bool(_S10.match(code)) and s10_check_digit(code[2:10]) == int(code[10])
    return None


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

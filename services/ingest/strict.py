"""JSON that can mean one thing only: well-formed UTF-8, no NaN, no key twice, not too deep. PURE.

A lenient parser would let two readers of the same evidence see two different events.
"""

import json
import re
from typing import Any

import msgspec

from schemas.errors import Reason

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_OPENERS = b"{["
_CLOSERS = b"}]"
_KEY_SHOWN_MAX = 60


def fault(raw: bytes, depth_max: int) -> Reason | None:
    """Why these bytes are no unambiguous JSON value, or None when they are one."""
    try:
        value = _decoder.decode(raw)
    except RecursionError:
        return _too_deep(depth_max)
    except UnicodeDecodeError as error:
        return Reason("NOT_UTF8", "", f"The JSON is not valid UTF-8: {error.reason}.", "Encode the text as UTF-8.")
    except msgspec.MsgspecError as error:
        return Reason("MALFORMED_JSON", "", f"{error}.", "Send JSON as RFC 8259 says; NaN and Infinity are not JSON.")
    # Fewer brackets than levels allowed: cannot be too deep. Nearly every event ends here.
    if raw.count(b"{") + raw.count(b"[") > depth_max and _depth(raw) > depth_max:
        return _too_deep(depth_max)
    # Written out again it gives the same bytes: then no key was dropped. True for what most encoders send.
    if _encoder.encode(value) != raw and _members_written(raw) != _members_kept(value):
        key = _repeated_key(raw)
        return Reason(
            "DUPLICATE_KEY", key, f"The key {key!r} stands twice in one object.", "Send every key of an object once."
        )
    return None


def _depth(raw: bytes) -> int:
    deepest = level = 0
    for byte in _STRING.sub(b"", raw):
        if byte in _OPENERS:
            level += 1
            deepest = max(deepest, level)
        elif byte in _CLOSERS:
            level -= 1
    return deepest


def _members_written(raw: bytes) -> int:
    """How many `key: value` pairs the well-formed JSON holds: outside strings a colon is nothing else."""
    return _STRING.sub(b"", raw).count(b":")


def _members_kept(value: Any) -> int:
    """How many of them a parser kept."""
    if isinstance(value, dict):
        return len(value) + sum(map(_members_kept, value.values()))
    if isinstance(value, list):
        return sum(map(_members_kept, value))
    return 0


class _Repeated(Exception):
    """Ends the search for the key; args[0] is the key."""


def _repeated_key(raw: bytes) -> str:
    def note(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Repeated(key)
            seen.add(key)

    try:
        # Numbers stay text: Python refuses to read integers of thousands of digits.
        json.loads(raw, object_pairs_hook=note, parse_int=str, parse_float=str)
    except _Repeated as found:
        return str(found.args[0])[:_KEY_SHOWN_MAX]
    raise AssertionError("members were lost without a repeated key")


def _too_deep(depth_max: int) -> Reason:
    return Reason(
        "TOO_DEEP", "", f"The JSON is nested deeper than {depth_max} levels.", f"Use at most {depth_max} levels."
    )

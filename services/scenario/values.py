"""What the values of a story file may be, key by key: a value that cannot be meant is answered with a sentence.

Pure: text, lists and mappings in; None, or what is wrong with them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from schemas.vocabulary import (
    CaptureMode,
    Confidence,
    DamageMode,
    Facet,
    FindingKind,
    Outcome,
    PartyRole,
    Proof,
    Regime,
    Severity,
    SharePolicy,
)

Check = Callable[[Any], str | None]
"""Says what is wrong with a value; None: nothing is."""

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([dhms])")
_UNITS: dict[str, Callable[[float], timedelta]] = {
    "d": lambda n: timedelta(days=n),
    "h": lambda n: timedelta(hours=n),
    "m": lambda n: timedelta(minutes=n),
    "s": lambda n: timedelta(seconds=n),
}


def duration_of(text: str) -> timedelta | None:
    """The duration that a text such as `3d+2m` means; None where it means none."""
    total = timedelta()
    for part in text.split("+"):
        match = _DURATION.fullmatch(part.strip())
        if match is None:
            return None
        try:
            total += _UNITS[match[2]](float(match[1]))
        except OverflowError:
            return None
    return total


def span_of(text: str) -> tuple[timedelta, timedelta] | None:
    """The span that a text such as `1d..3d` means; None where it means none."""
    since, separator, until = text.partition("..")
    ends = duration_of(since), duration_of(until)
    if not separator or ends[0] is None or ends[1] is None or ends[0] > ends[1]:
        return None
    return ends[0], ends[1]


def problem(name: str, value: Any, checks: Mapping[str, Check]) -> str | None:
    """What is wrong with the value of a key, as a sentence; None where nothing is known to be."""
    check = checks.get(name)
    wrong = check(value) if check is not None else None
    return None if wrong is None else f"{name}: {wrong}."


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "a single value belongs here"


def _matching(pattern: str, meant: str) -> Check:
    shape = re.compile(pattern)

    def check(value: Any) -> str | None:
        if isinstance(value, str) and shape.fullmatch(value):
            return None
        return f"{_shown(value)} is not {meant}"

    return check


def _one_of(words: type[StrEnum]) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, str) and value in tuple(words):
            return None
        return f"{_shown(value)} is none of {', '.join(words)}"

    return check


def _duration(value: Any) -> str | None:
    if isinstance(value, str) and duration_of(value) is not None:
        return None
    return f"{_shown(value)} is no time; write for example 2h, 2.5d or 3d+2m"


def _span(value: Any) -> str | None:
    if isinstance(value, str) and span_of(value) is not None:
        return None
    return f"{_shown(value)} is no span of time; write for example 1d..2d"


def _share(value: Any) -> str | None:
    try:
        return None if isinstance(value, str) and 0 <= Fraction(value) <= 1 else f"{_shown(value)} is no share"
    except (ValueError, ZeroDivisionError):
        return f"{_shown(value)} is no share; write for example 1/3 or .5"


def _each(check: Check, *, length: int | None = None) -> Check:
    def check_all(value: Any) -> str | None:
        if not isinstance(value, list):
            return f"{_shown(value)} must be a list"
        if length is not None and len(value) != length:
            return f"{_shown(value)} must have {length} entries"
        return _first(check(each) for each in value)

    return check_all


def _keyed(checks: Mapping[str, Check], *, needed: Iterable[str] = ()) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return f"{_shown(value)} must be a mapping of keys to values"
        unknown = sorted(value.keys() - checks.keys())
        if unknown:
            return f"there is no key {unknown[0]!r}; there may be {', '.join(sorted(checks))}"
        missing = sorted(set(needed) - value.keys())
        if missing:
            return f"there is no {missing[0]}"
        return _first(problem(name, each, checks) for name, each in value.items())

    return check


def _every(check: Check) -> Check:
    """A mapping of whatever names to values of one kind."""

    def check_all(value: Any) -> str | None:
        if not isinstance(value, dict):
            return f"{_shown(value)} must be a mapping of names to values"
        return _first(check(each) for each in value.values())

    return check_all


def _first(problems: Iterable[str | None]) -> str | None:
    found = next((problem for problem in problems if problem is not None), None)
    return found.rstrip(".") if found is not None else None


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else "this"


_yes_or_no = _matching("true|false", "true or false")
_whole = _matching("[0-9]{1,9}", "a whole number")
_number = _matching(r"[0-9]{0,9}\.?[0-9]{1,9}", "a number")
_code = _matching("[a-z][a-z0-9_]{0,47}", "a code: lower case, digits and underscores")
_party = _matching("[A-Za-z0-9_-]{1,32}", "a party's name: letters, digits, hyphens and underscores")
_piece = _matching("[A-Za-z0-9_.-]{1,64}", "a piece's number")

PARTY = _party
"""A party's name."""

SETTING_VALUES: Mapping[str, Check] = {
    "policy": _one_of(SharePolicy),
    "regime": _one_of(Regime),
    "table": _every(_whole),
    "tau_g": _whole,
    **dict.fromkeys(
        (
            "handoff_window", "reservation_window", "opening_window", "locker_notice", "late_after", "unit_max_stay",
            "clock_skew", "deemed_lost",
        ),
        _duration,
    ),
    "notice_days": _whole,
    "packing_share": _matching("[0-9]+/[1-9][0-9]*", "a fraction such as 1/2"),
    **dict.fromkeys(("auto_accept_is_clean", "import_accept_is_clean", "drop_is_delivery"), _yes_or_no),
    "reservation_grounds": _each(_code),
}  # fmt: skip

PARTY_VALUES: Mapping[str, Check] = {
    "role": _one_of(PartyRole),
    "contracting": _yes_or_no,
    "freight": _number,
    "entity": _party,
}

EVENT_VALUES: Mapping[str, Check] = {
    **dict.fromkeys(("from", "by", "countersigned_by"), _party),
    **dict.fromkeys(("to", "unit", "parcel", "old", "new", "holds", "corrects", "seal"), _text),
    **dict.fromkeys(
        ("signed", "neutral", "tamper", "consent", "unattended", "overage", "match", "both_seen"), _yes_or_no
    ),
    **dict.fromkeys(("component", "person", "address", "because"), _code),
    "site": _matching("[A-Za-z0-9_.:-]{1,64}", "a site's code"),
    "mode": _one_of(CaptureMode),
    "proof": _one_of(Proof),
    "damage": _one_of(DamageMode),
    "severity": _one_of(Severity),
    "finding": _one_of(FindingKind),
    "grams": _whole,
    "pieces": _each(_piece),
    "reservation": _keyed(
        {"facet": _one_of(Facet), "grounds": _text, "component": _code, "words": _text}, needed=["facet"]
    ),
    "for": _duration,
    "promised": _duration,
    "plan": _every(_duration),
    "armed": _each(_span),
    "exceedances": _each(_keyed({"t": _duration, "g": _number}, needed=["t"])),
}

_ASKED: Mapping[str, Check] = {"component": _code, "damage": _one_of(DamageMode), "severity": _one_of(Severity)}
ASK_VALUES: Mapping[str, Check] = {**_ASKED, "piece": _piece, "parcel": _text, "union": _each(_keyed(_ASKED))}

_names = _each(_text)
_end = _keyed({"event": _text, "how": _text, "grade": _whole, "t": _duration})
EXPECT_VALUES: Mapping[str, Check] = {
    "outcome": _one_of(Outcome),
    "confidence": _one_of(Confidence),
    "cause": _text,
    "applicable_regime": _text,
    "liable": _every(_share),
    **dict.fromkeys(
        ("proved", "rules", "flags", "open_alternatives", "excluded", "gaps", "footage", "external_debtors"), _names
    ),
    "L": _end,
    "U": _end,
    "last_seen_intact": _keyed({"event": _text, "observer": _text, "t": _duration}),
    "exposure": _each(_each(_duration, length=2)),
    "zones": _each(_each(_text, length=2)),
    "delay_h": _every(_number),
    "version": _whole,
    "replaces": _whole,
}

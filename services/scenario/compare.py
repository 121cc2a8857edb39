"""Holds an answer against what a story expects, key by key, in the story's own names."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from schemas import codec
from services.scenario.build import Compiled
from services.scenario.story import Ask, duration_of

Answer = Mapping[str, Any]
"""A verdict as the API gives it: JSON objects, lists and text."""


def differences(compiled: Compiled, ask: Ask, answer: Answer | None) -> list[str]:
    """What is not as expected, a sentence each; empty where all is. Only keys that the story names are looked at."""
    if ask.expect is None:
        return [] if answer is None else [f"expected no verdict, got {answer['outcome']}"]
    if answer is None:
        return ["expected a verdict, none stands"]
    found = []
    for key, expected in ask.expect.items():
        got = _told(compiled, key, answer)
        if not _agree(compiled, key, expected, got):
            found.append(f"{key}: expected {_shown(expected)}, got {_shown(got)}")
    return found


_CONTAINED = ("rules", "flags", "gaps", "excluded")
"""Lists that must contain what is named; named empty, they must be empty."""
_SETS = ("proved", "open_alternatives", "external_debtors", "footage")


def _told(compiled: Compiled, key: str, answer: Answer) -> Any:
    """What the answer says under a key, with the run's prefix taken off."""
    value = answer.get(key)
    told = compiled.told
    match key:
        case "liable":
            return {told(share["party"]): share["share"] for share in value or ()}
        case "excluded":
            return [told(excluded["event"]) for excluded in value or ()]
        case "footage":
            return [told(asked["party"]) for asked in value or ()]
        case "gaps":
            return [" ".join(told(word) for word in gap.split(" ")) for gap in value or ()]
        case "proved" | "open_alternatives" | "external_debtors":
            return [told(party) for party in value or ()]
        case "zones":
            return [[told(party) for party in zone] for zone in value or ()]
        case "delay_h":
            return {told(party): hours for party, hours in (value or {}).items()}
        case "replaces":
            return value["version"] if value else None
        case "version":
            return value if value is not None else 1
        case "L" | "U" | "last_seen_intact" if value:
            names = {name: value.get(name) for name in value}
            return {
                name: told(part) if name in ("event", "observer") and part is not None else part
                for name, part in names.items()
            }
    return value


def _agree(compiled: Compiled, key: str, expected: Any, got: Any) -> bool:
    if key in _CONTAINED:
        return set(expected) <= set(got or ()) if expected else not got
    if key in _SETS:
        return set(expected) == set(got)
    match key:
        case "liable":
            return {party: Fraction(share) for party, share in expected.items()} == {
                party: Fraction(share) for party, share in got.items()
            }
        case "zones":
            return {frozenset(zone) for zone in expected} == {frozenset(zone) for zone in got}
        case "delay_h":
            return expected.keys() == got.keys() and all(
                abs(float(hours) - got[party]) * 3600 < 1 for party, hours in expected.items()
            )
        case "exposure":
            spans = {tuple(_instant(t) for t in span) for span in got or ()}
            return {_span(compiled, span) for span in expected} == spans
        case "L" | "U" | "last_seen_intact":
            return got is not None and all(
                _same_part(compiled, name, part, got.get(name)) for name, part in expected.items()
            )
    return str(expected) == str(got)


def _same_part(compiled: Compiled, name: str, expected: str, got: Any) -> bool:
    if name == "t":
        length = duration_of(expected)
        return length is not None and compiled.instant(length) == _instant(got)
    if expected == "null":
        return got is None
    return str(expected) == str(got)


def _span(compiled: Compiled, span: Sequence[str]) -> tuple[datetime | None, ...]:
    lengths = (duration_of(end) for end in span)
    return tuple(compiled.instant(length) if length is not None else None for length in lengths)


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else codec.parse_instant(value)


def _shown(value: Any) -> str:
    return str(value) if value not in (None, [], {}) else "nothing"

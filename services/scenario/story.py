"""Reads a story file: parties, settings, events, questions. A bad file is answered with its line and a sentence.

Pure: text in, values out. Scalars are read as text, so that a seal 0111 keeps its zero and a party NO is no boolean.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import yaml

from schemas.vocabulary import Condition, Facet, FindingKind
from services.scenario.keys import (
    ACTS,
    AMOUNT_KEYS,
    ASK_KEYS,
    EVENT_KEYS,
    EXPECT_KEYS,
    PARTY_KEYS,
    SETTINGS,
    STORY_KEYS,
)
from services.scenario.values import (
    ASK_VALUES,
    EVENT_VALUES,
    EXPECT_VALUES,
    PARTY,
    PARTY_VALUES,
    SETTING_VALUES,
    Check,
    duration_of,
    problem,
    span_of,
)

Fields = Mapping[str, Any]


class StoryError(Exception):
    """The file is not a story. `line` counts from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody saw of a facet. No grade: the rules derive it from how it was captured."""

    facet: Facet
    value: Condition
    grade: int | None


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One act of the story. `fields` holds what else was written, as text."""

    line: int
    id: str
    t: timedelta
    recorded: timedelta
    do: str
    by: str
    see: tuple[Seen, ...]
    fields: Fields


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, and the answer that is expected: None where no verdict should stand."""

    line: int
    finding: FindingKind
    as_of: timedelta
    fields: Fields
    expect: Fields | None


@dataclass(frozen=True, slots=True)
class Story:
    """A claim with its answer."""

    name: str
    parties: Mapping[str, Fields]
    settings: Fields
    promised: timedelta | None
    plan: Mapping[str, timedelta]
    missing_grams: int | None
    events: tuple[StoryEvent, ...]
    asks: tuple[Ask, ...]
    amounts: tuple[Fields, ...] = field(default=())


def parse_story(text: str) -> Story:
    """Read a story. Raises `StoryError` with the line at fault."""
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise StoryError(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise StoryError(1, f"this is not YAML: {error}.") from error
    if root is None:
        raise StoryError(1, "the file is empty; a story needs a name, events and asks.")
    top = _mapping(root, "a story", STORY_KEYS)
    if "name" not in top:
        raise StoryError(1, "the story has no name.")
    if "amounts" not in top and not {"events", "ask"} <= top.keys():
        raise StoryError(1, "a story has events and ask, or amounts.")
    parties = {
        name: _values(_mapping(node, f"party {name}", PARTY_KEYS), PARTY_VALUES)
        for name, node in _parties(top.get("parties"), "parties").items()
    }
    settings = _values(_known(top.get("settings"), "settings", SETTINGS), SETTING_VALUES)
    events = tuple(_event(node) for node in _sequence(top.get("events"), "events"))
    return Story(
        name=_text(top["name"]),
        parties=parties,
        settings=settings,
        promised=duration(top["promised"]) if "promised" in top else None,
        plan={name: duration(node) for name, node in _parties(top.get("plan"), "plan").items()},
        missing_grams=_whole(top["missing_g"]) if "missing_g" in top else None,
        events=events,
        asks=tuple(_ask(node) for node in _sequence(top.get("ask"), "ask")),
        amounts=tuple(_amount(node) for node in _sequence(top.get("amounts"), "amounts")),
    )


def _event(node: yaml.Node) -> StoryEvent:
    found = _mapping(node, "an event", EVENT_KEYS)
    for name in ("id", "t", "do"):
        if name not in found:
            raise StoryError(_line(node), f"this event has no {name}.")
    do = _text(found["do"])
    if do not in ACTS:
        raise StoryError(_line(found["do"]), f"nobody can {do!r}; one can {', '.join(ACTS)}.")
    t = duration(found["t"])
    special = {"id", "t", "do", "by", "see", "recorded"}
    fields = _values({name: value for name, value in found.items() if name not in special}, EVENT_VALUES)
    return StoryEvent(
        line=_line(node),
        id=_text(found["id"]),
        t=t,
        recorded=duration(found["recorded"]) if "recorded" in found else t,
        do=do,
        by=_values({"by": found["by"]}, EVENT_VALUES)["by"] if "by" in found else "",
        see=tuple(_seen(facet, value) for facet, value in _pairs(found.get("see"), "see").items()),
        fields=fields,
    )


_SEEN = re.compile(r"(ok|bad|unexamined)(?:@([0-5]))?\Z")


def _seen(facet: str, node: yaml.Node) -> Seen:
    match = _SEEN.match(_text(node))
    if match is None:
        raise StoryError(_line(node), f"{_text(node)!r} is not ok, bad or unexamined with a grade such as @4.")
    try:
        return Seen(Facet(facet), Condition(match[1]), int(match[2]) if match[2] else None)
    except ValueError as error:
        raise StoryError(_line(node), f"there is no facet {facet!r}; there are {', '.join(Facet)}.") from error


_ASKED_APART = ("finding", "as_of", "expect")


def _ask(node: yaml.Node) -> Ask:
    found = _mapping(node, "an ask", ASK_KEYS)
    for name in ("finding", "as_of", "expect"):
        if name not in found:
            raise StoryError(_line(node), f"this ask has no {name}.")
    try:
        kind = FindingKind(_text(found["finding"]))
    except ValueError as error:
        raise StoryError(_line(found["finding"]), f"there is no finding {_text(found['finding'])!r}.") from error
    expected = found["expect"]
    nothing = isinstance(expected, yaml.ScalarNode)
    if nothing and expected.value != "none":
        raise StoryError(_line(expected), "expect either a mapping of the verdict's keys or none.")
    return Ask(
        line=_line(node),
        finding=kind,
        as_of=duration(found["as_of"]),
        fields=_values({name: found[name] for name in found if name not in _ASKED_APART}, ASK_VALUES),
        expect=None if nothing else _values(_mapping(expected, "expect", EXPECT_KEYS), EXPECT_VALUES),
    )


def _amount(node: yaml.Node) -> Fields:
    return {name: _plain(value) for name, value in _mapping(node, "an amount", AMOUNT_KEYS).items()}


__all__ = [
    "Ask",
    "Seen",
    "Story",
    "StoryError",
    "StoryEvent",
    "duration_of",
    "parse_story",
    "span_of",
]


def duration(node: yaml.Node) -> timedelta:
    """Read `2d`, `2.5d`, `3d+2m`. Raises `StoryError`."""
    found = duration_of(_text(node))
    if found is None:
        raise StoryError(_line(node), f"{_text(node)!r} is no time; write for example 2d, 2.5d or 3d+2m.")
    return found


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise StoryError(_line(node), "a single value belongs here.")
    return str(node.value)


def _whole(node: yaml.Node) -> int:
    if not _text(node).isdecimal():
        raise StoryError(_line(node), f"{_text(node)!r} is not a whole number.")
    return int(_text(node))


def _pairs(node: yaml.Node | None, what: str) -> dict[str, yaml.Node]:
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise StoryError(_line(node), f"{what} must be a mapping of keys to values.")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _text(key)
        if name in found:
            raise StoryError(_line(key), f"{name!r} is written twice in {what}.")
        found[name] = value
    return found


def _parties(node: yaml.Node | None, what: str) -> dict[str, yaml.Node]:
    """A mapping whose keys are parties."""
    found = _pairs(node, what)
    for name, value in found.items():
        wrong = PARTY(name)
        if wrong is not None:
            raise StoryError(_line(value), f"{wrong}.")
    return found


def _values(found: Mapping[str, yaml.Node], checks: Mapping[str, Check]) -> dict[str, Any]:
    """The values as text, lists and dicts, each of which can be meant."""
    values = {}
    for name, node in found.items():
        values[name] = _plain(node)
        wrong = problem(name, values[name], checks)
        if wrong is not None:
            raise StoryError(_line(node), wrong)
    return values


def _mapping(node: yaml.Node, what: str, keys: frozenset[str]) -> dict[str, yaml.Node]:
    return _known(node, what, keys)


def _known(node: yaml.Node | None, what: str, keys: frozenset[str]) -> dict[str, yaml.Node]:
    found = _pairs(node, what)
    for name, value in found.items():
        if name not in keys:
            raise StoryError(_line(value), f"{what} has no key {name!r}; it may have {', '.join(sorted(keys))}.")
    return found


def _sequence(node: yaml.Node | None, what: str) -> list[yaml.Node]:
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise StoryError(_line(node), f"{what} must be a list.")
    return list(node.value)


def _plain(node: yaml.Node, depth: int = 0) -> Any:
    """A node as text, lists and dicts of text."""
    if depth > 8:
        raise StoryError(_line(node), "this is nested too deeply.")
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, depth + 1) for each in node.value]
    return {name: _plain(each, depth + 1) for name, each in _pairs(node, "this").items()}

"""Tells stories to a running system through its public API, compares its answers, and prints a table."""

import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from schemas import codec
from schemas.events import PolicySet
from services.scenario.build import DAY_0, Compiled, Posting, compile_story
from services.scenario.compare import differences
from services.scenario.story import Ask, Story, StoryError, parse_story
from services.scenario.system import RefusedError, StorySystem

Say = Callable[[str], None]

_NAME_WIDTH_MAX = 60
_NARROWED_BY = ("component", "damage", "severity", "piece")


@dataclass(frozen=True, slots=True)
class Result:
    """One question of a story, and how the answer compares."""

    story: str
    asked: str
    answer: str
    shortfalls: tuple[str, ...]
    """What is not as expected; empty: all is."""


def _on_standard_error(line: str) -> None:
    sys.stderr.write(line + "\n")


def run(
    files: Sequence[Path],
    *,
    via: str | None = None,
    key: str | None = None,
    say: Say = print,
    progress: Say = _on_standard_error,
) -> int:
    """Tell each story, ask its questions, print a table; 0 when every answer is as expected, else 1.

    Without `via` a system is started for it and stopped afterwards. Raises `WrongSystemError` where none can be told.
    """
    stories, unreadable = _read(files)
    for sentence in unreadable:
        say(sentence)
    results: list[Result] = []
    if stories:
        with _system(via, key, progress) as system:
            for name, story in stories:
                progress(f"Telling {name}")
                results += _told(system, name, story)
    for line in table(results):
        say(line)
    wrong = sum(bool(result.shortfalls) for result in results)
    say(f"{len(results) - wrong} of {len(results)} answers as expected, in {len(stories)} stories.")
    return 1 if wrong or unreadable else 0


def _read(files: Sequence[Path]) -> tuple[list[tuple[str, Story]], list[str]]:
    stories: list[tuple[str, Story]] = []
    unreadable: list[str] = []
    for path in files:
        try:
            stories.append((path.stem, parse_story(path.read_text(encoding="utf-8"))))
        except StoryError as error:
            unreadable.append(f"{path}: {error}")
        except UnicodeDecodeError as error:
            unreadable.append(f"{path}: this is not UTF-8 (byte {error.start}).")
    return stories, unreadable


@contextmanager
def _system(via: str | None, key: str | None, progress: Say) -> Iterator[StorySystem]:
    if via is not None:
        with StorySystem(via, key) as system:
            system.check()
            yield system
        return
    from services.embedded import Embedded

    with (
        tempfile.TemporaryDirectory(prefix="lastintact-story-") as directory,
        Embedded(Path(directory), story_clock=True, say=progress) as started,
        StorySystem(started.url, started.admin_key) as system,
    ):
        yield system


def _told(system: StorySystem, name: str, story: Story) -> list[Result]:
    """Tell one story after everything that is recorded there, under names of its own, and ask its questions."""
    if story.amounts:
        return [Result(name, "amounts", "-", ("not yet: claim amounts are not computed by this version",))]
    day_0 = _day_after(system.latest_record_time())
    # Two stories of one system never share a day, so the day tells their names apart.
    prefix = f"d{(day_0 - DAY_0).days}-" if day_0 != DAY_0 else ""
    try:
        compiled = compile_story(story, prefix=prefix, day_0=day_0)
        system.settle(system.post(_to_post(system, compiled)))
    except (StoryError, RefusedError) as error:
        return [Result(name, "-", "-", (str(error),))]
    return [_asked(system, name, compiled, ask) for ask in story.asks]


def _day_after(latest: datetime | None) -> datetime:
    """A midnight after every record: record times never go back, so an earlier date would not be kept."""
    if latest is None:
        return DAY_0
    midnight = latest.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(midnight + timedelta(days=1), DAY_0)


def _to_post(system: StorySystem, compiled: Compiled) -> tuple[Posting, ...]:
    """What there is to record: all but settings that are in force already, since they touch every open case there.

    Raises `RefusedError` for settings that an earlier story made and this one cannot take back: they would change its
    answers unseen.
    """
    made = system.settings_made()
    kept = []
    for posting in compiled.envelopes:
        if posting.envelope.type == PolicySet.TYPE:
            own = msgspec.json.decode(posting.envelope.data)
            left = sorted(made.keys() - own.keys())
            if left:
                raise RefusedError(
                    f"an earlier story on this system set {', '.join(left)}, which this one leaves at its default and "
                    "cannot take back; tell it to a fresh system"
                )
            if made == own:
                continue
        kept.append(posting)
    return tuple(kept)


def _asked(system: StorySystem, name: str, compiled: Compiled, ask: Ask) -> Result:
    as_of = compiled.instant(ask.as_of)
    asked = f"{ask.finding} {_days(ask.as_of)}"
    subject = compiled.subject(ask.fields.get("parcel"))
    question = {"as_of": codec.format_instant(as_of)}
    try:
        if "union" in ask.fields:
            parts = ",".join(_finding(ask, part) for part in ask.fields["union"])
            answer = system.union(subject, question | {"of": parts})
        else:
            narrowed = {word: ask.fields[word] for word in _NARROWED_BY if word in ask.fields}
            answer = system.verdict(subject, question | {"finding": str(ask.finding)} | narrowed)
    except RefusedError as error:
        return Result(name, asked, "-", (str(error),))
    return Result(name, asked, _short(compiled, answer), tuple(differences(compiled, ask, answer)))


def _finding(ask: Ask, part: Mapping[str, str]) -> str:
    """A part of a union as the API spells a finding."""
    words = [part.get("component", "whole"), part.get("damage", "any"), part.get("severity", "any")]
    return "/".join([str(ask.finding), *words])


def _short(compiled: Compiled, answer: Any) -> str:
    if answer is None:
        return "no verdict stands"
    liable = ", ".join(f"{compiled.told(share['party'])} {share['share']}" for share in answer["liable"])
    return " ".join(part for part in (answer["outcome"], liable, answer["confidence"]) if part)


def _days(since_day_0: timedelta) -> str:
    return f"{since_day_0 / timedelta(days=1):g}d"


def table(results: Sequence[Result]) -> Iterator[str]:
    """The results as lines: one per question, and below it one per difference. Columns hold Chinese names too."""
    rows = [("story", "asked", "answer", "")]
    rows += [(result.story, result.asked, result.answer, _mark(result)) for result in results]
    widths = [max(_width(_cut(row[column])) for row in rows) for column in range(3)]
    for row, result in zip(rows, [None, *results], strict=True):
        cells = [_padded(_cut(cell), width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[3]]).rstrip()
        if result is not None:
            yield from (f"    {sentence}" for sentence in result.shortfalls)


def _mark(result: Result) -> str:
    if not result.shortfalls:
        return "ok"
    return "DIFFERS"


def _cut(text: str) -> str:
    while _width(text) > _NAME_WIDTH_MAX:
        text = text[:-2] + "…"
    return text


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))

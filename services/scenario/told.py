"""The event of an act with what goes beside its data, and how the words of an act are read."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from schemas.events import Event
from services.scenario.names import Names
from services.scenario.story import StoryError, StoryEvent, duration_of

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an act."""

    data: Event
    subject: str
    by: str
    """Whose scanner recorded it, by the story's name."""
    role: str = "scanner"
    """The API role that posts it. All but a scanner's own events are typed in at the office, unsigned."""
    suffix: str = ""
    """Tells the ids of several events of one act apart; the act's own id is that of the event without."""


def on_its_scanner(data: Event, event: StoryEvent, names: Names) -> tuple[Told, ...]:
    """Recorded by the scanner of whoever did it, about what the story says."""
    return (Told(data, names.subject_of(event), event.by),)


def yes(event: StoryEvent, name: str) -> bool | None:
    """Yes, no, or not said."""
    return event.fields[name] == "true" if name in event.fields else None


def reason(event: StoryEvent, words: type[Word], default: Word) -> Word:
    """Because of what, as one of these words. Raises `StoryError`."""
    because = event.fields.get("because", default.value)
    try:
        return words(because)
    except ValueError as error:
        raise StoryError(
            event.line, f"{event.id} cannot be because of {because!r}, but of {', '.join(words)}."
        ) from error


def length(text: str) -> timedelta:
    """How long; the story's reader made sure that it means something."""
    found = duration_of(text)
    assert found is not None
    return found


def hours(duration: timedelta) -> float:
    """A duration as settings and plans have it."""
    return duration / timedelta(hours=1)

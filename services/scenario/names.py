"""The names that a story's parties, parcels, units and events go by in one run, and its days on the calendar.

Pure: names are made from the story and the run's prefix, so that several runs on one system keep apart.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.errors import Undecodable
from schemas.identifiers import parse_subject
from schemas.vocabulary import RECIPIENT, SENDER
from services.scenario.story import Story, StoryError, StoryEvent

LOGGER = "LOGGER"
"""Whose name a logger's memory is read in, where the story names nobody: a surveyor, who takes nothing over."""

_INTO_OR_OUT_OF = ("pack", "unpack")
"""Acts whose `unit` is where the item goes; of every other act the unit is what it is about."""


@dataclass(frozen=True, slots=True)
class Names:
    """A story's names in one run."""

    story: Story
    day_0: datetime
    prefix: str

    def subject(self, parcel: str | None = None, line: int = 1) -> str:
        """The canonical subject of a parcel of the story: under its first label, where it got another one."""
        changes = self._relabellings(parcel)
        return self.code(changes[0].fields["old"] if changes else parcel or "PARCEL", line)

    def subject_of(self, event: StoryEvent) -> str:
        """What an act is about: the unit, or the parcel under the label that it had by then."""
        if event.do not in _INTO_OR_OUT_OF and "unit" in event.fields:
            return self.code(event.fields["unit"], event.line)
        parcel = event.fields.get("parcel")
        changes = self._relabellings(parcel)
        label: str = changes[0].fields["old"] if changes else parcel or "PARCEL"
        for change in changes:
            # Whoever has both labels before him scans the old one first; the finder of a bare box has the new one only.
            if (change is event and event.fields.get("both_seen") != "true") or change.t < event.t:
                label = change.fields["new"]
        return self.code(label, event.line)

    def code(self, name: str, line: int) -> str:
        """A parcel or unit of the story in canonical form. Raises `StoryError` for what no label carries."""
        try:
            return str(parse_subject(f"story:{self.prefix}{name}"))
        except Undecodable as error:
            raise StoryError(line, f"{name!r} cannot be the number of a parcel or unit: {error.reason}.") from error

    def event_id(self, story_id: str) -> str:
        """The id that a story's event was given."""
        return self.prefix + story_id

    def party(self, name: str) -> str:
        """The party id that a story's party was given."""
        return name if name in (SENDER, RECIPIENT) else self.prefix + name

    def address(self, name: str) -> str:
        """The reference that an address of the story was given."""
        return f"{self.prefix}address-{name}"

    def told(self, text: str) -> str:
        """A name of the system as the story has it."""
        return text.removeprefix(self.prefix) if self.prefix else text

    def instant(self, since_day_0: timedelta) -> datetime:
        """A time of the story on the calendar."""
        return self.day_0 + since_day_0

    def _relabellings(self, parcel: str | None) -> list[StoryEvent]:
        found = [event for event in self.story.events if event.do == "relabel" and event.fields.get("parcel") == parcel]
        for event in found:
            if not {"old", "new"} <= event.fields.keys():
                raise StoryError(event.line, f"{event.id} gives a new label: name the old and the new number.")
        return sorted(found, key=lambda event: event.t)

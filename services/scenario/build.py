"""Turns a story into real, signed events whose capture mode, device and artefacts earn the grades that it names.

Pure: keys are derived from the parties' names, times from the story. What an event cannot say is refused with its
line, never left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from schemas import codec
from schemas.events import (
    Event,
    ParcelAnnounced,
    PartyRegistered,
    PlannedLeg,
    PolicySet,
)
from schemas.identifiers import Source
from schemas.vocabulary import RECIPIENT, SENDER, PartyRole, Regime, SharePolicy
from services.scenario.devices import desk, device_of, enrolment, signed
from services.scenario.names import LOGGER, Names
from services.scenario.story import Story, StoryError, StoryEvent, duration_of
from services.scenario.telling import tell
from services.scenario.told import Told

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
NEVER_HOURS = 24.0 * 366 * 10
"""Longest duration that a setting can say; stands for `never`, since a setting once made cannot be unmade."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One event to post, as whom, and when it is recorded."""

    envelope: codec.Envelope
    role: str
    """The API role that posts it: scanner, claims, ops, admin."""
    depot: str
    recorded: datetime


@dataclass(frozen=True, slots=True)
class Compiled(Names):
    """A story as events, with the names to find them by."""

    envelopes: tuple[Posting, ...] = ()
    """In the order of recording; registry events first."""


def compile_story(story: Story, *, prefix: str = "", day_0: datetime = DAY_0) -> Compiled:
    """Make the events of a story.

    `prefix` (letters, digits, hyphens) keeps parcels, parties and event ids of different runs apart on one system;
    `day_0` must lie after everything recorded there before. Raises `StoryError`.
    """
    names = Compiled(story, day_0, prefix)
    acts = [
        _posting(names, event, told)
        for event in sorted(story.events, key=lambda event: event.recorded)
        for told in tell(event, names)
    ]
    _check_asks(names)
    office = desk(names)
    registered = [
        Posting(
            _envelope(names, f"{type(data).__name__}-{at}", office, subject, day_0, data), role, office.depot, day_0
        )
        for at, (subject, data, role) in enumerate(_registry(names))
    ]
    return replace(names, envelopes=(*registered, *acts))


def _check_asks(names: Names) -> None:
    """A question about a parcel that nothing happens to is a slip of the pen, and would always end with `none`."""
    there = {event.fields.get("parcel") for event in names.story.events}
    for ask in names.story.asks:
        parcel = ask.fields.get("parcel")
        if parcel is not None and parcel not in there:
            raise StoryError(ask.line, f"nothing happens to a parcel {parcel!r}.")


def _registry(names: Names) -> Iterator[tuple[str, Event, str]]:
    """Settings, parties, devices and the announcements, all of day 0, each with the role that posts it."""
    story = names.story
    yield "policy:DEFAULT", _policy(story, names), "admin"
    enrolled_later = {event.by for event in story.events if event.do == "enrol"}
    for name in _people(story):
        if name not in (SENDER, RECIPIENT) or name in story.parties:  # these two are known everywhere
            yield f"party:{names.party(name).upper()}", _registered(names, name), "ops"
        if name not in enrolled_later:
            yield device_of(names, name).subject, enrolment(names, name), "ops"
    units = {event.fields.get("unit") for event in story.events}
    for parcel in dict.fromkeys(event.fields.get("parcel") for event in story.events):
        if parcel is None or parcel not in units:  # a bag put into a cage has no contract of its own
            yield names.subject(parcel), _announced(names, parcel), "ops"


def _people(story: Story) -> tuple[str, ...]:
    """Every party that has a scanner, once."""
    acting = [event.by or LOGGER for event in story.events if event.by or event.do == "sensor"]
    return tuple(dict.fromkeys((*story.parties, SENDER, RECIPIENT, *acting)))


def _registered(names: Names, name: str) -> PartyRegistered:
    fields = names.story.parties.get(name, {})
    default = {SENDER: "sender", RECIPIENT: "recipient", LOGGER: "surveyor"}.get(name, "carrier")
    entity = fields.get("entity")
    return PartyRegistered(
        party=names.party(name),
        role=PartyRole(fields.get("role", default)),
        entity=names.party(entity) if entity else None,
    )


def _announced(names: Names, parcel: str | None) -> ParcelAnnounced:
    story = names.story
    events = [event for event in story.events if event.fields.get("parcel") == parcel]
    contracting = [name for name, fields in story.parties.items() if fields.get("contracting") == "true"]
    legs = dict.fromkeys((*(name for name, fields in story.parties.items() if "freight" in fields), *story.plan))
    return ParcelAnnounced(
        contracting=names.party(contracting[0]) if contracting else None,
        content_grams=story.missing_grams,
        promised_after_hours=_hours(story.promised) if story.promised is not None else None,
        plan=tuple(
            PlannedLeg(
                party=names.party(name),
                dwell_hours=_hours(story.plan[name]) if name in story.plan else None,
                freight=_minor_units(story.parties.get(name, {}).get("freight")),
            )
            for name in legs
        ),
        pieces=tuple(dict.fromkeys(piece for event in events for piece in event.fields.get("pieces", ()))),
        address=names.address("old") if any("address" in event.fields for event in events) else None,
    )


def _policy(story: Story, names: Names) -> PolicySet:
    """Every setting said in full, so that what an earlier story set does not carry over."""
    said = story.settings

    def hours(name: str, default: float) -> float:
        if name not in said:
            return default
        return _hours(duration_of(said[name]) or timedelta())

    def yes(name: str, default: bool) -> bool:
        return str(said.get(name, default)).lower() == "true"

    return PolicySet(
        tau_grams=int(said["tau_g"]) if "tau_g" in said else None,
        handoff_window_hours=hours("handoff_window", 2),
        reservation_window_hours=hours("reservation_window", 2),
        opening_window_hours=hours("opening_window", 24),
        locker_notice_hours=hours("locker_notice", 24),
        late_after_hours=hours("late_after", 24),
        unit_max_stay_hours=hours("unit_max_stay", 24 * 7),
        clock_skew_seconds=hours("clock_skew", 120 / 3600) * 3600,
        clock_skew_unmeasured_seconds=hours("clock_skew_unmeasured", 600 / 3600) * 3600,
        notice_days=int(said.get("notice_days", 7)),
        deemed_lost_hours=hours("deemed_lost", NEVER_HOURS),
        policy=SharePolicy(said.get("policy", SharePolicy.FREIGHT)),
        regime=Regime(said.get("regime", Regime.CN_SAME_MODE)),
        table={names.party(name): int(weight) for name, weight in said.get("table", {}).items()},
        packing_share=said.get("packing_share", "1/2"),
        auto_accept_is_clean=yes("auto_accept_is_clean", True),
        import_accept_is_clean=yes("import_accept_is_clean", False),
        drop_is_delivery=yes("drop_is_delivery", False),
        reservation_grounds=tuple(said["reservation_grounds"]) if "reservation_grounds" in said else None,
    )


def _posting(names: Names, event: StoryEvent, told: Told) -> Posting:
    on_scanner = told.role == "scanner"
    source = device_of(names, told.by) if on_scanner else desk(names)
    envelope = _envelope(names, event.id + told.suffix, source, told.subject, names.instant(event.t), told.data)
    if on_scanner and event.fields.get("signed", "true") == "true":
        envelope = signed(envelope, names, told.by)
    return Posting(envelope, told.role, source.depot, names.instant(event.recorded))


def _envelope(
    names: Names, story_id: str, source: Source, subject: str, instant: datetime, data: Event
) -> codec.Envelope:
    return codec.Envelope(
        id=names.event_id(story_id),
        source=str(source),
        type=data.TYPE,
        subject=subject,
        time=codec.format_instant(instant),
        data=msgspec.json.encode(data),
    )


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)


def _minor_units(yuan: str | None) -> int | None:
    return round(float(yuan) * 100) if yuan is not None else None

"""Turns a story into real, signed events whose capture mode, device and artefacts earn the grades that it names.

Pure: keys are derived from the parties' names, times from the story. What the event types cannot say yet is refused
with `NotYetTellableError`, never left out.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas import codec
from schemas.events import (
    DeviceEnrolled,
    DeviceKey,
    Event,
    ParcelAnnounced,
    PartyRegistered,
    PlannedLeg,
    PolicySet,
)
from schemas.identifiers import Source
from schemas.vocabulary import RECIPIENT, SENDER, PartyRole, Regime, SharePolicy
from services.scenario.story import Story, StoryError, StoryEvent, duration_of
from services.scenario.telling import INSTRUMENTS, NotYetTellableError, tell

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
DEVICE = "handheld"
OFFICE = "office"
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
class Compiled:
    """A story as events, with the names to find them by."""

    story: Story
    day_0: datetime
    prefix: str
    envelopes: tuple[Posting, ...]
    """In the order of recording; registry events first."""

    def subject(self, parcel: str | None = None) -> str:
        """The canonical subject of a parcel of the story."""
        return f"story:{(self.prefix + (parcel or 'PARCEL')).upper()}"

    def event_id(self, story_id: str) -> str:
        """The id that a story's event was given."""
        return self.prefix + story_id

    def party(self, name: str) -> str:
        """The party id that a story's party was given."""
        return name if name in (SENDER, RECIPIENT) else self.prefix + name

    def told(self, text: str) -> str:
        """A name of the system as the story has it."""
        return text.removeprefix(self.prefix) if self.prefix else text

    def instant(self, since_day_0: timedelta) -> datetime:
        """A time of the story on the calendar."""
        return self.day_0 + since_day_0


def compile_story(story: Story, *, prefix: str = "", day_0: datetime = DAY_0) -> Compiled:
    """Make the events of a story.

    `prefix` (letters, digits, hyphens) keeps parcels, parties and event ids of different runs apart on one system;
    `day_0` must lie after everything recorded there before. Raises `StoryError`, or `NotYetTellableError` for what
    the event types cannot express yet.
    """
    empty = Compiled(story, day_0, prefix, ())
    people = dict.fromkeys((*story.parties, SENDER, RECIPIENT, *(event.by for event in story.events if event.by)))
    office = Source(f"{prefix}{OFFICE}", "desk")
    postings = [
        Posting(envelope, _REGISTRARS[data], office.depot, day_0) for envelope, data in _registry(empty, people, office)
    ]
    postings += [_posting(empty, event, office) for event in sorted(story.events, key=lambda event: event.recorded)]
    return replace(empty, envelopes=tuple(postings))


_REGISTRARS: dict[type[Event], str] = {
    PolicySet: "admin",
    PartyRegistered: "ops",
    DeviceEnrolled: "ops",
    ParcelAnnounced: "ops",
}


def _registry(
    compiled: Compiled, people: Mapping[str, None], office: Source
) -> list[tuple[codec.Envelope, type[Event]]]:
    """Settings, parties, devices and the announcements, all of day 0."""
    story = compiled.story
    made: list[tuple[str, Event]] = [("policy:DEFAULT", _policy(story, compiled))]
    for name in people:
        party = compiled.party(name)
        made.append((f"party:{party.upper()}", _registered(story, compiled, name)))
        source = Source(_depot(compiled, name), DEVICE)
        enrolled = DeviceEnrolled(
            device=source.device_id,
            party=party,
            keys=(DeviceKey(keyid=f"{source.device_id}.k1", public_key=_public_key(party)),),
            instruments=INSTRUMENTS,
        )
        made.append((source.subject, enrolled))
    for parcel in dict.fromkeys(event.fields.get("parcel") for event in story.events):
        made.append((compiled.subject(parcel), _announced(story, compiled)))
    return [
        (_envelope(compiled, f"{type(data).__name__}-{at}", office, subject, compiled.day_0, data), type(data))
        for at, (subject, data) in enumerate(made)
    ]


def _registered(story: Story, compiled: Compiled, name: str) -> PartyRegistered:
    fields = story.parties.get(name, {})
    default = {SENDER: "sender", RECIPIENT: "recipient"}.get(name, "carrier")
    entity = fields.get("entity")
    return PartyRegistered(
        party=compiled.party(name),
        role=PartyRole(fields.get("role", default)),
        entity=compiled.party(entity) if entity else None,
    )


def _announced(story: Story, compiled: Compiled) -> ParcelAnnounced:
    contracting = [name for name, fields in story.parties.items() if fields.get("contracting") == "true"]
    legs = dict.fromkeys((*(name for name, fields in story.parties.items() if "freight" in fields), *story.plan))
    return ParcelAnnounced(
        contracting=compiled.party(contracting[0]) if contracting else None,
        content_grams=story.missing_grams,
        promised_after_hours=_hours(story.promised) if story.promised is not None else None,
        plan=tuple(
            PlannedLeg(
                party=compiled.party(name),
                dwell_hours=_hours(story.plan[name]) if name in story.plan else None,
                freight=_minor_units(story.parties.get(name, {}).get("freight")),
            )
            for name in legs
        ),
    )


def _policy(story: Story, compiled: Compiled) -> PolicySet:
    """Every setting said in full, so that what an earlier story set does not carry over."""
    said = story.settings

    def hours(name: str, default: float) -> float:
        if name not in said:
            return default
        length = duration_of(said[name])
        if length is None:
            raise StoryError(1, f"{said[name]!r} is no time; write for example 2h or 16d for {name}.")
        return _hours(length)

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
        notice_days=int(said.get("notice_days", 7)),
        deemed_lost_hours=hours("deemed_lost", NEVER_HOURS),
        policy=SharePolicy(said.get("policy", SharePolicy.FREIGHT)),
        regime=Regime(said.get("regime", Regime.CN_SAME_MODE)),
        table={compiled.party(name): int(weight) for name, weight in said.get("table", {}).items()},
        packing_share=said.get("packing_share", "1/2"),
        auto_accept_is_clean=yes("auto_accept_is_clean", True),
        import_accept_is_clean=yes("import_accept_is_clean", False),
        drop_is_delivery=yes("drop_is_delivery", False),
        reservation_grounds=tuple(said["reservation_grounds"]) if "reservation_grounds" in said else None,
    )


def _posting(compiled: Compiled, event: StoryEvent, office: Source) -> Posting:
    data = tell(event, compiled.party, compiled.event_id)
    if not event.by:
        raise StoryError(event.line, f"nobody does {event.id}: it has no by.")
    instant = compiled.instant(event.t)
    subject = compiled.subject(event.fields.get("parcel"))
    claimed = event.do == "notice"
    source = office if claimed else Source(_depot(compiled, event.by), DEVICE)
    envelope = _envelope(compiled, event.id, source, subject, instant, data)
    if not claimed and event.fields.get("signed", "true") == "true":
        envelope = _signed(envelope, compiled.party(event.by), f"{source.device_id}.k1")
    return Posting(envelope, "claims" if claimed else "scanner", source.depot, compiled.instant(event.recorded))


def _envelope(
    compiled: Compiled, story_id: str, source: Source, subject: str, instant: datetime, data: Event
) -> codec.Envelope:
    return codec.Envelope(
        id=compiled.event_id(story_id),
        source=str(source),
        type=data.TYPE,
        subject=subject,
        time=codec.format_instant(instant),
        data=msgspec.json.encode(data),
    )


def _signed(envelope: codec.Envelope, party: str, keyid: str) -> codec.Envelope:
    signature = _private_key(party).sign(codec.signed_form(envelope))
    return msgspec.structs.replace(
        envelope, keyid=keyid, sigalg="ed25519", signature=base64.b64encode(signature).decode()
    )


def _depot(compiled: Compiled, name: str) -> str:
    return f"{compiled.prefix}{name}"


def _private_key(party: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"lastintact story {party}".encode()).digest())


def _public_key(party: str) -> str:
    return _private_key(party).public_key().public_bytes_raw().hex()


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)


def _minor_units(yuan: str | None) -> int | None:
    return round(float(yuan) * 100) if yuan is not None else None


__all__ = ["DAY_0", "Compiled", "NotYetTellableError", "Posting", "compile_story"]

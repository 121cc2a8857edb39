"""The answers, field by field, and their bytes. The OpenAPI components are made of the same structs."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Raw, Struct
from starlette.responses import Response

from schemas.codec import decode_record
from schemas.errors import Undecodable
from schemas.events import ParcelAnnounced
from schemas.positions import AsOf
from schemas.vocabulary import RECIPIENT, SENDER
from services.custody.core.facts import Evidence
from services.custody.core.history import Version
from services.custody.core.rules import Rule
from services.custody.core.timeline import Timeline, timeline
from services.custody.core.verdict import RULESET, Finding, Share, Verdict
from services.query.repository import Moment, Snapshot, StoredCase, StoredEvent

STORY_CLOCK = "STORY_CLOCK"
"""Flag of every answer of a system whose record times came from requests: stories, never evidence."""

_encoder = msgspec.json.Encoder(order="deterministic")


class Answer(Struct, frozen=True, kw_only=True):
    """What every answer about a parcel says of itself."""

    subject: str
    """The parcel or unit in canonical form, whatever spelling was asked."""
    as_of: datetime
    positions: str | None
    """Send this as `as_of` for the same answer again; null: `as_of` alone gives it for ever."""
    provisional: bool
    """True until every partition is read past `as_of`: what is still to come may change the answer."""
    ruleset: str
    flags: tuple[str, ...] = ()


class VerdictHead(Struct, frozen=True, kw_only=True):
    """A verdict in one line."""

    finding: Finding
    outcome: str
    liable: tuple[Share, ...]
    confidence: str


class State(StrEnum):
    """Where a parcel is in its journey, by the record."""

    NOT_TAKEN_OVER = "not_taken_over"  # nobody has taken it from the sender
    IN_CUSTODY = "in_custody"
    DELIVERED = "delivered"
    RETURNED = "returned"  # back with the sender


class EventCounts(Struct, frozen=True, kw_only=True):
    """How many records there are about a parcel, by what they are; repeats are left out."""

    events: int
    conflicts: int
    """Other contents under an identity that was taken: kept, shown, without effect."""
    parked: int
    """Records that this version cannot read: the evidence is incomplete."""


class ParcelAnswer(Answer, frozen=True, kw_only=True):
    """A parcel at a glance."""

    registered: bool
    """Whether paperwork came in: scans may come before it, or without it."""
    custodian: str | None
    """Who has possession by the record; null: no record can be read."""
    state: State
    verdicts: tuple[VerdictHead, ...]
    recorded: EventCounts


class TimelineAnswer(Answer, frozen=True, kw_only=True):
    """Who held it when, and who looked."""

    timeline: Timeline


class VerdictsAnswer(Answer, frozen=True, kw_only=True):
    """Every verdict that stands, or the one about the finding that was asked. None stands: an empty list (R0)."""

    asked: Finding | None
    verdicts: tuple[Verdict, ...]


class HistoryAnswer(Answer, frozen=True, kw_only=True):
    """How the answers came to be: each version, and the event that made it."""

    versions: tuple[Version, ...]


class Rival(Struct, frozen=True, kw_only=True):
    """Another content that was recorded under the same source and id."""

    content_hash: str
    position: str
    record_time: datetime
    subject: str
    counts: bool


class RecordedEvent(Struct, frozen=True, kw_only=True):
    """One record of the log: what was sent, by which bytes, and what became of it."""

    position: str
    record_time: datetime
    """Effective: never earlier than the record before it in the partition."""
    subject: str
    standing: str
    """`event`, `repeat` or `parked`."""
    reason: str | None
    """Why it is parked."""
    counts: bool
    """Whether it is this record that stands for its identity."""
    leaf: str
    content_hash: str | None
    attributes: dict[str, Raw] | None
    """The CloudEvents attributes, those set by the door included; null where the record cannot be read at all."""
    data_base64: str | None
    """The data, byte for byte as the device sent it."""
    data: Raw | None
    """The same bytes as JSON, where they are JSON."""
    conflicts: tuple[Rival, ...]


class EventsAnswer(Struct, frozen=True, kw_only=True):
    """A page of records."""

    events: tuple[RecordedEvent, ...]
    next: str | None
    """Send it as `cursor` for the next page; null: this was the last one so far."""
    flags: tuple[str, ...] = ()


class Case(Struct, frozen=True, kw_only=True):
    """A parcel with a finding."""

    subject: str
    opened: datetime
    changed: datetime
    kinds: tuple[str, ...]
    parties: tuple[str, ...]
    verdicts: tuple[VerdictHead, ...]
    positions: str
    """What was read when the verdicts were computed."""


class CasesAnswer(Struct, frozen=True, kw_only=True):
    """A page of the worklist."""

    cases: tuple[Case, ...]
    next: str | None
    flags: tuple[str, ...] = ()


class ProgressAnswer(Struct, frozen=True, kw_only=True):
    """How far things are. *Recorded* is in the log, *projected* is in the read model, *attributed* has its verdict."""

    recorded: str | None
    """The end of the log; null where only the broker knows it (then send `until`)."""
    projected: str
    record_time: datetime | None
    """Of the latest record projected; null: there is none."""
    stale: int
    """Subjects whose verdicts wait to be refreshed."""
    attributed: bool | None
    """Whether everything up to `until`, else up to `recorded`, is attributed; null: neither is known."""
    flags: tuple[str, ...] = ()


class SystemAnswer(Struct, frozen=True, kw_only=True):
    """Which system is answering."""

    name: str
    version: str
    ruleset: str
    log_id: str
    story_clock: bool
    """Record times came from requests: stories were told here, evidence never is."""
    flags: tuple[str, ...] = ()


class RulesAnswer(Struct, frozen=True, kw_only=True):
    """The rules by name, in both languages."""

    ruleset: str
    rules: tuple[Rule, ...]
    flags: tuple[str, ...] = ()


ANSWERS: tuple[type[Struct], ...] = (
    ParcelAnswer,
    TimelineAnswer,
    VerdictsAnswer,
    HistoryAnswer,
    EventsAnswer,
    CasesAnswer,
    ProgressAnswer,
    SystemAnswer,
    RulesAnswer,
)
"""Every body that the read door answers with."""


def respond(answer: Struct) -> Response:
    """The response that holds this answer. Equal answers give equal bytes."""
    return Response(_encoder.encode(answer), media_type="application/json")


def flags_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Flags that every answer of this system carries."""
    return (STORY_CLOCK,) if snapshot.installation.story_clock else ()


def about(subject: str, moment: Moment, snapshot: Snapshot) -> dict[str, Any]:
    """The fields of `Answer`."""
    return {
        "ruleset": RULESET,
        "subject": subject,
        "as_of": moment.as_of.time,
        "positions": None if moment.positions is None else str(moment.positions),
        "provisional": moment.provisional,
        "flags": flags_of(snapshot),
    }


def parcel(about: dict[str, Any], evidence: Evidence, as_of: AsOf, verdicts: Iterable[Verdict]) -> ParcelAnswer:
    """The parcel at a glance, from the same answers that its other pages tell at length."""
    known = evidence.known_at(as_of)
    told = timeline(evidence, as_of)
    conflicts = sum(excluded.why == "CONFLICT" for excluded in told.excluded)
    return ParcelAnswer(
        **about,
        registered=any(isinstance(fact.data, ParcelAnnounced) for fact in known.facts),
        custodian=told.holder if known.facts else None,
        state=_state(told),
        verdicts=tuple(head(verdict) for verdict in verdicts),
        recorded=EventCounts(events=len(known.facts) - conflicts, conflicts=conflicts, parked=len(known.parked)),
    )


def _state(told: Timeline) -> State:
    if len(told.segments) == 1:
        return State.NOT_TAKEN_OVER
    return {RECIPIENT: State.DELIVERED, SENDER: State.RETURNED}.get(told.holder, State.IN_CUSTODY)


def recorded_event(stored: StoredEvent) -> RecordedEvent:
    """A stored record as it is told."""
    try:
        envelope = decode_record(stored.value)
    except Undecodable:
        envelope = None
    return RecordedEvent(
        position=str(stored.position),
        record_time=stored.record_time,
        subject=stored.subject,
        standing=stored.standing,
        reason=stored.reason,
        counts=stored.holder == stored.position,
        leaf=stored.leaf.hex(),
        content_hash=None if stored.content_hash is None else stored.content_hash.hex(),
        attributes=None if envelope is None else _attributes(stored.value),
        data_base64=None if envelope is None else _base64(envelope.data),
        data=None if envelope is None else _as_json(envelope.data),
        conflicts=tuple(
            Rival(
                content_hash=content.content_hash.hex(),
                position=str(content.position),
                record_time=content.record_time,
                subject=content.subject,
                counts=content.position == stored.holder,
            )
            for content in stored.rivals
            if content.content_hash != stored.content_hash
        ),
    )


def case(stored: StoredCase) -> Case:
    """A row of the worklist as it is told."""
    return Case(
        subject=stored.subject,
        opened=stored.opened,
        changed=stored.changed,
        kinds=tuple(stored.kinds),
        parties=tuple(stored.parties),
        verdicts=msgspec.convert(stored.verdicts, tuple[VerdictHead, ...]),
        positions=stored.positions,
    )


def head(verdict: Verdict) -> VerdictHead:
    """The verdict's first line."""
    return VerdictHead(
        finding=verdict.finding, outcome=verdict.outcome, liable=verdict.liable, confidence=verdict.confidence
    )


def _attributes(value: bytes) -> dict[str, Raw]:
    """Everything of the envelope but the data, extensions included, as it is recorded."""
    told = msgspec.json.decode(value, type=dict[str, Raw])
    return {name: text for name, text in told.items() if name not in {"data", "data_base64"}}


def _base64(data: bytes) -> str:
    return msgspec.to_builtins(data)  # type: ignore[no-any-return]  # bytes become Base64 text


def _as_json(data: bytes) -> Raw | None:
    try:
        msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return Raw(data)

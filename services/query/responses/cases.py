"""Answers about the worklist, and the events of the stream that tells what changes on it."""

from datetime import datetime

import msgspec
from msgspec import Struct

from services.query.repository.cases import StoredCase
from services.query.responses.base import VerdictHead


class Case(Struct, frozen=True, kw_only=True):
    """A parcel with a finding, or a parcel or unit to which something happened."""

    subject: str
    journey: int
    """Which journey of the code; carriers use codes again."""
    opened: datetime
    changed: datetime
    kinds: tuple[str, ...]
    incidents: tuple[str, ...]
    """What happened to the parcel or unit, be it that no finding follows: a broken seal, an opening, a shock."""
    inside: int
    """How many items were in the unit when it happened; 0 for a parcel."""
    parties: tuple[str, ...]
    verdicts: tuple[VerdictHead, ...]
    positions: str
    """What was read when the verdicts were computed."""


class CasesAnswer(Struct, frozen=True, kw_only=True):
    """A page of the worklist."""

    cases: tuple[Case, ...]
    next: str | None
    flags: tuple[str, ...] = ()


class Advance(Struct, frozen=True, kw_only=True):
    """How far things are, as the stream tells it."""

    projected: str
    attributed: str
    """Everything before it is attributed and was told; it is the id of this event."""
    record_time: datetime | None
    stale: int


class Reset(Struct, frozen=True, kw_only=True):
    """What came after the id that was sent cannot be told one by one: load /v1/cases anew, then go on from here."""

    because: str


def case(stored: StoredCase) -> Case:
    """A row of the worklist as it is told."""
    return Case(
        subject=stored.subject,
        journey=stored.journey,
        opened=stored.opened,
        changed=stored.changed,
        kinds=tuple(stored.kinds),
        incidents=tuple(stored.incidents),
        inside=stored.inside,
        parties=tuple(stored.parties),
        verdicts=msgspec.convert(stored.verdicts, tuple[VerdictHead, ...]),
        positions=stored.positions,
    )

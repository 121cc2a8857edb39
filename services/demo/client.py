"""Asks a running system through its public API, and reads of its answers what the demo shows."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec
from msgspec import Struct

from schemas.errors import LastintactError

Answer = TypeVar("Answer", bound=Struct)


class UnexpectedAnswerError(LastintactError):
    """The system answered something else than the demo needs."""


class Finding(Struct, frozen=True):
    kind: str
    component: str = "whole"
    damage: str | None = None


class Share(Struct, frozen=True):
    party: str
    share: str


class Boundary(Struct, frozen=True):
    t: datetime
    how: str
    event: str | None = None
    grade: int | None = None
    observer: str | None = None
    rule: str | None = None


class Witness(Struct, frozen=True):
    event: str
    observer: str
    t: datetime


class Doubt(Struct, frozen=True):
    rule: str
    en: str
    zh: str


class Explanation(Struct, frozen=True):
    zh: str
    en: str


class Verdict(Struct, frozen=True, kw_only=True):
    """The part of a verdict that the demo prints."""

    finding: Finding
    outcome: str
    confidence: str
    explanation: Explanation
    liable: tuple[Share, ...] = ()
    proved: tuple[str, ...] = ()
    L: Boundary | None = None
    U: Boundary | None = None
    last_seen_intact: Witness | None = None
    rules: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    doubt: tuple[Doubt, ...] = ()
    evidence: tuple[str, ...] = ()
    open_alternatives: tuple[str, ...] = ()


class Verdicts(Struct, frozen=True):
    verdicts: tuple[Verdict, ...]


class Look(Struct, frozen=True):
    """One look at one facet, and what it is worth."""

    event: str
    facet: str
    value: str
    grade: int
    component: str = "whole"
    damage: str | None = None


class Custody(Struct, frozen=True):
    looks: tuple[Look, ...]


class Timeline(Struct, frozen=True):
    timeline: Custody


class Reservation(Struct, frozen=True):
    facet: str
    grounds: str


class Countersignature(Struct, frozen=True):
    party: str


class Data(Struct, frozen=True):
    """What the custody table shows of an event's data; the events differ, so everything may be missing."""

    giver: str | None = None
    taker: str | None = None
    party: str | None = None
    mode: str | None = None
    reservation: Reservation | None = None
    countersigned: tuple[Countersignature, ...] = ()


class Attributes(Struct, frozen=True):
    id: str
    type: str
    time: datetime


class RecordedEvent(Struct, frozen=True):
    position: str
    standing: str
    attributes: Attributes
    data: Data


class Events(Struct, frozen=True):
    events: tuple[RecordedEvent, ...]
    next: str | None = None


class Head(Struct, frozen=True):
    outcome: str


class Case(Struct, frozen=True):
    """A row of the worklist; without verdicts when something was reported that opens no finding, or none any more."""

    subject: str
    verdicts: tuple[Head, ...] = ()


class Cases(Struct, frozen=True):
    cases: tuple[Case, ...]
    next: str | None = None


class Rule(Struct, frozen=True):
    id: str
    name: str
    zh: str
    en: str


class Rules(Struct, frozen=True):
    ruleset: str
    rules: tuple[Rule, ...]


class Progress(Struct, frozen=True):
    projected: str
    stale: int
    attributed: bool | None = None


class Client:
    """One caller of one system, with a key that may read everything."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def verdicts(self, parcel: str) -> tuple[Verdict, ...]:
        """Every verdict that stands about a parcel."""
        return self._get(f"/v1/parcels/{parcel}/verdicts", Verdicts).verdicts

    def events(self, parcel: str) -> tuple[RecordedEvent, ...]:
        """Every record about a parcel."""
        return self._get("/v1/events", Events, subject=parcel, limit="200").events

    def looks(self, parcel: str) -> tuple[Look, ...]:
        """Every look at a parcel, graded."""
        return self._get(f"/v1/parcels/{parcel}/timeline", Timeline).timeline.looks

    def cases(self) -> Iterator[str]:
        """Every parcel on the worklist about which a verdict stands."""
        page = self._get("/v1/cases", Cases, limit="200")
        while True:
            yield from (case.subject for case in page.cases if case.verdicts)
            if page.next is None:
                return
            page = self._get("/v1/cases", Cases, limit="200", cursor=page.next)

    def rules(self) -> dict[str, Rule]:
        """The rules by id."""
        return {rule.id: rule for rule in self._get("/v1/rules", Rules).rules}

    def wait_until_attributed(
        self, until: str, seconds_max: float, on_progress: Callable[[Progress], object], pause_seconds: float = 0.1
    ) -> bool:
        """Wait until everything up to a position vector is attributed; False when it is not in time."""
        deadline = time.monotonic() + seconds_max
        while True:
            progress = self._get("/v1/progress", Progress, until=until)
            on_progress(progress)
            if progress.attributed:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(pause_seconds)

    def _get(self, path: str, answer: type[Answer], **parameters: str) -> Answer:
        response = self._http.get(path, params=parameters)
        if response.status_code != httpx.codes.OK:
            raise UnexpectedAnswerError(f"GET {path} was answered {response.status_code}: {response.text[:300]}")
        try:
            return msgspec.json.decode(response.content, type=answer)
        except msgspec.MsgspecError as error:
            raise UnexpectedAnswerError(
                f"GET {path} was answered with something else than expected: {error}"
            ) from error

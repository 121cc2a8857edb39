"""The write door: judges events, stamps them, and has them in the log before it says `recorded`.

Blocking; the routes call it from threads, the ticker from its own.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from schemas import codec
from schemas.codec import Envelope
from schemas.errors import Reason, Undecodable
from schemas.positions import Position
from services.edge.callers import Caller, Role
from services.edge.database import Engine
from services.ingest import acceptance, store
from services.ingest.acceptance import Accepted, Limits, Rejection
from services.ingest.requests import Item
from services.log.crash import crash_point
from services.log.port import Entry, EventLog

SYSTEM = "system"
"""`recordedby` of events that the installation itself makes."""


class Result(StrEnum):
    """What became of one event."""

    RECORDED = "recorded"  # in the log
    DUPLICATE = "duplicate"  # the same content was in the log before; not appended again
    CONFLICT = "conflict"  # in the log, beside another content under the same source and id
    REJECTED = "rejected"  # not in the log


class Outcome(msgspec.Struct, frozen=True):
    """The answer for one event, in the order of the request."""

    index: int
    id: str | None
    outcome: Result
    position: str | None
    """Where it is in the log; for a duplicate, where the first is."""
    warnings: tuple[Reason, ...] = ()
    reasons: tuple[Reason, ...] = ()


class _Ready(NamedTuple):
    """An accepted event, stamped, with what tells it from others."""

    entry: Entry
    identity: bytes
    content_hash: bytes


class _Seen(NamedTuple):
    """A content that is in the log, or will be with this request's append."""

    content_hash: bytes
    item: int | None
    """Which item of this request it is; None: it was there before."""
    position: Position | None


def _story_instant(recordedtime: str | None) -> datetime:
    try:
        return codec.parse_instant(recordedtime or "", field="recordedtime").astimezone(UTC)
    except OverflowError as error:
        raise Undecodable(f"{recordedtime} lies outside the calendar", field="recordedtime") from error


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Door:
    """Takes events for one log. Thread-safe. Methods raise `Unavailable` when log or database are slow or away."""

    log: EventLog
    engine: Engine
    build: str = ""
    clock: Callable[[], datetime] = _utc_now
    story_clock: bool = False
    limits: Limits = field(default_factory=Limits)

    def accept(self, caller: Caller, items: Sequence[Item]) -> list[Outcome]:
        """Judge, record and answer each item. One append; what is refused is kept with its bytes.

        On `Unavailable` nothing is promised of any item; sending all again is safe.
        """
        now = self.clock()
        stamp = codec.format_instant(now)
        judged = [self._judge(item, caller, now) for item in items]
        crash_point("parsed")
        ready = {
            index: self._stamp(verdict, caller, self._told(items[index].recordedtime) or stamp)
            for index, verdict in enumerate(judged)
            if isinstance(verdict, Accepted)
        }
        results, positions = self._append(ready)
        crash_point("committed")
        refused = [
            store.Refused(items[index].raw, verdict.reasons)
            for index, verdict in enumerate(judged)
            if isinstance(verdict, Rejection)
        ]
        # After the append: if it fails the request is sent again, and what is recorded comes back as duplicate.
        store.keep_refused(self.engine, caller, refused, now, bytes_max=self.limits.item_bytes)
        return [
            self._outcome(index, items[index], verdict, results.get(index), positions.get(index))
            for index, verdict in enumerate(judged)
        ]

    def refuse(self, caller: Caller, body: bytes, reason: Reason) -> None:
        """Keep a request that could not be told apart into events, or of a body that was too large only the reason."""
        kept = store.Refused(body, (reason,))
        store.keep_refused(self.engine, caller, [kept], self.clock(), bytes_max=self.limits.item_bytes)

    def accept_system(self, envelope: Envelope) -> Outcome:
        """Record an event that the installation itself makes, under the depot `system`; a repeat is idle.

        Raises `ValueError` for an event that could not be read: a bug of whoever made it.
        """
        now = self.clock()
        verdict = acceptance.judge_system(envelope, self.limits, now)
        if isinstance(verdict, Rejection):
            raise ValueError(f"the installation made an event that it cannot read: {verdict.reasons}")
        told = self._told(envelope.recordedtime) or codec.format_instant(now)
        ready = {0: self._stamp(verdict, Caller(SYSTEM, Role.ADMIN), told)}
        results, positions = self._append(ready)
        return Outcome(0, envelope.id, results[0], str(positions[0]), verdict.warnings)

    def _judge(self, item: Item, caller: Caller, now: datetime) -> Accepted | Rejection:
        if item.envelope is None:
            return Rejection(item.reasons)
        if self.story_clock:
            try:
                now = _story_instant(item.recordedtime)
            except Undecodable as error:
                return Rejection((acceptance.reason_of(error),))
        return acceptance.judge(item.envelope, caller, self.limits, now, data_is_strict=item.data_is_strict)

    def _told(self, recordedtime: str | None) -> str | None:
        """When a story says it was recorded; None on the server's clock, whatever is said."""
        return codec.format_instant(_story_instant(recordedtime)) if self.story_clock and recordedtime else None

    def _stamp(self, accepted: Accepted, caller: Caller, recordedtime: str) -> _Ready:
        envelope = accepted.envelope
        stamped = msgspec.structs.replace(
            envelope,
            recordedtime=recordedtime,
            recordedby=caller.key_id,
            recordeddepot=caller.depot,
            recordedparty=caller.party,
            recordedbuild=self.build or None,
        )
        return _Ready(
            Entry(str(accepted.subject).encode(), codec.encode_record(stamped)),
            codec.identity(envelope.source, envelope.id),
            codec.content_hash(envelope),
        )

    def _append(self, ready: Mapping[int, _Ready]) -> tuple[dict[int, Result], dict[int, Position]]:
        """Append what is new. Result and position of every accepted item, by its index."""
        if not ready:
            return {}, {}
        seen = self._recorded_before({event.identity for event in ready.values()})
        results: dict[int, Result] = {}
        repeats: dict[int, _Seen] = {}
        for index, event in ready.items():
            known = seen.setdefault(event.identity, [])
            same = next((content for content in known if content.content_hash == event.content_hash), None)
            if same is not None:
                results[index], repeats[index] = Result.DUPLICATE, same
                continue
            results[index] = Result.CONFLICT if known else Result.RECORDED
            known.append(_Seen(event.content_hash, index, None))
        fresh = [index for index in ready if index not in repeats]
        positions: dict[int, Position] = {}
        if fresh:
            positions = dict(zip(fresh, self.log.append([ready[index].entry for index in fresh]), strict=True))
        for index, same in repeats.items():
            if same.position is not None:
                positions[index] = same.position
            elif same.item is not None:
                positions[index] = positions[same.item]
        return results, positions

    def _recorded_before(self, identities: Collection[bytes]) -> dict[bytes, list[_Seen]]:
        seen: dict[bytes, list[_Seen]] = {}
        for identity, content_hash, position in store.known_contents(self.engine, identities):
            contents = seen.setdefault(identity, [])
            if all(content.content_hash != content_hash for content in contents):
                contents.append(_Seen(content_hash, None, position))
        return seen

    def _outcome(
        self, index: int, item: Item, verdict: Accepted | Rejection, result: Result | None, position: Position | None
    ) -> Outcome:
        event_id = item.envelope.id if item.envelope is not None else None
        if isinstance(verdict, Rejection):
            return Outcome(index, event_id, Result.REJECTED, None, (), verdict.reasons)
        assert result is not None
        return Outcome(index, event_id, result, str(position), verdict.warnings)

"""From the text of a key to its caller: looked up, compared in constant time, kept for seconds, limited when wrong."""

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from schemas.errors import LastintactError
from schemas.readmodel import api_key
from services.edge.attempts import Attempts
from services.edge.callers import Caller, Role
from services.edge.database import unavailable_when_lost
from services.edge.keys import keyed_hash, parse_key

# A revoked key works for at most this long in a process that has just used it.
CACHE_SECONDS = 2.0
# Far above the keys of one installation; guessed ids are not kept.
_KEPT_MAX = 10_000


class Unauthenticated(LastintactError):
    """No usable key was given. The message never says which of its parts was wrong."""


class TooManyAttempts(LastintactError):
    """Too many wrong keys from there; wait."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too many attempts with a wrong key")
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class _Kept:
    caller: Caller
    secret_hash: bytes
    expires: datetime | None
    revoked: datetime | None
    read_seconds: float


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class KeyRing:
    """Turns the text of a key into its caller. Thread-safe; asks the database once per key and cache time."""

    engine: Engine
    pepper: bytes
    clock: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic
    attempts: Attempts = field(default_factory=Attempts)
    _kept: dict[str, _Kept] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def authenticate(self, text: str, address: str) -> Caller:
        """The caller that this key stands for. `address` is the client's, for the limit on wrong keys.

        Raises `Unauthenticated`, `TooManyAttempts` or `Unavailable`.
        """
        parsed = parse_key(text)
        key_id, secret = parsed or ("", "")
        wait_seconds = self.attempts.wait_seconds(address, key_id, self.monotonic())
        if wait_seconds:
            raise TooManyAttempts(wait_seconds)
        kept = self._look_up(key_id) if parsed else None
        # Hashed even when there is no such key, so that time does not tell which ids exist.
        given = keyed_hash(self.pepper, key_id, secret)
        matches = hmac.compare_digest(given, kept.secret_hash if kept else bytes(len(given)))
        if kept is None or not matches or self._ended(kept):
            self.attempts.failed(address, key_id, self.monotonic())
            raise Unauthenticated("no valid key")
        self.attempts.succeeded(address, key_id)
        return kept.caller

    def _ended(self, kept: _Kept) -> bool:
        return kept.revoked is not None or (kept.expires is not None and kept.expires <= self.clock())

    def _look_up(self, key_id: str) -> _Kept | None:
        read_seconds = self.monotonic()
        with self._lock:
            kept = self._kept.get(key_id)
            if kept is not None and read_seconds - kept.read_seconds < CACHE_SECONDS:
                return kept
        with unavailable_when_lost("looking up a key"), self.engine.connect() as connection:
            row = connection.execute(select(api_key).where(api_key.c.key_id == key_id)).first()
        if row is None:
            return None
        kept = _Kept(
            caller=Caller(row.key_id, Role(row.role), row.depot, row.party, tuple(row.devices)),
            secret_hash=bytes(row.secret_hash),
            expires=row.expires,
            revoked=row.revoked,
            read_seconds=read_seconds,
        )
        with self._lock:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            self._kept[key_id] = kept
        return kept

"""From the text of a key to its caller: looked up, compared in constant time, kept for seconds, limited when wrong."""

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.errors import LastintactError
from services.edge.attempts import Attempts
from services.edge.callers import Caller
from services.edge.database import Engine
from services.edge.keys import StoredKey, keyed_hash, parse_key, read_key

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
    _kept: dict[str, tuple[float, StoredKey]] = field(default_factory=dict, init=False)
    """When it was read, and what."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def authenticate(self, text: str, address: str) -> Caller:
        """The caller that this key stands for. `address` is the client's, for the limit on wrong keys.

        Raises `Unauthenticated`, `TooManyAttempts` or `Unavailable`.
        """
        parsed = parse_key(text)
        key_id, secret = parsed or ("", "")
        stored = self._look_up(key_id) if parsed else None
        # Hashed even when there is no such key, so that time does not tell which ids exist.
        given = keyed_hash(self.pepper, key_id, secret)
        matches = hmac.compare_digest(given, stored.secret_hash if stored else bytes(len(given)))
        if stored is None or not matches or self._ended(stored):
            # Only the wrong ones wait: a key's id is no secret, and must not be enough to lock its holder out.
            wait_seconds = self.attempts.wait_seconds(address, key_id, self.monotonic())
            if wait_seconds:
                raise TooManyAttempts(wait_seconds)
            self.attempts.failed(address, key_id, self.monotonic())
            raise Unauthenticated("no valid key")
        self.attempts.succeeded(address, key_id)
        return stored.caller

    def _ended(self, stored: StoredKey) -> bool:
        return stored.revoked is not None or (stored.expires is not None and stored.expires <= self.clock())

    def _look_up(self, key_id: str) -> StoredKey | None:
        now = self.monotonic()
        with self._lock:
            read_at, kept = self._kept.get(key_id, (float("-inf"), None))
        if now - read_at < CACHE_SECONDS:
            return kept
        # Time is taken before the question is asked: a revocation that comes in between is seen in time.
        stored = read_key(self.engine, key_id)
        if stored is not None:
            with self._lock:
                if len(self._kept) >= _KEPT_MAX:
                    self._kept.clear()
                self._kept[key_id] = (now, stored)
        return stored

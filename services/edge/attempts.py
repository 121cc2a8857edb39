"""How many wrong keys are too many, by client address and key id, so that one bad scanner locks out no depot."""

import math
import threading

WINDOW_SECONDS = 60.0
# A person mistypes a few times; a device with a revoked key retries for ever.
PER_KEY_MAX = 10
# Over all key ids of one address: guessing. Keys that have worked from there stay usable, for a depot shares one
# address.
PER_ADDRESS_MAX = 100
_TRACKED_MAX = 50_000


class Attempts:
    """Counts wrong keys in fixed windows. Thread-safe, bounded in memory; forgets everything on restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Per (address, key id), and per (address, "*"): when the window began, and how many were wrong in it.
        self._failures: dict[tuple[str, str], tuple[float, int]] = {}
        self._proven: set[tuple[str, str]] = set()

    def wait_seconds(self, address: str, key_id: str, now: float) -> int:
        """How long this key from this address must wait before it is looked at; 0: not at all."""
        with self._lock:
            waits = [self._wait((address, key_id), PER_KEY_MAX, now)]
            if (address, key_id) not in self._proven:
                waits.append(self._wait((address, "*"), PER_ADDRESS_MAX, now))
        return math.ceil(max(waits))

    def failed(self, address: str, key_id: str, now: float) -> None:
        """A wrong, expired or revoked key was given."""
        with self._lock:
            self._proven.discard((address, key_id))
            for pair in ((address, key_id), (address, "*")):
                began, count = self._failures.get(pair, (now, 0))
                if now - began >= WINDOW_SECONDS:
                    began, count = now, 0
                self._failures[pair] = (began, count + 1)
            if len(self._failures) > _TRACKED_MAX:
                self._failures = {
                    pair: (began, count)
                    for pair, (began, count) in self._failures.items()
                    if now - began < WINDOW_SECONDS
                }
                # Still full: an attack from very many addresses. Counting the newest is what memory allows.
                while len(self._failures) > _TRACKED_MAX:
                    self._failures.pop(next(iter(self._failures)))

    def succeeded(self, address: str, key_id: str) -> None:
        """A right key was given."""
        pair = (address, key_id)
        # A look without the lock: this runs on every request, and a set only ever grows by what is right.
        if pair in self._proven:
            return
        with self._lock:
            if len(self._proven) >= _TRACKED_MAX:
                self._proven.clear()
            self._proven.add(pair)

    def _wait(self, pair: tuple[str, str], most: int, now: float) -> float:
        began, count = self._failures.get(pair, (now, 0))
        if count < most:
            return 0.0
        return max(0.0, began + WINDOW_SECONDS - now)

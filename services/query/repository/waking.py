"""Rings in the event loop when something is projected."""

import asyncio
import contextlib
import threading

from sqlalchemy import Engine

from schemas.readmodel import PROJECTED
from services.edge.listening import Listener

_WAIT_SECONDS = 5.0
_STOP_SECONDS = 2.0


class Bell:
    """One listening connection for everybody who waits. The thread begins with the first who does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Remember where those who wait are."""
        self._loop = loop

    def listen(self) -> asyncio.Event:
        """An event that is set at the next ring. Call it before reading: what rings meanwhile is then not missed."""
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
            self._thread.start()
        return self._rung

    def ring(self) -> None:
        """Wake everybody; safe from any thread and from a signal handler."""
        if self._loop is not None:
            # A loop that has ended has nobody who waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Stop listening, within a bound."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _wake(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def _run(self) -> None:
        with Listener(self._engine, PROJECTED) as listener:
            while not self._stop.is_set():
                listener.wait(_WAIT_SECONDS, self._stop)
                self.ring()

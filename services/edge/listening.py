"""Waits for a notification of the database, or for a while: a notification hurries, the poll makes it certain."""

import threading
import time
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from schemas.errors import Unavailable
from services.edge.database import unavailable_when_lost

_SLICE_SECONDS = 0.2
"""How soon a stop is noticed while waiting."""


class Listener:
    """Listens on one channel over a connection of its own. Where the database is away it only lets time pass.

    A notification that came since the last wait, or since entering, ends the next wait at once.
    """

    def __init__(self, engine: Engine, channel: str) -> None:
        self._engine = engine
        self._channel = channel
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def __enter__(self) -> Self:
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Return when notified, when told to stop, or after `seconds`."""
        deadline = time.monotonic() + seconds
        if self._connection is None and not self._connect():
            stop.wait(seconds)
            return
        while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
            assert self._connection is not None
            try:
                heard = list(self._connection.notifies(timeout=min(_SLICE_SECONDS, left), stop_after=1))
            except psycopg.Error:
                self._close()
                stop.wait(left)
                return
            if heard:
                return

    def _connect(self) -> bool:
        try:
            with unavailable_when_lost("listening"):
                pooled = self._engine.raw_connection()
        except Unavailable:
            return False
        connection = pooled.driver_connection
        pooled.detach()  # ours until closed: a pooled session must not go on listening for others
        assert isinstance(connection, psycopg.Connection)
        try:
            connection.rollback()
            connection.autocommit = True
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        except psycopg.Error:
            connection.close()
            return False
        self._connection = connection
        return True

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

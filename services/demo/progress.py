"""Tells on standard error what is under way: one line that is written over on a terminal, plain lines elsewhere."""

import sys
import time
from typing import TextIO

from services.demo.table import width

# On a log or a pipe a line every so often; on a terminal the eye wants more.
_PLAIN_SECONDS = 5.0
_TERMINAL_SECONDS = 0.1


class Progress:
    """`say` for what is worth keeping, `update` for what is true only now."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._shown = 0
        self._last = 0.0

    def say(self, line: str) -> None:
        """A line that stays."""
        self._clear()
        self._stream.write(line + "\n")
        self._stream.flush()
        self._last = time.monotonic()

    def update(self, line: str) -> None:
        """A line that the next one replaces; dropped when the last one is too fresh."""
        now = time.monotonic()
        if now - self._last < (_TERMINAL_SECONDS if self._terminal else _PLAIN_SECONDS):
            return
        if not self._terminal:
            self.say(line)
            return
        self._clear()
        self._stream.write(line)
        self._stream.flush()
        self._shown = width(line)
        self._last = now

    def _clear(self) -> None:
        if self._shown:
            self._stream.write("\r" + " " * self._shown + "\r")
            self._shown = 0

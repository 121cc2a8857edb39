"""Tells the app at once that its process is asked to end; the server itself tells it only when every answer is done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def when_told_to_end(act: Callable[[], None]) -> Iterator[None]:
    """Run `act` at SIGTERM or SIGINT before the handler that was there. Only a process's main thread hears signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {sent: signal.getsignal(sent) for sent in (signal.SIGTERM, signal.SIGINT)}

    def hear(sent: int, frame: FrameType | None) -> None:
        act()
        if callable(before[sent]):
            before[sent](sent, frame)

    # Where nobody handles a signal, it ends the process by itself: nothing is left to be told.
    ours = [sent for sent, handler in before.items() if callable(handler)]
    for sent in ours:
        signal.signal(sent, hear)
    try:
        yield
    finally:
        for sent in ours:
            signal.signal(sent, before[sent])

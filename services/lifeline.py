"""Ends this process when whoever started it is gone, by watching the pipe on standard input."""

import os
import signal
import threading

_GRACE_SECONDS = 20.0


def hold() -> None:
    """Watch standard input from now on: at its end send ourselves SIGTERM, and end for good after a grace."""
    threading.Thread(target=_watch, name="lifeline", daemon=True).start()


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_GRACE_SECONDS)
    os._exit(75)

"""Everything that works behind the projector in one process: refresher, ticker and signature sweep, a thread each."""

import threading
import time
from collections.abc import Callable

from services.custody import refresh, sweep, ticker
from services.custody.aside import Parked
from services.custody.ticker import Append, Clock, server_clock
from services.edge.database import make_engine
from services.edge.logs import logger

_STOP_SECONDS = 10.0
"""Shared by all threads: a refresher's chunk takes a second or two."""

_say = logger(__name__)


def run(
    url: str,
    append: Append,
    stop: threading.Event,
    clock: Clock = server_clock,
    parked: Parked = lambda part: None,
) -> None:
    """Work until told to stop. On a story's clock there is no ticker: stories tell themselves what passed.

    A subject that the core fails on is set aside (services/custody/aside.py), and `parked` is told which part did so.
    A thread that dies takes the rest with it: its error is raised here, so that the process ends and is started anew
    instead of going on with verdicts that nobody refreshes any more. One that does not stop in time, as on a database
    that is frozen, is left behind: nothing that it has not committed counts.
    """
    # One connection to listen on and one to work with for each, and one that holds the ticker's lock.
    engine = make_engine(url, pool_size=8, application_name="lastintact background")
    ended = threading.Event()
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            ended.set()
            halt.set()

    halt = threading.Event()
    works: dict[str, Callable[[], None]] = {
        "refresher": lambda: refresh.run(engine, halt, parked),
        "sweep": lambda: sweep.run(engine, halt),
        "ticker": lambda: ticker.run(engine, append, halt, clock, parked),
    }
    # Daemons: a thread that hangs must not keep a process alive that wants to end.
    threads = [threading.Thread(target=guarded, args=(work,), name=name, daemon=True) for name, work in works.items()]
    for thread in threads:
        thread.start()
    while not stop.wait(0.2) and not ended.is_set():
        pass
    halt.set()
    deadline = time.monotonic() + _STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    engine.dispose()
    if failures:
        _say.error("background work ended", error=repr(failures[0]))
        raise failures[0]
    hanging = [thread.name for thread in threads if thread.is_alive()]
    if hanging:
        _say.warning("did not stop in time and is left behind", threads=hanging, seconds=_STOP_SECONDS)

"""Keep one child process, and end it when the owner says so or is gone.

A script, run by `processes.start_guarded` and imported by nobody:

    warden.py STOP_SIGNAL GRACE_SECONDS UID GID COMMAND...        (UID and GID -1: stay who we are)

The owner holds our standard input. Its end means "stop": the stop signal, and SIGKILL after the grace. A byte `k`
before the end means "kill now". The child's pid is printed once; its output goes to our standard error, which is the
part's log. Standard library only, so that it starts in 20 ms.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# A zombie awaits only its parent; the others have gone further.
_DEAD_STATES = "ZXx"
# Less than the owner allows for a kill (`processes._WARDEN_SLACK_SECONDS`).
_DESCENDANTS_SECONDS = 3.0


def _descendants(root: int) -> list[int]:
    """Every process below `root` that still runs, by /proc; an empty list where there is no /proc."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The command name may hold spaces and brackets; the fields after the last bracket are safe to split.
            state, parent = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:2]
            if state not in _DEAD_STATES:
                parents[int(stat.parent.name)] = int(parent)
    found: list[int] = []
    frontier = {root}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier}
        found.extend(frontier)
    return found


def _kill_all(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL all below the child, then the child: when it is gone, so are they.

    It is stopped first, so that it neither forks nor reaps meanwhile. Postgres backends leave the process group, and
    one left alive could still commit after the "power cut" a test wanted.
    """
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + _DESCENDANTS_SECONDS
    while (left := _descendants(child.pid)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _obey(child: subprocess.Popen[bytes], stop_signal: int, grace_seconds: float) -> None:
    """Wait for the owner's word, then end the child."""
    if os.read(0, 1) == b"k":
        _kill_all(child)
        return
    child.send_signal(stop_signal)
    try:
        child.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        _kill_all(child)


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    stop_signal, grace_seconds, uid, gid = int(arguments[0]), float(arguments[1]), int(arguments[2]), int(arguments[3])
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def die_with_the_warden() -> None:
        # After the change of user, which would clear it. For the day somebody kills the warden itself.
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, stop_signal)

    child = subprocess.Popen(  # noqa: S603 - the owner's command, handed on as it is
        arguments[4:],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        start_new_session=True,
        user=None if uid < 0 else uid,
        group=None if gid < 0 else gid,
        extra_groups=None if uid < 0 else [],
        preexec_fn=die_with_the_warden,  # noqa: PLW1509 - no thread runs here yet
    )
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    os.close(1)
    threading.Thread(target=_obey, args=(child, stop_signal, grace_seconds), daemon=True).start()
    return child.wait() & 0xFF


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))

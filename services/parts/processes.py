"""Start a real part as a child that never outlives us, and stop or kill it within a bound.

Between us and the part stands a warden (`warden.py`), for two reasons: it sees our pipe close when we die in any way,
SIGKILL included, and it is the part's parent, so the pids it signals cannot have been reused by a stranger. Called by
`postgres` and `kafka` beside this file; knows neither.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

Say = Callable[[str], None]

# Waiting on the warden beyond its own grace: it has only a SIGKILL and a reap left to do.
_WARDEN_SLACK_SECONDS = 5.0
_LOG_TAIL_LINES = 15
# A part whose owner was killed is ending meanwhile: Postgres takes 0.1 s, Kafka 1 s.
_PREDECESSOR_SECONDS = 5.0


class PartFailed(Exception):
    """A part did not start, or will not stop. Not to be retried.

    The message is for a person: what happened, where the log is and what to do.
    """


def say_nothing(_line: str) -> None:
    """The default progress callback: silence."""


@dataclass(frozen=True)
class Account:
    """The system account a part runs under when it refuses to be root."""

    uid: int
    gid: int


def tail(log: Path, lines: int = _LOG_TAIL_LINES) -> str:
    """The last lines of a log, for an error message; a missing log is an empty one."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


class GuardedProcess:
    """One running part with its warden. Made by `start_guarded`, ended by `stop` or `kill`, both safe to call twice."""

    def __init__(self, name: str, warden: subprocess.Popen[bytes], pid: int, log: Path, grace_seconds: float) -> None:
        self.name = name
        self.pid = pid
        self.log = log
        self._warden = warden
        self._grace_seconds = grace_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the part is alive; the warden ends with it."""
        return self._warden.poll() is None

    def stop(self) -> None:
        """Ask the part to end, kill it after its grace, return when it is gone."""
        pipe = self._warden.stdin
        if pipe is not None and not pipe.closed:
            pipe.close()
        self._await_end(self._grace_seconds + _WARDEN_SLACK_SECONDS)

    def kill(self) -> None:
        """SIGKILL the part and everything it started, as a power cut would; return when it is gone."""
        pipe = self._warden.stdin
        if pipe is not None and not pipe.closed:
            # A broken pipe: it is gone already, which is what was asked for.
            with contextlib.suppress(BrokenPipeError):
                pipe.write(b"k")
                pipe.flush()
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._await_end(_WARDEN_SLACK_SECONDS)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> bool:
        """True once `ready` holds, False when the part ended first; past the deadline raise PartFailed and stop it."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                return False
            if time.monotonic() > deadline:
                self.kill()
                raise PartFailed(
                    f"{self.name} was not ready after {seconds:.0f} s and was ended. "
                    f"Read its log {self.log}. It ends:\n{tail(self.log)}"
                )
            time.sleep(0.02)
        return True

    def _await_end(self, seconds: float) -> None:
        try:
            self._warden.wait(seconds)
        except subprocess.TimeoutExpired:
            raise PartFailed(
                f"{self.name} (pid {self.pid}) would not end within {seconds:.0f} s. Its log is {self.log}; "
                f"look at it, then end it with: kill -9 {self.pid}"
            ) from None


def start_guarded(
    name: str,
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    stop_signal: int,
    grace_seconds: float,
    lock: int,
    account: Account | None = None,
) -> GuardedProcess:
    """Start `argv` under a warden, its output appended to `log`. Returns once it has a pid, not once it is ready.

    The warden keeps `lock` (see `only_user_of`) for as long as the part lives, even when we are gone.
    """
    command = [
        sys.executable,
        # -I and -S: the warden needs only the standard library, and must not load what the caller's environment would
        # add.
        *("-I", "-S"),
        str(Path(__file__).with_name("warden.py")),
        str(stop_signal),
        str(grace_seconds),
        str(account.uid if account else -1),
        str(account.gid if account else -1),
        *map(str, argv),
    ]
    with log.open("ab") as output:
        warden = subprocess.Popen(  # noqa: S603 - argv is built by the two modules beside this one
            command,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            # Its own session: Ctrl-C at the terminal reaches us only, and we stop the parts in the right order.
            start_new_session=True,
            pass_fds=(lock,),
        )
    assert warden.stdout is not None
    with warden.stdout as answer:
        line = answer.readline()
    if not line.strip().isdigit():
        warden.wait(_WARDEN_SLACK_SECONDS)
        if warden.stdin is not None:
            warden.stdin.close()
        raise PartFailed(f"{name} could not be started: {argv[0]}. The log {log} ends:\n{tail(log)}")
    return GuardedProcess(name, warden, int(line), log, grace_seconds)


@contextlib.contextmanager
def only_user_of(name: str, data_dir: Path) -> Iterator[int]:
    """Make `data_dir` and lock it: two servers on one directory would spoil it. Waits for one that is just ending, else
    raises PartFailed.

    Yields the lock's descriptor, to be handed to `start_guarded`.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "lock"
    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    with path.open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PartFailed(
                        f"Another {name} runs on {data_dir}. Stop it first, or choose another data directory."
                    ) from None
                time.sleep(0.05)
        yield lock.fileno()


def run_to_end(
    name: str, argv: Sequence[str | Path], *, cwd: Path, log: Path, seconds: float, account: Account | None = None
) -> None:
    """Run a short set-up command to its end, output appended to `log`; raise PartFailed when it fails or takes too
    long.
    """
    with log.open("ab") as output:
        try:
            done = subprocess.run(  # noqa: S603 - argv is built by the two modules beside this one
                list(map(str, argv)),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except subprocess.TimeoutExpired:
            raise PartFailed(f"{name} took longer than {seconds:.0f} s. The log {log} ends:\n{tail(log)}") from None
        except OSError as error:
            raise PartFailed(f"{name} could not be run: {argv[0]}: {error}") from error
    if done.returncode != 0:
        raise PartFailed(f"{name} failed with exit code {done.returncode}. The log {log} ends:\n{tail(log)}")


def running_as_root() -> bool:
    """Whether we are root, as CI containers are and laptops are not."""
    return os.geteuid() == 0

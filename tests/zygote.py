"""Starts our own programs as processes to be killed, by forking them from one that has everything imported already
(tests/zygote_process.py): a victim starts in milliseconds instead of seconds.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Victim:
    """One forked process."""

    def __init__(self, zygote: "Zygote", pid: int, port: int) -> None:
        self._zygote = zygote
        self._code: int | None = None
        self.pid = pid
        self.port = port

    @property
    def code(self) -> int | None:
        """How it ended (negative: by a signal); None while it runs."""
        if self._code is None:
            self._code = self._zygote.ask({"ended": self.pid})
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.code is None:
            os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """How it ended, which must be soon enough."""
        deadline = time.monotonic() + seconds
        while (code := self.code) is None:
            assert time.monotonic() < deadline, f"it still runs after {seconds} s"
            time.sleep(0.01)
        return code

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.send_signal(signal.SIGKILL)
        while self.code is None:
            pass


class Zygote:
    """The tests' side of it."""

    def __init__(self, errors: Path) -> None:
        with errors.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.zygote_process"],
                cwd=Path(__file__).parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def start(
        self, work: str, *, crash_at: str | None = None, output: Path | None = None, **arguments: object
    ) -> Victim:
        """Fork one, and return when it works. `output` gets what it says; otherwise that is said with the errors."""
        said = None if output is None else str(output)
        pid, port = self.ask({"work": work, "crash_at": crash_at, "output": said, **arguments})
        return Victim(self, pid, port)

    def run(
        self,
        module: str,
        *arguments: str,
        listens: bool = False,
        crash_at: str | None = None,
        output: Path | None = None,
        environment: Mapping[str, str],
    ) -> Victim:
        """`python -m module arguments`, forked. `listens`: on a free port, which is in the answer."""
        return self.start(
            "module",
            crash_at=crash_at,
            output=output,
            module=module,
            arguments=arguments,
            listens=listens,
            environment=environment,
        )

    def ask(self, command: dict[str, Any]) -> Any:
        """One command, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

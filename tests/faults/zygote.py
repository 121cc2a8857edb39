"""Forks the processes that the fault tests kill. Run as a process of its own: everything is imported once, so that a
victim starts in milliseconds and hundreds of them can be killed.

One JSON command per line on standard input, one answer per line on standard output. The end of the input ends it and
every victim that is left.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI

from schemas.topics import EVENTS
from services.custody import table_worker
from services.edge import roles
from services.edge.keyring import KeyRing
from services.edge.keys import load_pepper
from services.edge.metrics import Metrics
from services.edge.web import new_app
from services.ingest.app import create_app, make_door, make_router
from services.ingest.settings import IngestSettings
from services.log.crash import VARIABLE
from services.log.kafka import KafkaLog


def serve_door(told: int, url: str, pepper: str, bootstrap: str | None = None, topic: str = "") -> None:
    """The write door over HTTP; the port goes to the descriptor `told`."""
    settings = IngestSettings(database_url=url, pepper_file=Path(pepper))
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    app = create_app(settings) if bootstrap is None else _door_to_kafka(settings, bootstrap, topic)
    os.write(told, f"{listener.getsockname()[1]}\n".encode())
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listener])


def _door_to_kafka(settings: IngestSettings, bootstrap: str, topic: str) -> FastAPI:
    """As `create_app`, but on a topic of the test's own."""
    door, metrics = make_door(settings), Metrics()
    door.log = KafkaLog(bootstrap, EVENTS._replace(name=topic), log_id=door.log.log_id)
    app = new_app(
        "door", KeyRing(door.engine, load_pepper(settings.pepper_file)), metrics, {}, version="test", lifespan=None
    )
    app.include_router(make_router(settings, door, metrics))
    return roles.seal(app)


def project(told: int, url: str) -> None:
    """The projector over the table log."""
    os.write(told, b"0\n")
    table_worker.run(url, threading.Event())


WORKS: dict[str, Callable[..., None]] = {"door": serve_door, "projector": project}


def main() -> None:
    """Fork and tell."""
    children: set[int] = set()
    for line in sys.stdin:
        command = json.loads(line)
        if "ended" in command:
            pid, status = os.waitpid(command["ended"], os.WNOHANG)
            if pid:
                children.discard(pid)
            _answer(os.waitstatus_to_exitcode(status) if pid else None)
            continue
        heard, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            _be(command, told)
        os.close(told)
        children.add(pid)
        with os.fdopen(heard) as answer:
            _answer([pid, int(answer.readline() or 0)])
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _be(command: dict[str, Any], told: int) -> None:
    # The commands and answers of the parent are none of ours.
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    crash_at = command.pop("crash_at")
    if crash_at is not None:
        os.environ[VARIABLE] = crash_at
    try:
        WORKS[command.pop("work")](told, **command)
    except BaseException as error:
        sys.stderr.write(f"victim ended: {error!r}\n")
        sys.stderr.flush()
    os._exit(1)


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

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            while self.code is None:
                pass


class Zygote:
    """The tests' side of it."""

    def __init__(self, errors: Path) -> None:
        with errors.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.zygote"],
                cwd=Path(__file__).parents[2],
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

    def start(self, work: str, *, crash_at: str | None = None, **arguments: str) -> Victim:
        """Fork one, and return when it works."""
        pid, port = self.ask({"work": work, "crash_at": crash_at, **arguments})
        return Victim(self, pid, port)

    def ask(self, command: dict[str, Any]) -> Any:
        """One command, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


if __name__ == "__main__":
    main()

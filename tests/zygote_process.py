"""Forks the processes that tests start and kill. Run as a process of its own: everything is imported once, so that a
victim starts in milliseconds instead of seconds and hundreds of them can be killed.

One JSON command per line on standard input, one answer per line on standard output. The end of the input ends it and
every victim that is left.
"""

import json
import os
import random
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

import services.cli
import services.custody.worker
import services.query.app  # noqa: F401 - imported here so that no child has to
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


def run_module(told: int, module: str, arguments: Sequence[str], listens: bool, environment: Mapping[str, str]) -> None:
    """What `python -m module arguments` does. Where it listens it gets `--fd` and a socket, whose port is told."""
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    port = 0
    if listens:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        port = listener.getsockname()[1]
        sys.argv += ["--fd", str(listener.detach())]
    os.write(told, f"{port}\n".encode())
    # It is imported already, and runs anew under the name that a program has.
    runpy.run_module(module, run_name="__main__", alter_sys=True)


WORKS: dict[str, Callable[..., None]] = {"door": serve_door, "projector": project, "module": run_module}


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
    output = command.pop("output")
    if output is not None:
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
    os.dup2(2, 1)
    crash_at = command.pop("crash_at")
    if crash_at is not None:
        os.environ[VARIABLE] = crash_at
    # Or all children would throw the same dice.
    random.seed()
    code = 1
    try:
        WORKS[command.pop("work")](told, **command)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:
        sys.stderr.write(f"victim ended: {error!r}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()

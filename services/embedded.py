"""All services in one process tree: Postgres, the doors, the projector, the background work, and Kafka if asked.

Children are this installation's own commands (`lastintact serve`, `lastintact work`), told their settings by the
environment and tied to us by their standard input: whatever way we end, they notice and stop.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import httpx
from sqlalchemy import Engine

from services.custody import migrations
from services.edge.database import make_engine
from services.edge.keys import KeyStore
from services.log import clock
from services.parts.kafka import LocalKafka
from services.parts.postgres import LocalPostgres
from services.parts.processes import PartFailed, Say, say_nothing, tail

_READY_SECONDS = 60.0
# One deadline for all children together; a batch under way ends within a second.
_STOP_SECONDS = 15.0
_RESTART_PAUSE_SECONDS = 1.0
_RESTARTS_MAX = 5
_RESTART_WINDOW_SECONDS = 60.0


PEPPER = "pepper"
_RUNNING = "running.json"


class Running(NamedTuple):
    """Where a running installation can be reached."""

    url: str
    database_url: str


def running_on(data_dir: Path) -> Running:
    """The installation that runs on a data directory; raises `PartFailed` when none does."""
    try:
        return Running(**json.loads((data_dir / _RUNNING).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise PartFailed(
            f"Nothing runs on {data_dir}. Start it with `lastintact up --data {data_dir}`, "
            "or name a database with --database."
        ) from None


@dataclass
class _Child:
    name: str
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    log: Path
    restarts: list[float] = field(default_factory=list)


class Embedded:
    """A whole installation on this machine. `start`, then `url` and `admin_key`; `stop` ends everything it started.

    `data_dir` keeps the database, the broker's log, the pepper and the admin key between runs. `port` 0 takes a free
    one. `bootstrap` uses a broker that runs elsewhere instead of starting one. `story_clock` takes record times from
    requests and works on an empty database only.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        kafka: bool = False,
        bootstrap: str | None = None,
        story_clock: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        say: Say = say_nothing,
    ) -> None:
        self._data_dir = data_dir.absolute()
        self._logs = self._data_dir / "logs"
        self._postgres = LocalPostgres(self._data_dir / "postgres")
        self._kafka = LocalKafka(self._data_dir / "kafka", say=say) if kafka and bootstrap is None else None
        self._bootstrap = bootstrap
        self._story_clock = story_clock
        self._address = (host, port)
        self._say = say
        self._children: list[_Child] = []
        self._listener: socket.socket | None = None
        self._engine: Engine | None = None
        self._told = False
        self.database_url = ""
        self.url = ""
        self.admin_key = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start every part and wait until the doors are ready; raises `PartFailed` and leaves nothing running."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(exist_ok=True)
        # Bound first: a port that is taken should be told before a database is made.
        self._listener = _listen(*self._address)
        self.url = "http://{}:{}".format(*self._listener.getsockname()[:2])
        self._say("Starting Postgres")
        self.database_url = self._postgres.start()
        migrations.upgrade(self.database_url)
        self._engine = make_engine(self.database_url, pool_size=1)
        clock.claim(self._engine, story_clock=self._story_clock)
        if self._kafka is not None:
            self._say("Starting Kafka")
            self._bootstrap = self._kafka.start()
        self.admin_key = self._admin_key()
        self._say("Starting the doors, the projector and the background work")
        self._spawn("doors", "serve", "doors", "--fd", str(self._listener.fileno()))
        self._spawn("projector", "work", "projector", "--instance", "embedded")
        self._spawn("background", "work", "background")
        self._wait_until_ready()
        running = Running(self.url, self.database_url)
        # Renamed into place: whoever waits for the file must not read half of it.
        draft = self._data_dir / f"{_RUNNING}.draft"
        draft.write_text(json.dumps(running._asdict()), encoding="utf-8")
        draft.rename(self._data_dir / _RUNNING)
        self._told = True

    def stop(self) -> None:
        """Stop children, broker and database, in this order, within a bound. Idle when called twice."""
        if self._told:
            # Another installation's, where ours could not start because that one runs, stays.
            (self._data_dir / _RUNNING).unlink(missing_ok=True)
            self._told = False
        deadline = time.monotonic() + _STOP_SECONDS
        # All are told before any is waited for; closing the pipe is the message, the signal only hurries it.
        for child in self._children:
            _hang_up(child.process)
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
        for child in self._children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._children.clear()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        if self._kafka is not None:
            self._kafka.stop()
        self._postgres.stop()

    def supervise(self, stop: threading.Event) -> None:
        """Watch the children until `stop` is set; restart one that ended.

        Raises `PartFailed` when one ends again and again: then its log says more than another try would.
        """
        while not stop.wait(_RESTART_PAUSE_SECONDS):
            for index, child in enumerate(self._children):
                if child.process.poll() is not None:
                    self._children[index] = self._restart(child)

    @property
    def bootstrap(self) -> str | None:
        """The Kafka broker in use; None with the table log."""
        return self._bootstrap

    @property
    def environment(self) -> dict[str, str]:
        """The settings that the children run with, for another process that should work on the same installation."""
        settings = {
            "LASTINTACT_DATABASE_URL": self.database_url,
            "LASTINTACT_PEPPER_FILE": str(self._data_dir / PEPPER),
            "LASTINTACT_STORY_CLOCK": "true" if self._story_clock else "false",
        }
        if self._bootstrap:
            settings["LASTINTACT_KAFKA_BOOTSTRAP"] = self._bootstrap
        return settings

    def keys(self) -> KeyStore:
        """The installation's API keys."""
        if self._engine is None:
            raise PartFailed("The installation is not running; call start() first.")
        return KeyStore(self._engine, self._data_dir / PEPPER)

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the children, by name."""
        return {child.name: child.process.pid for child in self._children}

    def _admin_key(self) -> str:
        path = self._data_dir / "admin.key"
        if path.exists():
            return path.read_text(encoding="utf-8").strip()
        text = self.keys().add(role="admin", label="first admin key of this installation").text
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        self._say(f"The admin key is in {path}")
        return text

    def _spawn(self, name: str, *arguments: str) -> None:
        self._children.append(_Child(name, arguments, self._popen(name, arguments), self._logs / f"{name}.log"))

    def _popen(self, name: str, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        assert self._listener is not None
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("LASTINTACT_")}
        with (self._logs / f"{name}.log").open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, "-m", "services.cli", *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**inherited, **self.environment, "LASTINTACT_LIFELINE": "true"},
                # Ctrl-C at the terminal is for us; children are stopped in order.
                start_new_session=True,
                pass_fds=(self._listener.fileno(),),
            )

    def _restart(self, child: _Child) -> _Child:
        now = time.monotonic()
        restarts = [at for at in child.restarts if now - at < _RESTART_WINDOW_SECONDS] + [now]
        code = child.process.returncode
        if len(restarts) > _RESTARTS_MAX:
            raise PartFailed(
                f"The {child.name} ended {len(restarts)} times within a minute, last with exit code {code}. "
                f"Its log {child.log} ends:\n{tail(child.log)}"
            )
        self._say(f"The {child.name} ended with exit code {code}; starting it again")
        _hang_up(child.process)
        return _Child(child.name, child.arguments, self._popen(child.name, child.arguments), child.log, restarts)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        heard = "the doors did not answer"
        # One for all tries: making one reads all certificates of this machine, while the children want the processor.
        with httpx.Client(timeout=5) as client:
            while True:
                for child in self._children:
                    if child.process.poll() is not None:
                        raise PartFailed(
                            f"The {child.name} ended with exit code {child.process.returncode} while starting. "
                            f"Its log {child.log} ends:\n{tail(child.log)}"
                        )
                with contextlib.suppress(httpx.TransportError):
                    answer = client.get(f"{self.url}/readyz")
                    if answer.status_code == httpx.codes.OK:
                        return
                    heard = f"/readyz says {answer.text}"
                if time.monotonic() > deadline:
                    raise PartFailed(
                        f"The doors were not ready after {_READY_SECONDS:.0f} s: {heard}. "
                        f"Is everything that it names reachable? The logs are in {self._logs}."
                    )
                time.sleep(0.05)


def _listen(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port), backlog=512)
    except OSError as error:
        raise PartFailed(
            f"Port {port} on {host} cannot be used: {error.strerror}. "
            "Stop what listens there, or choose another with --port."
        ) from error
    # Accepted sockets inherit it; without it a kept-alive answer waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.set_inheritable(True)
    return listener


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()

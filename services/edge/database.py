"""How a process reaches Postgres: one engine with bounds on everything, and what its errors mean to a caller."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from schemas.errors import LastintactError, Unavailable

__all__ = ["Engine", "make_engine", "ping", "unavailable_when_lost"]

_URL_WANTED = "The database's URL cannot be used; it should read postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME."
_CONNECT_SECONDS = 5
# How long a caller waits for a free connection before it is told to come back.
_POOL_WAIT_SECONDS = 5.0
# A transaction that its process forgot must not keep row versions and locks for ever.
_IDLE_IN_TRANSACTION_SECONDS = 60.0


class BadDatabaseUrl(LastintactError):
    """The setting is no URL of a Postgres database. The message does not repeat it: it may hold a password."""


def make_engine(
    url: str,
    *,
    pool_size: int = 5,
    statement_timeout_seconds: float | None = None,
    lock_timeout_seconds: float | None = None,
    application_name: str = "lastintact",
) -> Engine:
    """An engine whose sessions speak UTC, read committed rows, commit durably and give up in bounded time.

    Opens no connection by itself. `statement_timeout_seconds` None: a statement may take as long as it needs. Raises
    `BadDatabaseUrl`.
    """
    session_settings = {
        "timezone": "UTC",
        # An acknowledged event must survive a power cut, whatever the server's default says.
        "synchronous_commit": "on",
        "idle_in_transaction_session_timeout": _milliseconds(_IDLE_IN_TRANSACTION_SECONDS),
        "statement_timeout": _milliseconds(statement_timeout_seconds),
        "lock_timeout": _milliseconds(lock_timeout_seconds),
    }
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise BadDatabaseUrl(_URL_WANTED) from error
    if parsed.drivername != "postgresql+psycopg":
        raise BadDatabaseUrl(_URL_WANTED)
    return create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        # Errors end in logs; what was sent does not belong there.
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": application_name,
            "options": " ".join(f"-c {name}={value}" for name, value in session_settings.items()),
        },
    )


@contextmanager
def unavailable_when_lost(what: str) -> Iterator[None]:
    """Turn a lost, slow or crowded database into `Unavailable`; any other error of the database is a bug and passes."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise Unavailable(f"the database is slow or away ({what})") from error
    except DBAPIError as error:
        # psycopg tells a connection that died under a statement by other classes too.
        if not error.connection_invalidated:
            raise
        raise Unavailable(f"the connection to the database was lost ({what})") from error


def ping(engine: Engine) -> None:
    """Run a statement. Raises `Unavailable` when that cannot be done."""
    with unavailable_when_lost("ping"), engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _milliseconds(seconds: float | None) -> int:
    return 0 if seconds is None else round(seconds * 1000)

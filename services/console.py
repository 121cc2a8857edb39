"""What the commands share: options that several of them take, errors told as sentences, ending on a signal."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer

DataDir = Annotated[
    Path,
    typer.Option("--data", envvar="LASTINTACT_DATA", help="Where database, broker log, pepper and admin key are kept."),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="LASTINTACT_DATABASE_URL",
        help="postgresql+psycopg://… (better set in the environment); default: what runs on --data",
    ),
]
PepperFile = Annotated[
    Path | None,
    typer.Option(envvar="LASTINTACT_PEPPER_FILE", help="The secret under which keys are hashed; default: in --data."),
]
DEFAULT_DATA = Path("var/lastintact")


def database_url(data: Path, database: str | None) -> str:
    """The database that is named, else that of the installation which runs on the data directory."""
    from services.embedded import running_on

    return database or running_on(data).database_url


@contextlib.contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, so that work under way can end well."""
    stop = threading.Event()
    previous = {
        number: signal.signal(number, lambda _number, _frame: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def sentences(code: int = 1) -> Iterator[None]:
    """Errors that a person can act on are told as a sentence and end it; anything else is a bug and shows its trace."""
    from pydantic import ValidationError

    from schemas.errors import LastintactError
    from services.log.clock import WrongClock
    from services.parts.processes import PartFailed

    try:
        yield
    except (LastintactError, PartFailed, WrongClock) as error:
        fail(str(error), code)
    except OSError as error:
        fail(f"{error.filename or 'The system'}: {error.strerror or error}. Check the path and its permissions.", code)
    except ValidationError as error:
        # Never with the value: a database's URL holds its password.
        names = ("_".join(("LASTINTACT", *map(str, fault["loc"]))).upper() for fault in error.errors())
        told = [f"{name}: {fault['msg']}" for name, fault in zip(names, error.errors(), strict=True)]
        fail(f"Set in the environment: {'; '.join(told)}.", code)


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End with this sentence on standard error."""
    typer.echo(f"lastintact: {sentence}", err=True)
    raise typer.Exit(code)


def say(line: str) -> None:
    """Tell how far it is, on standard error."""
    typer.echo(line, err=True)

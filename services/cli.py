"""The `lastintact` command: starts things, holds no logic."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from services.edge.keys import KeyStore

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Chain of custody for shipments: who was last to see the parcel intact, and whom the rules then hold liable.",
    epilog="Start with `lastintact demo`, or with `lastintact up` and the admin key that it names. "
    "Answers are an evidence assessment, not legal advice.",
)
keys = typer.Typer(no_args_is_help=True, help="API keys: make, list and revoke them.")
serve = typer.Typer(no_args_is_help=True, help="Run one HTTP door by itself (deployments; `up` runs both).")
work = typer.Typer(no_args_is_help=True, help="Run one worker by itself (deployments; `up` runs all).")
app.add_typer(keys, name="keys")
app.add_typer(serve, name="serve")
app.add_typer(work, name="work")

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
DEFAULT_PORT = 8080


@app.command()
def up(
    data: DataDir = DEFAULT_DATA,
    kafka: Annotated[bool, typer.Option("--kafka", help="Run a real one-node Kafka and the Faust worker.")] = False,
    bootstrap: Annotated[
        str | None, typer.Option(help="Use this Kafka (HOST:PORT) instead of starting one; implies --kafka.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = DEFAULT_PORT,
    story_clock: Annotated[
        bool,
        typer.Option("--story-clock", help="Take record times from requests. For stories, on an empty database only."),
    ] = False,
) -> None:
    """Start the whole system on this machine and keep it running until Ctrl-C."""
    from services.embedded import Embedded

    if bootstrap is not None and not bootstrap.rpartition(":")[2].isdecimal():
        _fail(f"{bootstrap} names no port. Give --bootstrap as HOST:PORT, for example broker.example:9092.")
    with _stop_on_signals() as stop, _sentences():
        system = Embedded(
            data,
            kafka=kafka or bootstrap is not None,
            bootstrap=bootstrap,
            story_clock=story_clock,
            host=host,
            port=port,
            say=_say,
        )
        with system:
            _say(f"lastintact is up at {system.url}. Events go to {system.url}/v1/events. Stop with Ctrl-C.")
            system.supervise(stop)
    _say("Stopped.")


@app.command()
def demo(
    kafka: Annotated[bool, typer.Option("--kafka", help="Through a real Kafka and the Faust worker.")] = False,
    parcels: Annotated[int, typer.Option(min=1, help="Parcels of the simulated day.")] = 2000,
) -> None:
    """Start a system of its own, tell it three real cases and a simulated day, print the answers, stop it."""
    from services.demo import run

    with _sentences():
        raise typer.Exit(run(kafka=kafka, parcels=parcels))


@app.command()
def scenario(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Story files (YAML).")],
    via: Annotated[
        str | None, typer.Option(help="URL of a running system on the story clock; default: start one.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="LASTINTACT_KEY", help="An admin API key of that system (better in the environment)."),
    ] = None,
) -> None:
    """Tell stories to a system through its public API and compare its answers; exit code 1 on any difference."""
    from services.scenario.run import run

    with _sentences():
        raise typer.Exit(run(files, via=via, key=key))


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Directory for events.jsonl and truth.jsonl.")],
    seed: Annotated[int, typer.Option(help="Same seed and end, same files, byte for byte.")] = 1,
    parcels: Annotated[int, typer.Option(min=1)] = 2000,
    end: Annotated[str | None, typer.Option(help="When the day ends, RFC 3339 with a zone; default: now.")] = None,
) -> None:
    """Write a simulated day of scans, and apart from it the truth of where harm happened."""
    from schemas.codec import parse_instant
    from services.simulate import write

    with _sentences():
        write(
            out, seed=seed, parcels=parcels, end=parse_instant(end, field="end") if end else datetime.now(UTC), say=_say
        )


@keys.command("add")
def keys_add(
    role: Annotated[str, typer.Option(help="scanner, claims, ops or admin.")],
    label: Annotated[str, typer.Option(help="What it is for; no names of people.")],
    depot: Annotated[str | None, typer.Option(help="Scanner keys: events must come from this depot.")] = None,
    party: Annotated[str | None, typer.Option(help="The party that the depot belongs to.")] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="Scanner keys: a device of the depot; repeat for more.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Expires after so many days; default: never.")] = None,
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
    pepper_file: PepperFile = None,
) -> None:
    """Make a key and print it. It is shown this once; only its hash is kept."""
    with _sentences():
        made = _key_store(data, database, pepper_file).add(
            role=role,
            label=label,
            depot=depot,
            party=party,
            devices=tuple(device or ()),
            expires=datetime.now(UTC) + timedelta(days=days) if days else None,
        )
        typer.echo(made.text)


@keys.command("list")
def keys_list(data: DataDir = DEFAULT_DATA, database: DatabaseUrl = None, pepper_file: PepperFile = None) -> None:
    """List all keys with role, depot, devices and state. Secrets are not known to anybody but their holders."""
    with _sentences():
        for key in _key_store(data, database, pepper_file).list():
            state = "revoked" if key.revoked else f"expires {key.expires:%Y-%m-%d}" if key.expires else "active"
            devices = ",".join(key.devices) or "-"
            typer.echo(f"{key.key_id}  {key.role:<8}  {state:<18}  {key.depot or '-'}  {devices}  {key.label}")


@keys.command("revoke")
def keys_revoke(
    key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")],
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
    pepper_file: PepperFile = None,
) -> None:
    """End a key. Events that it recorded stay."""
    with _sentences():
        key_id = key_id.removeprefix("li_").partition(".")[0]
        if not _key_store(data, database, pepper_file).revoke(key_id):
            _fail(f"There is no active key {key_id}. `lastintact keys list` shows them.")
        typer.echo(f"{key_id} is revoked; the doors notice within seconds.")


@app.command()
def migrate(data: DataDir = DEFAULT_DATA, database: DatabaseUrl = None) -> None:
    """Bring the database to this version. Safe to repeat, and when several start it at once."""
    from services.custody.migrations import upgrade

    with _sentences():
        upgrade(_database_url(data, database))


@app.command()
def replay(data: DataDir = DEFAULT_DATA, database: DatabaseUrl = None) -> None:
    """Rebuild the projection from the archive beside the live one, then switch."""
    from services.custody.replay import replay as rebuild
    from services.edge.database import make_engine

    with _sentences():
        rebuild(make_engine(_database_url(data, database)), say=_say)


@app.command()
def fsck(data: DataDir = DEFAULT_DATA, database: DatabaseUrl = None) -> None:
    """Fold the archive anew and name every stored row that differs; exit code 1 when one does."""
    from services.custody.fsck import check
    from services.edge.database import make_engine

    with _sentences():
        differences = check(make_engine(_database_url(data, database)), say=_say)
        for difference in differences:
            typer.echo(str(difference))
        raise typer.Exit(1 if differences else 0)


@serve.command("doors")
def serve_doors(fd: Annotated[int | None, typer.Option(help="Listen on this inherited socket.")] = None) -> None:
    """Both doors on one port."""
    from services.doors import create_app, load_settings

    _serve(lambda: create_app(*load_settings()), fd)


@serve.command("ingest")
def serve_ingest(fd: Annotated[int | None, typer.Option(help="Listen on this inherited socket.")] = None) -> None:
    """The write door alone."""
    from services.ingest.app import create_app
    from services.ingest.settings import IngestSettings

    _serve(lambda: create_app(IngestSettings()), fd)


@serve.command("query")
def serve_query(fd: Annotated[int | None, typer.Option(help="Listen on this inherited socket.")] = None) -> None:
    """The read door alone."""
    from services.query.app import create_app
    from services.query.settings import QuerySettings

    _serve(lambda: create_app(QuerySettings()), fd)


@work.command("projector")
def work_projector(
    kafka_bootstrap: Annotated[
        str | None, typer.Option(envvar="LASTINTACT_KAFKA_BOOTSTRAP", help="Read this Kafka; default: the table log.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option(help="Kafka: a name that no other worker has; it gets its partitions back at once.")
    ] = None,
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
) -> None:
    """The projector: from the table log, or from Kafka with Faust."""
    _lifeline()
    with _sentences():
        url = _database_url(data, database)
        if kafka_bootstrap:
            from services.custody.worker import main as faust_worker

            raise typer.Exit(faust_worker(kafka_bootstrap, url, instance=instance))
        from services.custody.table_worker import run

        with _stop_on_signals() as stop:
            run(url, stop)


@work.command("background")
def work_background() -> None:
    """Refresh verdicts, pass deadlines, check signatures."""
    from services.custody.background import run
    from services.ingest.app import make_door
    from services.ingest.settings import IngestSettings

    _lifeline()
    with _stop_on_signals() as stop, _sentences():
        settings = IngestSettings()
        run(settings.database_url, make_door(settings).accept_system, stop)


def _serve(make_app: Callable[[], "FastAPI"], fd: int | None) -> None:
    import uvicorn

    from services.edge.wire import ProblemProtocol

    _lifeline()
    port = os.environ.get("LASTINTACT_PORT", str(DEFAULT_PORT))
    if not port.isdecimal():
        _fail("Set in the environment: LASTINTACT_PORT: it should be a number.")
    with _sentences():
        application = make_app()
    uvicorn.run(
        application,
        fd=fd,
        http=ProblemProtocol,
        host=os.environ.get("LASTINTACT_HOST", "127.0.0.1"),
        port=int(port),
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=8,
        server_header=False,
    )


def _database_url(data: Path, database: str | None) -> str:
    from services.embedded import running_on

    return database or running_on(data).database_url


def _key_store(data: Path, database: str | None, pepper_file: Path | None) -> "KeyStore":
    from services.edge.database import make_engine
    from services.edge.keys import KeyStore
    from services.embedded import PEPPER

    return KeyStore(make_engine(_database_url(data, database), pool_size=1), pepper_file or data / PEPPER)


def _lifeline() -> None:
    if os.environ.get("LASTINTACT_LIFELINE"):
        from services.lifeline import hold

        hold()


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
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
def _sentences() -> Iterator[None]:
    """Errors that a person can act on are told as a sentence; anything else is a bug and shows its trace."""
    from pydantic import ValidationError

    from schemas.errors import LastintactError
    from services.log.clock import WrongClock
    from services.parts.processes import PartFailed

    try:
        yield
    except (LastintactError, PartFailed, WrongClock) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'The system'}: {error.strerror or error}. Check the path and its permissions.")
    except ValidationError as error:
        # Never with the value: a database's URL holds its password.
        names = ("_".join(("LASTINTACT", *map(str, fault["loc"]))).upper() for fault in error.errors())
        told = [f"{name}: {fault['msg']}" for name, fault in zip(names, error.errors(), strict=True)]
        _fail(f"Set in the environment: {'; '.join(told)}.")


def _fail(sentence: str) -> None:
    typer.echo(f"lastintact: {sentence}", err=True)
    raise typer.Exit(1)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()

"""The `lastintact` command: starts things, holds no logic."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.console import (
    DEFAULT_DATA,
    DatabaseUrl,
    DataDir,
    PepperFile,
    database_url,
    fail,
    say,
    sentences,
    stop_on_signals,
)
from services.dlq_command import dlq
from services.rules_command import rules

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
app.add_typer(rules, name="rules")
app.add_typer(dlq, name="dlq")

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
        fail(f"{bootstrap} names no port. Give --bootstrap as HOST:PORT, for example broker.example:9092.")
    with stop_on_signals() as stop, sentences():
        system = Embedded(
            data,
            kafka=kafka or bootstrap is not None,
            bootstrap=bootstrap,
            story_clock=story_clock,
            host=host,
            port=port,
            say=say,
        )
        with system:
            say(f"lastintact is up at {system.url}. Events go to {system.url}/v1/events. Stop with Ctrl-C.")
            system.supervise(stop)
    say("Stopped.")


@app.command()
def demo(
    kafka: Annotated[bool, typer.Option("--kafka", help="Through a real Kafka and the Faust worker.")] = False,
    parcels: Annotated[int, typer.Option(min=1, help="Parcels of the simulated day.")] = 2000,
) -> None:
    """Start a system of its own, tell it three real cases and a simulated day, print the answers, stop it."""
    from services.demo import run

    with sentences():
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

    with sentences():
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

    with sentences():
        write(
            out, seed=seed, parcels=parcels, end=parse_instant(end, field="end") if end else datetime.now(UTC), say=say
        )


@app.command()
def evaluate(
    seeds: Annotated[int, typer.Option(min=1, help="How many simulated days.")] = 20,
    seed_from: Annotated[int, typer.Option(help="The first seed; the others follow it.")] = 1,
    parcels: Annotated[int, typer.Option(min=1, help="Parcels of each day; about a third of them come to harm.")] = 160,
    honest: Annotated[bool, typer.Option("--honest", help="Without noise only.")] = False,
    notices: Annotated[
        float,
        typer.Option(min=0, max=100, help="Takers who do not examine a parcel, but note harm that shows, in per cent."),
    ] = 75,
    wrong: Annotated[
        str, typer.Option(help="Noise: looks written down wrong, in per cent, at grade 5, 4 and 3.")
    ] = "0.1,0.5,3",
    missing_scans: Annotated[
        float,
        typer.Option(min=0, max=100, help="Noise: scans and handoffs without a look that go missing, in per cent."),
    ] = 15,
    missing_looks: Annotated[
        float, typer.Option(min=0, max=100, help="Noise: acts with a look that go missing, in per cent.")
    ] = 0,
    clocks_off: Annotated[
        float, typer.Option(min=0, max=100, help="Noise: devices with a clock that is minutes off, in per cent.")
    ] = 5,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here, too, with every answer worth a look.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one for each core.")] = 0,
) -> None:
    """Measure the reasoning against simulated truth: how often it names who did it, by how sure it says it is.

    Every seed is a simulated day whose truth is known. Its events go through the reasoning in memory, no server
    needed, and each answer is laid beside the truth and beside the two habits that it replaces: the last carrier pays,
    the first bad scan pays. Each day runs without noise, when everybody writes down what there is to see, and with it.
    Equal options give equal figures.
    """
    from services.evaluate import Parameters, lines, noise_of, write_json
    from services.evaluate import evaluate as measure

    with sentences():
        chances = noise_of(wrong, missing_scans, missing_looks, clocks_off)
        report = measure(
            Parameters(
                seeds=seeds,
                seed_from=seed_from,
                parcels=parcels,
                noise=None if honest else chances,
                notices=notices / 100,
                workers=workers,
            ),
            say,
        )
        if json is not None:
            write_json(report, json)
        for line in lines(report):
            typer.echo(line)


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
    with sentences():
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
    with sentences():
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
    with sentences():
        key_id = key_id.removeprefix("li_").partition(".")[0]
        if not _key_store(data, database, pepper_file).revoke(key_id):
            fail(f"There is no active key {key_id}. `lastintact keys list` shows them.")
        typer.echo(f"{key_id} is revoked; the doors notice within seconds.")


@app.command()
def migrate(data: DataDir = DEFAULT_DATA, database: DatabaseUrl = None) -> None:
    """Bring the database to this version. Safe to repeat, and when several start it at once."""
    from services.custody.migrations import upgrade

    with sentences():
        upgrade(database_url(data, database))


@app.command()
def replay(data: DataDir = DEFAULT_DATA, database: DatabaseUrl = None) -> None:
    """Rebuild the projection from the archive beside the live one, then switch."""
    from services.custody.replay import replay as rebuild
    from services.edge.database import make_engine

    with sentences():
        rebuild(make_engine(database_url(data, database)), say=say)


@app.command()
def fsck(data: DataDir = DEFAULT_DATA, database: DatabaseUrl = None) -> None:
    """Fold the archive anew and name every stored row that differs; exit code 1 when one does."""
    from services.custody.fsck import check
    from services.edge.database import make_engine

    with sentences():
        differences = check(make_engine(database_url(data, database)), say=say)
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
    with sentences():
        url = database_url(data, database)
        if kafka_bootstrap:
            from services.custody.worker import main as faust_worker

            raise typer.Exit(faust_worker(kafka_bootstrap, url, instance=instance))
        from services.custody.table_worker import run

        with stop_on_signals() as stop:
            run(url, stop)


@work.command("background")
def work_background() -> None:
    """Refresh verdicts, pass deadlines, check signatures."""
    from services.custody.background import run
    from services.ingest.app import make_door
    from services.ingest.settings import IngestSettings

    _lifeline()
    with stop_on_signals() as stop, sentences():
        settings = IngestSettings()
        run(settings.database_url, make_door(settings).accept_system, stop)


def _serve(make_app: Callable[[], "FastAPI"], fd: int | None) -> None:
    import uvicorn

    from services.edge.wire import ProblemProtocol

    _lifeline()
    port = os.environ.get("LASTINTACT_PORT", str(DEFAULT_PORT))
    if not port.isdecimal():
        fail("Set in the environment: LASTINTACT_PORT: it should be a number.")
    with sentences():
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


def _key_store(data: Path, database: str | None, pepper_file: Path | None) -> "KeyStore":
    from services.edge.database import make_engine
    from services.edge.keys import KeyStore
    from services.embedded import PEPPER

    return KeyStore(make_engine(database_url(data, database), pool_size=1), pepper_file or data / PEPPER)


def _lifeline() -> None:
    if os.environ.get("LASTINTACT_LIFELINE"):
        from services.lifeline import hold

        hold()


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()

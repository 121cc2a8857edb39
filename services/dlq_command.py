"""`lastintact dlq`: the dead letters, records that could not be read, and what to do with them."""

import getpass
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from services.console import DEFAULT_DATA, DatabaseUrl, DataDir, database_url, fail, say, sentences

if TYPE_CHECKING:
    from schemas.positions import Position
    from services.custody.dead_letters import DeadLetter
    from services.edge.database import Engine

dlq = typer.Typer(
    no_args_is_help=True,
    help="Dead letters: records that could not be read. They stop nobody; answers about their parcel say so.",
)

Places = Annotated[
    list[str] | None, typer.Argument(metavar="[PARTITION:OFFSET]...", help="Which, as `dlq list` names them.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
All = Annotated[bool, typer.Option("--all", help="Every one that waits.")]


@dlq.command("list")
def dlq_list(
    subject: Annotated[str | None, typer.Option(help="Only those about this subject, as the log names it.")] = None,
    discarded: Annotated[bool, typer.Option("--discarded", help="Those that were discarded, instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest first.")] = 100,
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
) -> None:
    """List them: place, when recorded, subject, type, reason."""
    from services.custody import dead_letters

    with _engine(data, database) as engine, engine.connect() as connection:
        letters = dead_letters.listed(connection, subject=subject, discarded=discarded, limit=limit)
        waiting = dead_letters.waiting(connection)
    for letter in letters:
        typer.echo(_line(letter))
    say(f"{waiting} wait" + (f"; shown are {len(letters)}" if letters else "") + ".")


@dlq.command("show")
def dlq_show(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET")],
    raw: Annotated[bool, typer.Option("--raw", help="Its bytes as recorded, and nothing else.")] = False,
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
) -> None:
    """Show one: where it lies, why it cannot be read, and with --raw its bytes."""
    from services.custody import dead_letters

    with _engine(data, database) as engine, engine.connect() as connection:
        letter, record = dead_letters.found(connection, _places([place])[0])
        (read,) = dead_letters.reread(connection, [letter])
    if raw:
        typer.echo(record.value, nl=False)
        return
    typer.echo(_line(letter))
    typer.echo(f"  source     {letter.source or 'not readable'}")
    typer.echo(f"  event id   {letter.event_id or 'not readable'}")
    typer.echo(f"  value      {len(record.value)} bytes, SHA-256 {hashlib.sha256(record.value).hexdigest()}")
    typer.echo(f"  this build {read.still or 'can read it: lastintact dlq replay ' + str(letter.place)}")


@dlq.command("replay")
def dlq_replay(
    places: Places = None,
    everything: All = False,
    yes: Yes = False,
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
) -> None:
    """Read them again with this build. Each counts where it was recorded, so no order changes.

    Exit code 1 when some still cannot be read.
    """
    from services.custody import dead_letters

    with _engine(data, database) as engine:
        chosen = _chosen(engine, places, everything=everything)
        with engine.connect() as connection:
            tried = dead_letters.reread(connection, chosen)
        readable = [each.letter for each in tried if each.still is None]
        for each in tried:
            typer.echo(f"{each.letter.place}  {each.still or 'can be read now'}")
        say(f"{len(readable)} of {len(tried)} can be read now.")
        if readable and (yes or typer.confirm(f"Replay {len(readable)}?", err=True)):
            done = dead_letters.replay(engine, readable)
            say(f"{sum(each.still is None for each in done)} replayed.")
    raise typer.Exit(int(len(readable) < len(tried)))


@dlq.command("discard")
def dlq_discard(
    reason: Annotated[str, typer.Option(help="Why they will never be read; kept for good, with your name.")],
    places: Places = None,
    everything: All = False,
    yes: Yes = False,
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
) -> None:
    """Take them off the list. The records stay, and answers about their parcels go on to say what is missing."""
    from services.custody import dead_letters

    if not reason.strip():
        fail("--reason is empty. Say in a sentence why these will never be read.", 2)
    with _engine(data, database) as engine:
        letters = [letter for letter in _chosen(engine, places, everything=everything) if letter.discarded is None]
        for letter in letters:
            typer.echo(_line(letter))
        if letters and (yes or typer.confirm(f"Discard {len(letters)}?", err=True)):
            dead_letters.discard(engine, letters, reason=reason.strip(), by=getpass.getuser())
            say(f"{len(letters)} discarded.")


@contextmanager
def _engine(data: DataDir, database: DatabaseUrl) -> "Iterator[Engine]":
    from services.edge.database import make_engine, unavailable_when_lost

    with sentences(code=2), unavailable_when_lost("dead letters"):
        engine = make_engine(database_url(data, database), pool_size=1, application_name="lastintact dlq")
        try:
            yield engine
        finally:
            engine.dispose()


def _chosen(engine: "Engine", places: Sequence[str] | None, *, everything: bool) -> "list[DeadLetter]":
    from services.custody import dead_letters

    if bool(places) == everything:
        fail("Name the dead letters as PARTITION:OFFSET, or say --all.", 2)
    named = _places(places or ())
    with engine.connect() as connection:
        if everything:
            return dead_letters.listed(connection)
        return [dead_letters.found(connection, place)[0] for place in named]


def _places(texts: Sequence[str]) -> "list[Position]":
    from schemas.positions import Position

    places = []
    for text in texts:
        partition, _, offset = text.partition(":")
        if not (partition.isdecimal() and offset.isdecimal()):
            fail(f"{text} is no place. Give PARTITION:OFFSET, for example 3:120, as `lastintact dlq list` does.", 2)
        places.append(Position(int(partition), int(offset)))
    return places


def _line(letter: "DeadLetter") -> str:
    told = f"{letter.place}  {letter.record_time:%Y-%m-%dT%H:%M:%SZ}  {letter.subject}  {letter.type or '-'}"
    told += f"  {letter.reason}"
    return told if letter.discarded is None else f"{told}  (discarded: {letter.discarded})"

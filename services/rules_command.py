"""`lastintact rules`: lists the rules, and says what another ruleset would decide."""

from typing import Annotated

import typer

from services.console import DEFAULT_DATA, DatabaseUrl, DataDir, database_url, say, sentences

rules = typer.Typer(invoke_without_command=True, help="List the rules; compare what two rulesets decide.")


@rules.callback()
def rules_list(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="For programs, as at /v1/rules.")] = False,
) -> None:
    """List the rules that this build decides by: name, text in both languages, the law behind it."""
    if context.invoked_subcommand is not None:
        return
    from services.custody.listed_rules import as_json, lines

    for line in as_json() if json else lines():
        typer.echo(line)


@rules.command("compare")
def rules_compare(
    old: Annotated[str, typer.Argument(help="The ruleset that the stored answers of open cases were made under.")],
    new: Annotated[str, typer.Argument(help="The ruleset of this build.")],
    json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each case that differs, and one for the summary.")
    ] = False,
    data: DataDir = DEFAULT_DATA,
    database: DatabaseUrl = None,
) -> None:
    """Say which open cases NEW would decide otherwise than OLD did, before it goes live. Writes nothing.

    Exit code 0: every open case is decided as before. 1: some are decided otherwise. 2: they cannot be compared.
    """
    from services.custody import compare_rulesets as comparing
    from services.edge.database import make_engine

    def tell(difference: comparing.CaseDifference) -> None:
        for line in comparing.json_lines(difference) if json else comparing.lines(difference):
            typer.echo(line)

    with sentences(code=2):
        engine = make_engine(database_url(data, database), pool_size=1)
        try:
            summary = comparing.compare_rulesets(engine, old, new, tell, say=say)
        finally:
            engine.dispose()
        for line in comparing.json_summary(summary) if json else comparing.summary_lines(summary):
            typer.echo(line)
    raise typer.Exit(summary.exit_code)

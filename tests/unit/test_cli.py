"""What the command says when it is told nonsense: one sentence, never a trace, never the value."""

import pytest
from typer.testing import CliRunner

from services.cli import app

DATABASE = {"LASTINTACT_DATABASE_URL": "postgresql+psycopg://u:hidden@127.0.0.1:1/x"}
PEPPER = {"LASTINTACT_PEPPER_FILE": "/nonexistent/pepper"}


@pytest.mark.parametrize(
    ("command", "environment", "named"),
    [
        ("serve ingest", DATABASE, "LASTINTACT_PEPPER_FILE"),
        ("serve query", DATABASE, "LASTINTACT_PEPPER_FILE"),
        ("work background", PEPPER, "LASTINTACT_DATABASE_URL"),
        ("serve ingest", DATABASE | PEPPER | {"LASTINTACT_CONCURRENT_POSTS": "hidden"}, "LASTINTACT_CONCURRENT_POSTS"),
        ("serve ingest", DATABASE | PEPPER | {"LASTINTACT_PORT": "hidden"}, "LASTINTACT_PORT"),
        ("serve ingest", PEPPER | {"LASTINTACT_DATABASE_URL": "hidden"}, "postgresql+psycopg://"),
        ("work projector", PEPPER | {"LASTINTACT_DATABASE_URL": "mysql://hidden"}, "postgresql+psycopg://"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_told_in_a_sentence(
    command: str, environment: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "PEPPER_FILE", "CONCURRENT_POSTS", "PORT", "LIFELINE"):
        monkeypatch.delenv(f"LASTINTACT_{name}", raising=False)

    told = CliRunner().invoke(app, command.split(), env=environment)

    assert told.exit_code == 1
    assert told.stderr.startswith("lastintact: ")
    assert named in told.stderr
    assert told.stderr.count("\n") == 1
    assert "hidden" not in told.output

"""`lastintact rules`: every rule is listed, for people and for programs."""

import json

import msgspec
from typer.testing import CliRunner

from services.cli import app
from services.custody.core.rules import RULES
from services.custody.core.verdict import RULESET


def told(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["rules", *arguments])
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_every_rule_is_listed_with_name_text_and_source() -> None:
    printed = told()
    words = " ".join(printed.split())
    joined = "".join(printed.split())

    assert printed.startswith(f"Ruleset {RULESET}\n")
    for rule in RULES:
        assert f"{rule.id} {rule.name}" in words
        assert " ".join(rule.en.split()) in words
        assert "".join(rule.zh.split()) in joined
        assert rule.source in words


def test_the_list_for_programs_is_the_list() -> None:
    assert json.loads(told("--json")) == {"ruleset": RULESET, "rules": [msgspec.to_builtins(rule) for rule in RULES]}

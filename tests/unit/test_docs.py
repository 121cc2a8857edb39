"""What the documents name exists: targets, commands, options, settings, paths, routes; and their snippets are valid."""

import ast
import importlib
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main
from pydantic_settings import BaseSettings

from schemas import codec
from services.cli import app
from services.custody.core.rules import RULES

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
TOP = {path.name for path in ROOT.iterdir()}
# Made by commands, not kept in the repository.
MADE = (".venv", "var")
# Read by parts of ours from parts of ours, or by tests only: nobody is meant to set them.
INTERNAL = {"LASTINTACT_LIFELINE", "LASTINTACT_CRASH_AT"}


class Document(NamedTuple):
    name: str
    text: str

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Fenced blocks with their language."""
        return re.findall(r"^```(\w*)\n(.*?)^```", self.text, flags=re.MULTILINE | re.DOTALL)

    @property
    def inline(self) -> list[str]:
        """Inline code."""
        prose = re.sub(r"^```.*?^```", "", self.text, flags=re.MULTILINE | re.DOTALL)
        return re.findall(r"`([^`\n]+)`", prose)

    @property
    def commands(self) -> Iterator[list[str]]:
        """Every shell line, in blocks without a language and inline."""
        for line in (line for language, block in self.blocks if not language for line in block.splitlines()):
            if line.startswith(("make ", "lastintact ", ".venv/bin/", "curl ")):
                yield shlex.split(line, comments=True)
        for code in self.inline:
            if code.startswith(("make ", "lastintact ")):
                yield shlex.split(code)


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def document(request: pytest.FixtureRequest) -> Document:
    path: Path = request.param
    return Document(path.name, path.read_text(encoding="utf-8"))


def test_every_document_is_looked_at() -> None:
    assert {path.name for path in DOCUMENTS} >= {
        "README.md", "ARCHITECTURE.md", "DECISIONS.md", "CONTRIBUTING.md", "CHANGELOG.md",
    }  # fmt: skip


def test_every_make_target_exists(document: Document) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, flags=re.MULTILINE))

    for command in document.commands:
        if command[0] != "make":
            continue
        for word in command[1:]:
            name, equals, _ = word.partition("=")
            assert name in (variables if equals else targets), f"{document.name}: {' '.join(command)}"


def test_every_lastintact_command_and_option_exists(document: Document) -> None:
    for command in document.commands:
        if command[0].removeprefix(".venv/bin/") != "lastintact":
            continue
        _check_command(command[1:], f"{document.name}: {' '.join(command)}")


def test_an_option_that_stands_alone_belongs_to_some_command(document: Document) -> None:
    known = {option for found in _walk(typer.main.get_command(app)) for option in _options(found)} | {"--help"}

    for code in document.inline:
        if code.startswith("--"):
            assert code.partition(" ")[0].partition("=")[0] in known, f"{document.name}: {code}"


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for path in _paths(typer.main.get_command(app), "lastintact"):
        assert f"`{path}" in readme, path


def test_every_setting_that_a_document_names_is_read_somewhere(document: Document) -> None:
    known = _settings() | _environment() | INTERNAL

    for name in re.findall(r"LASTINTACT_[A-Z_]+", document.text):
        assert name in known, f"{document.name}: {name}"


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for name in (_settings() | _environment()) - INTERNAL:
        assert f"`{name}`" in readme, name


def test_every_path_exists(document: Document) -> None:
    for code in document.inline:
        path = code.rstrip("/")
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", path) or path.startswith(MADE):
            continue
        if path.partition("/")[0] in TOP and ("/" in code or "." in path):
            assert (ROOT / path).exists(), f"{document.name}: {code}"
        elif path.startswith(".") or Path(path).suffix in {".py", ".md", ".toml", ".yaml"}:
            # A bare name: of a file in the folder that the sentence is about.
            found = [*ROOT.glob(path), *(ROOT / "services").rglob(path), *(ROOT / "schemas").rglob(path)]
            assert found, f"{document.name}: {code}"
    for target in re.findall(r"\]\(([^)#]+)\)", document.text):
        assert target.startswith("http") or (ROOT / target).exists(), f"{document.name}: {target}"


def test_every_route_exists(document: Document) -> None:
    known = _routes()
    for method, path in re.findall(r"`(GET|POST|OPTIONS|PUT|DELETE) (/[^` ]*)`", document.text):
        assert path in known, f"{document.name}: {method} {path}"


def test_every_public_route_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for path in _routes():
        if path.startswith("/v1/"):
            assert f" {path}`" in readme, path


def test_every_json_snippet_is_valid_and_every_event_is_readable(document: Document) -> None:
    for language, block in document.blocks:
        if language != "json":
            continue
        value = json.loads(block)
        if "specversion" in value:
            codec.decode_data(codec.parse_structured(block.encode()))


def test_every_library_has_its_reason() -> None:
    decisions = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    for wanted in [*project["dependencies"], *(line for extra in extras if extra != "dev" for line in extras[extra])]:
        name = re.split(r"[\[<>=~! ]", wanted)[0]
        assert re.search(rf"(^|[ |,]){re.escape(name)}[ ,|]", decisions, flags=re.MULTILINE), name


# Typer brings a click of its own, whose types it does not publish.
Command = Any


def _inner(command: Command) -> dict[str, Command]:
    """The commands of a group; none of a command."""
    return dict(getattr(command, "commands", {}))


def test_the_readme_lists_the_rules_that_are_applied() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"Rules applied: ([^.]*)\.", readme)
    assert found
    listed: set[str] = set()
    for first, last in re.findall(r"R(\d+)(?: to R(\d+))?", found[1]):
        listed |= {f"R{number}" for number in range(int(first), int(last or first) + 1)}

    assert listed == {rule.id for rule in RULES}


def _check_command(words: list[str], where: str) -> None:
    command: Command = typer.main.get_command(app)
    rest = list(words)
    while _inner(command) and rest and not rest[0].startswith("-"):
        assert rest[0] in _inner(command), where
        command = _inner(command)[rest.pop(0)]
    for word in rest:
        if word.startswith("--"):
            assert word.partition("=")[0] in {*_options(command), "--help"}, where


def _options(command: Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def _walk(command: Command) -> Iterator[Command]:
    yield command
    for inner in _inner(command).values():
        yield from _walk(inner)


def _paths(command: Command, name: str) -> Iterator[str]:
    if not _inner(command):
        yield name
    for inner_name, inner in _inner(command).items():
        yield from _paths(inner, f"{name} {inner_name}")


def _settings() -> set[str]:
    names: set[str] = set()
    for file in (ROOT / "services").glob("*/settings.py"):
        module = importlib.import_module(f"services.{file.parent.name}.settings")
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, BaseSettings) and thing is not BaseSettings:
                prefix = thing.model_config["env_prefix"]
                names |= {f"{prefix}{field}".upper() for field in thing.model_fields}
    assert names
    return names


def _environment() -> set[str]:
    """Variables that the code names in full."""
    names: set[str] = set()
    for file in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch(r"LASTINTACT_[A-Z_]*[A-Z]", text):
                names.add(text)
    return names


def _routes() -> set[str]:
    paths: set[str] = set()
    for file in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="get" | "post" | "options" | "put" | "delete"),
                    args=[ast.Constant(value=str(path)), *_],
                ) if path.startswith("/"):
                    paths.add(path.replace(":path}", "}"))
    assert "/v1/events" in paths
    return paths

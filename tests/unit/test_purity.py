"""Pure modules do arithmetic on values: no clock, no random, no I/O, no logging, no async. import-linter holds their
imports; this holds their calls.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A module, or a package with everything in it.
PURE = (
    *(
        f"schemas.{name}"
        for name in (
            "asyncapi",
            "codec",
            "errors",
            "events",
            "identifiers",
            "leaf",
            "positions",
            "topics",
            "upcast",
            "vocabulary",
        )
    ),
    "services.ingest.acceptance",
    "services.ingest.naming",
    "services.custody.core",
    *(
        f"services.scenario.{name}"
        for name in (
            *(
                "build",
                "capture",
                "compare",
                "devices",
                "handling",
                "keys",
                "names",
                "paperwork",
                "story",
                "telling",
                "told",
            ),
            "values",
        )
    ),
)
# In schemas/, but not pure, and why.
IMPURE_SCHEMAS = {"readmodel": "SQLAlchemy tables", "generate": "writes files"}

FORBIDDEN_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}
# As an attribute of anything: `datetime.now`, `date.today`, `uuid.uuid4`, `os.environ`, `Path.read_text`.
FORBIDDEN_ATTRIBUTES = {
    *("now", "today", "utcnow", "uuid1", "uuid4", "uuid6", "uuid7", "environ", "getenv", "urandom"),
    *("read_text", "write_text", "read_bytes", "write_bytes"),
}
FORBIDDEN_IMPORTS = {"time", "random", "secrets", "logging", "structlog", "asyncio", "threading", "socket", "os", "io"}


def offences(source: str) -> Iterator[str]:
    """Every impure thing in the source, as `line: what`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                yield f"{node.lineno}: {name}()"
            case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES:
                yield f"{node.lineno}: .{name}"
            case ast.Import(names=names):
                yield from (
                    f"{node.lineno}: import {n.name}" for n in names if n.name.split(".")[0] in FORBIDDEN_IMPORTS
                )
            case ast.ImportFrom(module=str(module), names=names):
                if module.split(".")[0] in FORBIDDEN_IMPORTS:
                    yield f"{node.lineno}: from {module} import"
                yield from (f"{node.lineno}: import {n.name}" for n in names if n.name in FORBIDDEN_ATTRIBUTES)
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield f"{node.lineno}: async"


def files_of(module: str) -> list[Path]:
    """The files of a module or package; none when there is no such module."""
    path = ROOT.joinpath(*module.split("."))
    if (path / "__init__.py").exists():
        return sorted(path.rglob("*.py"))
    file = path.with_suffix(".py")
    return [file] if file.exists() else []


@pytest.mark.parametrize("module", PURE)
def test_pure_module_touches_no_clock_no_random_and_no_outside(module: str) -> None:
    files = files_of(module)

    found = [f"{file.relative_to(ROOT)}:{offence}" for file in files for offence in offences(file.read_text("utf-8"))]

    assert files, f"{module} does not exist: correct PURE"
    assert found == []


def test_every_module_of_schemas_is_pure_or_says_why_not() -> None:
    modules = {path.stem for path in (ROOT / "schemas").glob("*.py")} - {"__init__"}

    named = {name.removeprefix("schemas.") for name in PURE if name.startswith("schemas.")}

    assert modules - named - set(IMPURE_SCHEMAS) == set()


def test_import_linter_guards_every_pure_module_that_exists() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (c for c in config["tool"]["importlinter"]["contracts"] if c["id"] == "pure")

    existing = {module for module in PURE if files_of(module)}

    assert set(contract["source_modules"]) == existing


@pytest.mark.parametrize(
    "planted",
    [
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.date.today()",
        "import datetime as d\nx = d.datetime.utcnow()",
        "from uuid import uuid4",
        "import uuid\nx = uuid.uuid4()",
        "import random",
        "from time import time",
        "import time as t",
        "import os\nx = os.environ['A']",
        "x = open('a')",
        "print(1)",
        "import logging",
        "async def f() -> None: ...",
        "from pathlib import Path\nx = Path('a').read_text()",
    ],
)
def test_a_planted_offence_is_found(planted: str) -> None:
    assert list(offences(planted))


def test_honest_arithmetic_is_no_offence() -> None:
    source = "from datetime import datetime, timedelta\n\ndef f(at: datetime):\n    return at + timedelta(days=1)"

    assert list(offences(source)) == []

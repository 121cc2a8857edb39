"""Writes `schemas/generated/openapi.json`: one OpenAPI document for both doors; `--check` only says that it differs.

Development time only. Paths and parameters come from the routes; bodies from the very structs that encode them.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI
from msgspec import Struct

from schemas.errors import Reason
from schemas.topics import EVENTS
from services.edge import health, metrics, problems, roles
from services.edge.database import make_engine
from services.ingest import routes as ingest
from services.ingest.door import Door, Outcome
from services.ingest.requests import ACCEPTED
from services.log.memory import MemoryLog
from services.query import responses
from services.query import routes as query
from services.query.repository import Repository

DOCUMENT = Path(__file__).parents[1] / "schemas" / "generated" / "openapi.json"
_REFERENCE = "#/components/schemas/{name}"
# An engine opens nothing until it is asked, and describing asks nothing.
_NOWHERE = "postgresql+psycopg://nobody@localhost/nowhere"


class Problem(Struct, frozen=True, kw_only=True):
    """Every answer of 400 and above (RFC 9457). Some kinds carry further members, named on the page of the type."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[Reason, ...] = ()


class PostAnswer(Struct, frozen=True, kw_only=True):
    """What became of each event, in the order of the request."""

    results: tuple[Outcome, ...]
    flags: tuple[str, ...] = ()


def describe() -> FastAPI:
    """An app with every route of both doors, over parts that are never asked."""
    engine = make_engine(_NOWHERE)
    door = Door(MemoryLog("lastintact/described", EVENTS.partitions), engine, "described")
    counted = metrics.Metrics()
    # The contract has a version of its own: a release that changes nothing in it must not change the document.
    app = FastAPI(title="lastintact", version="1", openapi_url=None)
    for router in (
        ingest.router(door, counted),
        query.router(Repository(engine), "described"),
        health.router({}),
        metrics.router(counted),
        problems.router(roles.OPEN),
    ):
        app.include_router(router)
    return roles.seal(app)


def document() -> dict[str, Any]:
    """The OpenAPI document of the doors as they are now."""
    app = describe()
    told = app.openapi()
    _, components = msgspec.json.schema_components([*responses.ANSWERS, PostAnswer, Problem], ref_template=_REFERENCE)
    told["components"] = {
        "schemas": components,
        "securitySchemes": {
            "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, as `lastintact keys add` shows it once.",
            }
        },
    }
    _tell_roles(told, app)
    _tell_problems(told)
    _tell_posting(told["paths"]["/v1/events"]["post"])
    return told


def _tell_roles(told: dict[str, Any], app: FastAPI) -> None:
    """Say of each operation which roles may call it; one that needs no key has no `security`."""
    for declared in roles.access_of(app):
        assert declared.access is not None  # sealed
        if not declared.access.roles:
            continue
        for method in declared.methods:
            operation = told["paths"][declared.path.replace(":path}", "}")][method.lower()]
            operation["security"] = [{"key": []}]
            operation["x-roles"] = sorted(declared.access.roles)


def _tell_problems(told: dict[str, Any]) -> None:
    """Every operation may end in a problem. The framework would describe bodies of its own, which are never sent."""
    problem = {problems.MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
    for operations in told["paths"].values():
        for operation in operations.values():
            said = operation["responses"]
            if "application/json" in said.get("422", {}).get("content", {}):
                del said["422"]
            said.setdefault("default", {"description": "Any other problem.", "content": problem})


def _tell_posting(operation: dict[str, Any]) -> None:
    """What the route reads and answers by itself, past the framework."""
    answer = {"application/json": {"schema": {"$ref": _REFERENCE.format(name="PostAnswer")}}}
    problem = {problems.MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
    operation["requestBody"] = {
        "required": True,
        "description": "A CloudEvent 1.0 in structured or batch mode; with any other type, its data in binary mode.",
        "content": {media_type: {} for media_type in ACCEPTED},
    }
    operation["responses"] = {
        "200": {"description": "Every event was there before.", "content": answer},
        "202": {"description": "Every event called `recorded` or `conflict` is in the log.", "content": answer},
        "422": {"description": "Nothing was recorded; `results` says why.", "content": problem},
        "503": {"description": "Nothing is promised. Wait, then send the same again.", "content": problem},
        "default": {"description": "Any other problem.", "content": problem},
    }


def text() -> str:
    """What the committed file must hold."""
    return json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """Write the document, or with `--check` exit with 1 when it would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when it would change")
    wanted = text()
    if parser.parse_args().check:
        if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != wanted:
            sys.stderr.write("schemas/generated: openapi.json is out of date; run python -m services.openapi\n")
            return 1
        return 0
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

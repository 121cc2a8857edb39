"""The committed OpenAPI document: it is what the routes say now, it names every route, and it holds together."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.edge.roles import access_of
from services.openapi import DOCUMENT, describe, text

COMMITTED: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in COMMITTED["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    """Every `$ref` below a value."""
    match value:
        case dict():
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for part in value.values():
                yield from references(part)
        case list():
            for part in value:
                yield from references(part)


def test_the_committed_document_is_what_the_doors_say_now() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run python -m services.openapi"


def test_every_route_is_told_with_its_roles() -> None:
    told = {(path, method.upper()): frozenset(operation.get("x-roles", ())) for path, method, operation in operations()}
    declared = {
        (route.path.replace(":path}", "}"), method): frozenset(route.access.roles if route.access else ())
        for route in access_of(describe())
        for method in route.methods
    }

    assert told == declared


def test_what_needs_a_key_says_so_and_nothing_else_does() -> None:
    for path, method, operation in operations():
        assert ("security" in operation) is ("x-roles" in operation), (path, method)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(COMMITTED):
        assert reference.removeprefix("#/components/schemas/") in COMMITTED["components"]["schemas"], reference


OTHER_MEDIA = {"/v1/refusals/{id}": "application/octet-stream", "/v1/stream": "text/event-stream"}
"""What is no JSON, by path."""


def test_every_answer_of_the_read_door_has_a_schema() -> None:
    for path, method, operation in operations():
        if not path.startswith("/v1/") or method != "get":
            continue
        if path in OTHER_MEDIA:
            assert list(operation["responses"]["200"]["content"]) == [OTHER_MEDIA[path]]
            continue
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["$ref"].endswith("Answer"), path


@pytest.mark.parametrize("name", sorted(COMMITTED["components"]["schemas"]))
def test_every_component_is_a_json_schema_and_says_what_it_is(name: str) -> None:
    component = COMMITTED["components"]["schemas"][name]

    Draft202012Validator.check_schema(component)
    assert component.get("description") or "enum" in component, f"{name} has no docstring"

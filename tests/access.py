"""Walks every route of an app with every role: the test that nothing is open by mistake."""

from collections.abc import Callable, Mapping

import httpx
from fastapi import FastAPI

from services.edge.callers import Role
from services.edge.roles import access_of

Ask = Callable[..., httpx.Response]
"""`ask(method, path, key=...)`: the answer of the app; `key` None sends none."""


def assert_closed_by_default(app: FastAPI, ask: Ask, keys: Mapping[str, str], public: set[tuple[str, str]]) -> None:
    """Every route declares who may call it, exactly `public` is open, and whoever is not named gets 401 or 403.

    `keys` holds a key's text for each role; `public` holds (path template, method).
    """
    declared = [(route, method) for route in access_of(app) for method in sorted(route.methods - {"HEAD"})]
    assert declared
    assert all(route.methods for route in access_of(app))
    assert {(route.path, method) for route, method in declared if route.access and not route.access.roles} == public
    for route, method in declared:
        assert route.access is not None, route.path
        # Any value will do for a parameter: who may ask is decided before what is asked for.
        path = route.path.replace("{", "").replace("}", "")
        for role in (None, *Role):
            status = ask(method, path, key=keys[role] if role else None).status_code
            if not route.access.roles or role in route.access.roles:
                assert status not in {401, 403}, (method, path, role)
            else:
                assert status == (403 if role else 401), (method, path, role)

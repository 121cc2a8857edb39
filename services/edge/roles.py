"""Who may call what, closed by default: a route declares its roles, or that it is public, or the app does not start."""

from collections.abc import Iterator
from typing import NamedTuple

import anyio
import anyio.to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from schemas.errors import Unavailable
from services.edge.callers import Caller, Role
from services.edge.keyring import KeyRing, TooManyAttempts, Unauthenticated
from services.edge.problems import Problem

__all__ = ["OPEN", "Access", "Caller", "Role", "access_of", "allow", "install", "seal"]

# Longer than any look-up that will succeed; shorter than a scanner's patience.
_LOOK_UP_SECONDS = 5.0


class Access:
    """A route's declaration, as a dependency that answers with the caller. Compare `roles`; empty means public."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    async def __call__(self, request: Request) -> Caller | None:
        """The caller, if it may; raises 401, 403 or 429 otherwise. Public routes ask nobody."""
        if not self.roles:
            return None
        ring: KeyRing = request.app.state.keys
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthenticated()
        address = request.client.host if request.client else "unknown"
        try:
            with anyio.fail_after(_LOOK_UP_SECONDS):
                # Abandoned when a frozen database does not even refuse: the caller must hear 503 in time.
                caller = await anyio.to_thread.run_sync(
                    ring.authenticate, text.strip(), address, abandon_on_cancel=True
                )
        except TimeoutError as error:
            raise Unavailable("the key could not be looked up in time") from error
        except Unauthenticated as error:
            raise _unauthenticated() from error
        except TooManyAttempts as error:
            raise Problem(
                "too-many-requests",
                "Too many wrong keys came from this address.",
                headers={"Retry-After": str(error.retry_after_seconds)},
            ) from error
        request.state.key_id = caller.key_id
        if caller.role not in self.roles:
            raise Problem("forbidden", f"A key with the role {caller.role} may not do this.")
        return caller


def allow(*roles: Role) -> Access:
    """Declare the roles that may call a route: `caller: Annotated[Caller, Depends(allow(Role.CLAIMS))]`."""
    if not roles:
        raise ValueError("name at least one role; a public route says so with OPEN")
    return Access(*roles)


OPEN = Depends(Access())
"""Declares a route public: `@router.get(..., dependencies=[OPEN])`."""


class Declared(NamedTuple):
    """One route of an app and what it declares; `access` None: nothing."""

    path: str
    methods: frozenset[str]
    access: Access | None


def access_of(app: FastAPI) -> Iterator[Declared]:
    """Every route of the app, those of included routers too, with what it declares."""
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        access = _declared(dependant) if isinstance(dependant, Dependant) else None
        yield Declared(route.path or "?", frozenset(route.methods or ()), access)


def install(app: FastAPI, keys: KeyRing) -> None:
    """Let the app's routes ask for callers."""
    app.state.keys = keys


def seal(app: FastAPI) -> FastAPI:
    """Refuse, with `TypeError`, an app with a route that declares nothing; call it when every router is in."""
    bare = [declared.path for declared in access_of(app) if declared.access is None]
    if bare:
        raise TypeError(f"these routes declare neither roles nor OPEN: {', '.join(bare)}")
    return app


def _declared(dependant: Dependant) -> Access | None:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Access):
            return dependency.call
        deeper = _declared(dependency)
        if deeper is not None:
            return deeper
    return None


def _unauthenticated() -> Problem:
    return Problem(
        "unauthenticated",
        "The request carries no valid key.",
        headers={"WWW-Authenticate": 'Bearer realm="lastintact"'},
    )

"""Whether the process lives (touches nothing) and whether it can do its work (asks each critical part)."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter

from schemas.errors import Unavailable
from services.edge.database import Engine, ping
from services.edge.problems import Problem
from services.edge.roles import OPEN

Check = Callable[[], None]
"""Returns when the part works; raises `Unavailable` when it does not. Must give up within a few seconds by itself."""

# Probes come from every side; asking the parts once a second is enough for all of them.
_KEEP_SECONDS = 1.0


def database_check(engine: Engine) -> Check:
    """Whether a statement can be run."""

    return lambda: ping(engine)


def router(checks: Mapping[str, Check]) -> APIRouter:
    """`GET /healthz` and `GET /readyz`, both public: they tell names and states of parts, nothing more."""
    routes = APIRouter()
    kept: tuple[float, dict[str, str]] = (float("-inf"), {})

    @routes.get("/healthz", dependencies=[OPEN])
    async def show_health() -> dict[str, str]:
        """The process answers. Depends on nothing, so that an outage elsewhere restarts nobody."""
        return {"status": "ok"}

    @routes.get("/readyz", dependencies=[OPEN])
    def show_readiness() -> dict[str, Any]:
        """200 when every critical check passes, else 503; both list the checks."""
        nonlocal kept
        read, states = kept
        if time.monotonic() - read >= _KEEP_SECONDS:
            states = {name: _state(check) for name, check in checks.items()}
            kept = (time.monotonic(), states)
        if any(state != "ok" for state in states.values()):
            failing = ", ".join(name for name, state in states.items() if state != "ok")
            raise Problem("not-ready", f"Not ready: {failing}.", more={"checks": states})
        return {"status": "ok", "checks": states}

    return routes


def _state(check: Check) -> str:
    try:
        check()
    except Unavailable:
        return "unavailable"
    return "ok"

"""Named points at which a fault test ends the process that comes by, as a power cut would.

On the way of an event: `parsed` (the door read it), `appended` (written, not yet durable), `committed` (durable, not
yet answered), then in the projector `read`, `rows`, `position`, `projected` (rows and position committed) and `acked`.
Outside fault tests passing one costs a look-up per batch.
"""

import os
import random
import signal
from collections import Counter

VARIABLE = "LASTINTACT_CRASH_AT"
"""`name`: at the first pass. `name:7`: at the seventh. `name:0.05`: at each pass with that probability."""

POINTS = ("parsed", "appended", "committed", "read", "rows", "position", "projected", "acked")
"""Every point there is, in the order in which an event passes them."""

_passes: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Kill this very process (SIGKILL) if a fault test armed the point of this name; otherwise do nothing."""
    armed = os.environ.get(VARIABLE)
    if armed is None:
        return
    wanted, _, when = armed.partition(":")
    if wanted != name:
        return
    _passes[name] += 1
    due = random.random() < float(when) if "." in when else _passes[name] == int(when or 1)  # noqa: S311 - no secret
    if due:
        os.kill(os.getpid(), signal.SIGKILL)

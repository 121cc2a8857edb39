"""Log lines as events: one JSON object per line on standard error, whatever else the process logs and how.

Never pass a body, a header, a key or a person's data as a field. Tracebacks show lines of code, never values.
"""

import sys
from typing import Any

import structlog
from structlog.typing import FilteringBoundLogger


class _StandardError:
    """Writes whole lines to whatever standard error is now, so that a test or a supervisor can swap it."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    log = debug = info = warning = error = critical = exception = msg


def logger(name: str) -> FilteringBoundLogger:
    """A logger with fixed processors: structlog's defaults would print the values of local variables, keys included."""
    made: Any = structlog.wrap_logger(
        _StandardError(),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )
    bound: FilteringBoundLogger = made.bind(logger=name)
    return bound

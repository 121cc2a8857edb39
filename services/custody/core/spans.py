"""Times between two instants: joined, and taken out of one another."""

from collections.abc import Iterable
from datetime import datetime, timedelta

MOMENT = timedelta(seconds=1)
"""Two acts of one instant have no time between them, whichever a clock puts first (R36)."""

Span = tuple[datetime, datetime]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same times, each once, in order."""
    found: list[Span] = []
    for since, until in sorted(span for span in spans if span[0] < span[1]):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def outside(spans: Iterable[Span], since: datetime, until: datetime) -> list[Span]:
    """The parts of an interval that lie in none of the spans, in order; what lasts no moment is none."""
    left = []
    for start, end in union(spans):
        left.append((since, min(start, until)))
        since = max(since, end)
    left.append((since, until))
    return [(begin, end) for begin, end in left if end - begin > MOMENT]

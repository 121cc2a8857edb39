"""When it happened, as far as clocks can tell: effective event times (R36)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.positions import Position
from services.custody.core.facts import Fact
from services.custody.core.registry import Registry

Times = Mapping[Position, datetime]


def effective_times(facts: Sequence[Fact], registry: Registry) -> Times:
    """The effective event time of each fact about one item or unit."""
    return {fact.position: fact.t for fact in facts}

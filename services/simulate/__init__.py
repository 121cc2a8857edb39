"""A seeded day of parcels: a courier network that packs, seals, scans, forgets to, and now and then harms something.

It knows what really happened and keeps that apart, so that answers can be held against it. It imports the contract
(`schemas`) and nothing of the reasoning: whoever makes the puzzle must not see the solver.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from services.simulate.day import Day, generate
from services.simulate.truth import to_lines
from services.simulate.upload import as_sent

EVENTS = "events.jsonl"
"""What the server is sent: one structured CloudEvent per line, in upload order."""
TRUTH = "truth.jsonl"
"""What really happened: one harm per line."""


def write(out: Path, *, seed: int, parcels: int, end: datetime, say: Callable[[str], object]) -> Day:
    """Generate a day and write both files into `out`. Equal arguments give equal files."""
    day = generate(seed, parcels, end)
    out.mkdir(parents=True, exist_ok=True)
    (out / EVENTS).write_bytes(b"".join(as_sent(envelope) + b"\n" for envelope in day.envelopes))
    (out / TRUTH).write_bytes(to_lines(day.harms))
    say(f"{len(day.envelopes)} events of {parcels} parcels in {out / EVENTS}; {len(day.harms)} harms in {out / TRUTH}.")
    return day


__all__ = ["EVENTS", "TRUTH", "Day", "generate", "write"]

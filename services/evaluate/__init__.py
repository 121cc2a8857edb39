"""How often the reasoning is right: simulated days told to the pure core in memory, their answers against the truth.

Two things are measured beside each other: what direct evidence allows (the oracle) and what the core makes of it; and
beside both the two habits that it replaces. It knows the truth because the simulator keeps it apart; the simulator
knows nothing of the core.
"""

from pathlib import Path

import msgspec

from services.evaluate.report import Report, lines
from services.evaluate.run import EvaluationStoppedError, Parameters, evaluate, noise_of


def write_json(report: Report, file: Path) -> None:
    """The report for machines, with every answer that is worth a look."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")


__all__ = ["EvaluationStoppedError", "Parameters", "Report", "evaluate", "lines", "noise_of", "write_json"]

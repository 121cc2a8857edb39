"""Projecting by hand, a batch at a time."""

from sqlalchemy import Engine

from schemas.topics import partition_of
from services.custody.store import Projected, project_batch
from services.log.table import TableLog
from tests.records import records_of


def project_all(engine: Engine, *, size: int = 1000) -> list[Projected]:
    """Project everything in the log from the beginning of each partition; what was projected is skipped."""
    return [
        project_batch(engine, records[start : start + size], archive=False)
        for records in records_of(TableLog(engine)).values()
        for start in range(0, len(records), size)
    ]


def subjects_apart(count: int) -> list[str]:
    """Subjects that live in different partitions."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < count:
        subject = f"yto:YT{number:08}"
        found.setdefault(partition_of(subject.encode()), subject)
        number += 1
    return list(found.values())

"""Write doors to post to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.log.memory import MemoryLog
from tests.integration.ingest.world import DoorWorld


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[DoorWorld]:
    """A door over the table log."""
    with DoorWorld(database_url, tmp_path).open() as opened:
        yield opened


@pytest.fixture
def memory(database_url: str, tmp_path: Path) -> Iterator[DoorWorld]:
    """A door over the log in memory."""
    with DoorWorld(database_url, tmp_path, MemoryLog()).open(answer_seconds=1.0) as opened:
        yield opened


@pytest.fixture
def story(database_url: str, tmp_path: Path) -> Iterator[DoorWorld]:
    """A door on a story's clock."""
    with DoorWorld(database_url, tmp_path, story_clock=True).open() as opened:
        yield opened

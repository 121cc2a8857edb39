"""The log in memory keeps the contract of the real ones."""

from collections.abc import Callable

import pytest

from services.log.memory import MemoryLog
from services.log.port import EventLog
from tests.contract.log_suite import LogContract, Outage


class TestMemoryLog(LogContract):
    """The suite over `services.log.memory`."""

    @pytest.fixture
    def log(self) -> EventLog:
        """A new log."""
        return MemoryLog()

    @pytest.fixture
    def reopen(self, log: MemoryLog) -> Callable[[], EventLog]:
        """The log after a restart."""
        return log.reopened

    @pytest.fixture
    def outage(self, log: MemoryLog) -> Outage:
        """A log that goes away when told to."""

        def set_away(away: bool) -> None:
            log.away = away

        return Outage(log, begin=lambda: set_away(True), end=lambda: set_away(False))

"""`mutmut` with one difference: the tests are collected once, and every mutant's process has them from its parent.

Without it each mutant spends seconds on collecting what it then runs in milliseconds. Run inside the copy of the tree
with mutmut's own arguments: `python -m tests.mutation.collected run`.
"""

import os
import sys
from collections.abc import Iterable, Mapping

import pytest
from _pytest.config import _prepareconfig
from _pytest.runner import runtestprotocol
from mutmut.__main__ import cli
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.runners.harness import PytestRunner
from mutmut.utils.file_utils import change_cwd

_FAILED, _PASSED = 1, 0
_NOT_OURS = ("-p", "no:unraisableexception", "-p", "no:threadexception")
"""What a forked process inherits and drops is no fault of the mutant: each would count as noticed."""
_CHECKED = 300


class CollectedRunner(PytestRunner):
    """Runs the tests of a mutant in the order given, shortest first, until one fails."""

    def __init__(self) -> None:
        super().__init__()
        self._items: Mapping[str, pytest.Item] = {}

    def run_forced_fail(self) -> int:
        """The last step before the mutants, in the process that will be forked."""
        try:
            return int(super().run_forced_fail())
        finally:
            set_mutant_under_test("")
            with change_cwd("mutants"):
                self._items = _collect(["--rootdir=.", "-q", *_NOT_OURS, *self._pytest_args_regular_run(())])
                _check_unchanged(list(self._items.values())[:: max(1, len(self._items) // _CHECKED)])

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """1 when a test failed, else 0."""
        wanted = list(tests)
        if not self._items or not wanted:
            return int(super().run_tests(mutant_name=mutant_name, tests=wanted))
        with change_cwd("mutants"):
            for name in wanted:
                if _fails(self._items[name]):
                    return _FAILED
        return _PASSED


def _check_unchanged(items: Iterable[pytest.Item]) -> None:
    """Tests that fail in a forked process without any mutant would fail for every mutant: then nothing is measured."""
    child = os.fork()
    if not child:
        failed = [item.nodeid for item in items if _fails(item)]
        sys.stderr.write("\n".join(["", *failed[:5], ""]))
        sys.stderr.flush()
        os._exit(_FAILED if failed else _PASSED)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SystemExit("These tests fail in a process of their own without any change; see above.")


def _fails(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _collect(arguments: list[str]) -> Mapping[str, pytest.Item]:
    config = _prepareconfig(arguments)
    config._do_configure()
    session = pytest.Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    config.hook.pytest_collection(session=session)
    return {item.nodeid: item for item in session.items}


def main() -> None:
    """What `mutmut` does."""
    import mutmut.workers.isolation as isolation

    isolation.PytestRunner = CollectedRunner
    cli()


if __name__ == "__main__":
    main()

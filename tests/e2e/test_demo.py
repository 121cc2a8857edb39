"""The demo as a user runs it: the command, its output, its exit code, and nothing left running."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARCELS = 60
SECONDS_MAX = 240


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the demo's temporary directory goes; everything that the demo starts is known by its path.

    Not below pytest's own directory: that one is closed to the account Postgres runs under when we are root.
    """
    with tempfile.TemporaryDirectory(prefix="lastintact-e2e-") as folder:
        yield Path(folder)


def start(scratch: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.cli", "demo", "--parcels", str(PARCELS)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs the tests in the background has Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
    )


def left_running(scratch: Path) -> list[str]:
    """Processes whose command line, environment or working directory names the scratch directory."""
    return [description for _, description in _processes(str(scratch).encode())]


def _processes(mark: bytes) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            known_by = command + (folder / "environ").read_bytes() + str((folder / "cwd").readlink()).encode()
        except OSError:
            continue
        if mark in known_by and state != "Z":
            yield int(folder.name), command.replace(b"\0", b" ").decode(errors="replace")


def wait_until_nothing_runs(scratch: Path) -> None:
    deadline = time.monotonic() + 20
    while (running := left_running(scratch)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running


def answer_in_the_readme() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- answer:.*?-->\n```\n(.*?)```\n<!-- /answer -->", text, flags=re.DOTALL)
    assert found, "README.md has lost the place of its answer"
    return without_year(found[1])


def without_year(text: str) -> list[str]:
    """Lines with something in them; the year is that of the last July."""
    return [re.sub(r"\b20\d\d\b", "YYYY", line) for line in text.splitlines() if line.strip()]


@pytest.mark.slow
def test_the_demo_answers_stops_everything_and_matches_the_readme(scratch: Path) -> None:
    demo = start(scratch)
    output, progress = demo.communicate(timeout=SECONDS_MAX)

    assert demo.returncode == 0, progress
    for part in (
        "last seen intact / 最后完好",
        "by HUB-A, 07-07 18:41, event case-a-hub-a-accept",
        "COURIER (SEGMENT)",
        "MODERATE",
        "R5",
        "JOINT",
        "UNDETERMINED",
        "NO_PICKUP_CHECK",
        "不构成法律意见",
        "coverage:",
        "events/s",
    ):
        assert part in output, f"{part} is not in:\n{output}"
    shown = answer_in_the_readme()
    printed = without_year(output)
    assert any(printed[at : at + len(shown)] == shown for at in range(len(printed))), (
        "README.md shows another answer than the program prints:\n" + output
    )
    wait_until_nothing_runs(scratch)
    assert list(scratch.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_everything(scratch: Path, number: signal.Signals) -> None:
    demo = start(scratch)
    assert demo.stderr is not None
    seen = ""
    for line in demo.stderr:
        seen += line
        if line.startswith("Posting"):
            break
    assert left_running(scratch), seen

    os.kill(demo.pid, number)
    _, rest = demo.communicate(timeout=60)

    assert demo.returncode == 130, seen + rest
    wait_until_nothing_runs(scratch)
    assert list(scratch.iterdir()) == []

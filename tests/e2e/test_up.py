"""`lastintact up`: one process tree that answers, mends itself, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

import schemas
from services.embedded import Embedded, running_on
from services.log.clock import WrongClock
from services.parts.processes import PartFailed

EXAMPLE = Path(schemas.__file__).parent / "examples" / "custody.handoff_accepted.v1.json"
CODE = "yto:YT8812345678"
EVENT_CONTENT_TYPE = "application/cloudevents+json"


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    # Not below pytest's own directory: that one is closed to the account Postgres runs under when we are root.
    with tempfile.TemporaryDirectory(prefix="lastintact-up-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def system(data: Path) -> Iterator[Embedded]:
    """One that runs, shared by the tests that leave it running."""
    with Embedded(data / "system") as running:
        yield running


def client(system: Embedded) -> httpx.Client:
    return httpx.Client(base_url=system.url, headers={"Authorization": f"Bearer {system.admin_key}"}, timeout=10)


def post_example(doors: httpx.Client, **attributes: str) -> str:
    event = {**json.loads(EXAMPLE.read_bytes()), **attributes}
    answer = doors.post("/v1/events", content=json.dumps(event), headers={"content-type": EVENT_CONTENT_TYPE})
    assert answer.status_code in (200, 202), answer.text
    return str(answer.json()["results"][0]["outcome"])


def attributed(doors: httpx.Client) -> bool:
    return bool(doors.get("/v1/progress").json()["attributed"])


def test_an_event_is_recorded_once_and_is_still_there_after_a_restart(data: Path) -> None:
    with Embedded(data / "again") as first, client(first) as doors:
        assert post_example(doors) == "recorded"
        wait_until(lambda: attributed(doors))
        assert post_example(doors) == "duplicate"
        key = first.admin_key

    with Embedded(data / "again") as second, client(second) as doors:
        assert second.admin_key == key
        assert post_example(doors) == "duplicate"
        assert doors.get(f"/v1/parcels/{CODE}").status_code == 200


def test_a_child_that_is_killed_is_started_again_and_goes_on(system: Embedded) -> None:
    stop = threading.Event()
    supervisor = threading.Thread(target=system.supervise, args=(stop,))
    supervisor.start()
    try:
        before = dict(system.pids)
        os.kill(before["projector"], signal.SIGKILL)
        wait_until(lambda: system.pids["projector"] != before["projector"])

        with client(system) as doors:
            post_example(doors)
            wait_until(lambda: attributed(doors) and doors.get(f"/v1/parcels/{CODE}").status_code == 200)
    finally:
        stop.set()
        supervisor.join()


def test_a_second_one_on_the_same_directory_leaves_the_first_alone(system: Embedded, data: Path) -> None:
    port = int(system.url.rpartition(":")[2])
    directory = data / "system"

    for second in (Embedded(directory, port=port), Embedded(directory)):
        with pytest.raises(PartFailed):
            second.start()

    assert running_on(directory).url == system.url


def test_stopping_leaves_no_process_behind(data: Path) -> None:
    system = Embedded(data / "gone").start()
    pids = list(system.pids.values())

    system.stop()
    system.stop()

    assert not [pid for pid in pids if alive(pid)]
    with pytest.raises(PartFailed, match="Nothing runs on"):
        running_on(data / "gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_well_on_a_signal(data: Path, number: signal.Signals) -> None:
    place = data / f"command-{number}"
    command = [sys.executable, "-m", "services.cli", "up", "--data", str(place), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as up:
        wait_until(lambda: (place / "running.json").exists() or up.poll() is not None, 60)

        up.send_signal(number)
        _, told = up.communicate(timeout=40)

    assert up.returncode == 0, told
    assert told.rstrip().endswith("Stopped.")


def test_children_end_when_the_command_is_killed(data: Path) -> None:
    place = data / "orphans"
    command = [sys.executable, "-m", "services.cli", "up", "--data", str(place), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as up:
        wait_until((place / "running.json").exists, 60)
        url = running_on(place).url

        up.kill()
        up.wait()

    def refused() -> bool:
        try:
            httpx.get(f"{url}/healthz", timeout=2)
        except httpx.TransportError:
            return True
        return False

    wait_until(refused, 30)


def test_a_port_that_is_taken_is_told_in_a_sentence(system: Embedded, data: Path) -> None:
    port = int(system.url.rpartition(":")[2])

    with pytest.raises(PartFailed, match=f"Port {port}.*--port"):
        Embedded(data / "other", port=port).start()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--data", "{file}"), "File exists"),
        (("--data", "{file}/below"), "Not a directory"),
        (("--data", "{new}", "--bootstrap", "nohost"), "HOST:PORT"),
        (("--data", "{new}", "--port", "99999"), "65535"),
    ],
)
def test_what_up_cannot_use_is_told_in_words(data: Path, arguments: tuple[str, ...], told: str) -> None:
    file = data / "a-file"
    file.touch()
    filled = [argument.format(file=file, new=data / "new") for argument in arguments]
    command = [sys.executable, "-m", "services.cli", "up", *filled]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_the_clock_of_a_database_is_decided_once(data: Path) -> None:
    with Embedded(data / "evidence") as system, client(system) as doors:
        post_example(doors)
    with pytest.raises(WrongClock, match="needs an empty one"):
        Embedded(data / "evidence", story_clock=True).start()

    with Embedded(data / "stories", story_clock=True) as system, client(system) as doors:
        post_example(doors, recordedtime="2026-07-07T14:00:00Z")
        wait_until(lambda: doors.get(f"/v1/parcels/{CODE}").status_code == 200)
        assert "STORY_CLOCK" in doors.get(f"/v1/parcels/{CODE}").json()["flags"]
    with pytest.raises(WrongClock, match="--story-clock"):
        Embedded(data / "stories").start()


def test_keys_are_made_listed_and_revoked_by_command(system: Embedded, data: Path) -> None:
    def lastintact(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.cli", "keys", *arguments, "--data", str(data / "system")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    made = lastintact("add", "--role", "claims", "--label", "claims desk")
    key = made.stdout.strip()
    key_id = key.removeprefix("li_").partition(".")[0]

    def status() -> int:
        return httpx.get(f"{system.url}/v1/cases", headers={"Authorization": f"Bearer {key}"}).status_code

    assert status() == 200
    listed = lastintact("list")
    assert key_id in listed.stdout
    assert key not in listed.stdout
    assert lastintact("revoke", key_id).returncode == 0
    wait_until(lambda: status() == 401)
    assert lastintact("revoke", key_id).returncode == 1
    wrong = lastintact("add", "--role", "emperor", "--label", "x")
    assert wrong.returncode == 1
    assert "emperor" in wrong.stderr
    assert "Traceback" not in wrong.stderr

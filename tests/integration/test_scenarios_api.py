"""Stories through the public API of a running system: told, asked, compared; and every way in which that is refused."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from schemas.events import PolicySet
from services.embedded import Embedded
from services.query.app import create_app
from services.query.settings import QuerySettings
from services.scenario.run import Result, run, table
from services.scenario.system import WrongSystemError
from tests.integration.query_world import DAY_ZERO, World, envelope
from tests.scenarios.test_stories import STORIES as NAMES

SCENARIOS = Path(__file__).parents[1] / "scenarios"
STORIES = [SCENARIOS / f"{name}.yaml" for name in NAMES]
"""Every story that the core answers as it expects; so must a running system."""

STORY = """\
name: a dent
parties: {{C1: {{role: carrier}}, H1: {{role: carrier}}}}
events:
  - {{id: e1, t: 1d, do: accept, by: C1, from: SENDER, see: {{O: ok@4, C: ok@5, P: ok@4}}}}
  - {{id: e2, t: 2d, do: accept, by: H1, see: {{O: bad@4}}}}
{more}ask:
  - finding: DAMAGE
    as_of: 3d
    expect: {{liable: {{{liable}: 1}}}}
"""


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A whole system on the story clock, shared: each story comes after everything that was told before."""
    directory = tmp_path_factory.mktemp("stories")
    with Embedded(directory, story_clock=True) as started:
        yield started


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The app on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Inherited by what is accepted: otherwise each answer waits 40 ms for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield "http://{}:{}".format(*listener.getsockname())
        finally:
            server.should_exit = True
            thread.join(30)


def a_story(directory: Path, *, liable: str = "C1", more: str = "") -> Path:
    path = directory / "told.yaml"
    path.write_text(STORY.format(liable=liable, more=more), encoding="utf-8")
    return path


def told(system: Embedded, *files: Path) -> tuple[int, str]:
    """The exit code and what was printed."""
    lines: list[str] = []
    code = run(files, via=system.url, key=system.admin_key, say=lines.append)
    return code, "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_a_story_told_to_a_running_system_ends_as_it_says(stories: Embedded, story: Path) -> None:
    code, printed = told(stories, story)

    assert code == 0, printed
    assert "DIFFERS" not in printed


@pytest.mark.slow
def test_one_story_told_twice_ends_the_same_way(stories: Embedded, tmp_path: Path) -> None:
    story = a_story(tmp_path)

    assert told(stories, story, story)[0] == 0


@pytest.mark.slow
def test_settings_that_are_in_force_are_not_made_again(stories: Embedded, tmp_path: Path) -> None:
    told(stories, a_story(tmp_path))
    before = times_that_settings_were_made(stories)
    code, printed = told(stories, a_story(tmp_path))

    assert code == 0, printed
    assert times_that_settings_were_made(stories) == before


def times_that_settings_were_made(system: Embedded) -> int:
    answer = httpx.get(
        f"{system.url}/v1/events",
        params={"subject": "policy:DEFAULT", "limit": "200"},
        headers={"Authorization": f"Bearer {system.admin_key}"},
        timeout=30,
    )
    return len(answer.raise_for_status().json()["events"])


@pytest.mark.slow
def test_a_difference_is_printed_and_ends_with_one(stories: Embedded, tmp_path: Path) -> None:
    code, printed = told(stories, a_story(tmp_path, liable="H1"))

    assert code == 1
    assert "DIFFERS" in printed
    assert "liable: expected" in printed
    assert "0 of 1 answers as expected" in printed


@pytest.mark.slow
def test_a_question_that_the_system_refuses_is_told_with_its_reason(stories: Embedded, tmp_path: Path) -> None:
    path = a_story(tmp_path)
    asked = path.read_text(encoding="utf-8").replace("finding: DAMAGE", "finding: DAMAGE\n    union: [{damage: wet}]")
    path.write_text(asked, encoding="utf-8")

    code, printed = told(stories, path)

    assert code == 1
    assert "one finding is no union" in printed


@pytest.mark.slow
def test_an_act_that_cannot_be_told_so_is_named_with_its_line(stories: Embedded, tmp_path: Path) -> None:
    code, printed = told(stories, a_story(tmp_path, more="  - {id: x, t: 2d, do: repack, by: H1, for: 6h}\n"))

    assert code == 1
    assert "line 6: x: for cannot be said of 'repack'." in printed


@pytest.mark.slow
def test_a_bad_file_is_named_with_its_line_and_its_neighbours_are_told(stories: Embedded, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: a\nevents:\n  - {id: e1, t: soon, do: accept}\nask: []\n", encoding="utf-8")

    code, printed = told(stories, bad, a_story(tmp_path))

    assert code == 1
    assert f"{bad}: line 3: " in printed
    assert "1 of 1 answers as expected" in printed


@pytest.mark.slow
def test_a_wrong_key_is_refused_with_what_to_do(stories: Embedded, tmp_path: Path) -> None:
    with pytest.raises(WrongSystemError, match="--key"):
        run([a_story(tmp_path)], via=stories.url, key=None, say=lambda _: None)


def test_a_system_on_the_real_clock_is_refused_and_nothing_is_posted(database_url: str, tmp_path: Path) -> None:
    world = World(database_url, tmp_path)
    app = create_app(QuerySettings(database_url=database_url, pepper_file=tmp_path / "pepper"))

    with served(app) as url, pytest.raises(WrongSystemError) as refused:
        run([a_story(tmp_path)], via=url, key=world.keys["admin"], say=lambda _: None)

    assert "its own clock" in str(refused.value)
    assert "--story-clock" in str(refused.value)
    assert not any(world.log.ends().values())
    world.engine.dispose()


def test_a_setting_left_by_an_earlier_story_is_not_taken_over_unseen(database_url: str, tmp_path: Path) -> None:
    world = World(database_url, tmp_path, story_clock=True)
    world.tell(envelope("policy:DEFAULT", "earlier", PolicySet(tau_grams=20), DAY_ZERO))
    told_before = world.log.ends()
    app = create_app(QuerySettings(database_url=database_url, pepper_file=tmp_path / "pepper"))
    lines: list[str] = []

    with served(app) as url:
        code = run([a_story(tmp_path)], via=url, key=world.keys["admin"], say=lines.append)

    assert code == 1
    assert any("tau_grams" in line and "fresh system" in line for line in lines)
    assert world.log.ends() == told_before
    world.engine.dispose()


def test_where_nothing_listens_the_sentence_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = "http://{}:{}".format(*listener.getsockname())

    with pytest.raises(WrongSystemError, match="Is the system up"):
        run([a_story(tmp_path)], via=url, key="li_x", say=lambda _: None)


def test_columns_stand_in_line_whatever_the_script() -> None:
    lines = list(
        table(
            [
                Result("干线压坏纸箱", "DAMAGE 5d", "SEGMENT LH 1 HIGH", ()),
                Result("crushed", "DAMAGE 5d", "SEGMENT LH 1 HIGH", ("liable: expected H1",)),
            ]
        )
    )

    chinese, english = lines[1], lines[2]
    assert english.index("DAMAGE") == chinese.index("DAMAGE") + 6  # six characters of two columns each
    assert lines[3] == "    liable: expected H1"

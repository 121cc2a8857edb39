"""Story files: what is read, and how a bad one is answered."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.scenario.story import StoryError, duration_of, parse_story

STORIES = Path(__file__).parents[2] / "scenarios"
EVENTS = "\nevents: []\nask: []\n"


@pytest.mark.parametrize("path", sorted(STORIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_story_is_read(path: Path) -> None:
    story = parse_story(path.read_text(encoding="utf-8"))

    assert story.name
    assert story.asks or story.amounts


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2d", timedelta(days=2)),
        ("2.5d", timedelta(days=2, hours=12)),
        ("3d+2m", timedelta(days=3, minutes=2)),
        ("1d+1m+12h", timedelta(days=1, hours=12, minutes=1)),
        ("48h", timedelta(hours=48)),
        ("", None),
        ("2 weeks", None),
        ("-1d", None),
        ("9" * 30 + "d", None),
    ],
)
def test_times_are_read(text: str, length: timedelta | None) -> None:
    assert duration_of(text) == length


def test_scalars_stay_text() -> None:
    story = parse_story(
        "name: x\nparties: {NO: {role: carrier}}\nevents:\n"
        "  - {id: e1, t: 1d, do: pack, by: NO, unit: B1, seal: 0111}\nask: []\n"
    )

    assert story.events[0].by == "NO"
    assert story.events[0].fields["seal"] == "0111"
    assert list(story.parties) == ["NO"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("", 1, "empty", id="empty"),
        pytest.param("name: [", 1, "not YAML", id="no yaml"),
        pytest.param("- a\n- b\n", 1, "mapping", id="a list"),
        pytest.param("events: []\nask: []\n", 1, "no name", id="no name"),
        pytest.param("name: x\n", 1, "events and ask", id="no events"),
        pytest.param("name: x" + EVENTS + "colour: red\n", 4, "colour", id="unknown key"),
        pytest.param("name: x\nname: y" + EVENTS, 2, "written twice", id="key twice"),
        pytest.param("name: x\nask: []\nevents:\n  - {id: e, t: 1d, do: fly}\n", 4, "fly", id="unknown act"),
        pytest.param("name: x\nask: []\nevents:\n  - {id: e, do: scan}\n", 4, "no t", id="no time"),
        pytest.param("name: x\nask: []\nevents:\n  - {id: e, t: soon, do: scan}\n", 4, "soon", id="bad time"),
        pytest.param(
            "name: x\nask: []\nevents:\n  - {id: e, t: 1d, do: scan, see: {O: fine}}\n", 4, "fine", id="bad value"
        ),
        pytest.param(
            "name: x\nask: []\nevents:\n  - {id: e, t: 1d, do: scan, see: {Q: ok}}\n", 4, "facet 'Q'", id="bad facet"
        ),
        pytest.param(
            "name: x\nevents: []\nask:\n  - {finding: MISERY, as_of: 1d, expect: none}\n", 4, "MISERY", id="bad finding"
        ),
        pytest.param(
            "name: x\nevents: []\nask:\n  - {finding: LOSS, as_of: 1d, expect: nothing}\n", 4, "none", id="bad expect"
        ),
        pytest.param("name: x\nparties: {A: {role: carrier, mood: bad}}" + EVENTS, 2, "mood", id="bad party key"),
    ],
)
def test_a_bad_file_is_answered_with_its_line_and_a_sentence(text: str, line: int, words: str) -> None:
    with pytest.raises(StoryError) as raised:
        parse_story(text)

    assert raised.value.line == line
    assert words in raised.value.sentence
    assert raised.value.sentence.endswith(".")

"""What every act of a story is recorded as, key by key, and the registrations that come before."""

import pytest

from services.scenario.keys import ACTS, EVENT_KEYS, SETTINGS
from services.scenario.story import parse_story
from tests.golden import recordings


@pytest.mark.parametrize("name", recordings.names())
def test_the_acts_are_recorded_as_agreed(name: str) -> None:
    """`python -m tests.golden --write` takes over what is recorded now."""
    assert recordings.told(name) == recordings.golden(name).read_text(encoding="utf-8")


def test_every_act_every_key_and_every_setting_is_used() -> None:
    story = parse_story((recordings.FOLDER / "every-act.yaml").read_text(encoding="utf-8"))
    used = {key for event in story.events for key in event.fields}

    assert {event.do for event in story.events} == set(ACTS)
    assert used == EVENT_KEYS - {"id", "t", "do", "by", "see", "recorded"}
    assert story.settings.keys() == SETTINGS

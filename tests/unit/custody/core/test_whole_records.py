"""Whole records of chosen stories, field by field: the timeline, every verdict, the case that is worked on."""

import pytest

from tests.golden import records


@pytest.mark.parametrize("name", records.names())
def test_the_whole_record_is_as_agreed(name: str) -> None:
    """`python -m tests.golden --write` takes over what is answered now."""
    assert records.told(name) == records.golden(name).read_text(encoding="utf-8")


OF_SITES = {"camera", "door", "kept_until", "time_zone"}
"""Stories register no sites; test_footage.py has some."""


def test_the_records_show_what_a_timeline_and_a_verdict_can_hold() -> None:
    """A field that no chosen story fills would be agreed on by nobody."""
    found = "".join(records.golden(name).read_text(encoding="utf-8") for name in records.names())

    assert {field for field in records.fields() if f'"{field}":' not in found} == OF_SITES

"""What is said to whoever sent something that is refused, flagged or parked: the field, the reason and the remedy.

One file per door: `events` for what a device sends, `names` for codes, times and positions, `data` for what is read
from a record later, `stories` for story files. The inputs stand in the modules named below.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.golden import refused_data, refused_events, refused_names, refused_stories

FOLDER = Path(__file__).parent / "refusals"

_SORTS: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
    "data": refused_data.told,
    "events": refused_events.told,
    "names": refused_names.told,
    "stories": refused_stories.told,
}


def names() -> list[str]:
    """The doors."""
    return sorted(_SORTS)


def golden(name: str) -> Path:
    """Where the agreed words of a door are."""
    return FOLDER / f"{name}.txt"


def told(name: str) -> str:
    """Every input of a door with what is said to it."""
    return "\n".join(f"# {what}\n{words}\n" for what, words in _SORTS[name]())

"""What the acts of a story are recorded as: each event beside the line of the story that it comes from."""

from pathlib import Path

from services.scenario.build import Posting, compile_story
from services.scenario.story import parse_story

FOLDER = Path(__file__).parent / "recordings"
PREFIX = "run7-"


def names() -> list[str]:
    """The stories, which stand beside what they are recorded as."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def golden(name: str) -> Path:
    """Where the agreed events of a story are."""
    return FOLDER / f"{name}.txt"


def told(name: str) -> str:
    """The story's registrations, then every act with its events."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    compiled = compile_story(parse_story(text), prefix=PREFIX)
    lines = {event.id: text.splitlines()[event.line - 1].strip(" -") for event in compiled.story.events}
    parts = []
    for posting in compiled.envelopes:
        act = posting.envelope.id.removeprefix(PREFIX).removesuffix("-line")
        parts.append(f"# {lines.get(act, 'registered before')}\n{_recorded(posting)}\n")
    return "\n".join(parts)


def _recorded(posting: Posting) -> str:
    event = posting.envelope
    signed = f"signed {event.keyid} {event.sigalg}" if event.signature else "unsigned"
    offset = "" if event.clockoffsetms is None else f", clock {event.clockoffsetms} ms off"
    return (
        f"{event.id}: {event.type} about {event.subject}\n"
        f"{event.data.decode()}\n"
        f"{event.time} by {event.source}, recorded at {posting.recorded:%Y-%m-%d %H:%M:%S}\n"
        f"posted as {posting.role} of {posting.depot}, {signed}{offset}"
    )

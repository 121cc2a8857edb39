"""One act of a story as the events that record it: what each says, about what, and on whose device."""

from collections.abc import Callable

from services.scenario import handling, paperwork
from services.scenario.names import Names
from services.scenario.story import StoryError, StoryEvent
from services.scenario.told import Told

_Teller = Callable[[StoryEvent, Names], tuple[Told, ...]]


def tell(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    """The events of one act. Raises `StoryError` for what no event of that type can say: nothing is left out."""
    teller, keys = _TELLERS[event.do]
    unsayable = sorted(event.fields.keys() - keys)
    if unsayable:
        raise StoryError(event.line, f"{event.id}: {', '.join(unsayable)} cannot be said of {event.do!r}.")
    if event.see and not keys & _SEEING:
        raise StoryError(event.line, f"{event.id}: nothing can be seen by {event.do!r}.")
    if not event.by and event.do != "sensor":
        raise StoryError(event.line, f"nobody does {event.id}: it has no by.")
    return teller(event, names)


_ALL = frozenset({"parcel", "signed"})
_SCAN = _ALL | {
    "unit", "site", "mode", "countersigned_by", "pieces", "proof", "grams", "component", "damage", "severity", "tamper",
    "seal", "match",
}  # fmt: skip
_HARM = frozenset({"component", "damage", "severity", "tamper"})
_HANDED = frozenset({"from", "reservation", "person", "consent", "unattended"})

_SEEING = frozenset({"component"})

_TELLERS: dict[str, tuple[_Teller, frozenset[str]]] = {
    "release": (handling.released, _SCAN | {"to"}),
    "accept": (handling.accepted, _SCAN | _HANDED),
    "manifest": (handling.manifest, _SCAN | _HANDED),
    "scan": (handling.scanned, _SCAN | {"overage"}),
    "inspect": (handling.inspected, _SCAN | {"neutral", "reservation"}),
    "weigh": (handling.inspected, _SCAN | {"neutral"}),
    "sensor": (handling.sensed, _ALL | {"unit", "armed", "exceedances"}),
    "seal": (handling.sealed, _SCAN),
    "check_seal": (handling.seal_checked, _SCAN),
    "open": (handling.opened, _SCAN | {"because"}),
    "pack": (handling.packed, _SCAN),
    "unpack": (handling.unpacked, _SCAN),
    "repack": (handling.repacked, _SCAN),
    "relabel": (handling.relabelled, _SCAN | {"old", "new", "both_seen"}),
    "deliver": (handling.dropped, _SCAN | {"to", "consent", "address"}),
    "attempt": (handling.attempted, _SCAN | {"because"}),
    "refuse": (handling.refused, _SCAN | {"because"}),
    "return": (handling.return_ordered, _SCAN | {"because"}),
    "hold": (paperwork.held, _ALL | {"unit", "for", "because"}),
    "redirect": (paperwork.redirected, _ALL | {"address", "promised", "plan"}),
    "notice": (paperwork.notified, _ALL | _HARM | {"to", "pieces", "proof", "holds"}),
    "pay": (paperwork.paid, _ALL | {"finding"}),
    "correct": (paperwork.corrected, _ALL | {"corrects", "countersigned_by"}),
    "enrol": (paperwork.enrolled, frozenset()),
    "revoke": (paperwork.revoked, frozenset({"because"})),
}
"""How each act is told, and which keys beside who, when and what was seen its events can carry."""

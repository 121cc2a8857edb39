"""One act of a story as the data of an event: chooses how it was captured so that each look earns its grade."""

import hashlib
from collections.abc import Callable
from typing import Any

from schemas.events import (
    ConditionObserved,
    Countersignature,
    Event,
    EventCorrected,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    NoticeGiven,
    Observation,
    Operator,
    Reservation,
)
from schemas.vocabulary import CaptureMode, Condition, DamageMode, Facet, Proof, Severity
from services.scenario.story import Seen, StoryError, StoryEvent

INSTRUMENTS = ("camera", "scale", "scanner")
_INSTRUMENT_FOR = {Facet.WEIGHT: "scale", Facet.PRESENCE: "scanner"}

_SAYABLE = frozenset(
    (
        "from", "to", "site", "signed", "countersigned_by", "neutral", "mode", "parcel", "proof", "component", "damage",
        "severity", "tamper", "reservation", "corrects",
    )
)  # fmt: skip
"""Keys that the event types of this version can carry."""


class NotYetTellableError(Exception):
    """The event types of this version cannot say what the story needs."""


def tell(event: StoryEvent, party: Callable[[str], str], event_id: Callable[[str], str]) -> Event:
    """The data of one event. `party` and `event_id` give the names used in this run."""
    unsayable = sorted(event.fields.keys() - _SAYABLE)
    if event.do not in _TELLERS:
        raise NotYetTellableError(f"{event.id}: no event type says {event.do!r} yet")
    if unsayable:
        raise NotYetTellableError(f"{event.id}: no event type carries {', '.join(unsayable)} yet")
    return _TELLERS[event.do](event, party, event_id)


_Names = Callable[[str], str]


def _accepted(event: StoryEvent, party: _Names, _: _Names) -> Event:
    return HandoffAccepted(
        taker=party(event.by),
        giver=party(event.fields["from"]) if "from" in event.fields else None,
        reservation=_reservation(event),
        **_captured(event, party),
    )


def _released(event: StoryEvent, party: _Names, _: _Names) -> Event:
    to = event.fields.get("to")
    return HandoffReleased(giver=party(event.by), taker=party(to) if to else None, **_captured(event, party))


def _scanned(event: StoryEvent, party: _Names, _: _Names) -> Event:
    return ItemScanned(party=party(event.by), **_captured(event, party))


def _inspected(event: StoryEvent, party: _Names, _: _Names) -> Event:
    return ConditionObserved(
        party=party(event.by),
        neutral=event.fields.get("neutral") == "true",
        reservation=_reservation(event),
        **_captured(event, party),
    )


_PROOF_FOR = {Facet.CONTENTS: Proof.UNBOXING_VIDEO, Facet.OUTER: Proof.PHOTO_PACKAGING_KEPT}


def _notified(event: StoryEvent, party: _Names, _: _Names) -> Event:
    shown = [seen for seen in event.see if seen.grade is not None and seen.grade >= 3]
    if len(shown) > 1 or any(seen.facet not in _PROOF_FOR for seen in shown):
        raise NotYetTellableError(f"{event.id}: no proof of a notice shows {', '.join(seen.facet for seen in shown)}")
    proof = _PROOF_FOR[shown[0].facet] if shown else Proof(event.fields.get("proof", "none"))
    to = event.fields.get("to")
    return NoticeGiven(
        party=party(event.by),
        to=party(to) if to else None,
        observations=tuple(_observation(event, seen, media=proof is not Proof.NONE) for seen in event.see),
        proof=proof,
    )


def _corrected(event: StoryEvent, party: _Names, event_id: _Names) -> Event:
    if "corrects" not in event.fields:
        raise StoryError(event.line, f"{event.id} corrects nothing: name an event.")
    return EventCorrected(
        party=party(event.by),
        corrects=event_id(event.fields["corrects"]),
        countersigned=_countersigned(event, party),
    )


_TELLERS: dict[str, Callable[[StoryEvent, _Names, _Names], Event]] = {
    "accept": _accepted,
    "release": _released,
    "scan": _scanned,
    "inspect": _inspected,
    "notice": _notified,
    "correct": _corrected,
}


def _captured(event: StoryEvent, party: _Names) -> dict[str, Any]:
    """How it was captured, so that every look earns the grade that the story names."""
    mode = _mode(event)
    countersigned = _countersigned(event, party)
    neutral = event.fields.get("neutral") == "true"
    return {
        "mode": mode,
        "site": event.fields.get("site", event.by),
        "operator": Operator(ref=f"{event.by.lower()}-1") if mode is not CaptureMode.AUTO_SCAN else None,
        "observations": tuple(
            _observation(
                event,
                seen,
                instrument=_by_instrument(seen, mode),
                media=(seen.grade == 5 or "proof" in event.fields) and not countersigned and not neutral,
            )
            for seen in event.see
        ),
        "countersigned": countersigned,
    }


def _mode(event: StoryEvent) -> CaptureMode:
    if "mode" in event.fields:
        try:
            return CaptureMode(event.fields["mode"])
        except ValueError as error:
            raise StoryError(event.line, f"there is no mode {event.fields['mode']!r}.") from error
    label_only = all(seen.facet is Facet.PRESENCE and seen.grade == 3 for seen in event.see)
    noted = "reservation" in event.fields
    if event.do in ("inspect", "weigh") or (event.see and not label_only) or noted:
        return CaptureMode.HUMAN_INSPECT
    return CaptureMode.HUMAN_SCAN


def _by_instrument(seen: Seen, mode: CaptureMode) -> bool:
    """Grade 3 is an instrument's; so is everything that a machine looks at by itself."""
    if seen.facet is Facet.PRESENCE and mode is not CaptureMode.HUMAN_INSPECT:
        return False
    return seen.grade == 3 or mode is CaptureMode.AUTO_SCAN


def _observation(event: StoryEvent, seen: Seen, *, media: bool, instrument: bool = False) -> Observation:
    bad = seen.value is Condition.BAD
    fields = event.fields
    return Observation(
        facet=seen.facet,
        value=seen.value,
        component=fields.get("component") if bad else None,
        damage=DamageMode(fields["damage"]) if bad and "damage" in fields else None,
        severity=Severity(fields["severity"]) if bad and "severity" in fields else None,
        tamper=bad and fields.get("tamper") == "true",
        instrument=_INSTRUMENT_FOR.get(seen.facet, "camera") if instrument else None,
        media=(hashlib.sha256(f"{event.id}/{seen.facet}".encode()).hexdigest(),) if media else (),
    )


def _countersigned(event: StoryEvent, party: _Names) -> tuple[Countersignature, ...]:
    signer = event.fields.get("countersigned_by")
    return (Countersignature(party=party(signer)),) if signer else ()


def _reservation(event: StoryEvent) -> Reservation | None:
    fields = event.fields.get("reservation")
    if fields is None:
        return None
    try:
        facet = Facet(fields["facet"])
    except (KeyError, ValueError) as error:
        raise StoryError(event.line, "a reservation names the facet that it is about.") from error
    words = fields.get("words")
    return Reservation(
        facet=facet,
        grounds=fields.get("grounds", "blank").strip().lower().replace(" ", "_"),
        component=fields.get("component"),
        words_ref=hashlib.sha256(f"{event.id}/{words}".encode()).hexdigest() if words else None,
    )

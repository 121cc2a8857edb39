"""How an act of a story was captured: mode, instruments and artefacts, so that every look earns the grade it names."""

import hashlib
from typing import Any

from schemas.events import Countersignature, Observation, Operator, Reservation, Seal
from schemas.vocabulary import CaptureMode, Condition, DamageMode, Facet, Severity
from services.scenario.names import Names
from services.scenario.story import Seen, StoryError, StoryEvent

_INSTRUMENT_FOR = {Facet.WEIGHT: "scale", Facet.PRESENCE: "scanner"}


def captured(event: StoryEvent, names: Names) -> dict[str, Any]:
    """What every scan carries, as this act of the story has it."""
    mode = mode_of(event)
    countersigned = countersignatures(event, names)
    pictured = not countersigned and event.fields.get("neutral") != "true"
    observations = [
        observation(
            event,
            seen,
            instrument=_by_instrument(seen, mode),
            media=(seen.grade == 5 or "proof" in event.fields) and pictured,
        )
        for seen in event.see
    ]
    return {
        "mode": mode,
        "site": event.fields.get("site", event.by or None),
        "operator": Operator(ref=f"{event.by.lower()}-1") if event.by and mode is not CaptureMode.AUTO_SCAN else None,
        "pieces": tuple(event.fields.get("pieces", ())),
        "observations": (*observations, *_weighed(event)),
        "seal": _seal(event, pictured=pictured),
        "countersigned": countersigned,
    }


def mode_of(event: StoryEvent) -> CaptureMode:
    """The capture mode that the story names, or else the one that fits what was seen."""
    if "mode" in event.fields:
        return CaptureMode(event.fields["mode"])
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


def observation(event: StoryEvent, seen: Seen, *, media: bool, instrument: bool = False) -> Observation:
    """One look; what the story says of the harm belongs to the bads in it."""
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
        media=(_picture(event, seen.facet),) if media else (),
    )


def _weighed(event: StoryEvent) -> tuple[Observation, ...]:
    """A mass on a scale. Whether it is sound or short is for R12: the value only says that it was measured."""
    if "grams" not in event.fields:
        return ()
    if any(seen.facet is Facet.WEIGHT for seen in event.see):
        raise StoryError(event.line, f"{event.id} gives grams and says what W is: leave one of them out.")
    grams = int(event.fields["grams"])
    return (Observation(facet=Facet.WEIGHT, value=Condition.OK, grams=grams, instrument="scale"),)


def _seal(event: StoryEvent, *, pictured: bool) -> Seal | None:
    """The seal as read. A look at it earns grade 5 by a picture of the number."""
    fields = event.fields
    media = pictured and any(seen.facet is Facet.SEAL and seen.grade == 5 for seen in event.see)
    if not media and not fields.keys() & {"seal", "match"}:
        return None
    return Seal(
        number=fields.get("seal"),
        match=fields["match"] == "true" if "match" in fields else None,
        media=_picture(event, Facet.SEAL) if media else None,
    )


def countersignatures(event: StoryEvent, names: Names) -> tuple[Countersignature, ...]:
    """The other side's confirmation, where the story names one."""
    signer = event.fields.get("countersigned_by")
    return (Countersignature(party=names.party(signer)),) if signer else ()


def reservation(event: StoryEvent) -> Reservation | None:
    """What the taker noted; words that are no code stay what they are, and void."""
    fields = event.fields.get("reservation")
    if fields is None:
        return None
    words = fields.get("words")
    return Reservation(
        facet=Facet(fields["facet"]),
        grounds=fields.get("grounds", "blank").strip().lower().replace(" ", "_"),
        component=fields.get("component"),
        words_ref=hashlib.sha256(f"{event.id}/{words}".encode()).hexdigest() if words else None,
    )


def _picture(event: StoryEvent, facet: Facet) -> str:
    return hashlib.sha256(f"{event.id}/{facet}".encode()).hexdigest()

"""Acts with the parcel or its unit at hand: handoffs, looks, seals, packing, labels, the last yards to the door."""

import re
from dataclasses import replace

from schemas.events import (
    ConditionObserved,
    Cover,
    DeliveryAttempted,
    DeliveryRefused,
    Exceedance,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    LoggerReading,
    ParcelDropped,
    ParcelRelabelled,
    Repacked,
    ReturnOrdered,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import RECIPIENT, CaptureMode, DropPlace, OpeningReason, UnitKind
from services.scenario.capture import captured, reservation
from services.scenario.names import LOGGER, Names
from services.scenario.story import StoryError, StoryEvent, span_of
from services.scenario.told import Told, length, on_its_scanner, reason, yes


def accepted(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    giver = event.fields.get("from")
    data = HandoffAccepted(
        taker=names.party(event.by),
        giver=names.party(giver) if giver else None,
        reservation=reservation(event),
        person=event.fields.get("person"),
        consent=yes(event, "consent"),
        unattended=yes(event, "unattended") is True,
        **captured(event, names),
    )
    return on_its_scanner(data, event, names)


def released(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    to = event.fields.get("to")
    data = HandoffReleased(giver=names.party(event.by), taker=names.party(to) if to else None, **captured(event, names))
    return on_its_scanner(data, event, names)


def manifest(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    """The giver puts the parcel on a list, the taker signs the list: a list is a unit that hides nothing (R1)."""
    giver = event.fields.get("from")
    if not giver:
        raise StoryError(event.line, f"{event.id} signs a list: name from, the party whose list it is.")
    unit = names.code(event.fields.get("unit", event.id), event.line)
    # Printed from the giver's system: that a line stands there shows neither a scan nor a look.
    line = UnitPacked(party=names.party(giver), unit=unit, kind=UnitKind.MANIFEST, mode=CaptureMode.IMPORT, site=giver)
    of_parcel = {name: value for name, value in event.fields.items() if name != "unit"}
    parcel = names.subject_of(replace(event, fields=of_parcel))
    [signed] = accepted(event, names)
    return (
        Told(line, parcel, giver, suffix="-line"),
        Told(signed.data, unit, event.by),
    )


def scanned(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    overage = yes(event, "overage") is True
    return on_its_scanner(
        ItemScanned(party=names.party(event.by), overage=overage, **captured(event, names)), event, names
    )


def inspected(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    data = ConditionObserved(
        party=names.party(event.by),
        neutral=yes(event, "neutral") is True,
        reservation=reservation(event),
        **captured(event, names),
    )
    return on_its_scanner(data, event, names)


def sensed(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    """A logger's memory, read out: taken over from another device, so that it shows no label and no look."""
    by = event.by or LOGGER
    reading = LoggerReading(
        armed=tuple(
            Cover(since=names.instant(since), until=names.instant(until))
            for since, until in filter(None, map(span_of, event.fields.get("armed", ())))
        ),
        exceedances=tuple(
            Exceedance(t=names.instant(length(each["t"])), g=float(each["g"]) if "g" in each else None)
            for each in event.fields.get("exceedances", ())
        ),
    )
    data = ConditionObserved(party=names.party(by), mode=CaptureMode.IMPORT, logger=reading)
    return (Told(data, names.subject_of(event), by),)


def sealed(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    return on_its_scanner(SealApplied(party=names.party(event.by), **captured(event, names)), event, names)


def seal_checked(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    return on_its_scanner(SealChecked(party=names.party(event.by), **captured(event, names)), event, names)


def opened(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    because = reason(event, OpeningReason, OpeningReason.HANDLING)
    return on_its_scanner(
        UnitOpened(party=names.party(event.by), because=because, **captured(event, names)), event, names
    )


_KIND = re.compile(r"[a-z]+")


def packed(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    data = UnitPacked(
        party=names.party(event.by), unit=_unit(event, names), kind=_kind(event, names), **captured(event, names)
    )
    return on_its_scanner(data, event, names)


def _kind(event: StoryEvent, names: Names) -> UnitKind:
    """A unit is what its name begins with, such as cage7; what a locker packs is a door of it; else a bag."""
    if names.story.parties.get(event.by, {}).get("role") == "locker":
        return UnitKind.LOCKER_DOOR
    word = _KIND.match(event.fields["unit"].lower())
    return UnitKind(word[0]) if word and word[0] in tuple(UnitKind) else UnitKind.BAG


def unpacked(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    data = UnitUnpacked(party=names.party(event.by), unit=_unit(event, names), **captured(event, names))
    return on_its_scanner(data, event, names)


def _unit(event: StoryEvent, names: Names) -> str:
    if "unit" not in event.fields:
        raise StoryError(event.line, f"{event.id} needs a unit to {event.do}.")
    return names.code(event.fields["unit"], event.line)


def repacked(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    return on_its_scanner(Repacked(party=names.party(event.by), **captured(event, names)), event, names)


def relabelled(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    data = ParcelRelabelled(
        party=names.party(event.by),
        old=names.code(event.fields["old"], event.line),
        new=names.code(event.fields["new"], event.line),
        both_seen=yes(event, "both_seen") is True,
        **captured(event, names),
    )
    return on_its_scanner(data, event, names)


def dropped(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    place, runs_it = _place(event, names)
    address = event.fields.get("address")
    data = ParcelDropped(
        party=names.party(event.by),
        place=place,
        to=runs_it,
        consent=yes(event, "consent"),
        address=names.address(address) if address else None,
        **captured(event, names),
    )
    return on_its_scanner(data, event, names)


def _place(event: StoryEvent, names: Names) -> tuple[DropPlace, str | None]:
    """Where it was left and who runs that place: a word of the list, or a party."""
    to = event.fields.get("to", RECIPIENT)
    if to in tuple(DropPlace):
        return DropPlace(to), None
    if to == RECIPIENT:
        return DropPlace.ADDRESS, None
    if to not in names.story.parties:
        raise StoryError(event.line, f"{to!r} is neither a party nor a place; places are {', '.join(DropPlace)}.")
    is_locker = names.story.parties[to].get("role") == "locker"
    return DropPlace.LOCKER if is_locker else DropPlace.STATION, names.party(to)


def attempted(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    because = event.fields.get("because", "nobody_there")
    data = DeliveryAttempted(party=names.party(event.by), reason=because, **captured(event, names))
    return on_its_scanner(data, event, names)


def refused(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    because = event.fields.get("because", "unnamed")
    data = DeliveryRefused(party=names.party(event.by), reason=because, **captured(event, names))
    return on_its_scanner(data, event, names)


def return_ordered(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    because = event.fields.get("because", "unnamed")
    data = ReturnOrdered(party=names.party(event.by), reason=because, **captured(event, names))
    return on_its_scanner(data, event, names)

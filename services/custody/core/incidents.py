"""Incidents: what somebody has to look at although no verdict follows from it alone (R0)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from schemas.events import ConditionObserved, Event, EventCorrected, Scan, UnitOpened, UnitPacked, UnitUnpacked
from schemas.vocabulary import Condition, Facet, OpeningReason
from services.custody.core.case import Ground
from services.custody.core.facts import Fact


class Incident(StrEnum):
    """What happened to a unit or a parcel."""

    SEAL_BROKEN = "SEAL_BROKEN"
    UNIT_OPENED = "UNIT_OPENED"
    SENSOR = "SENSOR"


class Seen(NamedTuple):
    """An incident, and the event that tells of it."""

    incident: Incident
    fact: Fact


def incident_of(data: Event) -> Incident | None:
    """The incident that an event about a unit or a parcel tells of by itself; None for nearly all.

    Opening in the ordinary course is none, and one that an authority asked for has its own rule (R9f). The seal named
    at a packing or unpacking is the unit's and not that of what was in it: thousands may have been.
    """
    if isinstance(data, UnitOpened) and data.because is OpeningReason.DAMAGE:
        return Incident.UNIT_OPENED
    if isinstance(data, ConditionObserved) and data.logger is not None and data.logger.exceedances:
        return Incident.SENSOR
    if isinstance(data, Scan) and not isinstance(data, (UnitPacked, UnitUnpacked)):
        read_wrong = data.seal is not None and data.seal.match is False
        if read_wrong or any(seen.facet is Facet.SEAL and seen.value is Condition.BAD for seen in data.observations):
            return Incident.SEAL_BROKEN
    return None


def incidents(ground: Ground) -> tuple[Seen, ...]:
    """The incidents of the subject itself that count and were not taken back by whoever told of them, by time."""
    entity = ground.registry.entity
    taken_back = {
        (fact.data.corrects, entity(fact.data.party))
        for fact in ground.corrections
        if isinstance(fact.data, EventCorrected)
    }
    return tuple(
        Seen(incident, act.fact)
        for act in ground.scene.acts
        if act.unit is None
        and (incident := incident_of(act.fact.data)) is not None
        and (act.id, entity(act.party)) not in taken_back
    )


def names(seen: Sequence[Seen]) -> tuple[str, ...]:
    """Which incidents there were, each once, sorted."""
    return tuple(sorted({each.incident.value for each in seen}))

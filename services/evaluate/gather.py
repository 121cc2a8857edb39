"""From a simulated day to the evidence about each of its parcels: recorded in memory as the log would record it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from schemas import codec
from schemas.events import UnitPacked
from schemas.identifiers import parse_subject
from schemas.positions import Position
from schemas.topics import partition_of
from services.custody.core import concerns
from services.custody.core.facts import Evidence, Fact, fact_of
from services.simulate.day import Day


@dataclass(frozen=True, slots=True)
class Recorded:
    """Everything that a day put on record, by subject."""

    by_subject: Mapping[str, list[Fact]]

    def evidence(self, parcel: str) -> Evidence:
        """What an answer about a parcel may rest on: its own events, those of the units that held it, and who is who.

        A simulated unit holds one parcel of the simulation, so that no neighbour's packing says anything about it.
        """
        subject = str(parse_subject(parcel))
        own = tuple(self.by_subject.get(subject, ()))
        of_units = tuple(self._of_units(own))
        about = (*own, *of_units)
        registries = [*concerns.devices(about), *map(concerns.party_subject, sorted(concerns.named_parties(about)))]
        return Evidence(
            subject=subject,
            facts=own,
            unit_facts=of_units,
            registry=tuple(fact for name in registries for fact in self.by_subject.get(name, ())),
        )

    def _of_units(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """The events of the units that these were packed into, of the units that hold those, and so on."""
        waiting = [fact.data.unit for fact in facts if isinstance(fact.data, UnitPacked)]
        seen: set[str] = set()
        while waiting:
            unit = concerns.canonical(waiting.pop())
            if unit is None or unit in seen:
                continue
            seen.add(unit)
            about = self.by_subject.get(unit, [])
            waiting += [fact.data.unit for fact in about if isinstance(fact.data, UnitPacked)]
            yield from about


def record(day: Day) -> Recorded:
    """Record a day: every subject in its partition, without a gap, in the order of arrival."""
    offsets: defaultdict[int, int] = defaultdict(int)
    by_subject: defaultdict[str, list[Fact]] = defaultdict(list)
    for envelope, at in _arrivals(day):
        partition = partition_of(str(parse_subject(envelope.subject)).encode())
        stamped = msgspec.structs.replace(envelope, recordedtime=codec.format_instant(at), recordedby="evaluate")
        fact = fact_of(Position(partition, offsets[partition]), at, codec.encode_record(stamped))
        offsets[partition] += 1
        by_subject[fact.subject].append(fact)
    return Recorded(by_subject)


def _arrivals(day: Day) -> Iterator[tuple[codec.Envelope, datetime]]:
    for envelope in day.registry:
        yield envelope, codec.parse_instant(envelope.time)
    yield from zip(day.scans, day.recorded, strict=True)

"""The part of a way that a parcel rides in closed units: packed, sealed, handed over unseen, opened by customs."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.events import (
    ConditionObserved,
    HandoffAccepted,
    HandoffReleased,
    Observation,
    Seal,
    SealApplied,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import CaptureMode, Condition, Facet, OpeningReason
from services.simulate.dice import between, picture
from services.simulate.fate import Stop, Trip
from services.simulate.network import Device
from services.simulate.scribe import EXAMINED, VERIFIED, Scribe
from services.simulate.truth import Sight

PAUSE = (timedelta(seconds=4), timedelta(seconds=9))


@dataclass(slots=True)
class Closed:
    """One parcel's trip in closed units, as it is written down."""

    scribe: Scribe
    trip: Trip
    numbers: dict[str, str | None] = field(default_factory=dict)
    """The number of each unit's seal, as recorded when it was put on."""

    @property
    def outermost(self) -> str:
        """What is handed over."""
        return self.trip.units[-1][0]

    def pack(self, by: str) -> None:
        """Each thing into the next, and every unit sealed."""
        scribe = self.scribe
        device, operator, site = scribe.handheld(by), scribe.operator(by), scribe.site(by)
        at, child = self.trip.packed, scribe.parcel
        for unit, kind in self.trip.units:
            data = UnitPacked(mode=CaptureMode.HUMAN_SCAN, site=site, operator=operator, party=by, unit=unit, kind=kind)
            scribe.write(at, device, data, subject=child)
            at += between(scribe.chance, *PAUSE)
            self._seal(unit, by, device, at)
            at += between(scribe.chance, *PAUSE)
            child = unit

    def hand_over(self, giver: Stop, taker: Stop) -> None:
        """The outermost unit changes hands; its seal may be looked at, what is inside cannot."""
        scribe, unit = self.scribe, self.outermost
        released_at = taker.since - between(scribe.chance, timedelta(seconds=15), timedelta(seconds=80))
        device = scribe.handheld(giver.party)
        released = HandoffReleased(
            mode=CaptureMode.HUMAN_SCAN,
            site=scribe.site(giver.party),
            operator=scribe.operator(giver.party),
            giver=giver.party,
            taker=taker.party,
        )
        if scribe.happens(scribe.habits.release_recorded):
            scribe.write(released_at, device, released, subject=unit)
        device, recorded = scribe.handheld(taker.party), scribe.happens(scribe.habits.accept_recorded)
        checked = self._check(unit, taker.since, device, "accept")
        accepted = HandoffAccepted(
            mode=CaptureMode.HUMAN_INSPECT if checked else CaptureMode.HUMAN_SCAN,
            site=scribe.site(taker.party),
            operator=scribe.operator(taker.party),
            taker=taker.party,
            giver=giver.party,
            observations=_as_observed(checked),
            seal=checked[0] if checked else None,
        )
        if recorded:
            scribe.write(taker.since, device, accepted, subject=unit, sights=_as_told(checked))

    def show_to_customs(self, by: str) -> None:
        """The carrier has every unit opened because an authority asks, and seals them anew."""
        if self.trip.customs is None:
            return
        device = self.scribe.handheld(by)
        opened, closed = self.trip.customs
        for unit, _ in reversed(self.trip.units):
            self._open(unit, by, device, opened, OpeningReason.AUTHORITY)
            opened += between(self.scribe.chance, *PAUSE)
        for unit, _ in self.trip.units:
            self._seal(unit, by, device, closed)
            closed += between(self.scribe.chance, *PAUSE)

    def unpack(self, by: str) -> None:
        """Everything out of everything; the parcel, if it is there, may be looked at; if not, that is written down."""
        scribe = self.scribe
        device, operator, site = scribe.handheld(by), scribe.operator(by), scribe.site(by)
        at = self.trip.opened
        children = [scribe.parcel, *(unit for unit, _ in self.trip.units[:-1])]
        for child, (unit, _) in reversed(list(zip(children, self.trip.units, strict=True))):
            self._open(unit, by, device, at, OpeningReason.HANDLING)
            at += between(scribe.chance, *PAUSE)
            if child == scribe.parcel and scribe.fate.gone(at):
                break
            data = UnitUnpacked(mode=CaptureMode.HUMAN_SCAN, site=site, operator=operator, party=by, unit=unit)
            scribe.write(at, device, data, subject=child)
            at += between(scribe.chance, *PAUSE)
        at += between(scribe.chance, timedelta(seconds=60), timedelta(seconds=150))
        gone = scribe.fate.gone(at)
        if not scribe.happens(scribe.habits.shortage_noted if gone else scribe.habits.looked_at_opening):
            return
        if gone:
            looks = [scribe.missing(at, device)]
        else:
            looks = [scribe.outside(at, device, "look", pictured=scribe.happens(scribe.habits.pictured))]
            if scribe.happens(scribe.habits.weighed_at_opening):
                looks.append(scribe.weight(at, device, "look"))
        data_of_look = ConditionObserved(
            mode=CaptureMode.HUMAN_INSPECT,
            site=site,
            operator=operator,
            party=by,
            observations=tuple(seen.observation for seen in looks),
        )
        scribe.write(at, device, data_of_look, looks)

    def _seal(self, unit: str, by: str, device: Device, at: datetime) -> None:
        scribe = self.scribe
        number = f"{scribe.chance.randint(100_000, 999_999)}"
        recorded, pictured = scribe.happens(scribe.habits.seal_number_recorded), scribe.happens(scribe.habits.pictured)
        self.numbers[unit] = number if recorded else None
        media = picture(unit, at) if pictured and recorded else None
        data = SealApplied(
            mode=CaptureMode.HUMAN_SCAN,
            site=scribe.site(by),
            operator=scribe.operator(by),
            party=by,
            seal=Seal(number=number, media=media) if recorded else None,
        )
        told: tuple[Sight, ...] = ()
        if recorded:
            grade = VERIFIED if pictured else EXAMINED
            told = (self._sight(unit, Condition.OK, at, device, "seal", grade),)
        scribe.write(at, device, data, subject=unit, sights=told)

    def _open(self, unit: str, by: str, device: Device, at: datetime, because: OpeningReason) -> None:
        scribe = self.scribe
        checked = self._check(unit, at, device, "look")
        data = UnitOpened(
            mode=CaptureMode.HUMAN_INSPECT if checked else CaptureMode.HUMAN_SCAN,
            site=scribe.site(by),
            operator=scribe.operator(by),
            party=by,
            because=because,
            observations=_as_observed(checked),
            seal=checked[0] if checked else None,
        )
        scribe.write(at, device, data, subject=unit, sights=_as_told(checked))

    def _check(self, unit: str, at: datetime, device: Device, act: str) -> tuple[Seal, Sight] | None:
        """A look at the seal; None where nobody looks, or no number is on record to compare with."""
        scribe = self.scribe
        looked, pictured = scribe.happens(scribe.habits.seal_checked), scribe.happens(scribe.habits.pictured)
        number = self.numbers.get(unit)
        if not looked or number is None:
            return None
        truly = Condition.BAD if self._is_broken(at) else Condition.OK
        sight = self._sight(unit, truly, at, device, act, VERIFIED if pictured else EXAMINED)
        good = sight.said is Condition.OK
        read = number if good else f"{(int(number) * 7 + 13) % 900_000 + 100_000}"
        return Seal(number=read, match=good, media=picture(unit, at) if pictured else None), sight

    def _sight(self, unit: str, truly: Condition, at: datetime, device: Device, act: str, grade: int) -> Sight:
        if act != "seal":
            return self.scribe.sight(Facet.SEAL, truly, at, device, act, grade=grade, unit=unit)
        segment = self.scribe.fate.holder_at(at)
        return Sight(
            at=at, by=device.party, segment=segment, act=act, facet=Facet.SEAL, said=truly, truly=truly, grade=grade,
            unit=unit, vouched=device.key is not None,
        )  # fmt: skip

    def _is_broken(self, at: datetime) -> bool:
        """Whether the seals that are on the units then are not those that were put on."""
        harm = self.scribe.fate.harm
        if harm is None or not harm.broke_seals or harm.at > at:
            return False
        resealed = self.trip.customs
        return resealed is None or not harm.at < resealed[1] <= at


def _as_observed(checked: tuple[Seal, Sight] | None) -> tuple[Observation, ...]:
    if checked is None:
        return ()
    return (Observation(facet=Facet.SEAL, value=checked[1].said),)


def _as_told(checked: tuple[Seal, Sight] | None) -> tuple[Sight, ...]:
    return (checked[1],) if checked is not None else ()

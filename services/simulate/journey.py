"""One parcel's way through the network: what the people and machines on the way write down of what happens to it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.events import (
    ConditionObserved,
    Countersignature,
    DeliveryAttempted,
    DeliveryRefused,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    NoticeGiven,
    Observation,
    ParcelAnnounced,
    PlannedLeg,
    Reservation,
)
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Condition,
    DamageMode,
    Defect,
    Facet,
    FindingKind,
    Hindrance,
    Proof,
)
from services.simulate.closed import Closed
from services.simulate.dice import between, picture
from services.simulate.fate import HOUR, MINUTE, Fate, Stop, decide
from services.simulate.habits import Habits
from services.simulate.network import CAMERA, Device, Network
from services.simulate.noise import Noise
from services.simulate.scribe import Scribe, Seen
from services.simulate.truth import Harm, Sight

_GROUNDS = {DamageMode.WET: Defect.WET, DamageMode.CRUSH: Defect.CRUSHED}
_HIDDEN = (FindingKind.SHORTAGE, FindingKind.CONCEALED)


@dataclass(slots=True)
class Journey:
    """Writes down one parcel's day."""

    scribe: Scribe
    start: datetime
    refused: bool = False
    said_at_the_door: bool = False

    @property
    def habits(self) -> Habits:
        """How careful everybody is."""
        return self.scribe.habits

    @property
    def fate(self) -> Fate:
        """What happens."""
        return self.scribe.fate

    @property
    def harm(self) -> Harm | None:
        """The harm with every look that is on record."""
        return self.fate.harm

    def run(self) -> None:
        """Write all of it down."""
        stops, trip = self.fate.stops, self.fate.trip
        closed = Closed(self.scribe, trip) if trip is not None and not self.fate.gone(trip.packed) else None
        self._announce()
        for number in range(1, len(stops)):
            before, here = stops[number - 1], stops[number]
            rides = closed is not None and number - closed.trip.line in (0, 1)
            if self.fate.gone(here.since) and not rides:
                self._missed(before, here)
                return
            if closed is not None and rides:
                closed.hand_over(before, here)
                if number == closed.trip.line:
                    closed.show_to_customs(here.party)
                    continue
                closed.unpack(here.party)
                if self.fate.gone(closed.trip.opened):
                    return
            else:
                self._hand_over(before, here)
            if here.party != RECIPIENT:
                self._stay(here, stops[number + 1])
                if closed is not None and number == closed.trip.line - 1:
                    closed.pack(here.party)
        if not self.refused:
            self._complain()

    # --- handoffs ----------------------------------------------------------------------------------------------------

    def _announce(self) -> None:
        carriers = tuple(stop.party for stop in self.fate.stops[1:-1])
        data = ParcelAnnounced(
            contracting=carriers[0],
            service="standard",
            declared_value=100 * self.scribe.chance.randint(20, 3000),
            content_grams=self.fate.content_grams,
            promised_at=self.start + timedelta(days=4),
            plan=tuple(PlannedLeg(party=party) for party in carriers),
        )
        self.scribe.announce(self.start, data)

    def _hand_over(self, giver: Stop, taker: Stop) -> None:
        scribe, at = self.scribe, taker.since
        released_at = at - between(scribe.chance, timedelta(seconds=15), timedelta(seconds=80))
        if giver.party != SENDER and scribe.happens(self.habits.release_recorded):
            self._release(giver, taker, released_at)
        recorded = self.habits.recipient_signs if taker.party == RECIPIENT else self.habits.accept_recorded
        if scribe.happens(recorded):
            self._accept(giver, taker, at)

    def _release(self, giver: Stop, taker: Stop, at: datetime) -> None:
        scribe = self.scribe
        device = scribe.handheld(giver.party)
        looks: list[Seen] = []
        if not self.fate.gone(at) and scribe.happens(self.habits.giver_looks):
            seen = scribe.outside(at, device, "release", pictured=scribe.happens(self.habits.pictured))
            # What it sees of its own doing, it may keep to itself; then it writes nothing of the carton's state.
            if not seen.noticed or scribe.happens(self.habits.own_damage_admitted):
                looks.append(seen)
        data = HandoffReleased(
            mode=CaptureMode.HUMAN_INSPECT if looks else CaptureMode.HUMAN_SCAN,
            site=scribe.site(giver.party),
            operator=scribe.operator(giver.party),
            giver=giver.party,
            taker=taker.party,
            observations=tuple(seen.observation for seen in looks),
        )
        scribe.write(at, device, data, looks)

    def _accept(self, giver: Stop, taker: Stop, at: datetime) -> None:
        scribe = self.scribe
        device = scribe.handheld(taker.party)
        looks: list[Seen] = []
        reservation: Reservation | None = None
        reserved: tuple[Sight, ...] = ()
        signed = False
        looked, noticed = scribe.happens(self._looks(giver.party, taker.party)), scribe.happens(self.habits.notices)
        if looked or (noticed and scribe.shows_harm(at)):
            signed, pictured = scribe.happens(self.habits.countersigned), scribe.happens(self.habits.pictured)
            noted = scribe.happens(self.habits.defect_reserved) and taker.party != RECIPIENT
            seen = scribe.outside(at, device, "accept", pictured=pictured and not noted, joint=signed)
            signed = seen.sight.signed
            if noted and seen.bad and not seen.sight.tamper:
                grounds = _GROUNDS.get(seen.observation.damage or DamageMode.IMPACT, Defect.DAMAGED)
                reservation, reserved = Reservation(facet=Facet.OUTER, grounds=grounds), (seen.sight,)
            else:
                looks.append(seen)
            if giver.party == SENDER:
                looks += self._check_at_pick_up(at, device)
            if taker.party == RECIPIENT and seen.noticed:
                self.said_at_the_door = True
                if scribe.happens(self.habits.refused):
                    self._refuse(at, device, scribe)
                    return
        elif taker.party != RECIPIENT and scribe.happens(self.habits.hindered):
            grounds_of_hindrance = scribe.chance.choice((Hindrance.DARK, Hindrance.TOO_MANY))
            reservation = Reservation(facet=Facet.OUTER, grounds=str(grounds_of_hindrance))
        elif scribe.happens(self.habits.blank_reservation):
            reservation = Reservation(facet=Facet.OUTER, grounds="subject_to_inspection")
        examined = bool(looks or reserved)
        typed_in = not examined and taker.party != RECIPIENT and scribe.happens(self.habits.typed_in)
        data = HandoffAccepted(
            mode=CaptureMode.MANUAL_ENTRY
            if typed_in
            else CaptureMode.HUMAN_INSPECT
            if examined
            else CaptureMode.HUMAN_SCAN,
            site=scribe.site(taker.party),
            operator=scribe.operator(taker.party),
            taker=taker.party,
            giver=giver.party,
            observations=tuple(seen.observation for seen in looks),
            reservation=reservation,
            countersigned=(Countersignature(party=giver.party),) if signed else (),
        )
        scribe.write(at, device, data, looks, sights=reserved)

    def _check_at_pick_up(self, at: datetime, device: Device) -> list[Seen]:
        scribe, looks = self.scribe, []
        if scribe.happens(self.habits.contents_checked):
            looks.append(scribe.inside(at, device, "accept"))
        if scribe.happens(self.habits.weighed_at_pick_up):
            looks.append(scribe.weight(at, device, "accept"))
        return looks

    def _refuse(self, at: datetime, device: Device, scribe: Scribe) -> None:
        """The recipient sees harm at the door and does not take the parcel; it stays with the courier."""
        self.refused = True
        seen = scribe.outside(at, device, "refusal", pictured=True)
        data = DeliveryRefused(
            mode=CaptureMode.HUMAN_INSPECT,
            operator=scribe.operator(RECIPIENT),
            party=RECIPIENT,
            reason="damaged",
            observations=(seen.observation,),
        )
        scribe.write(at, device, data, [seen])

    def _looks(self, giver: str, taker: str) -> float:
        if giver == SENDER:
            return self.habits.sender_hands_over_checked
        if taker == RECIPIENT:
            return self.habits.looked_at_door
        if taker.startswith("LINE-"):
            return self.habits.looked_at_linehaul
        return self.habits.looked_at_hub if taker.endswith("-HUB") else self.habits.looked_at_station

    # --- in between --------------------------------------------------------------------------------------------------

    def _stay(self, here: Stop, after: Stop) -> None:
        """What a carrier writes down while it has the parcel."""
        scribe = self.scribe
        party = scribe.network.parties[here.party]
        if party.sorter is not None and scribe.happens(self.habits.sorted_by_machine):
            at = here.since + (after.since - here.since) * scribe.chance.uniform(0.2, 0.6)
            looks: list[Seen] = []
            if scribe.happens(self.habits.camera_on_sorter):
                looks.append(scribe.outside(at, party.sorter, "scan", instrument=CAMERA))
            if scribe.happens(self.habits.weighed_by_sorter):
                looks.append(scribe.weight(at, party.sorter, "scan"))
            self._scan(at, party.sorter, here.party, CaptureMode.AUTO_SCAN, looks)
        elif after.party == RECIPIENT and scribe.happens(self.habits.loaded):
            at = after.since - between(scribe.chance, 45 * MINUTE, 80 * MINUTE)
            self._scan(at, scribe.handheld(here.party), here.party, CaptureMode.HUMAN_SCAN, [])
            if scribe.happens(self.habits.attempt_fails):
                self._attempt(after.since - between(scribe.chance, 20 * MINUTE, 40 * MINUTE), here.party)

    def _scan(self, at: datetime, device: Device, party: str, mode: CaptureMode, looks: list[Seen]) -> None:
        if self.fate.gone(at):
            return
        data = ItemScanned(
            mode=mode,
            site=self.scribe.site(party),
            party=party,
            observations=tuple(seen.observation for seen in looks),
        )
        self.scribe.write(at, device, data, looks)

    def _attempt(self, at: datetime, party: str) -> None:
        if not self.fate.gone(at):
            scribe = self.scribe
            data = DeliveryAttempted(
                mode=CaptureMode.HUMAN_SCAN, site=scribe.site(party), operator=scribe.operator(party), party=party
            )
            scribe.write(at, scribe.handheld(party), data)

    # --- what is missing, and who complains --------------------------------------------------------------------------

    def _missed(self, last: Stop, expected: Stop) -> None:
        """The parcel does not come; whoever expected it may write that down."""
        scribe = self.scribe
        at = expected.since + between(scribe.chance, 30 * MINUTE, 80 * MINUTE)
        if expected.party == RECIPIENT:
            if scribe.happens(self.habits.shortage_noted):
                self._inventory(at, RECIPIENT)
            if scribe.happens(self.habits.stock_checked):
                self._inventory(at + between(scribe.chance, 5 * MINUTE, 20 * MINUTE), last.party)
            return
        if scribe.happens(self.habits.release_recorded) and not expected.party.startswith("LINE-"):
            # The giver's list says that it went out with the rest: a release that nobody can answer.
            self._release(last, expected, expected.since - timedelta(seconds=50))
        if scribe.happens(self.habits.shortage_noted):
            self._inventory(at, expected.party)

    def _inventory(self, at: datetime, party: str) -> None:
        scribe = self.scribe
        device = scribe.handheld(party)
        # Of a recipient it is a bare statement.
        looks = [scribe.missing(at, device, grade=1) if party == RECIPIENT else scribe.missing(at, device)]
        data = ConditionObserved(
            mode=CaptureMode.HUMAN_INSPECT,
            site=scribe.site(party),
            operator=scribe.operator(party),
            party=party,
            observations=tuple(seen.observation for seen in looks),
        )
        scribe.write(at, device, data, looks)

    def _complain(self) -> None:
        """What the recipient tells the carrier later in the day: of the carton, or of what was in it."""
        harm, scribe = self.fate.harm, self.scribe
        if harm is None or harm.kind is FindingKind.LOSS:
            return
        if harm.kind is FindingKind.DAMAGE and self.said_at_the_door:
            return
        if not scribe.happens(self.habits.notice_after_delivery):
            return
        at = self.fate.stops[-1].since + between(scribe.chance, 25 * MINUTE, HOUR)
        if harm.kind in _HIDDEN:
            # A video of the opening shows nothing that happened after the opening.
            shown = scribe.happens(self.habits.unboxing_filmed) and harm.culprit != RECIPIENT
            facet, proof = Facet.CONTENTS, Proof.UNBOXING_VIDEO
        else:
            shown = scribe.happens(self.habits.packaging_kept)
            facet, proof = Facet.OUTER, Proof.PHOTO_PACKAGING_KEPT
        media = (picture(scribe.parcel, at, "notice"),) if shown else ()
        data = NoticeGiven(
            party=RECIPIENT,
            to=self.fate.stops[1].party,
            observations=(Observation(facet=facet, value=Condition.BAD, damage=harm.damage, media=media),),
            proof=proof if shown else Proof.NONE,
        )
        sight = Sight(
            at=at, by=RECIPIENT, segment=len(self.fate.stops) - 1, act="notice", facet=facet, said=Condition.BAD,
            truly=Condition.BAD, grade=3 if shown else 1,
        )  # fmt: skip
        scribe.claim(at, data, (sight,))


def travel(
    parcel: str,
    network: Network,
    habits: Habits,
    noise: Noise,
    chance: random.Random,
    blur: random.Random,
    start: datetime,
) -> Journey:
    """One parcel's day, written down. What happens draws on `chance`, what goes wrong in the recording on `blur`."""
    fate = decide(parcel, network, habits, chance, start)
    journey = Journey(Scribe(parcel, network, habits, noise, fate, chance, blur), start)
    journey.run()
    return journey

"""One parcel's way through the network: what happens to it, and what the people and machines on the way write down."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.events import (
    ConditionObserved,
    Countersignature,
    Event,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    NoticeGiven,
    Observation,
    Operator,
    ParcelAnnounced,
    PlannedLeg,
    Reservation,
    Scan,
)
from schemas.identifiers import Source
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Condition,
    DamageMode,
    Facet,
    FindingKind,
    Hindrance,
    Proof,
)
from services.simulate.dice import between, picture
from services.simulate.habits import Habits
from services.simulate.network import CAMERA, CLAIMS_DESK, OFFICE, Device, Network
from services.simulate.truth import Harm

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """Something that is about to become an event. `at` is true time."""

    at: datetime
    source: Source
    device: Device | None
    """None: an office desk, which neither signs nor counts."""
    subject: str
    data: Event
    shows: bool = False
    """Whether it reports the harm."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One custodian, with the true instant at which it got hold of the parcel."""

    party: str
    since: datetime


@dataclass(slots=True)
class Journey:
    """Writes down one parcel's day. All chance comes from `chance`, which belongs to this parcel alone."""

    parcel: str
    network: Network
    habits: Habits
    chance: random.Random
    start: datetime
    stops: tuple[Stop, ...] = ()
    harm: Harm | None = None
    drafts: list[Draft] = field(default_factory=list)
    caged: bool = False

    def run(self) -> None:
        """Fill `stops`, `harm` and `drafts`."""
        self._plan()
        self.harm = self._fate()
        self.caged = self.chance.random() < self.habits.in_a_cage
        self._announce()
        for before, here, after in zip((None, *self.stops[:-1]), self.stops, (*self.stops[1:], None), strict=True):
            if here.party == SENDER:
                continue
            if self._gone(here.since):
                self._missed(before, here)
                return
            self._hand_over(before or self.stops[0], here)
            if here.party != RECIPIENT:
                self._stay(here, after)
        self._complain()

    # --- what happens ---------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        carriers = self.network.route(self.chance)
        at = self.start + between(self.chance, 2 * HOUR, 270 * MINUTE)
        stops = [Stop(SENDER, self.start)]
        for party in (*carriers, RECIPIENT):
            stops.append(Stop(party, at))
            at += self._dwell(party)
        self.stops = tuple(stops)

    def _dwell(self, party: str) -> timedelta:
        if party.startswith("LINE-"):
            return between(self.chance, 3 * HOUR, 6 * HOUR)
        if party.endswith("-HUB"):
            return between(self.chance, HOUR, 150 * MINUTE)
        return between(self.chance, 90 * MINUTE, 180 * MINUTE)

    def _fate(self) -> Harm | None:
        if self.chance.random() >= self.habits.harmed:
            return None
        carriers = range(1, len(self.stops) - 1)
        if self.chance.random() < self.habits.harm_is_loss:
            where = self.chance.choice(carriers)
            return Harm(
                parcel=self.parcel, kind=FindingKind.LOSS, culprit=self.stops[where].party, at=self._inside(where)
            )
        draw = self.chance.random()
        if draw < self.habits.harm_by_sender:
            where = 0
        elif draw < self.habits.harm_by_sender + self.habits.harm_by_recipient:
            where = len(self.stops) - 1
        else:
            where = self.chance.choice(carriers)
        return Harm(
            parcel=self.parcel,
            kind=FindingKind.DAMAGE,
            culprit=self.stops[where].party,
            at=self._inside(where),
            damage=self.chance.choice(tuple(DamageMode)[:4]),
        )

    def _inside(self, where: int) -> datetime:
        """An instant well inside the time that a custodian has the parcel."""
        begin = self.stops[where].since
        end = self.stops[where + 1].since if where + 1 < len(self.stops) else begin + 20 * MINUTE
        return begin + between(self.chance, (end - begin) * 0.15, (end - begin) * 0.85)

    def _gone(self, at: datetime) -> bool:
        return self.harm is not None and self.harm.kind is FindingKind.LOSS and self.harm.at <= at

    def _damaged(self, at: datetime) -> bool:
        return self.harm is not None and self.harm.kind is FindingKind.DAMAGE and self.harm.at <= at

    # --- what is written down --------------------------------------------------------------------------------------

    def _announce(self) -> None:
        carriers = tuple(stop.party for stop in self.stops[1:-1])
        data = ParcelAnnounced(
            contracting=carriers[0],
            service="standard",
            declared_value=100 * self.chance.randint(20, 3000),
            promised_at=self.start + timedelta(days=4),
            plan=tuple(PlannedLeg(party=party) for party in carriers),
        )
        self.drafts.append(Draft(self.start, OFFICE, None, self.parcel, data))

    def _hand_over(self, giver: Stop, taker: Stop) -> None:
        at = taker.since
        inside = self._cage(giver.party, taker.party)
        released_at = at - between(self.chance, timedelta(seconds=15), timedelta(seconds=80))
        if giver.party != SENDER and self.chance.random() < self.habits.release_recorded:
            self._release(giver, taker, released_at, inside)
        if taker.party == RECIPIENT and self.chance.random() >= self.habits.recipient_signs:
            return
        if taker.party != RECIPIENT and self.chance.random() >= self.habits.accept_recorded:
            return
        self._accept(giver, taker, at, inside)

    def _release(self, giver: Stop, taker: Stop, at: datetime, inside: str | None) -> None:
        device = self._handheld(giver.party)
        seen: tuple[Observation, ...] = ()
        if inside is None and not self._gone(at) and self.chance.random() < self.habits.giver_looks:
            seen = self._look(device, at, candid=self.habits.own_damage_admitted)
        data = HandoffReleased(
            mode=CaptureMode.HUMAN_INSPECT if seen else CaptureMode.HUMAN_SCAN,
            site=self.network.parties[giver.party].site,
            operator=self._operator(giver.party),
            giver=giver.party,
            taker=taker.party,
            inside=inside,
            observations=seen,
        )
        self._write(at, device, data)

    def _accept(self, giver: Stop, taker: Stop, at: datetime, inside: str | None) -> None:
        device = self._handheld(taker.party)
        seen: tuple[Observation, ...] = ()
        reservation: Reservation | None = None
        if inside is None and self.chance.random() < self._looks(giver.party, taker.party):
            seen = self._look(device, at, candid=1.0)
            if giver.party == SENDER and self.chance.random() < self.habits.contents_checked:
                seen += (Observation(facet=Facet.CONTENTS, value=Condition.OK, media=(picture(self.parcel, at, "C"),)),)
        elif taker.party != RECIPIENT and self.chance.random() < self.habits.hindered:
            reservation = Reservation(
                facet=Facet.OUTER, grounds=str(self.chance.choice((Hindrance.DARK, Hindrance.TOO_MANY)))
            )
        elif self.chance.random() < self.habits.blank_reservation:
            reservation = Reservation(facet=Facet.OUTER, grounds="subject_to_inspection")
        typed_in = not seen and taker.party != RECIPIENT and self.chance.random() < self.habits.typed_in
        bad = any(look.value is Condition.BAD for look in seen)
        data = HandoffAccepted(
            mode=CaptureMode.MANUAL_ENTRY
            if typed_in
            else CaptureMode.HUMAN_INSPECT
            if seen
            else CaptureMode.HUMAN_SCAN,
            site=self.network.parties[taker.party].site,
            operator=self._operator(taker.party),
            taker=taker.party,
            giver=giver.party,
            inside=inside,
            observations=seen,
            reservation=reservation,
            countersigned=(Countersignature(party=giver.party),)
            if bad and self.chance.random() < self.habits.countersigned
            else (),
        )
        self._write(at, device, data)

    def _stay(self, here: Stop, after: Stop | None) -> None:
        """What a carrier writes down while it has the parcel."""
        assert after is not None
        party = self.network.parties[here.party]
        if party.sorter is not None and self.chance.random() < self.habits.sorted_by_machine:
            at = here.since + (after.since - here.since) * self.chance.uniform(0.2, 0.6)
            seen: tuple[Observation, ...] = ()
            if self.chance.random() < self.habits.camera_on_sorter:
                seen = self._look(party.sorter, at, candid=1.0, instrument=CAMERA)
            self._scan(at, party.sorter, here.party, CaptureMode.AUTO_SCAN, seen)
        elif after.party == RECIPIENT and self.chance.random() < self.habits.loaded:
            at = after.since - between(self.chance, 20 * MINUTE, 70 * MINUTE)
            self._scan(at, self._handheld(here.party), here.party, CaptureMode.HUMAN_SCAN, ())

    def _scan(self, at: datetime, device: Device, party: str, mode: CaptureMode, seen: tuple[Observation, ...]) -> None:
        if self._gone(at):
            return
        data = ItemScanned(mode=mode, site=self.network.parties[party].site, party=party, observations=seen)
        self._write(at, device, data)

    def _missed(self, last: Stop | None, expected: Stop) -> None:
        """The parcel does not come; whoever expected it may write that down."""
        assert last is not None
        assert self.harm is not None
        missing = (Observation(facet=Facet.PRESENCE, value=Condition.BAD),)
        at = expected.since + between(self.chance, 30 * MINUTE, 80 * MINUTE)
        if expected.party == RECIPIENT:
            if self.chance.random() < self.habits.shortage_noted:
                self._inventory(at, last.party, missing)
            return
        if self.chance.random() < self.habits.release_recorded and not expected.party.startswith("LINE-"):
            # The giver's list says that it went out with the rest: a release that nobody can answer.
            self._release(
                last, expected, expected.since - timedelta(seconds=50), self._cage(last.party, expected.party)
            )
        if self.chance.random() < self.habits.shortage_noted:
            self._inventory(at, expected.party, missing)

    def _inventory(self, at: datetime, party: str, missing: tuple[Observation, ...]) -> None:
        data = ConditionObserved(
            mode=CaptureMode.HUMAN_INSPECT,
            site=self.network.parties[party].site,
            operator=self._operator(party),
            party=party,
            observations=missing,
        )
        self._write(at, self._handheld(party), data, shows=True)

    def _complain(self) -> None:
        """What the recipient tells the carrier later in the day, when the door saw nothing of it."""
        if self.harm is None or self.harm.kind is not FindingKind.DAMAGE:
            return
        delivered = self.stops[-1].since
        said_at_the_door = any(
            draft.shows and isinstance(draft.data, HandoffAccepted) and draft.data.taker == RECIPIENT
            for draft in self.drafts
        )
        if said_at_the_door or self.chance.random() >= self.habits.notice_after_delivery:
            return
        kept = self.chance.random() < self.habits.packaging_kept
        at = delivered + between(self.chance, 25 * MINUTE, HOUR)
        shown = (picture(self.parcel, at, "notice"),) if kept else ()
        data = NoticeGiven(
            party=RECIPIENT,
            to=self.stops[1].party,
            observations=(Observation(facet=Facet.OUTER, value=Condition.BAD, damage=self.harm.damage, media=shown),),
            proof=Proof.PHOTO_PACKAGING_KEPT if kept else Proof.NONE,
        )
        self.drafts.append(Draft(at, CLAIMS_DESK, None, self.parcel, data, shows=True))

    # --- small parts of that ---------------------------------------------------------------------------------------

    def _look(
        self, device: Device, at: datetime, *, candid: float, instrument: str | None = None
    ) -> tuple[Observation, ...]:
        """What a look at the carton is written down as; nothing when the looker keeps a damage to itself."""
        media = () if instrument else (picture(self.parcel, at, device.source),)
        if not self._damaged(at) or self.chance.random() >= self.habits.damage_noticed:
            return (Observation(facet=Facet.OUTER, value=Condition.OK, instrument=instrument, media=media),)
        if self.chance.random() >= candid:
            return ()
        assert self.harm is not None
        return (
            Observation(
                facet=Facet.OUTER, value=Condition.BAD, damage=self.harm.damage, instrument=instrument, media=media
            ),
        )

    def _looks(self, giver: str, taker: str) -> float:
        if giver == SENDER:
            return self.habits.sender_hands_over_checked
        if taker == RECIPIENT:
            return self.habits.looked_at_door
        if taker.startswith("LINE-"):
            return self.habits.looked_at_linehaul
        return self.habits.looked_at_hub if taker.endswith("-HUB") else self.habits.looked_at_station

    def _cage(self, giver: str, taker: str) -> str | None:
        """The closed cage that the linehaul takes over and hands on."""
        if not self.caged or not (giver.startswith("LINE-") or taker.startswith("LINE-")):
            return None
        return f"cage:{taker if giver.startswith('LINE-') else giver}-{self.parcel.rpartition(':')[2][-2:]}"

    def _handheld(self, party: str) -> Device:
        return self.chance.choice(self.network.parties[party].handhelds)

    def _operator(self, party: str) -> Operator:
        if party == RECIPIENT:
            return Operator(ref=f"app-{self.chance.randint(100_000, 999_999)}", role="recipient")
        return Operator(ref=f"{party}-op{self.chance.randint(1, 9)}")

    def _write(self, at: datetime, device: Device, data: Scan, *, shows: bool = False) -> None:
        shows = shows or any(look.value is Condition.BAD for look in data.observations)
        self.drafts.append(Draft(at, device.source, device, self.parcel, data, shows))

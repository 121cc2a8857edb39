"""A parcel's way in a rich history: handoffs, bags and cages, seals, scales, loggers, customs, delivery, complaints."""

from datetime import timedelta
from typing import Any

from schemas.events import (
    ClaimPaid,
    ConditionObserved,
    Cover,
    Exceedance,
    HandoffAccepted,
    HandoffReleased,
    HoldPlaced,
    ItemScanned,
    LoggerReading,
    NoticeGiven,
    Observation,
    ParcelDropped,
    ParcelRelabelled,
    Repacked,
    ReturnOrdered,
    Seal,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Condition,
    DropPlace,
    Facet,
    FindingKind,
    HoldReason,
    OpeningReason,
    Proof,
    UnitKind,
)
from tests.unit.custody.core.histories import (
    DAY_0,
    PHOTO,
    SUBJECT,
)
from tests.unit.custody.core.rich_teller import (
    AT_FIRST,
    BAG,
    CAGE,
    CUSTOMS,
    HARMS,
    LOCKER,
    NO_CUSHIONING,
    NUMBERS,
    PARTIES,
    PERSON,
    PIECES,
    RESERVATIONS,
    SOUND,
    Teller,
    bad,
    ok,
)


class Journey:
    """One parcel's way, told step by step."""

    def __init__(self, teller: Teller, pieces: bool) -> None:
        self._tell = teller
        self._pieces = pieces
        self.holder = SENDER
        self.inside: list[str] = []

    def of_pieces(self) -> dict[str, Any]:
        """Which pieces an act names, where there are several."""
        return {"pieces": self._tell.draw((), (), ("p1",), ("p2",), PIECES)} if self._pieces else {}

    def pass_on(self, taker: str) -> None:
        """A handoff, one side of which may be missing, of the parcel or of the unit that it is in."""
        tell = self._tell
        unit = self.inside[-1] if self.inside else None
        subject = unit or SUBJECT
        giver = self.holder
        seal = tell.seal() if tell.one_in(2 if unit else 5) else None
        pieces = self.of_pieces() if unit is None else {}
        if tell.plot.contested and giver != SENDER and tell.one_in(3):
            self._differ(taker)
            return
        if giver != SENDER and not tell.one_in(3):
            released = HandoffReleased(
                giver=giver,
                taker=tell.draw(taker, taker, None, "H2"),
                observations=tell.draw(*SOUND),
                seal=seal if tell.one_in(2) else None,
                **tell.hand(),
                **pieces,
            )
            tell.tell(giver, released, subject, tell.minutes + tell.draw(0, -3, -1, 1, 200))
        if not tell.one_in(6):
            looks = tell.looks()
            if giver == SENDER:
                looks = tell.draw(AT_FIRST, AT_FIRST, AT_FIRST, looks)
                looks += (NO_CUSHIONING,) if tell.one_in(2 if tell.plot.packed_badly else 9) else ()
            if tell.one_in(4):
                looks += (tell.mass(subject),)
            accepted = HandoffAccepted(
                taker=taker,
                giver=tell.draw(None, giver, giver, "LH"),
                observations=looks,
                seal=seal,
                reservation=tell.draw(*RESERVATIONS) if tell.one_in(3) else None,
                countersigned=tell.signers(giver),
                **tell.hand(),
                **pieces,
            )
            tell.tell(taker, accepted, subject)
        self.holder = taker

    def _differ(self, taker: str) -> None:
        """A handoff at which the giver says sound and the taker says bad, of the carton, the contents or the tape."""
        tell = self._tell
        facet = tell.draw(Facet.OUTER, Facet.CONTENTS, Facet.SEAL)
        shown = tell.draw((), (), (PHOTO,))
        hand: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": PERSON}
        sound = (Observation(facet=facet, value=Condition.OK, media=shown),)
        harm = (bad(facet, tamper=facet is not Facet.OUTER, media=tell.draw(shown, (PHOTO,))),)
        whole = Seal(number="111", media=PHOTO) if facet is Facet.SEAL else None
        cut = Seal(number="999", media=PHOTO) if facet is Facet.SEAL else None
        tell.tell(self.holder, HandoffReleased(giver=self.holder, taker=taker, observations=sound, seal=whole, **hand))
        tell.minutes += tell.draw(1, 11, 30)
        tell.tell(taker, HandoffAccepted(taker=taker, observations=harm, seal=cut, **hand))
        self.holder = taker

    def tape(self) -> None:
        """Numbered tape goes around the parcel, and is seen whole a little later."""
        tell, holder = self._tell, self.holder
        hand: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": PERSON}
        number = Seal(number="111", media=PHOTO)
        tell.tell(holder, SealApplied(party=holder, seal=number, **hand))
        if tell.one_in(2):
            tell.minutes += 20
            tell.tell(holder, SealChecked(party=holder, seal=number, **hand))

    def close_in(self) -> None:
        """Into a bag, maybe the bag into a cage; sealed with a number or without one."""
        tell = self._tell
        holder, inner = self.holder, SUBJECT
        for unit, kind in ((BAG, UnitKind.BAG), (CAGE, tell.draw(UnitKind.CAGE, UnitKind.MANIFEST))):
            if unit in self.inside or (unit == CAGE and not tell.one_in(2)):
                continue
            inner = self.inside[-1] if self.inside else inner
            seal = Seal(number=tell.draw(*NUMBERS), media=tell.draw(None, PHOTO)) if tell.one_in(2) else None
            packed = UnitPacked(party=holder, unit=unit, kind=kind, seal=seal, observations=(), **tell.hand())
            tell.tell(holder, packed, inner)
            self.inside.append(unit)
            tell.minutes += tell.draw(0, 1, 10)
            if not tell.one_in(3):
                number = Seal(number=tell.draw(*NUMBERS), media=tell.draw(None, PHOTO))
                seen = (tell.mass(unit),) if tell.one_in(2) else ()
                tell.tell(holder, SealApplied(party=holder, seal=number, observations=seen, **tell.hand()), unit)

    def come_out(self) -> None:
        """Opened and taken out, or forgotten to be."""
        tell = self._tell
        unit = self.inside.pop()
        inner = self.inside[-1] if self.inside else SUBJECT
        by = tell.draw(self.holder, self.holder, self.holder, "H2")
        if tell.one_in(2):
            seen = (tell.mass(unit),) if tell.one_in(3) else ()
            tell.tell(by, UnitOpened(party=by, seal=tell.seal(), observations=seen, **tell.hand()), unit)
            tell.minutes += tell.draw(0, 1)
        if not tell.one_in(5):
            seal = tell.seal() if tell.one_in(2) else None
            looks = tell.draw(*tell.plot.harms) if tell.one_in(3) else ()
            tell.tell(by, UnitUnpacked(party=by, unit=unit, seal=seal, observations=looks, **tell.hand()), inner)
        if inner == SUBJECT and tell.one_in(2):
            tell.minutes += tell.draw(1, 5, 5, 300, 60 * 30)
            found = (tell.mass(SUBJECT),) if tell.one_in(3) else tell.draw(*tell.plot.harms)
            tell.tell(by, ConditionObserved(party=by, observations=found, **tell.hand()))

    def look(self, by: str | None = None) -> None:
        """Somebody examines the parcel."""
        tell = self._tell
        by = by or tell.draw(self.holder, self.holder, *PARTIES, "SVY")
        looked = ConditionObserved(
            party=by,
            neutral=by == "SVY" and tell.one_in(2),
            observations=tell.looks() + ((NO_CUSHIONING,) if by == "SVY" and tell.one_in(3) else ()),
            reservation=tell.draw(*RESERVATIONS) if tell.one_in(6) else None,
            countersigned=tell.signers(self.holder),
            inside=tell.draw(None, None, None, BAG),
            **tell.hand(),
            **self.of_pieces(),
        )
        tell.tell(by, looked)

    def befall(self) -> None:
        """Something between two handoffs."""
        tell = self._tell
        holder = self.holder
        unit = self.inside[-1] if self.inside else None
        subject = unit or SUBJECT
        match tell.draw(
            "look", "look", "weigh", "weigh", "tape", "check", "check", "open", "customs", "repack", "logger", "scan",
            "hold", "survey", "missing", "relabel", "return", *tell.plot.events * 6,
        ):  # fmt: skip
            case "look":
                self.look()
            case "weigh":
                weighed = ConditionObserved(party=holder, observations=(tell.mass(subject),), **tell.hand())
                tell.tell(holder, weighed, subject)
            case "tape":
                seal = Seal(number=tell.draw(*NUMBERS), media=PHOTO)
                tell.tell(holder, SealApplied(party=holder, seal=seal, **tell.hand()), tell.draw(SUBJECT, subject))
            case "check":
                by = tell.draw(holder, holder, *PARTIES)
                seen = tell.draw((), (), ok(Facet.SEAL), (bad(Facet.SEAL),))
                checked = SealChecked(party=by, seal=tell.seal(), observations=seen, **tell.hand())
                tell.tell(by, checked, subject, tell.minutes - tell.draw(0, 0, 2))
            case "open":
                because = tell.draw(*OpeningReason)
                opened = UnitOpened(party=holder, because=because, seal=tell.draw(None, tell.seal()), **tell.hand())
                tell.tell(holder, opened, subject)
                if tell.one_in(2):
                    tell.minutes += tell.draw(0, 5, 120)
                    tell.tell(holder, SealApplied(party=holder, seal=tell.seal(), **tell.hand()), subject)
            case "customs":
                by = tell.draw(CUSTOMS, holder)
                opened = UnitOpened(party=by, because=OpeningReason.AUTHORITY, **tell.hand())
                tell.tell(by, opened, subject)
                tell.minutes += tell.draw(5, 120)
                if tell.one_in(2):
                    seal = Seal(number=tell.draw("222", "333", None))
                    tell.tell(by, SealApplied(party=by, seal=seal, **tell.hand()), subject)
            case "repack":
                tell.tell(holder, Repacked(party=holder, observations=tell.looks(), **tell.hand()))
            case "logger":
                tell.tell(holder, self._reading())
            case "hold":
                hold = HoldPlaced(party=holder, hours=tell.draw(1.0, 30.0), because=tell.draw(*HoldReason))
                tell.tell(holder, hold)
            case "survey":
                seen = (tell.draw(NO_CUSHIONING, bad(Facet.PACKING), bad(Facet.OUTER)),)
                survey = ConditionObserved(
                    party="SVY", neutral=True, mode=CaptureMode.HUMAN_INSPECT, operator=PERSON, observations=seen
                )
                tell.tell("SVY", survey)
            case "missing":
                facet = tell.draw(Facet.PRESENCE, Facet.COUNT)
                missed = ConditionObserved(party=holder, observations=(bad(facet),), **tell.hand(), **self.of_pieces())
                tell.tell(holder, missed)
                if tell.one_in(2):
                    paid = ClaimPaid(party=holder, finding=tell.draw(FindingKind.LOSS, FindingKind.DAMAGE))
                    tell.tell(holder, paid)
            case "relabel":
                data = ParcelRelabelled(
                    party=holder, old=SUBJECT, new=tell.draw("test:NEW", SUBJECT), both_seen=tell.one_in(2),
                    **tell.hand(),
                )  # fmt: skip
                tell.tell(holder, data)
            case "return":
                tell.tell(holder, ReturnOrdered(party=tell.draw(holder, RECIPIENT), **tell.hand()))
            case _:
                by = tell.draw(holder, *PARTIES)
                tell.tell(by, ItemScanned(party=by, overage=tell.one_in(9), **tell.hand()), tell.draw(SUBJECT, subject))

    def _reading(self) -> ConditionObserved:
        """What a logger had in its memory: how long it was on, with or without a hole, and blows."""
        tell = self._tell
        now = tell.minutes

        def at(minutes: float) -> Any:
            return DAY_0 + timedelta(minutes=minutes)

        begins = tell.draw(0, 0, now // 2)
        covers = tell.draw(((begins, now),), ((begins, now // 2), (now * 3 // 4, now)), ((begins, now + 9999),), ())
        known = [each.t / timedelta(minutes=1) for each in tell.told]
        blows = [tell.draw(*known, now / 3, now * 2 / 3) for _ in range(tell.draw(0, 1, 1, 2))]
        return ConditionObserved(
            mode=tell.draw(CaptureMode.AUTO_SCAN, CaptureMode.HUMAN_SCAN),
            party=self.holder,
            logger=LoggerReading(
                armed=tuple(Cover(at(since), at(until)) for since, until in covers),
                exceedances=tuple(Exceedance(at(blow), 85) for blow in blows),
                inside=not tell.one_in(6),
            ),
        )

    def deliver(self) -> None:
        """To the recipient, by drop, by its own act, back to the sender, or not at all."""
        tell = self._tell
        how = tell.draw("accept", "accept", "accept", "drop", "back", "none")
        if how == "drop":
            dropped = ParcelDropped(
                party=self.holder,
                place=tell.draw(*DropPlace),
                to=tell.draw(None, LOCKER),
                consent=tell.draw(None, True, False),
                **tell.hand(),
            )
            tell.tell(self.holder, dropped)
            tell.wait()
        if how in ("accept", "drop", "back") and not (how == "drop" and tell.one_in(2)):
            taker = SENDER if how == "back" else RECIPIENT
            accepted = HandoffAccepted(
                taker=taker,
                observations=tell.looks(),
                reservation=tell.draw(*RESERVATIONS),
                countersigned=tell.signers(self.holder),
                unattended=how == "drop",
                **tell.hand(),
                **self.of_pieces(),
            )
            tell.tell(taker, accepted)
            self.holder = taker

    def complain(self, *, holds: str | None = None) -> None:
        """The recipient, or somebody else, gives notice."""
        tell = self._tell
        if tell.plot.taped:
            read = Seal(number=tell.draw("999", "999", "111"), media=PHOTO)
            by = tell.draw(RECIPIENT, self.holder)
            looked = SealChecked(mode=CaptureMode.HUMAN_INSPECT, operator=PERSON, party=by, seal=read)
            tell.tell(by, looked, minutes=tell.minutes - tell.draw(10, 30))
        harm = tell.draw(*HARMS) if tell.one_in(4) else tell.draw(*tell.plot.harms)
        if holds is not None:
            harm = (bad(Facet.CONTENTS, media=(PHOTO,)),)
        shown = Proof.PHOTO_PACKAGING_KEPT if harm[0].facet is Facet.OUTER else Proof.UNBOXING_VIDEO
        notice = NoticeGiven(
            party=tell.draw(RECIPIENT, RECIPIENT, RECIPIENT, SENDER, "H2"),
            to="C1",
            observations=harm,
            proof=tell.draw(shown, shown, shown, *Proof),
            holds=holds,
            **self.of_pieces(),
        )
        tell.tell(notice.party, notice)

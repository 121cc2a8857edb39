"""Journeys that Hypothesis makes up, rich in what the rules speak of: handoffs, seals, units, drops, returns, notices.

Every act has a measured clock and its own quarter of an hour, so that no answer hangs on which clock was right (R36).
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    Countersignature,
    Cover,
    DeliveryAttempted,
    DeliveryRefused,
    EventCorrected,
    Exceedance,
    HandoffAccepted,
    HandoffReleased,
    HoldPlaced,
    ItemScanned,
    LoggerReading,
    NoticeGiven,
    Observation,
    ParcelAnnounced,
    ParcelDropped,
    PlannedLeg,
    PolicySet,
    Repacked,
    Reservation,
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
    HoldReason,
    OpeningReason,
    Proof,
    SharePolicy,
)
from tests.unit.naive.journey import BAG, CARRIERS, DAY_0, PARCEL, PHOTO, Journey, Told, registry
from tests.unit.naive.writer import C, O, P, S, W, Writer


def hand_over(w: Writer, taker: str) -> None:
    """One handoff: released or not, accepted, only scanned, or typed in."""
    giver = w.holder
    w.wait()
    bagged = w.bagged is not None
    subject = BAG if bagged else PARCEL
    released = w.pick("no", "no", "before", "after", "long before", "to another")
    if released in ("before", "long before", "to another"):
        observations = () if bagged else w.looks(O, C, most=1)
        to = w.pick(*[each for each in CARRIERS if each not in (giver, taker)]) if released == "to another" else taker
        w.tell(giver, HandoffReleased(giver=giver, taker=to, **w.capture(giver, *observations)), subject=subject)
        w.now += timedelta(hours=5) if released == "long before" else timedelta(minutes=w.pick(10, 90))
    how = w.pick("accept", "accept", "accept", "accept", "scan", "look", "typed", "import", "unsigned")
    if how == "scan":
        w.tell(
            taker, ItemScanned(party=taker, mode=w.pick(CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN)), subject=subject
        )
    elif how == "look" and not bagged:
        seen = w.looks(O, C) or w.seen(O)
        w.tell(taker, ConditionObserved(party=taker, **w.capture(taker, *seen, other=giver)))
    else:
        reservation = w.reservation()
        seal = _seal_check(w) if bagged else ()
        seen = seal if bagged else w.looks(O, O, C, P)
        capture = w.capture(taker, *seen, other=giver)
        if reservation is not None:
            capture["mode"] = CaptureMode.HUMAN_INSPECT
        if how in ("typed", "import"):
            capture["mode"] = CaptureMode.MANUAL_ENTRY if how == "typed" else CaptureMode.IMPORT
        data = HandoffAccepted(taker=taker, giver=w.pick(giver, None), reservation=reservation, **capture)
        w.tell(taker, data, subject=subject, signed=how not in ("typed", "unsigned"))
    if released == "after":
        w.now += timedelta(minutes=w.pick(10, 90))
        w.tell(giver, HandoffReleased(giver=giver, taker=taker, **w.capture(giver)), subject=subject)
    w.holder = taker


def _seal_check(w: Writer) -> tuple[Observation, ...]:
    value = w.pick(None, Condition.OK, Condition.OK, Condition.BAD)
    return (Observation(facet=S, value=value),) if value is not None else ()


def look(w: Writer) -> None:
    """Somebody looks: the holder, a surveyor, or somebody who has it at hand."""
    if w.bagged is not None:
        return
    w.wait()
    by = w.pick(w.holder, w.holder, w.holder, "SVY", w.pick(*CARRIERS))
    seen = w.looks(O, C, P) or w.seen(O)
    reservation = w.reservation()
    other = w.pick(w.holder, None, None)
    neutral = by == "SVY" and w.chance(7)
    data = ConditionObserved(party=by, neutral=neutral, reservation=reservation, **w.capture(by, *seen, other=other))
    w.tell(by, data, signed=not w.chance(2))


def entry(w: Writer) -> None:
    """Something typed in afterwards, about a time at or after the author's own takeover."""
    mine = [each for each in w.told if isinstance(each.data, HandoffAccepted) and each.signed and each.by in CARRIERS]
    if not mine:
        return
    taken = mine[w.draw(st.integers(0, len(mine) - 1))]
    capture = w.capture(taken.by, *w.seen(w.pick(O, O, C)))
    capture["mode"] = CaptureMode.MANUAL_ENTRY
    happened = min(taken.t + timedelta(minutes=w.pick(0, 15, 200, 1000)), w.now)
    w.wait()
    recorded = w.now + timedelta(seconds=len(w.told) + 1)
    data = ConditionObserved(party=taken.by, **capture)
    w.told.append(Told(f"e{len(w.told)}", taken.by, happened, recorded, data, signed=False))


def miss(w: Writer) -> None:
    """Somebody does not find it where it should be."""
    w.wait()
    by = w.pick(w.holder, w.pick(*CARRIERS))
    seen = Observation(facet=P, value=Condition.BAD)
    w.tell(by, ConditionObserved(party=by, **w.capture(by, seen)))


def weigh(w: Writer) -> None:
    """The holder puts it on a scale."""
    if w.bagged is not None:
        return
    w.wait()
    grams = w.pick(4200, 4190, 3900, 3880, 4500)
    seen = Observation(facet=W, value=Condition.OK, grams=grams, instrument="scale")
    w.tell(w.holder, ConditionObserved(party=w.holder, **w.capture(w.holder, seen)))


def scan(w: Writer) -> None:
    w.wait()
    by = w.pick(w.holder, w.holder, w.pick(*CARRIERS))
    data = ItemScanned(party=by, mode=w.pick(CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN))
    w.tell(by, data, subject=BAG if w.bagged is not None else PARCEL)


def repack(w: Writer) -> None:
    if w.bagged is not None:
        return
    w.wait()
    w.tell(w.holder, Repacked(party=w.holder, **w.capture(w.holder, *w.looks(C, most=1))))


def tape(w: Writer) -> None:
    """Numbered tape on the parcel itself, put on or looked at."""
    if w.bagged is not None:
        return
    w.wait()
    if any(isinstance(each.data, SealApplied) and each.subject == PARCEL for each in w.told):
        seen = Observation(facet=S, value=w.pick(Condition.OK, Condition.OK, Condition.BAD))
        w.tell(w.holder, SealChecked(party=w.holder, **w.capture(w.holder, seen)))
    else:
        seal = Seal(number="T-1")
        w.tell(w.holder, SealApplied(party=w.holder, seal=seal, **w.capture(w.holder)))


def bag(w: Writer) -> None:
    """Into a bag, or what happens to the bag: its seal is checked, an authority opens it, it is opened and emptied."""
    w.wait()
    if w.bagged is None:
        if any(isinstance(each.data, UnitPacked) for each in w.told):
            return
        number = w.pick("111", "111", None)
        capture = w.capture(w.holder, *w.looks(C, P, most=1))
        w.tell(w.holder, UnitPacked(party=w.holder, unit=BAG, seal=Seal(number=number) if number else None, **capture))
        w.bagged = number or ""
        return
    match w.pick("check", "unpack", "unpack", "authority"):
        case "check":
            seen = _seal_check(w)
            w.tell(w.holder, SealChecked(party=w.holder, **w.capture(w.holder, *seen)), subject=BAG)
        case "authority":
            seen = _seal_check(w)
            data = UnitOpened(party=w.holder, because=OpeningReason.AUTHORITY, **w.capture(w.holder, *seen))
            w.tell(w.holder, data, subject=BAG)
            w.now += timedelta(hours=2)
            sealed = SealApplied(party=w.holder, seal=Seal(number="222"), **w.capture(w.holder))
            w.tell(w.holder, sealed, subject=BAG)
        case _:
            unpack(w)


def unpack(w: Writer) -> None:
    """The bag is opened; the opener looks at once, late, or never."""
    w.wait()
    w.tell(w.holder, UnitUnpacked(party=w.holder, unit=BAG, **w.capture(w.holder, *_seal_check(w))))
    w.bagged = None
    if w.chance(6):
        w.now += timedelta(minutes=w.pick(15, 60, 30 * 60))
        seen = w.looks(O, C, P) or w.seen(O)
        w.tell(w.holder, ConditionObserved(party=w.holder, **w.capture(w.holder, *seen)), signed=not w.chance(2))


def logger(w: Writer) -> None:
    """A logger that lay in the box is read out."""
    w.wait()
    start, end = DAY_0 + timedelta(days=1), DAY_0 + w.now
    hole = start + (end - start) / 3
    armed = w.pick((Cover(start, end),), (Cover(start, hole), Cover(hole + timedelta(hours=10), end)))
    felt = tuple(
        Exceedance(start + (end - start) * share / 10, 80.0)
        for share in w.draw(st.lists(st.integers(1, 9), max_size=2))
    )
    reading = LoggerReading(armed=armed, exceedances=felt, inside=not w.chance(1))
    w.tell("SVY", ConditionObserved(party="SVY", mode=CaptureMode.IMPORT, logger=reading), late=False)


def hold(w: Writer) -> None:
    w.wait()
    because = w.pick(HoldReason.CUSTOMS, HoldReason.OPERATIONS)
    hours = w.pick(6, 30)
    w.tell(w.holder, HoldPlaced(party=w.holder, hours=float(hours), because=because), late=False)
    w.now += timedelta(hours=hours)


def authority(w: Writer) -> None:
    """Customs takes it, and the presenter gets it back."""
    if w.bagged is not None:
        return
    presenter = w.holder
    w.wait()
    w.tell("CUS", HandoffAccepted(taker="CUS", giver=presenter, **w.capture("CUS", *w.looks(O, C, most=1))))
    w.wait()
    seen = w.looks(O, O, C)
    w.tell(presenter, HandoffAccepted(taker=presenter, giver="CUS", **w.capture(presenter, *seen, other="CUS")))


def retract(w: Writer) -> None:
    """An author takes one of its own events back."""
    mine = [each for each in w.told if each.by in CARRIERS and not isinstance(each.data, EventCorrected)]
    if not mine:
        return
    target = mine[w.draw(st.integers(0, len(mine) - 1))]
    w.wait()
    signers = (Countersignature(party=w.pick(*CARRIERS, RECIPIENT)),) if w.chance(3) else ()
    w.tell(target.by, EventCorrected(party=target.by, corrects=target.id, countersigned=signers), late=False)


STEPS: tuple[Callable[[Writer], None], ...] = (
    look, look, look, scan, entry, miss, weigh, repack, tape, bag, bag, bag, logger, hold, authority, retract,
)  # fmt: skip


def pick_up(w: Writer, carrier: str) -> None:
    """The first acceptance, with or without a check, or none at all."""
    if w.chance(1):
        w.holder = carrier
        return
    seen = w.looks(O, O, C, W, P, Facet.PACKING, most=3)
    capture = w.capture(carrier, *seen, other=SENDER)
    reservation = w.reservation()
    if w.chance(2):
        reservation = Reservation(facet=Facet.PACKING, grounds="no_cushioning", component="inner")
    if reservation is not None:
        capture["mode"] = CaptureMode.HUMAN_INSPECT
    w.tell(carrier, HandoffAccepted(taker=carrier, giver=SENDER, reservation=reservation, **capture))
    w.holder = carrier
    w.picked_up = True


def ending(w: Writer) -> None:
    """The last yards: handed over, left, refused, sent back, or never seen again."""
    if w.bagged is not None and w.chance(8):
        unpack(w)
    how = w.pick("accept", "accept", "accept", "none", "drop", "drop", "refuse", "return")
    if how == "none":
        return
    w.wait()
    courier = w.holder
    if how == "drop":
        _drop(w, courier)
    elif how in ("refuse", "return"):
        _send_back(w, courier, how)
    else:
        if w.chance(3):
            w.tell(courier, HandoffReleased(giver=courier, taker=RECIPIENT, **w.capture(courier, *w.looks(O, most=1))))
            w.now += timedelta(minutes=10)
        if w.chance(2):
            w.tell(courier, DeliveryAttempted(party=courier, **w.capture(courier)))
            w.wait()
        _receive(w, RECIPIENT, courier)


def _receive(w: Writer, taker: str, courier: str) -> None:
    reservation = w.reservation()
    capture = w.capture(taker, *w.looks(O, C), other=courier)
    if reservation is not None:
        capture["mode"] = CaptureMode.HUMAN_INSPECT
    person = w.pick(None, None, None, "neighbour") if taker == RECIPIENT else None
    consent = w.pick(True, False) if person else None
    data = HandoffAccepted(taker=taker, reservation=reservation, person=person, consent=consent, **capture)
    w.tell(taker, data)
    if person and not consent and w.chance(5):
        w.wait()
        w.tell(taker, HandoffAccepted(taker=taker, **w.capture(taker, *w.looks(O, C))))
    w.holder = taker


def _drop(w: Writer, courier: str) -> None:
    place = w.pick(DropPlace.LOCKER, DropPlace.DOOR, DropPlace.SHOP)
    to = "LOK" if place is DropPlace.LOCKER else None
    consent = w.pick(True, True, False) if place is not DropPlace.SHOP else False
    seen = w.looks(O, P, most=1)
    w.tell(courier, ParcelDropped(party=courier, place=place, to=to, consent=consent, **w.capture(courier, *seen)))
    w.wait()
    if w.chance(6) and not (place is DropPlace.DOOR and consent):
        unattended = w.chance(3)
        capture = w.capture(RECIPIENT, *w.looks(O, C, most=1))
        w.tell(RECIPIENT, HandoffAccepted(taker=RECIPIENT, unattended=unattended, **capture))
        w.holder = RECIPIENT


def _send_back(w: Writer, courier: str, how: str) -> None:
    if how == "refuse":
        if w.chance(4):
            w.tell(courier, HandoffReleased(giver=courier, taker=RECIPIENT, **w.capture(courier, *w.looks(O, most=1))))
            w.now += timedelta(minutes=10)
        w.tell(RECIPIENT, DeliveryRefused(party=RECIPIENT, **w.capture(RECIPIENT, *w.looks(O, most=1))))
    else:
        _receive(w, RECIPIENT, courier)
    w.wait()
    w.tell(w.holder, ReturnOrdered(party=w.holder, **w.capture(w.holder)))
    if w.chance(7):
        hand_over(w, w.pick(*[each for each in CARRIERS if each != w.holder]))
        w.wait()
        _receive(w, SENDER, w.holder)


def complain(w: Writer) -> None:
    """A claimant's notice, with this or that proof, or with none."""
    w.wait()
    if w.chance(3):
        w.now += timedelta(days=8)
    by = SENDER if w.holder == SENDER else RECIPIENT
    proof = w.pick(*Proof)
    facet = w.pick(O, O, C, C, P) if proof is not Proof.UNBOXING_VIDEO else C
    [seen] = w.seen(facet)
    shown = msgspec.structs.replace(seen, instrument=None, media=() if proof is Proof.NONE else (PHOTO,))
    w.tell(by, NoticeGiven(party=by, observations=(shown,), proof=proof), signed=False, late=False)


@st.composite
def journeys(draw: st.DrawFn) -> Journey:
    """A whole journey, from the sender's door to the last complaint."""
    w = Writer(draw)
    route: Sequence[str] = CARRIERS[: w.pick(2, 3, 4)]
    pick_up(w, route[0])
    for at in range(len(route)):
        if at:
            hand_over(w, route[at])
        for step in draw(st.lists(st.sampled_from(STEPS), max_size=2)):
            step(w)
    ending(w)
    for _ in range(w.pick(0, 1, 1, 2)):
        complain(w)
    if w.chance(2):
        retract(w)
    return Journey((*w.told, _paper(w, route)), registry(_policy(w), w.pick({}, {}, {"C1": "GROUP", "LH": "GROUP"})))


def _paper(w: Writer, route: Sequence[str]) -> Told:
    dwell = w.pick(None, 12.0)
    freight = w.pick(None, 10)
    plan = tuple(
        PlannedLeg(party=party, dwell_hours=dwell, freight=freight and freight * (at + 1))
        for at, party in enumerate(route)
    )
    data = ParcelAnnounced(
        contracting=route[0],
        content_grams=w.pick(None, 300),
        promised_after_hours=w.pick(None, 48.0) if w.picked_up else None,
        plan=plan,
    )
    return Told("paper", "OFFICE", timedelta(), timedelta(minutes=20), data, signed=False)


def _policy(w: Writer) -> PolicySet:
    return PolicySet(
        deemed_lost_hours=w.pick(None, None, 24.0 * 10),
        auto_accept_is_clean=w.pick(True, True, False),
        import_accept_is_clean=w.pick(False, True),
        policy=w.pick(*SharePolicy),
        table={"C1": 2, "H1": 5, "LH": 3, "H2": 1},
    )

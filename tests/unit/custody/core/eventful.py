"""Evidence that Hypothesis makes up, in which everything happens that an answer may hang on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    DeviceEnrolled,
    DeviceKey,
    DeviceRevoked,
    Event,
    EventCorrected,
    HandoffAccepted,
    HandoffReleased,
    HoldPlaced,
    ItemScanned,
    Observation,
    Operator,
    PartyRegistered,
    PolicySet,
    Redirected,
    Seal,
    SealChecked,
    UnitPacked,
    UnitUnpacked,
)
from schemas.positions import Position
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Condition,
    Facet,
    HoldReason,
    PartyRole,
    RevocationReason,
    SharePolicy,
    UnitKind,
)
from services.custody.core.facts import Evidence, Fact, Packing, Parked, Rival
from tests.unit.custody.core.histories import (
    BAD,
    CARRIERS,
    DAY_0,
    GOOD,
    SUBJECT,
    History,
    Told,
    histories,
    key_of,
    record,
    registry,
)

UNIT = "test:BAG1"

_HANDLED: tuple[tuple[CaptureMode, Operator | None], ...] = (
    (CaptureMode.HUMAN_SCAN, Operator(ref="p1")),
    (CaptureMode.AUTO_SCAN, None),
    (CaptureMode.MANUAL_ENTRY, Operator(ref="p1")),
)


@st.composite
def _moved(draw: st.DrawFn, number: int, t: timedelta, *, orderly: bool) -> Told:
    """A scan, a release or an acceptance, mostly silent, mostly among few parties: much of it changes nothing."""
    if orderly and draw(st.integers(0, 4)):
        party = CARRIERS[number % 2]
        given = HandoffReleased(giver=party, taker=None, **_HAND)
        data: Event = draw(
            st.sampled_from((HandoffAccepted(taker=party, **_HAND), given, ItemScanned(party=party, **_HAND)))
        )
        return Told(f"m{number}", party, t, t, data)
    party = draw(st.sampled_from((*CARRIERS[:2], *CARRIERS[:2], CARRIERS[2], RECIPIENT)))
    mode, operator = draw(st.sampled_from(_HANDLED[:2] * 3 + _HANDLED))
    seen: tuple[Observation, ...] = draw(
        st.sampled_from(((), (), (), (), (Observation(facet=Facet.OUTER, value=Condition.OK),), (_PRESENT,), (_GONE,)))
    )
    shared: dict[str, Any] = {"mode": mode, "operator": operator, "observations": seen}
    match draw(st.sampled_from(("accept", "accept", "accept", "release", "scan", "scan"))):
        case "accept":
            data = HandoffAccepted(taker=party, **shared)
        case "release":
            data = HandoffReleased(giver=party, taker=draw(st.sampled_from((None, *CARRIERS[:2]))), **shared)
        case _:
            data = ItemScanned(party=party, empty=draw(st.integers(0, 9)) == 0, **shared)
    late = timedelta(minutes=draw(st.sampled_from((0, 0, 0, 0, 90))))
    signature = draw(st.sampled_from((GOOD, GOOD, GOOD, GOOD, None, BAD)))
    return Told(f"m{number}", party, t, t + late, data, signature)


_PRESENT = Observation(facet=Facet.PRESENCE, value=Condition.OK)
_GONE = Observation(facet=Facet.PRESENCE, value=Condition.BAD)


_HAND: dict[str, Any] = {"mode": CaptureMode.HUMAN_SCAN, "operator": Operator(ref="p1")}
_TORN = (
    Told("e0", "C1", timedelta(minutes=10), timedelta(minutes=10), HandoffAccepted(taker="C1", giver=SENDER, **_HAND)),
    Told("e1", "H1", timedelta(minutes=12), timedelta(minutes=12), HandoffAccepted(taker="H1", giver="C1", **_HAND)),
    Told(
        "e2",
        "H1",
        timedelta(minutes=14),
        timedelta(minutes=14),
        ConditionObserved(
            mode=CaptureMode.HUMAN_INSPECT,
            operator=Operator(ref="p1"),
            party="H1",
            observations=(Observation(facet=Facet.OUTER, value=Condition.BAD),),
        ),
    ),
)


@st.composite
def _else(draw: st.DrawFn, number: int, t: timedelta) -> Told:
    """Anything else that may be recorded about a parcel, its unit, or who is who."""
    party = draw(st.sampled_from(CARRIERS))
    shared: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": Operator(ref="p1")}
    data: Event
    about, by = None, party
    match draw(st.integers(0, 12)):
        case 0:
            reason = draw(st.sampled_from(RevocationReason))
            cut_off = draw(st.sampled_from((None, DAY_0 + t / 2)))
            data, about = DeviceRevoked(device=f"{party}.d", reason=reason, cut_off=cut_off), f"device:{party}.D"
        case 1:
            role = draw(st.sampled_from(PartyRole))
            data = PartyRegistered(party=party, role=role, entity=draw(st.sampled_from((None, *CARRIERS))))
            about = f"party:{party}"
        case 2:
            data, about = draw(_policies), "policy:DEFAULT"
        case 3:
            key = DeviceKey(keyid=party, public_key=key_of(party))
            data = DeviceEnrolled(device=f"{party}.d", party=draw(st.sampled_from(CARRIERS)), keys=(key,))
            about = f"device:{party}.D"
        case 4 | 5:
            data = EventCorrected(party=party, corrects=draw(st.sampled_from(("e0", "e1", "e2", "m0", "m1", "m2"))))
        case 6 | 7:
            data = UnitPacked(party=party, unit=UNIT, kind=draw(st.sampled_from(UnitKind)), **shared)
        case 8:
            data = UnitUnpacked(party=party, unit=UNIT, **shared)
        case 9:
            data, about = HandoffAccepted(taker=party, **shared), UNIT
        case 10:
            data, about = SealChecked(party=party, seal=Seal(number="7", match=draw(st.booleans())), **shared), UNIT
        case 11:
            data, about = ItemScanned(party=party, empty=draw(st.booleans()), **shared), UNIT
        case _:
            hold = HoldPlaced(party=party, hours=5.0, because=draw(st.sampled_from(HoldReason)))
            moved = Redirected(party=party, address="a" * 64, promised_after_hours=draw(st.sampled_from((1.0, 200.0))))
            data = draw(st.sampled_from((hold, moved)))
    if about is not None and about != UNIT:
        by = "OFFICE"
    told = Told(f"x{number}", by, t, t, data, None if by == "OFFICE" else draw(st.sampled_from((GOOD, GOOD, None))))
    return told if about is None else replace(told, subject=about)


_policies = st.builds(
    PolicySet,
    policy=st.sampled_from((None, *SharePolicy)),
    deemed_lost_hours=st.sampled_from((None, 24.0, 300.0)),
    handoff_window_hours=st.sampled_from((None, 0.5, 12.0)),
    late_after_hours=st.sampled_from((None, 1.0)),
    auto_accept_is_clean=st.sampled_from((None, True, False)),
    import_accept_is_clean=st.sampled_from((None, True, False)),
)


@st.composite
def eventful(draw: st.DrawFn, max_size: int = 12) -> Evidence:
    """A history, then a run of moves close together, with everything else in between; told twice, contested, unread."""
    orderly = draw(st.booleans())
    begun = History(_TORN, registry(draw(_policies))) if orderly else draw(histories(max_size=4))
    told: list[Told] = []
    t = timedelta(days=draw(st.sampled_from((0.02, 5, 9, 14))))
    for number in range(draw(st.integers(1, max_size))):
        t += timedelta(minutes=draw(st.sampled_from((1, 3, 50, 150, 400))), seconds=3)
        otherwise = draw(st.integers(0, 7 if orderly else 3)) == 0
        told.append(draw(_else(number, t) if otherwise else _moved(number, t, orderly=orderly)))
    own = [each for each in (*begun.told, *told) if each.subject == begun.told[0].subject]
    for number, each in enumerate(draw(st.lists(st.sampled_from(own), max_size=3))):
        again = replace(each, recorded=each.recorded + timedelta(hours=draw(st.integers(0, 90)), seconds=7 + number))
        if draw(st.booleans()):
            again = replace(again, data=ItemScanned(mode=CaptureMode.AUTO_SCAN, party=again.by))
        told.append(again)
    everything, signatures = record(History((*begun.told, *told), begun.registry))
    own_facts = tuple(fact for fact in everything if fact.subject == SUBJECT)
    registered = tuple(fact for fact in everything if fact.data.TYPE.startswith("registry."))
    unit_facts = tuple(fact for fact in everything if fact.subject == UNIT)
    last = max(fact.record_time for fact in everything)
    return Evidence(
        subject=SUBJECT,
        signatures=signatures,
        facts=_numbered(draw, own_facts),
        registry=registered,
        unit_facts=unit_facts,
        neighbours=_some(draw, lambda at, when: Packing(UNIT, when, at % 2 == 0, Position(6, at), when), last),
        parked=_some(draw, lambda at, when: Parked(Position(7, at), when, "UNKNOWN_VERSION"), last),
        rivals=_rivals(draw, own_facts),
    )


def _some(draw: st.DrawFn, make: Any, last: Any) -> tuple[Any, ...]:
    """A few records at random moments of the whole time, mostly none."""
    span = (last - DAY_0) // timedelta(seconds=1)
    seconds = draw(st.lists(st.integers(0, span), max_size=draw(st.sampled_from((0, 0, 2)))))
    return tuple(make(at, DAY_0 + timedelta(seconds=each, milliseconds=500)) for at, each in enumerate(seconds))


def _numbered(draw: st.DrawFn, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The same facts as devices number them: all, some, or none; mostly in the order in which they happened."""
    order = {fact.identity: at for at, fact in enumerate(sorted(facts, key=lambda fact: fact.t))}
    how = draw(st.sampled_from(("none", "all", "all", "some", "wild")))
    numbered = []
    for fact in facts:
        number = order[fact.identity] if how != "wild" else draw(st.integers(0, 20))
        if how in ("all", "wild") or (how == "some" and number % 2):
            envelope = msgspec.structs.replace(fact.envelope, sequence=f"{number:04d}")
            numbered.append(replace(fact, envelope=envelope))
        else:
            numbered.append(fact)
    return tuple(numbered)


def _rivals(draw: st.DrawFn, facts: Sequence[Fact]) -> tuple[Rival, ...]:
    """Other contents under the identity of some facts, recorded elsewhere before them or after."""
    contested = draw(st.lists(st.sampled_from(facts), max_size=draw(st.sampled_from((0, 0, 1)))))
    return tuple(
        Rival(
            fact.identity,
            b"other",
            Position(8, at),
            fact.record_time + timedelta(seconds=draw(st.sampled_from((-40, 40))), milliseconds=250),
        )
        for at, fact in enumerate(contested)
    )

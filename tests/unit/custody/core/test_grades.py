"""The grades, sentence by sentence: what one observation is worth by how, by whom and when it was recorded.

The reasoning model says it in four places, which the ids of the rows name: the list of grades from 5 to 0, the
ceilings, what holds for unsigned scans, and what holds for keys that ended.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from schemas.events import (
    ConditionObserved,
    Countersignature,
    DeliveryRefused,
    HandoffAccepted,
    NoticeGiven,
    Observation,
    Operator,
    ParcelDropped,
    ParcelRelabelled,
    PartyRegistered,
    PolicySet,
    Repacked,
    Scan,
    Seal,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import CaptureMode, Condition, DropPlace, Facet, PartyRole, Proof
from services.custody.core.ground import lay
from tests.unit.custody.core.histories import BAD, GOOD, PHOTO, History, Told, evidence, registry

T = timedelta(days=2)
SEEN = Observation(facet=Facet.OUTER, value=Condition.OK)
PERSON = Operator(ref="p1")


def told(by: str = "H1", signature: str | None = GOOD, late: timedelta = timedelta(), **fields: Any) -> Told:
    usual: dict[str, Any] = {
        "mode": CaptureMode.HUMAN_INSPECT,
        "operator": PERSON,
        "party": by,
        "observations": (SEEN,),
    }
    return Told("look", by, T, T + late, ConditionObserved(**(usual | fields)), signature)


def graded(event: Told, *more: Told) -> tuple[list[int], list[str]]:
    """The grades of the event's looks, and why events were excluded."""
    history = History((event,), (*registry(PolicySet()), *more))
    scene = lay(evidence(history), history.as_of).scene
    return [look.grade for act in scene.acts for look in act.looks], [why for _, why in scene.excluded.values()]


CAMERA = Observation(facet=Facet.OUTER, value=Condition.OK, instrument="camera")
UNKNOWN_CAMERA = Observation(facet=Facet.OUTER, value=Condition.OK, instrument="telescope")
PICTURED = Observation(facet=Facet.OUTER, value=Condition.OK, media=(PHOTO,))
LABEL = Observation(facet=Facet.PRESENCE, value=Condition.OK)
INSIDE = Observation(facet=Facet.CONTENTS, value=Condition.BAD, media=(PHOTO,))
SEAL = Observation(facet=Facet.SEAL, value=Condition.OK, media=(PHOTO,))


@pytest.mark.parametrize(
    ("event", "grade"),
    [
        pytest.param(told(), 4, id="grade 4: an identified person, enrolled device, that facet examined"),
        pytest.param(told(observations=(PICTURED,)), 5, id="grade 5: an artefact taken then"),
        pytest.param(
            told(countersigned=(Countersignature(party="LH"),)), 5, id="grade 5: the other side's countersignature"
        ),
        pytest.param(
            told(countersigned=(Countersignature(party="H1"),)),
            4,
            id="grade 5: one's own second signature is not the other side's",
        ),
        pytest.param(told(by="SVY", neutral=True), 5, id="grade 5: neutral survey"),
        pytest.param(told(neutral=True), 4, id="grade 5: a carrier cannot call itself neutral"),
        pytest.param(told(operator=None), 1, id="grade 4: nobody in particular is not identified"),
        pytest.param(told(by="RCP", operator=None), 1, id="grade 1: bare statement"),
        pytest.param(told(by="RCP", observations=(PICTURED,)), 3, id="grade 3: claimant, O with original media"),
        pytest.param(
            told(by="RCP", observations=(INSIDE,)), 1, id="grade 3: a picture of the contents is no unboxing video"
        ),
        pytest.param(
            told(by="RCP", countersigned=(Countersignature(party="C1"),)),
            5,
            id="grade 5: the recipient and the courier together",
        ),
        pytest.param(told(observations=(CAMERA,)), 3, id="grade 3: enrolled instrument on that facet"),
        pytest.param(told(observations=(UNKNOWN_CAMERA,)), 0, id="grade 3: an instrument that nobody enrolled"),
        pytest.param(told(observations=(SEAL,)), 4, id="ceilings: seal 5 only with a photo of the number"),
        pytest.param(told(mode=CaptureMode.HUMAN_SCAN, observations=(LABEL,)), 3, id="ceilings: a scan gives P@3"),
        pytest.param(told(mode=CaptureMode.IMPORT), 4, id="ceilings: signed import, else as declared"),
        pytest.param(told(mode=CaptureMode.IMPORT, observations=(PICTURED,)), 4, id="ceilings: signed import, up to 4"),
        pytest.param(told(mode=CaptureMode.IMPORT, observations=(LABEL,)), 3, id="ceilings: signed import P 3"),
        pytest.param(told(mode=CaptureMode.IMPORT, signature=None), 2, id="ceilings: unsigned import 2"),
        pytest.param(told(mode=CaptureMode.MANUAL_ENTRY, signature=None), 1, id="ceilings: unsigned entry 1"),
        pytest.param(told(signature=None), 3, id="unsigned scans: ceiling 3"),
        pytest.param(
            told(signature=None, late=timedelta(hours=24)), 3, id="unsigned scans: recorded within late_after"
        ),
        pytest.param(told(signature=None, late=timedelta(hours=25)), 1, id="unsigned scans: late"),
        pytest.param(
            told(mode=CaptureMode.HUMAN_SCAN, observations=(LABEL,), countersigned=(Countersignature(party="LH"),)),
            3,
            id="ceilings: a scan gives P@3, whoever confirms it",
        ),
        pytest.param(
            told(observations=(SEAL,), countersigned=(Countersignature(party="LH"),)),
            4,
            id="ceilings: seal 5 not by a countersignature",
        ),
        pytest.param(
            told(observations=(SEAL,), seal=Seal(number="111", media=PHOTO)),
            5,
            id="ceilings: seal 5, number in the photo",
        ),
        pytest.param(told(observations=(INSIDE,)), 5, id="grade 4: C if opened, by the person who looked inside"),
        pytest.param(
            told(mode=CaptureMode.MANUAL_ENTRY), 4, id="grade 1: an entry with a device-signed time is none of it"
        ),
        pytest.param(
            told(mode=CaptureMode.MANUAL_ENTRY, signature=None, observations=(PICTURED,)),
            1,
            id="grade 1: an entry without one is, picture or not",
        ),
        pytest.param(told(by="RCP", observations=(CAMERA,)), 3, id="ceilings: claimant 3"),
        pytest.param(
            told(observations=(Observation(facet=Facet.OUTER, value=Condition.UNEXAMINED, media=(PHOTO,)),)),
            0,
            id="R2: what was not examined proves nothing",
        ),
        pytest.param(told(late=timedelta(days=9)), 4, id="R18: late with device-signed time keeps its grade"),
    ],
)
def test_a_look_is_worth(event: Told, grade: int) -> None:
    grades, excluded = graded(event)

    assert grades == [grade]
    assert excluded == []


def test_the_recipient_is_a_person_when_it_takes_the_parcel() -> None:
    accepted = HandoffAccepted(mode=CaptureMode.HUMAN_INSPECT, taker="RCP", observations=(SEEN,))

    assert graded(Told("a", "RCP", T, T, accepted))[0] == [4]


def test_a_scan_says_nothing_of_condition() -> None:
    grades, _ = graded(told(mode=CaptureMode.HUMAN_SCAN))

    assert grades == [0, 3]  # the carton: nothing; the label that was read: presence


@pytest.mark.parametrize(
    ("offset", "minutes", "used"),
    [(timedelta(), 9, True), (timedelta(seconds=1), 9, False), (timedelta(seconds=1), 1, True)],
    ids=["never measured", "measured, and too far ahead", "measured, and close"],
)
def test_a_clock_that_was_never_measured_may_be_further_ahead(offset: timedelta, minutes: int, *, used: bool) -> None:
    grades, why = graded(replace(told(), recorded=T - timedelta(minutes=minutes), t=T + offset, offset=offset))

    assert (max(grades, default=0) > 0) is used
    assert ("IMPOSSIBLE_TIME" in str(why)) is not used


@pytest.mark.parametrize(
    ("event", "why"),
    [
        pytest.param(told(signature=BAD), "BAD_SIGNATURE", id="bad signature"),
        pytest.param(told(by="STRANGER"), "UNKNOWN_DEVICE", id="unknown device"),
        pytest.param(replace(told(), recorded=T - timedelta(minutes=11)), "IMPOSSIBLE_TIME", id="from the future"),
    ],
)
def test_what_is_never_used_says_why(event: Told, why: str) -> None:
    assert graded(event) == ([], [why])


def test_clocks_may_be_a_little_fast() -> None:
    assert graded(replace(told(), recorded=T - timedelta(minutes=2)))[1] == []


@pytest.mark.parametrize(
    ("proof", "facet", "media", "grade"),
    [
        (Proof.UNBOXING_VIDEO, Facet.CONTENTS, (PHOTO,), 3),
        (Proof.UNBOXING_VIDEO, Facet.OUTER, (PHOTO,), 1),
        (Proof.UNBOXING_VIDEO, Facet.CONTENTS, (), 1),
        (Proof.PHOTO_PACKAGING_KEPT, Facet.OUTER, (PHOTO,), 3),
        (Proof.PHOTO_PACKAGING_KEPT, Facet.CONTENTS, (PHOTO,), 1),
        (Proof.NONE, Facet.CONTENTS, (PHOTO,), 1),
    ],
)
def test_a_claim_is_worth_what_the_claimant_shows(
    proof: Proof, facet: Facet, media: tuple[str, ...], grade: int
) -> None:
    seen = Observation(facet=facet, value=Condition.BAD, media=media)
    notice = Told("n", "OFFICE", T, T, NoticeGiven(party="RCP", observations=(seen,), proof=proof), None)

    assert graded(notice)[0] == [grade]


def test_an_acceptance_on_anothers_device_is_the_takers_act_only_if_the_taker_confirms() -> None:
    accepted = HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, taker="RCP")
    by_the_courier = History((Told("a", "C1", T, T, accepted),), registry(PolicySet()))
    confirmed = msgspec.structs.replace(accepted, countersigned=(Countersignature(party="RCP"),))
    with_pin = History((Told("a", "C1", T, T, confirmed),), registry(PolicySet()))

    alone = lay(evidence(by_the_courier), by_the_courier.as_of).scene
    both = lay(evidence(with_pin), with_pin.as_of).scene

    assert [why for _, why in alone.excluded.values()] == ["NOT_THE_TAKERS_ACT"]
    assert alone.chain.delivery is None
    assert both.chain.delivery is not None
    assert both.chain.delivery.accept.joined == ("C1",)


def test_a_key_that_was_enrolled_later_does_not_vouch_for_earlier_events() -> None:
    late = tuple(replace(each, t=T * 3) if each.id == "device-H1" else each for each in registry(PolicySet()))
    history = History((told(),), late)

    assert [why for _, why in lay(evidence(history), history.as_of).scene.excluded.values()] == ["UNKNOWN_DEVICE"]


# --- acts of every kind ----------------------------------------------------------------------------------------------

BY_HAND: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": PERSON}
DEEDS: tuple[Scan, ...] = (
    HandoffAccepted(taker="H1", **BY_HAND),
    SealApplied(party="H1", **BY_HAND),
    SealChecked(party="H1", **BY_HAND),
    UnitPacked(party="H1", unit="test:BAG", **BY_HAND),
    UnitUnpacked(party="H1", unit="test:BAG", **BY_HAND),
    UnitOpened(party="H1", **BY_HAND),
    Repacked(party="H1", **BY_HAND),
    ParcelRelabelled(party="H1", old="test:PARCEL", new="test:OTHER", both_seen=True, **BY_HAND),
    ParcelDropped(party="H1", place=DropPlace.LOCKER, **BY_HAND),
    DeliveryRefused(party="H1", **BY_HAND),
)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: type(deed).__name__)
@pytest.mark.parametrize(("seen", "grade"), [(SEEN, 4), (PICTURED, 5), (SEAL, 4), (CAMERA, 3), (UNKNOWN_CAMERA, 0)])
def test_a_look_is_worth_the_same_whatever_else_was_done(deed: Scan, seen: Observation, grade: int) -> None:
    data = msgspec.structs.replace(deed, observations=(seen,))

    assert graded(Told("deed", "H1", T, T, data)) == ([grade], [])


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: type(deed).__name__)
def test_whoever_scans_its_label_has_seen_that_it_is_there_and_nothing_else(deed: Scan) -> None:
    data = msgspec.structs.replace(deed, mode=CaptureMode.HUMAN_SCAN, observations=(SEEN,))

    assert graded(Told("deed", "H1", T, T, data))[0] == [0, 3]


@pytest.mark.parametrize(("sender", "expected"), [("H1", 3), ("SISTER", 3), (None, 3), ("LH", 1)])
def test_unsigned_counts_as_scanned_only_through_a_key_bound_to_the_device(sender: str | None, expected: int) -> None:
    """Unsigned scans: "through a key bound to an enrolled device", so not what another party sends in its name."""
    group = PartyRegistered(party="SISTER", role=PartyRole.CARRIER, entity="H1")
    sister = Told("sister", "OFFICE", timedelta(), timedelta(minutes=9), group, None, "party:SISTER")
    known = evidence(History((told(signature=None),), (*registry(PolicySet()), sister)))
    (fact,) = known.facts
    sent = replace(fact, envelope=msgspec.structs.replace(fact.envelope, recordedparty=sender))

    scene = lay(replace(known, facts=(sent,)), History((), ()).as_of).scene

    assert [look.grade for act in scene.acts for look in act.looks] == [expected]

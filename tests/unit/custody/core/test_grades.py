"""The table of grades, row by row: what one observation is worth by how, by whom and when it was recorded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from schemas.events import (
    ConditionObserved,
    Countersignature,
    DeviceRevoked,
    HandoffAccepted,
    NoticeGiven,
    Observation,
    Operator,
    PolicySet,
)
from schemas.vocabulary import CaptureMode, Condition, Facet, Proof, RevocationReason
from services.custody.core.ground import lay
from tests.unit.custody.core.histories import BAD, DAY_0, GOOD, PHOTO, History, Told, evidence, registry

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
        pytest.param(told(), 4, id="an identified person with an enrolled device"),
        pytest.param(told(observations=(PICTURED,)), 5, id="with a photo taken then"),
        pytest.param(told(countersigned=(Countersignature(party="LH"),)), 5, id="with the other side's signature"),
        pytest.param(
            told(countersigned=(Countersignature(party="H1"),)), 4, id="one's own second signature adds nothing"
        ),
        pytest.param(told(by="SVY", neutral=True), 5, id="a neutral survey"),
        pytest.param(told(neutral=True), 4, id="a carrier cannot call itself neutral"),
        pytest.param(told(operator=None), 1, id="nobody in particular"),
        pytest.param(told(by="RCP", operator=None), 1, id="the recipient's bare statement"),
        pytest.param(told(by="RCP", observations=(PICTURED,)), 3, id="the recipient's picture of the carton"),
        pytest.param(told(by="RCP", observations=(INSIDE,)), 1, id="a picture of the contents is no unboxing video"),
        pytest.param(
            told(by="RCP", countersigned=(Countersignature(party="C1"),)),
            5,
            id="the recipient and the courier together",
        ),
        pytest.param(told(observations=(CAMERA,)), 3, id="an enrolled instrument"),
        pytest.param(told(observations=(UNKNOWN_CAMERA,)), 0, id="an instrument that nobody enrolled"),
        pytest.param(told(observations=(SEAL,)), 4, id="a seal needs a photo of its number for more"),
        pytest.param(told(mode=CaptureMode.HUMAN_SCAN, observations=(LABEL,)), 3, id="a label that was read"),
        pytest.param(told(mode=CaptureMode.IMPORT), 4, id="a signed import"),
        pytest.param(told(mode=CaptureMode.IMPORT, observations=(PICTURED,)), 4, id="a signed import, never more"),
        pytest.param(told(mode=CaptureMode.IMPORT, observations=(LABEL,)), 3, id="presence in a signed import"),
        pytest.param(told(mode=CaptureMode.IMPORT, signature=None), 2, id="an unsigned import"),
        pytest.param(told(mode=CaptureMode.MANUAL_ENTRY, signature=None), 1, id="an unsigned entry"),
        pytest.param(told(signature=None), 3, id="unsigned, recorded at once"),
        pytest.param(told(signature=None, late=timedelta(hours=24)), 3, id="unsigned, just in time"),
        pytest.param(told(signature=None, late=timedelta(hours=25)), 1, id="unsigned and late"),
        pytest.param(told(late=timedelta(days=9)), 4, id="signed and late keeps its worth"),
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
    ("event", "why"),
    [
        pytest.param(told(signature=BAD), "BAD_SIGNATURE", id="bad signature"),
        pytest.param(told(by="STRANGER"), "UNKNOWN_DEVICE", id="unknown device"),
        pytest.param(replace(told(), recorded=T - timedelta(minutes=3)), "IMPOSSIBLE_TIME", id="from the future"),
    ],
)
def test_what_is_never_used_says_why(event: Told, why: str) -> None:
    assert graded(event) == ([], [why])


def test_clocks_may_be_a_little_fast() -> None:
    assert graded(replace(told(), recorded=T - timedelta(minutes=2)))[1] == []


def revoked(reason: RevocationReason, recorded: timedelta, cut_off: timedelta | None = None) -> Told:
    data = DeviceRevoked(device="H1.d", reason=reason, keyid="H1", cut_off=DAY_0 + cut_off if cut_off else None)
    return Told("revoked", "OFFICE", recorded, recorded, data, None, "device:H1.D")


@pytest.mark.parametrize(
    ("revocation", "late", "expected"),
    [
        pytest.param(revoked(RevocationReason.RETIRED, T * 2, T * 2), T * 3, ([4], []), id="used before its cut-off"),
        pytest.param(
            revoked(RevocationReason.RETIRED, T * 2, T / 2), T * 3, ([], ["REVOKED_DEVICE"]), id="used after it"
        ),
        pytest.param(
            revoked(RevocationReason.COMPROMISED, T * 2), timedelta(0), ([4], []), id="recorded before the report"
        ),
        pytest.param(revoked(RevocationReason.COMPROMISED, T * 2), T * 3, ([1], []), id="recorded after, and late"),
        pytest.param(
            revoked(RevocationReason.COMPROMISED, T / 2), timedelta(0), ([3], []), id="recorded after, at once"
        ),
    ],
)
def test_a_key_that_ended(revocation: Told, late: timedelta, expected: tuple[list[int], list[str]]) -> None:
    assert graded(told(late=late), revocation) == expected


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

"""Laws of the short way through a long history: it tells what asking after every record tells."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import ConditionObserved, HandoffAccepted, ItemScanned, Observation, Operator, PolicySet
from schemas.positions import AsOf
from schemas.vocabulary import RECIPIENT, SENDER, CaptureMode, Condition, Facet
from services.custody.core.attribution import verdicts
from services.custody.core.casework import casework
from services.custody.core.history import history, numbered
from services.custody.core.idle import Standstill
from tests.unit.custody.core.histories import (
    BAD,
    CARRIERS,
    GOOD,
    PHOTO,
    History,
    Told,
    evidence,
    histories,
    law,
    registry,
)


@st.composite
def scanned_on(draw: st.DrawFn) -> History:
    """Any history, and then many scans: most by one party, some by others, late or unsigned."""
    begun = draw(histories(max_size=6))
    by = draw(st.sampled_from((*CARRIERS, RECIPIENT, SENDER)))
    scans = []
    for number in range(draw(st.integers(1, 10))):
        party = draw(st.sampled_from((by, by, by, *CARRIERS)))
        t = timedelta(days=draw(st.sampled_from((0.02, 3, 9, 13, 15, 15))), hours=number)
        seen = draw(st.sampled_from(((), (), (), (Observation(facet=Facet.PRESENCE, value=Condition.OK),))))
        mode = draw(st.sampled_from((CaptureMode.AUTO_SCAN, CaptureMode.HUMAN_SCAN, CaptureMode.MANUAL_ENTRY)))
        scan = ItemScanned(mode=mode, party=party, observations=seen)
        # Seconds above those of `histories` keep the record times apart.
        recorded = t + timedelta(minutes=draw(st.sampled_from((0, 0, 5))), seconds=20 + number)
        scans.append(Told(f"scan{number}", party, t, recorded, scan, draw(st.sampled_from((GOOD, GOOD, None, BAD)))))
    return replace(begun, told=(*begun.told, *scans))


@law
@given(scanned_on())
def test_the_short_way_tells_the_same_as_asking_after_every_record(scanned: History) -> None:
    recorded = evidence(scanned)
    last = AsOf(max(fact.record_time for fact in (*recorded.facts, *recorded.registry)))

    def tell() -> object:
        return history(recorded, last), [numbered(recorded, last, verdict) for verdict in verdicts(recorded, last)]

    short = tell()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Standstill, "goes_on", lambda _self, _fact: False)
        long = tell()

    assert short == long


def test_a_parcel_that_goes_round_a_belt_for_a_day_is_answered_in_time() -> None:
    scans = 2000
    seen_bad = ConditionObserved(
        mode=CaptureMode.HUMAN_INSPECT,
        operator=Operator(ref="p1"),
        party="C1",
        observations=(Observation(facet=Facet.OUTER, value=Condition.BAD, media=(PHOTO,)),),
    )
    told = [
        Told(
            "e1", "C1", timedelta(), timedelta(minutes=1), HandoffAccepted(mode=CaptureMode.HUMAN_INSPECT, taker="C1")
        ),
        Told("e2", "C1", timedelta(minutes=2), timedelta(minutes=3), seen_bad),
    ]
    for number in range(scans):
        t = timedelta(minutes=5 + number)
        told.append(Told(f"s{number}", "C1", t, t, ItemScanned(mode=CaptureMode.AUTO_SCAN, party="C1")))
    recorded = evidence(History(tuple(told), registry(PolicySet())))

    began = time.process_time()
    work = casework(recorded, None)

    assert work.case is not None
    # Asked after each of them it takes minutes. A tenth of a second here; the bound leaves room for a busy machine.
    assert time.process_time() - began < 2.0

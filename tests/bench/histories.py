"""Long histories about one parcel: how long all answers over time take, beside one answer at the end."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta

from schemas.events import ConditionObserved, Event, HandoffAccepted, ItemScanned, Observation, Operator, PolicySet
from schemas.positions import AsOf
from schemas.vocabulary import SENDER, CaptureMode, Condition, Facet
from services.custody.core.attribution import verdicts
from services.custody.core.facts import Evidence
from services.custody.core.history import history
from tests.unit.custody.core.histories import DAY_0, PHOTO, History, Told, evidence, registry

SEEN_BAD = ConditionObserved(
    mode=CaptureMode.HUMAN_INSPECT,
    operator=Operator(ref="p1"),
    party="C1",
    observations=(Observation(facet=Facet.OUTER, value=Condition.BAD, media=(PHOTO,)),),
)


def handed_on(party: str) -> Event:
    return HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, operator=Operator(ref="p1"), taker=party)


def looked_at_and_handed_on(party: str) -> Event:
    seen = (Observation(facet=Facet.OUTER, value=Condition.OK, media=(PHOTO,)),)
    mode = CaptureMode.HUMAN_INSPECT
    return HandoffAccepted(mode=mode, operator=Operator(ref="p1"), taker=party, observations=seen)


def scanned(party: str) -> Event:
    return ItemScanned(mode=CaptureMode.AUTO_SCAN, party=party)


def to_and_fro(times: int, act: Callable[[str], Event], *, again: bool = False) -> Evidence:
    """Picked up and seen torn, and then passed between two hubs without end; or one record sent without end."""
    taken = HandoffAccepted(mode=CaptureMode.HUMAN_INSPECT, taker="C1", giver=SENDER)
    told = [
        Told("e1", "C1", timedelta(), timedelta(minutes=1), taken),
        Told("e2", "C1", timedelta(minutes=2), timedelta(minutes=3), SEEN_BAD),
    ]
    for number in range(times):
        t, party = timedelta(hours=1 + number), ("H1", "LH")[number % 2]
        one = Told("s0", "H1", timedelta(hours=1), t, act("H1"))
        told.append(one if again else Told(f"s{number}", party, t, t, act(party)))
    return evidence(History(tuple(told), registry(PolicySet())))


def main() -> int:
    """Print one line for each sort of history."""
    for name, recorded in (
        ("1,000 plain handoffs, an hour apart", to_and_fro(1000, handed_on)),
        ("one record sent 1,000 times", to_and_fro(1000, handed_on, again=True)),
        ("300 handoffs with a look at each", to_and_fro(300, looked_at_and_handed_on)),
        ("300 scans by two hubs in turn", to_and_fro(300, scanned)),
    ):
        as_of = AsOf(DAY_0 + timedelta(days=400))
        began = time.perf_counter()
        versions = history(recorded, as_of)
        told = time.perf_counter()
        verdicts(recorded, as_of)
        asked = time.perf_counter()
        sys.stdout.write(
            f"history {told - began:7.2f} s, verdicts {asked - told:7.3f} s, {len(versions):4} versions: {name}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Masses beside one another (R12): what is sound, what is lighter, and what nobody can tell."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.events import ConditionObserved, HandoffAccepted, Observation, Operator, ParcelAnnounced, PolicySet
from schemas.vocabulary import SENDER, CaptureMode, Condition, Facet
from services.custody.core.condition import Mass
from services.custody.core.ground import lay
from services.custody.core.policy import Policy
from services.custody.core.weights import tau_grams
from tests.unit.custody.core.histories import History, Told, evidence, registry


def weighed(event_id: str, by: str, day: float, grams: int, **more: Any) -> Told:
    seen = Observation(facet=Facet.WEIGHT, value=Condition.OK, grams=grams, **more)
    shared: dict[str, Any] = {
        "mode": CaptureMode.HUMAN_INSPECT,
        "operator": Operator(ref="p1"),
        "observations": (seen,),
    }
    data = ConditionObserved(party=by, **shared) if by == SENDER else HandoffAccepted(taker=by, **shared)
    return Told(event_id, by, timedelta(days=day), timedelta(days=day), data)


def told(*masses: Told, missing: int | None = 300) -> list[tuple[str, Condition, int]]:
    """What each weighing says, and by how many grams it differs."""
    paper = Told("paper", "OFFICE", timedelta(), timedelta(), ParcelAnnounced(content_grams=missing), None)
    history = History((paper, *masses), registry(PolicySet()))
    acts = lay(evidence(history), history.as_of).scene.acts
    return [(act.id, look.value, look.change) for act in acts for look in act.looks if look.mass is not None]


OK, BAD, OPEN = Condition.OK, Condition.BAD, Condition.UNEXAMINED


@pytest.mark.parametrize(
    ("grams", "says"),
    [
        pytest.param((4200, 4180), [OPEN, OK], id="equal as far as scales can tell"),
        pytest.param((4200, 4179), [OPEN, OK], id="half a percent"),
        pytest.param((4200, 4178), [OK, BAD], id="a gram beyond half a percent"),
        pytest.param((1000, 980), [OPEN, OK], id="twenty grams"),
        pytest.param((1000, 979), [OK, BAD], id="a gram beyond twenty"),
        pytest.param((4200, 3900, 3890), [OK, BAD, BAD], id="short twice, against the full one"),
        pytest.param((4200, 4600, 4195), [OPEN, BAD, OK], id="a scale that was wrong once is no measure"),
        pytest.param((4200,), [OPEN], id="alone"),
    ],
)
def test_a_mass_is_compared_with_the_last_full_one(grams: tuple[int, ...], says: list[Condition]) -> None:
    masses = [
        weighed(f"w{at}", party, at, each) for at, (party, each) in enumerate(zip(PARTIES, grams, strict=False), 1)
    ]

    assert [value for _, value, _ in told(*masses)] == says


PARTIES = ("C1", "H1", "LH")


def test_a_heavier_one_is_bad_without_making_the_first_sound() -> None:
    assert told(weighed("w1", "C1", 1, 4200), weighed("w2", "H1", 2, 4600)) == [("w1", OPEN, 0), ("w2", BAD, 400)]


@pytest.mark.parametrize("missing", [None, 20])
def test_an_equal_mass_says_nothing_where_what_may_be_missing_is_unknown_or_too_light(missing: int | None) -> None:
    masses = (weighed("w1", "C1", 1, 4000), weighed("w2", "H1", 2, 3995))

    assert [value for _, value, _ in told(*masses, missing=missing)] == [OPEN, OPEN]


def test_an_equal_mass_is_sound_against_the_senders_own_scale() -> None:
    masses = (weighed("w1", SENDER, 0.5, 4000, instrument="camera"), weighed("w2", "C1", 1, 3995))

    assert [value for _, value, _ in told(*masses)] == [OPEN, OK]


def test_an_equal_mass_is_not_sound_where_the_first_was_weighed_on_the_way() -> None:
    picked_up = Told(
        "a1", "C1", timedelta(days=1), timedelta(days=1), HandoffAccepted(taker="C1", mode=CaptureMode.HUMAN_SCAN)
    )

    assert [value for _, value, _ in told(picked_up, weighed("w1", "H1", 2, 4000), weighed("w2", "LH", 3, 3995))] == [
        OPEN,
        OPEN,
    ]


def test_scales_that_say_how_far_they_may_be_off_are_taken_at_their_word() -> None:
    one, other = Mass(4000, 30), Mass(3950, 25)

    assert tau_grams(Policy(), one, other) == 55
    assert tau_grams(Policy(tau_grams=60), one, other) == 60
    assert tau_grams(Policy(tau_grams=5), Mass(4000), Mass(3990)) == 5

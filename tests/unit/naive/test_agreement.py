"""The core and the naive solver answer alike: two readings of one text, on journeys that Hypothesis makes up."""

from hypothesis import Phase, given, settings

from tests.unit.naive.comparing import disagreements
from tests.unit.naive.histories import journeys
from tests.unit.naive.journey import Journey

agreement = settings(max_examples=settings().max_examples * 2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""A journey costs a tenth of a second, the slow side is slow on purpose: shrinking one would take many minutes."""


@agreement
@given(journeys())
def test_both_solvers_give_the_same_verdicts(journey: Journey) -> None:
    assert disagreements(journey) == {}

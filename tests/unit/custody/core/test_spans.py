"""Times joined and taken out of one another, against counting second by second."""

import itertools
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.custody.core.spans import MOMENT, outside, union
from tests.unit.custody.core.histories import DAY_0

DAY = 30


def at(tick: int) -> datetime:
    """An instant: ticks are minutes, so that nothing is shorter than a moment."""
    return DAY_0 + timedelta(minutes=tick)


spans = st.lists(
    st.tuples(st.integers(0, DAY), st.integers(0, DAY)).map(lambda span: (at(span[0]), at(span[1]))), max_size=6
)


def covered(tick: int, some: list[tuple[datetime, datetime]]) -> bool:
    middle = at(tick) + timedelta(seconds=30)
    return any(since <= middle < until for since, until in some)


@given(spans)
def test_joined_times_cover_the_same_minutes_and_lie_apart(some: list[tuple[datetime, datetime]]) -> None:
    joined = union(some)

    assert [covered(tick, joined) for tick in range(DAY)] == [covered(tick, some) for tick in range(DAY)]
    assert all(one[1] < other[0] for one, other in itertools.pairwise(joined))


@given(spans, st.integers(0, DAY), st.integers(0, DAY))
def test_what_is_left_of_an_interval_is_every_minute_outside(
    some: list[tuple[datetime, datetime]], since: int, until: int
) -> None:
    left = outside(some, at(since), at(until))

    assert [covered(tick, left) for tick in range(DAY)] == [
        since <= tick < until and not covered(tick, some) for tick in range(DAY)
    ]


def test_what_lasts_no_longer_than_a_moment_is_no_time() -> None:
    shut = [(at(0), at(5)), (at(5) + MOMENT, at(9))]

    assert outside(shut, at(0), at(9)) == []
    assert outside(shut, at(0), at(9) + 2 * MOMENT) == [(at(9), at(9) + 2 * MOMENT)]

"""A handful of packings answers like all of them, at every moment that may be asked about."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.positions import AsOf, Position, Positions
from services.custody.core.facts import Packing
from services.custody.core.neighbours import Move, Traffic

START = datetime(2026, 1, 1, tzinfo=UTC)
UNIT = "cage:1"
OWN = "yto:OWN"


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


@st.composite
def histories(draw: st.DrawFn) -> list[Move]:
    """Moves in two partitions; within one, record times follow the offsets, event times follow nothing."""
    moves = []
    for partition in (0, 1):
        recorded = 0
        for offset in range(draw(st.integers(0, 12))):
            recorded += draw(st.integers(0, 3))
            item = draw(st.sampled_from([OWN, "yto:A", "yto:B"]))
            packing = Packing(
                UNIT, at(draw(st.integers(0, 8))), draw(st.booleans()), Position(partition, offset), at(recorded)
            )
            moves.append(Move(item, packing))
    return moves


def loaded_anew(packings: Iterable[Packing], since: datetime, opened: Collection[datetime]) -> datetime | None:
    """R9h in its own words: the first packing after the unit was opened or something was taken out of it."""
    packings = list(packings)  # looked at twice
    stirred = [each.t for each in packings if not each.packed and each.t > since]
    stirred += [t for t in opened if t > since]
    return min((each.t for each in packings if stirred and each.packed and each.t > min(stirred)), default=None)


MOMENTS = [
    *(AsOf(at(hour)) for hour in range(40)),
    *(AsOf(at(99), Positions({0: one, 1: two})) for one in range(13) for two in range(0, 13, 3)),
]


@given(histories(), st.integers(0, 8), st.lists(st.integers(0, 8), max_size=2), st.booleans())
def test_the_few_answer_like_all_at_every_moment(
    moves: list[Move], since: int, opened: list[int], all_known: bool
) -> None:
    instants = [at(hour) for hour in opened]

    kept = Traffic(moves).bearing_on(at(since), at(9), instants, (OWN,))

    others = {move.packing for move in moves if move.item != OWN}
    assert kept <= others
    known = instants if all_known else instants[1:]  # an opening may not be recorded yet
    for as_of in MOMENTS:
        few, every = (
            [each for each in packings if as_of.knows(each.record_time, each.position)] for packings in (kept, others)
        )
        assert loaded_anew(few, at(since), known) == loaded_anew(every, at(since), known)


def test_five_thousand_neighbours_are_a_handful() -> None:
    moves = [
        Move(f"yto:{n}", Packing(UNIT, START + timedelta(seconds=n), True, Position(n % 8, n // 8), START))
        for n in range(5000)
    ]
    moves += [
        Move(f"yto:{n}", Packing(UNIT, at(5) + timedelta(seconds=n), False, Position(n % 8, 1000 + n // 8), START))
        for n in range(5000)
    ]

    kept = Traffic(moves).bearing_on(at(1), at(200), (), ("yto:3599",))

    assert len(kept) <= 2 * 8


def test_nothing_past_the_end_of_the_stay_is_kept() -> None:
    late = Packing(UNIT, at(5), False, Position(0, 0), START)

    assert Traffic([Move("yto:A", late)]).bearing_on(at(0), at(4), (), ()) == set()
    assert Traffic([Move("yto:A", late)]).bearing_on(at(0), at(5), (), ()) == {late}

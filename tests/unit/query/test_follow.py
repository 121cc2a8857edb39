"""When a position vector is known to be attributed: no consequence of what lies before it is still to be written."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from schemas.positions import Positions
from services.query.follow import Attributed, event
from services.query.responses import Reset

GENERATIONS = 5


@dataclass
class Installation:
    """Records that leave marks, marks that are worked off or handed on, in any order."""

    projected: int = 0
    marks: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Mark -> the record that it is about, and how often it may still be handed on."""
    next_mark: int = 1

    def project(self, depth: int | None) -> None:
        """A record, with a mark unless nobody's answer rests on it."""
        if depth is not None:
            self.mark(self.projected, depth)
        self.projected += 1

    def mark(self, record: int, depth: int) -> None:
        self.marks[self.next_mark] = (record, depth)
        self.next_mark += 1

    def work(self, choice: int) -> None:
        """Take one mark away; one on something that others rest on leaves a mark on those."""
        if not self.marks:
            return
        taken = sorted(self.marks)[choice % len(self.marks)]
        record, depth = self.marks.pop(taken)
        if depth > 0:
            self.mark(record, depth - 1)


STEPS = st.one_of(
    st.tuples(st.just("project"), st.one_of(st.none(), st.integers(0, GENERATIONS - 1))),
    st.tuples(st.just("work"), st.integers(0, 9)),
    st.tuples(st.just("look"), st.just(0)),
)


@given(st.lists(STEPS, max_size=120))
def test_no_mark_of_a_record_before_an_attributed_vector_is_out(steps: list[tuple[str, int | None]]) -> None:
    world, seen = Installation(), Attributed()

    for what, value in steps:
        if what == "project":
            world.project(value)
        elif what == "work":
            world.work(value or 0)
        else:
            oldest, newest = min(world.marks, default=None), max(world.marks, default=None)
            vector = seen.observe(Positions({0: world.projected}), oldest, newest)
            if vector is not None:
                assert all(record >= vector[0] for record, _ in world.marks.values())


def test_without_marks_everything_projected_is_attributed() -> None:
    assert Attributed().observe(Positions({0: 7}), None, None) == Positions({0: 7})


def test_marks_that_never_run_out_do_not_hold_the_vector_back_for_ever() -> None:
    seen = Attributed()

    found = [seen.observe(Positions({0: step}), step, step) for step in range(1, 20)]

    assert any(vector is not None for vector in found)


def test_an_event_is_written_as_browsers_read_it() -> None:
    assert event("reset", Reset(because="why"), None) == b'event: reset\ndata: {"because":"why"}\n\n'
    assert b"\nid: 0:3,2:5\n" in event("progress", Reset(because="why"), Positions({2: 5, 0: 3, 1: 0}))
    assert b"\nid: 0:0\n" in event("progress", Reset(because="why"), Positions({0: 0}))

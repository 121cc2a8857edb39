"""What one listener of the stream of changes is told next, and where it can go on later. Blocks; knows no HTTP.

An id is a position vector up to which everything is attributed and was told. Whoever comes back with it is told every
case that changed because of a later record: perhaps one twice, never one too few.
"""

from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct

from schemas.positions import Positions
from services.query import responses
from services.query.repository import Repository, Snapshot, cases
from services.query.repository.snapshot import without_zeros
from services.query.responses.base import encoder

RESUMED_MAX = 10_000
"""Cases that are told one by one to somebody who comes back; past that, loading the list anew is quicker."""
_PAGE = 200
_TOLD_MAX = 50_000
"""Cases of which a listener's place remembers what it told; past that, some are told twice."""


class Attributed:
    """Finds position vectors up to which every answer is refreshed, while marks come and go."""

    # A mark may be handed on: from a registration or a unit to what rests on it. Each round sees one generation off;
    # units nest four deep, and a registration may be above them.
    _ROUNDS = 5

    def __init__(self) -> None:
        self._candidate: Positions | None = None
        self._newest = 0
        self._rounds = 0

    def observe(self, projected: Positions, oldest: int | None, newest: int | None) -> Positions | None:
        """The vector that one snapshot shows to be attributed; None: none that was not known before.

        `oldest` and `newest` are the marks that wait in this snapshot. Marks come with the records that cause them, so
        those of records that the snapshot does not hold are not in it either.
        """
        if oldest is None or newest is None:
            self._candidate = None
            return projected
        if self._candidate is None:
            self._candidate, self._newest, self._rounds = projected, newest, self._ROUNDS
        elif oldest > self._newest:
            self._newest, self._rounds = newest, self._rounds - 1
            if self._rounds == 0:
                found, self._candidate = self._candidate, None
                return found
        return None


class Step(NamedTuple):
    """What one read came to."""

    told: list[bytes]
    more: bool
    """There is another page."""
    soon: bool
    """Something is projected and not attributed yet: look again soon."""


class Follower:
    """One listener's place. `step` reads once and says what to tell; it blocks, so call it in a thread."""

    def __init__(self, repository: Repository, since: Positions | None) -> None:
        self._repository = repository
        self._attributed = Attributed()
        self._since = since
        self._resuming = since is not None
        self._goal: Positions | None = None
        self._page_after: tuple[datetime, str, int] | None = None
        self._told: dict[tuple[str, int], bytes] = {}
        self._progress: tuple[str, str] | None = None

    def step(self) -> Step:
        """Read what is new, one page at most. Raises `Unavailable`; then it can be called again."""
        with self._repository.snapshot() as snapshot:
            marks = snapshot.marks()
            goal = self._attributed.observe(snapshot.projected, marks.oldest, marks.newest)
            told: list[bytes] = []
            if self._resuming:
                told += self._resume(snapshot)
            if self._since is None:
                # A place to begin with is one that can be come back to.
                if goal is not None:
                    self._since = goal
                    told.append(self._advance(snapshot, marks.waiting))
                return Step(told, more=False, soon=goal is None)
            if self._page_after is None:
                # Pages read before a vector was known to be attributed may miss what it rests on.
                self._goal = goal
            told += self._changes(snapshot)
            if self._page_after is not None:
                return Step(told, more=True, soon=True)
            if self._goal is not None:
                self._since = self._goal
            told.append(self._advance(snapshot, marks.waiting))
            return Step([part for part in told if part], more=False, soon=marks.waiting > 0)

    def _resume(self, snapshot: Snapshot) -> list[bytes]:
        self._resuming = False
        assert self._since is not None
        because = None
        if not snapshot.projected.reaches(self._since):
            because = "The id lies beyond what is projected: it was told by another log, or by one that was restored."
        else:
            first = snapshot.read(cases.first_beyond, self._since, snapshot.projected)
            if first is not None and snapshot.read(cases.more_than, first, RESUMED_MAX):
                because = f"More than {RESUMED_MAX} cases changed since then."
        if because is None:
            return []
        self._since = None
        return [event("reset", responses.Reset(because=because), None)]

    def _changes(self, snapshot: Snapshot) -> list[bytes]:
        assert self._since is not None
        first = snapshot.read(cases.first_beyond, self._since, snapshot.projected)
        if first is None:
            self._told.clear()
            return []
        page = snapshot.read(cases.changed_from, first, self._page_after, _PAGE)
        full = len(page) == _PAGE
        self._page_after = (page[-1].changed, page[-1].subject, page[-1].journey) if full else None
        if len(self._told) > _TOLD_MAX:
            self._told.clear()  # told twice rather than kept for ever
        return [event("case", case, self._since) for case in map(responses.case, page) if self._is_news(case)]

    def _is_news(self, case: responses.Case) -> bool:
        """Whether this listener was not told the same already. That it was computed again is no news."""
        place, state = (case.subject, case.journey), encoder.encode(msgspec.structs.replace(case, positions=""))
        if self._told.get(place) == state:
            return False
        self._told[place] = state
        return True

    def _advance(self, snapshot: Snapshot, stale: int) -> bytes:
        assert self._since is not None
        told = responses.Advance(
            projected=_written(snapshot.projected),
            attributed=_written(self._since),
            record_time=snapshot.record_time,
            stale=stale,
        )
        if self._progress == (told.projected, told.attributed):
            return b""
        self._progress = (told.projected, told.attributed)
        return event("progress", told, self._since)


def event(name: str, data: Struct, place: Positions | None) -> bytes:
    """One event of the stream. An event without a place leaves the client's last id as it is."""
    written = "" if place is None else f"id: {_written(place)}\n"
    return f"event: {name}\n{written}data: ".encode() + encoder.encode(data) + b"\n\n"


def _written(vector: Positions) -> str:
    # An empty id would make a client forget where it was.
    return str(without_zeros(vector)) or "0:0"

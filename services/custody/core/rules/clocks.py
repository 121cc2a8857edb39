"""When no clock can tell which came first. R36: device times, device counts, and answers that hang on an open order."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from schemas.positions import Position
from schemas.vocabulary import Confidence, FindingKind, Outcome
from services.custody.core import clocks
from services.custody.core.acts import AT_HAND, Act, Kind, Order
from services.custody.core.bearing import stands_behind
from services.custody.core.case import Case, Ground, Scene
from services.custody.core.chain import Handoff, Segment
from services.custody.core.condition import FACETS, says_bad
from services.custody.core.grades import INFERRED
from services.custody.core.instants import BEGINNING, ENDLESS, earlier, later
from services.custody.core.rules.last_intact import in_chain_order
from services.custody.core.rules.rule import POLICY, Rule
from services.custody.core.seals import bears_on_seals
from services.custody.core.verdict import Finding

R36 = Rule(
    id="R36",
    name="clocks",
    en=(
        "Device times are corrected by the offset measured at upload, and within one device its own count of events "
        "beats its clock. Where clocks cannot tell which of two events came first and the order would decide who "
        "answers, the answers of both orders are joined."
    ),
    zh=(
        "设备时间按上传时测得的偏差校正；同一设备内以其自身的事件序号为准。两项记录的先后无法凭时钟判定，"
        "而先后足以改变责任方的，两种先后所得的责任方并列。"
    ),
    source=POLICY,
)
RULES = (R36,)

TRIED_MAX = 24
"""Other orders that are tried for one finding; where more are open, the answer is held to be in doubt without trying
the rest."""

JUST = timedelta(microseconds=1)

Placed = tuple[tuple[Position, datetime, Order], ...]
"""Where acts are put in another order of events: the position of each, and its time and order there."""


class Move(NamedTuple):
    """Another order of the same events: of two acts, the sooner first, one is put just past the other."""

    one: Act
    other: Act
    placed: Placed


class Trials:
    """The grounds of other orders, each laid once for all findings about one ground."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._laid: dict[tuple[Placed, frozenset[tuple[int, int]]], Ground] = {}

    def ground(self, move: Move, case: Case) -> Ground:
        """The ground in that order. What was inside what stays, and what R18 set aside stays aside."""
        aside = frozenset(at for at, (_, why) in case.scene.excluded.items() if why == "SELF_SERVING")
        key = (move.placed, aside)
        if key not in self._laid:
            self._laid[key] = _moved(self._ground, move.placed, aside)
        return self._laid[key]


def open_order(case: Case, again: Callable[[Ground, Finding], Case | None], trials: Trials) -> None:
    """R36: join the answers that other orders of the same events would give. `again` reasons about a changed ground.

    Who answers is compared, not for what part. Where one order names nobody, nobody is added: the others become open
    alternatives. A delay is counted in hours, which the clocks' few minutes do not decide (R22).
    """
    if case.finding.kind is FindingKind.DELAY:
        return
    moves = list(islice(open_moves(case), TRIED_MAX + 1))
    others: list[Case] = []
    for move in moves[:TRIED_MAX]:
        found = again(trials.ground(move, case), case.finding)
        if set(found.answerable if found is not None else ()) != set(case.answerable):
            if (move.one, move.other) not in case.doubtful:
                case.doubtful.append((move.one, move.other))
            others += [found] if found is not None else []
    if not case.doubtful and len(moves) <= TRIED_MAX:
        return
    case.flag("CLOCK_DOUBT")
    case.fire(R36.id, Confidence.LOW)
    _join(case, others)


_BESIDE = {"R7b": "CONTRADICTION", "R14b": "PACKING_17_5", "R30": "AUTHORITY"}
"""Rules by which somebody answers who did not hold it in the bracket, and the flag of each."""


def _join(case: Case, others: Sequence[Case]) -> None:
    for other in others:
        for rule, flag in _BESIDE.items():
            if rule in other.fired and set(other.answerable) - set(case.answerable):
                case.fire(rule, Confidence.LOW)
                if flag in other.flags:
                    case.flag(flag)
        case.alternatives += [party for party in other.alternatives if party not in case.alternatives]
    joined = in_chain_order(case, [*case.answerable, *(party for other in others for party in other.answerable)])
    if not case.answerable:
        case.alternatives += [party for party in joined if party not in case.alternatives]
        return
    if set(joined) == set(case.answerable):
        return
    case.proved = in_chain_order(case, [*case.proved, *(party for other in others for party in other.proved)])
    case.alternatives = [party for party in case.alternatives if party not in joined]
    case.halves = case.located = False
    case.parts = {}
    case.end(Outcome.JOINT, *joined)


def note_skew(case: Case) -> None:
    """CLOCK_SKEW: a device's count moved an event that touches the bracket."""
    if case.U is None:
        return
    for act in case.scene.acts:
        counts = act.fact.envelope.sequence is not None
        if counts and clocks.is_raised(act) and act.fact.t <= case.until and act.t >= case.since:
            case.flag("CLOCK_SKEW")
            return


def _moved(ground: Ground, placed: Placed, aside: frozenset[tuple[int, int]]) -> Ground:
    places = {position: (t, order) for position, t, order in placed}
    acts = [
        act if (at := places.get(act.fact.position)) is None else replace(act, t=at[0], order=at[1])
        for act in ground.scene.acts
        if not aside or act.fact.position not in aside or act.fact.position in places
    ]
    acts.sort(key=lambda act: act.order)
    scene = Scene(acts, ground.fold(acts), dict(ground.scene.excluded), ground.scene.rules)
    if not any(bears_on_seals(act) for act in ground.scene.acts if act.fact.position in aside | places.keys()):
        scene.seals = ground.scene.seals  # they are as they were
    return replace(ground, scene=scene)


def open_moves(case: Case) -> Iterator[Move]:
    """The other orders that might decide something: of each pair in doubt, either act just past the other."""
    acts = case.scene.acts
    for at, after in pairs_in_doubt(case):
        yield from moves(case, acts, at, after)


def moves(case: Case, acts: Sequence[Act], at: int, after: int) -> Iterator[Move]:
    """The orders in which the later of two acts comes before the sooner; none where each would cross a known order."""
    one, other, between = acts[at], acts[after], acts[at + 1 : after]
    leaves = all(act.standing.entry or is_open(case, one, act) for act in between)
    if leaves:
        yield Move(one, other, _after(acts, at, after))
    if (between or not leaves) and all(act.standing.entry or is_open(case, act, other) for act in between):
        yield Move(one, other, _before(acts, at, after))


def _after(acts: Sequence[Act], at: int, after: int) -> Placed:
    one, other = acts[at], acts[after]
    t, order = later(other.t, JUST), (*other.order[:3], other.order[3] + "\0")
    if after + 1 < len(acts) and acts[after + 1].t <= t:
        return ((one.fact.position, other.t, order),)
    return ((one.fact.position, t, (t, *one.order[1:])),)


def _before(acts: Sequence[Act], at: int, after: int) -> Placed:
    one, other = acts[at], acts[after]
    t, order = earlier(one.t, JUST), (*one.order[:3], one.order[3] + "\0")
    if at > 0 and acts[at - 1].t >= t:
        return (other.fact.position, one.t, one.order), (one.fact.position, one.t, order)
    return ((other.fact.position, t, (t, *other.order[1:])),)


def is_open(case: Case, one: Act, other: Act) -> bool:
    """Whether of two acts, the sooner first, the other may have come first.

    A typed entry has no clock: its time is its author's statement, to which R18 gives its worth. So it neither is in
    doubt nor keeps two others apart.
    """
    if one.standing.entry or other.standing.entry:
        return False
    return clocks.are_in_doubt(one, other, case.policy) and not is_known(case, one, other)


def pairs_in_doubt(case: Case) -> Iterator[tuple[int, int]]:
    """The places of every two acts, the sooner first, whose order is open and might decide something."""
    acts, policy = case.scene.acts, case.policy
    longest = clocks.longest_interval(policy)
    decisive: list[datetime] | None = None
    held: list[int | None] = []
    times = [act.t for act in acts]
    for at, one in enumerate(acts):
        for after in range(at + 1, len(acts)):
            if times[after] - times[at] > longest:
                break
            other = acts[after]
            if not is_open(case, one, other) or alike(one, other):
                continue
            if decisive is None:
                decisive, held = _decisive(case), _merely_held(case)
            if held[at] is not None and held[at] == held[after]:
                continue
            first = bisect_left(decisive, earlier(one.t, policy.clock_skew))
            if first < len(decisive) and decisive[first] <= later(other.t, policy.clock_skew):
                yield at, after


def _merely_held(case: Case) -> list[int | None]:
    """For each act that is only its holder's sight of it and says nothing of the finding: in which segment.

    The order among those of one segment moves no custody and no end of a bracket.
    """
    starts = [segment.start for segment in case.chain.segments]
    opened = {id(segment.opened_by) for segment in case.chain.segments}
    facets = FACETS[case.finding.kind] if case.finding.kind in _SEEN else None
    held: list[int | None] = []
    for act in case.scene.acts:
        plain = act.kind in _SIGHTS and act.reservation is None and act.claimed_acceptance is None
        silent = facets is not None and not any(look.facet in facets for look in act.looks)
        if plain and silent and id(act) not in opened:
            at = bisect_left(starts, act.t) - 1  # of equal instants, the segment before: then its holder is another
            held.append(at if case.chain.segments[at].party == act.party else None)
        else:
            held.append(None)
    return held


_SIGHTS = (Kind.SCAN, Kind.LOOK)
_SEEN = (FindingKind.DAMAGE, FindingKind.CONCEALED)


def _decisive(case: Case) -> list[datetime]:
    """The times that an act must reach or leave, as close as R1 asks of a giver's last act, to bear on the answer.

    Those of the ends of the bracket and of whatever reports the finding; of whatever moved custody to those who held it
    in the bracket or up to the last report, and of each side of a handoff near then; of the first taking and the
    delivery, from which deadlines run. An act that a few minutes carry over the border of a window of hours is not
    looked for.
    """
    chain = case.chain
    longest = clocks.longest_interval(case.policy)
    reports = [act for act, look in case.scene.bads if look.grade >= INFERRED and says_bad(look, case.finding)]
    # Who held it when somebody reported the finding says whether the report is an admission (R18).
    times = [act.t for act in reports]
    since = earlier(min([case.seen_since, *times]), longest) if case.U is not None else BEGINNING
    until = later(max([case.until, *times]), longest) if case.U is not None else ENDLESS
    acts: list[Act | None] = [case.witness, case.contradicting, *reports]
    acts += [segment.opened_by for segment in chain.segments if _lies_in(segment, since, until)]
    acts += [act for act in case.scene.acts if act.kind in _HANDING_OVER and since <= act.t <= until]
    acts += [segment.opened_by for segment in chain.segments[1:2]]
    acts += [chain.delivery.accept] if chain.delivery is not None else []
    edges = [edge.t for edge in (case.L, case.U) if edge is not None]
    return sorted({*edges, *(act.t for act in acts if act is not None)})


def _lies_in(segment: Segment, since: datetime, until: datetime) -> bool:
    return segment.start <= until and segment.end >= since


_HANDING_OVER = (Kind.RELEASE, Kind.ACCEPT)


def is_known(case: Case, one: Act, other: Act) -> bool:
    """Whether the order of two acts follows from what they are, so that no clock is needed.

    The two sides of one handoff are one event. And whoever gave it away had it at hand before the taker took it: no
    clock puts that look behind the acceptance, or the taker would answer for a minute's haste.
    """
    for handoff in case.chain.handoffs:
        if handoff.release is not None and {id(handoff.release), id(handoff.accept)} == {id(one), id(other)}:
            return True
        if handoff.accept is other and one.party == handoff.giver and _had_it(one, handoff, case):
            return True
    left = next((segment for segment in case.chain.segments if segment.dropped and segment.opened_by is one), None)
    return left is not None and left.party == other.party  # what a locker does with it comes after it was put there


def _had_it(act: Act, handoff: Handoff, case: Case) -> bool:
    """Whether the giver had it at hand. Its own taking comes first only if either side says who gave it to whom."""
    if act.kind is not Kind.ACCEPT:
        return act.kind in AT_HAND
    named = handoff.accept.counterpart == act.party or handoff.release is not None
    return named or stands_behind(handoff.accept, act.party, case.registry)


def alike(one: Act, other: Act) -> bool:
    """Whether two acts say the same of the same party, so that nothing changes with their order: a gate's two scans."""
    return one.kind not in _HANDING_OVER and _said(one) == _said(other)


def _said(act: Act) -> tuple[object, ...]:
    return (
        act.kind, act.party, act.looks, act.joined, act.neutral, act.exposed, act.unit, act.reservation, act.site,
        act.standing.signed, act.standing.entry, act.counterpart, act.claimed_acceptance,
    )  # fmt: skip

"""When no clock can tell which came first. R36: device times, device counts, and answers that hang on an open order."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from schemas.vocabulary import Confidence, FindingKind, Outcome
from services.custody.core import clocks
from services.custody.core.acts import AT_HAND, Act, Kind
from services.custody.core.bearing import stands_behind
from services.custody.core.case import Case, Ground, Scene
from services.custody.core.chain import Handoff, Segment
from services.custody.core.condition import says_bad
from services.custody.core.grades import INFERRED
from services.custody.core.instants import BEGINNING, ENDLESS, earlier, later
from services.custody.core.rules.last_intact import in_chain_order
from services.custody.core.rules.rule import POLICY, Rule
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
"""Pairs that are tried for one finding. Each costs as much as judging the finding; where more are open, the answer is
held to be in doubt without trying the rest."""


def open_order(case: Case, again: Callable[[Ground, Finding], Case | None]) -> None:
    """R36: join the answers that other orders of the same events would give. `again` reasons about a changed ground.

    Who answers is compared, not for what part. Where one order names nobody, nobody is added: the others become open
    alternatives. A delay is counted in hours, which the clocks' few minutes do not decide (R22).
    """
    if case.finding.kind is FindingKind.DELAY:
        return
    pairs = list(islice(pairs_in_doubt(case), TRIED_MAX + 1))
    others: list[Case] = []
    for one, other in pairs[:TRIED_MAX]:
        found = again(swapped(case.ground, one, other), case.finding)
        if set(found.answerable if found is not None else ()) != set(case.answerable):
            case.doubtful.append((one, other))
            others += [found] if found is not None else []
    if not case.doubtful and len(pairs) <= TRIED_MAX:
        return
    case.flag("CLOCK_DOUBT")
    case.fire(R36.id, Confidence.LOW)
    _join(case, others)


def _join(case: Case, others: Sequence[Case]) -> None:
    joined = in_chain_order(case, [*case.answerable, *(party for other in others for party in other.answerable)])
    if not case.answerable:
        case.alternatives += [party for party in joined if party not in case.alternatives]
        return
    if set(joined) == set(case.answerable):
        return
    case.proved = in_chain_order(case, [*case.proved, *(party for other in others for party in other.proved)])
    case.alternatives = [party for party in case.alternatives if party not in joined]
    case.halves = case.located = False
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


def swapped(ground: Ground, one: Act, other: Act) -> Ground:
    """The ground as it would be had each of two acts happened when the other did. What was inside what stays."""
    places = {one.fact.position: other, other.fact.position: one}
    acts = [
        act if (taken := places.get(act.fact.position)) is None else replace(act, t=taken.t, order=taken.order)
        for act in ground.scene.acts
    ]
    acts.sort(key=lambda act: act.order)
    return replace(ground, scene=Scene(acts, ground.fold(acts), dict(ground.scene.excluded), ground.scene.rules))


def pairs_in_doubt(case: Case) -> Iterator[tuple[Act, Act]]:
    """Every two acts, the sooner first, whose order is open and might decide something, in order of the sooner."""
    acts, policy = case.ground.scene.acts, case.policy
    longest = clocks.longest_interval(policy)
    decisive: list[datetime] | None = None
    times = [act.t for act in acts]
    for at, one in enumerate(acts):
        for after in range(at + 1, len(acts)):
            if times[after] - times[at] > longest:
                break
            other = acts[after]
            if not clocks.are_in_doubt(one, other, policy) or is_known(case.ground, one, other) or alike(one, other):
                continue
            decisive = _decisive(case) if decisive is None else decisive
            first = bisect_left(decisive, earlier(one.t, policy.clock_skew))
            if first < len(decisive) and decisive[first] <= later(other.t, policy.clock_skew):
                yield one, other


def _decisive(case: Case) -> list[datetime]:
    """The times that an act must reach or leave, as close as R1 asks of a giver's last act, to bear on the answer.

    Those of the ends of the bracket and of whatever reports the finding; of whatever moved custody to those who held it
    in the bracket or up to the last report, and of each side of a handoff near then; of the first taking and the
    delivery, from which deadlines run. An act that a few minutes carry over the border of a window of hours is not
    looked for.
    """
    ground = case.ground
    chains = (ground.scene.chain, case.chain)  # what is taken back, and the other pieces, make the two differ
    longest = clocks.longest_interval(case.policy)
    reports = [act for act, look in ground.scene.bads if look.grade >= INFERRED and says_bad(look, case.finding)]
    # Who held it when somebody reported the finding says whether the report is an admission (R18).
    times = [act.t for act in reports]
    since = earlier(min([case.seen_since, *times]), longest) if case.U is not None else BEGINNING
    until = later(max([case.until, *times]), longest) if case.U is not None else ENDLESS
    acts: list[Act | None] = [case.witness, case.contradicting, *reports]
    acts += [segment.opened_by for chain in chains for segment in chain.segments if _lies_in(segment, since, until)]
    acts += [act for act in ground.scene.acts if act.kind in _HANDING_OVER and since <= act.t <= until]
    acts += [segment.opened_by for chain in chains for segment in chain.segments[1:2]]
    acts += [chain.delivery.accept for chain in chains if chain.delivery is not None]
    edges = [edge.t for edge in (case.L, case.U) if edge is not None]
    return sorted({*edges, *(act.t for act in acts if act is not None)})


def _lies_in(segment: Segment, since: datetime, until: datetime) -> bool:
    return segment.start <= until and segment.end >= since


_HANDING_OVER = (Kind.RELEASE, Kind.ACCEPT)


def is_known(ground: Ground, one: Act, other: Act) -> bool:
    """Whether the order of two acts follows from what they are, so that no clock is needed.

    The two sides of one handoff are one event. And whoever gave it away had it at hand before the taker took it: no
    clock puts that look behind the acceptance, or the taker would answer for a minute's haste.
    """
    for handoff in ground.scene.chain.handoffs:
        if handoff.release is not None and {id(handoff.release), id(handoff.accept)} == {id(one), id(other)}:
            return True
        if handoff.accept is other and one.party == handoff.giver and _had_it(one, handoff, ground):
            return True
    return False


def _had_it(act: Act, handoff: Handoff, ground: Ground) -> bool:
    """Whether the giver had it at hand. Its own taking comes first only if either side says who gave it to whom."""
    if act.kind is not Kind.ACCEPT:
        return act.kind in AT_HAND
    named = handoff.accept.counterpart == act.party or handoff.release is not None
    return named or stands_behind(handoff.accept, act.party, ground.registry)


def alike(one: Act, other: Act) -> bool:
    """Whether two acts say the same of the same party, so that nothing changes with their order: a gate's two scans."""
    return one.kind not in _HANDING_OVER and _said(one) == _said(other)


def _said(act: Act) -> tuple[object, ...]:
    return (
        act.kind, act.party, act.looks, act.joined, act.neutral, act.exposed, act.unit, act.reservation, act.site,
        act.standing.signed, act.standing.entry, act.counterpart, act.claimed_acceptance,
    )  # fmt: skip

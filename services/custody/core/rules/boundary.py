"""Step 7b: the two sides of a handoff disagree. R7 boundary conflict; R25 attempts and refusals."""

from schemas.vocabulary import SENDER, Confidence, Outcome
from services.custody.core.acts import Kind
from services.custody.core.bearing import stands_behind
from services.custody.core.case import Case, Edge
from services.custody.core.chain import Handoff
from services.custody.core.condition import is_slighter, says_ok
from services.custody.core.grades import VERIFIED
from services.custody.core.rules.delivery import end_in_halves, end_with_taker
from services.custody.core.rules.rule import POLICY, Rule

R7 = Rule(
    id="R7",
    name="boundary conflict",
    en=(
        "A taker who notes harm at acceptance puts it on the giver's side: (c) fully where the giver signed "
        "to it, (a) on the taker's word where the release is silent. (b) Where the release says sound, the "
        "better evidence wins and a tie is halved."
    ),
    zh=(
        "接收时注明损坏的，归于交出方一侧：(c) 交出方签字确认的，完全成立；(a) 交出记录未作说明的，"
        "以接收方记录为准；(b) 交出记录称完好的，证据等级高者胜，相等则各半。"
    ),
    source=POLICY,
)
R25 = Rule(
    id="R25",
    name="attempt and refusal",
    en=(
        "A delivery attempt moves nothing. A refusal for harm puts the harm on the courier's side, and nobody "
        "takes the parcel; where the courier's own look is as good or better and says sound, nobody can be named."
    ),
    zh=(
        "投递未成不转移保管责任；因损坏而拒收的，损坏定在派件方一侧，快件无人接收；"
        "派件方同等或更优的完好记录与之相反的，不作认定。"
    ),
    source="快递市场管理办法 27",
)
RULES = (R7, R25)


def conflict(case: Case) -> bool:
    """R7: what U is worth where it lies on a handoff. Never ends; who answers under (b) is said at step 9."""
    assert case.U is not None
    if case.U.act is None or case.U.rule not in ("R3", "R15"):
        return False
    handoff = case.boundary or case.chain.handoff_by(case.U.act)
    if handoff is None:
        return False
    case.boundary = handoff
    if _is_refusal(handoff):
        case.fire("R25")
    if stands_behind(case.U.act, handoff.giver, case.registry):
        case.U.rule = "R7c"
        lift_to_verified(case.U)
        return False
    release_grade = _sound_release(case)
    if release_grade is None:
        case.U.rule = "R7a"
        if (case.U.grade or 0) < VERIFIED:
            case.limit("R7a", Confidence.MODERATE)
        return False
    assert handoff.release is not None
    case.U.rule = "R7b"
    case.flag("CONTRADICTION")
    case.limit("R7b", Confidence.MODERATE)
    case.contradicting = handoff.release
    if release_grade < (case.U.grade or 0):
        case.set_aside(handoff.release, "OUTWEIGHED")
    return False


def lift_to_verified(end: Edge) -> None:
    """R7c: what both sides signed to is verified, as far as the record may be believed at all: its ceiling stays."""
    assert end.act is not None
    end.grade = max(end.grade or 0, min(VERIFIED, end.act.standing.ceiling))


def _sound_release(case: Case) -> int | None:
    """The grade at which the giver's release calls sound what the taker calls bad; None where it is silent."""
    assert case.boundary is not None
    if case.boundary.release is None:
        return None
    grades = [
        look.grade
        for look in case.boundary.release.looks
        if look.direct
        and (says_ok(look, case.finding, case.bad_facets) or is_slighter(look, case.finding, case.bad_facets))
    ]
    return max(grades, default=None)


def release_prevails(case: Case) -> bool:
    """R7b at step 9: the giver's better look makes the taker answer; a tie is halved whatever the policy.

    R25: who refused it has not taken it, so that nobody can be named.
    """
    if case.contradicting is None or case.boundary is None or case.boundary.giver == SENDER:
        return False
    assert case.U is not None
    release, grade = case.contradicting, _sound_release(case) or 0
    if grade < (case.U.grade or 0):
        return False
    if _is_refusal(case.boundary):
        return case.end(Outcome.UNDETERMINED)
    giver, taker = case.boundary.giver, case.boundary.taker
    if grade == case.U.grade:
        return end_in_halves(case, giver, taker)
    case.L = Edge(release.t, release.order, "R7b", "direct", release, grade)
    case.witness = release
    case.located = True
    return end_with_taker(case, taker)


def _is_refusal(handoff: Handoff) -> bool:
    return handoff.accept.kind is Kind.REFUSE

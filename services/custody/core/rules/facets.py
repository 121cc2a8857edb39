"""Step 2: what an observation can say. R2 facets, R6 reservations, R12 weight."""

from schemas.events import Reservation
from schemas.vocabulary import Condition, Confidence, Facet, FindingKind
from services.custody.core.acts import Act, Kind, is_defect, mode_of
from services.custody.core.case import Case
from services.custody.core.condition import FACETS, WHOLE, Mass, says_bad, says_ok
from services.custody.core.instants import later
from services.custody.core.rules.rule import POLICY, Rule
from services.custody.core.weights import tau_grams

R2 = Rule(
    id="R2",
    name="facets",
    en=(
        "An observation speaks only for what it examined: a sound carton says nothing of the contents, and "
        "what a record does not name it leaves open."
    ),
    zh="观察记录仅证明其所查验的方面：外包装完好不说明内件状况，记录未提及的方面视为未查验。",
    source="HGB §409(3); The California, 4 F.Cas. 1058",
)
R6 = Rule(
    id="R6",
    name="reservation",
    en=(
        "A reservation counts if it names a facet and an accepted reason. A reason why nobody could look "
        "suspends the clean receipt and shows nothing; a defect is a report of harm; anything else, such as "
        '"subject to inspection", is void. Declared soon after the takeover, it counts as made there.'
    ),
    zh=(
        "保留须写明所涉方面和认可的理由：无法查验的理由使无批注接收不成立，但不证明损坏；"
        "注明缺陷的视为损坏记录；“待查验”之类的空泛批注无效。接收后在期限内补作的保留，视同接收时作出。"
    ),
    source="CMR 8(2), 9; HGB §409(2)",
)
R12 = Rule(
    id="R12",
    name="weight",
    en=(
        "Equal weight within tolerance speaks against a shortage whose mass is known; a drop beyond "
        "tolerance speaks for one. Equal weight never refutes substitution."
    ),
    zh="重量差在允许误差内的，可否定已知重量的短少；减少超出误差的，证明短少。重量相等不能排除调包。",
    source=POLICY,
)
RULES = (R2, R6, R12)


def note_weighed(case: Case) -> None:
    """R12: whether an end of the bracket rests on a mass, and the drop on what is missing."""
    ends = [edge.act for edge in (case.L, case.U) if edge is not None and edge.act is not None]
    masses = [
        look for act in ends for look in act.looks if look.mass is not None and look.value is not Condition.UNEXAMINED
    ]
    if masses and case.finding.kind in (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT):
        case.fire("R12")
    missing = case.ground.contract.announced.content_grams
    for look in case.U.act.looks if case.U is not None and case.U.act is not None else ():
        if missing is not None and look.mass is not None and look.change < 0:
            tau = tau_grams(case.policy, Mass(look.mass.grams - look.change), look.mass)
            if abs(-look.change - missing) <= tau:
                case.flag("WEIGHT_AGREES")


def reserved(accept: Act, case: Case) -> Act | None:
    """R6: the act by which a taker made a valid reservation that touches the finding. An empty one is noted as void."""
    for act in _declared(accept, case):
        assert act.reservation is not None
        if act.reservation.grounds not in case.policy.reservation_grounds:
            case.fire("R6")
        elif _touches(act, act.reservation, case):
            return act
    return None


def noted_late(case: Case) -> bool:
    """R6 at step 7: a defect that the taker declared in time after its acceptance counts as noted there. Never ends."""
    assert case.U is not None
    late = case.U.act
    if case.U.rule not in ("R3", "R15") or late is None or late.kind is not Kind.LOOK or late.reservation is None:
        return False
    if not is_defect(late.reservation, case.policy) or not _touches(late, late.reservation, case):
        return False
    for handoff in case.chain.handoffs:
        accept = handoff.accept
        if late in _declared(accept, case) and not _found_sound(case, accept, late):
            case.boundary = handoff
            case.U.t, case.U.order = accept.t, accept.order
            case.fire("R6", Confidence.MODERATE)
    return False


def _declared(accept: Act, case: Case) -> list[Act]:
    """What the taker reserved: at the acceptance, and within the window after it before custody moved on."""
    closing = later(accept.t, case.policy.reservation_window)
    moved_on = next((segment.end for segment in case.chain.segments if segment.opened_by is accept), accept.t)
    return [
        act
        for act in case.scene.acts
        if act.reservation is not None
        and act.party == accept.party
        and (act is accept or (act.kind is Kind.LOOK and act.order > accept.order and act.t <= min(closing, moved_on)))
    ]


def _touches(act: Act, reservation: Reservation, case: Case) -> bool:
    if is_defect(reservation, case.policy):
        if case.finding.kind is FindingKind.SHORTAGE and reservation.facet in case.bad_facets:
            return True  # a torn carton is no silence about one that was opened
        if any(look.facet is reservation.facet and says_bad(look, case.finding) for look in act.looks):
            return True
        return reservation.facet in case.bad_facets and _may_be_the_same(reservation, case)
    seen = reservation.facet in case.bad_facets or reservation.facet is _outside_of(case)
    return seen and reservation.component in (None, WHOLE, case.finding.component)


def _may_be_the_same(reservation: Reservation, case: Case) -> bool:
    """Whether the defect, by what the reservation itself names, may be what was found: a mode unnamed matches any."""
    mode = mode_of(reservation)
    component = reservation.component or WHOLE
    return component == case.finding.component and (mode is None or case.finding.damage in (None, mode))


def _found_sound(case: Case, accept: Act, late: Act) -> bool:
    """Whether somebody looked in between and found nothing: then the harm came after the takeover."""
    return any(
        accept.order <= act.order < late.order and look.direct and says_ok(look, case.finding, case.bad_facets)
        for act, look in case.scene.oks
    )


def _outside_of(case: Case) -> Facet | None:
    """The facet whose state at takeover R5 presumes: not having seen inside says nothing of a torn carton."""
    return Facet.OUTER if Facet.OUTER in FACETS[case.finding.kind] else None

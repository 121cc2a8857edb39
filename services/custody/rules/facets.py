"""Step 2: what an observation can say. R2 facets, R6 reservations, R12 weight."""

from services.custody.acts import Act, is_defect
from services.custody.case import Case
from services.custody.condition import FACETS, WHOLE, says_bad
from services.custody.rules.rule import POLICY, Rule

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
        '"subject to inspection", is void.'
    ),
    zh=(
        "保留须写明所涉方面和认可的理由：无法查验的理由使无批注接收不成立，但不证明损坏；"
        "注明缺陷的视为损坏记录；“待查验”之类的空泛批注无效。"
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
    implemented=False,
)
RULES = (R2, R6, R12)


def reserves(accept: Act, case: Case) -> bool:
    """R6: whether an acceptance carries a valid reservation that touches the finding. An empty one is noted as void."""
    reservation = accept.reservation
    if reservation is None:
        return False
    if reservation.grounds not in case.policy.reservation_grounds:
        case.fire("R6")
        return False
    if is_defect(reservation, case.policy):
        return any(says_bad(look, case.finding) for look in accept.looks)
    return reservation.facet in FACETS[case.finding.kind] and reservation.component in (
        None, WHOLE, case.finding.component,
    )  # fmt: skip

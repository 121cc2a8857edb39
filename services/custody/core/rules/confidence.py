"""Step 13: how sure. R21, from what the fired rules allow and how good both ends of the bracket are."""

from schemas.vocabulary import Confidence, FindingKind, Outcome
from services.custody.core.case import RANKS, Case
from services.custody.core.grades import DIRECT, EXAMINED
from services.custody.core.rules.rule import POLICY, Rule

R21 = Rule(
    id="R21",
    name="confidence",
    en=(
        "An answer is as sure as its weakest rule allows. HIGH needs one party, both ends of the bracket "
        "seen directly, one of them by a person or better, and no presumption; for a delay, boundaries that "
        "were all recorded."
    ),
    zh=(
        "可信度取所适用规则允许的最低者；“高”须责任方唯一、区间两端均有直接记录且至少一端由人员查验，"
        "并且未适用任何推定；延误须各交接时刻均有记录。"
    ),
    source=POLICY,
)
RULES = (R21,)


def confidence(case: Case) -> Confidence:
    """The level of the verdict as it stands."""
    match case.outcome:
        case Outcome.UNDETERMINED:
            return Confidence.NONE
        case _ if case.finding.kind is FindingKind.DELAY:
            level = Confidence.HIGH if case.measured else Confidence.MODERATE
        case Outcome.SHARED if case.parts:
            level = Confidence.MODERATE  # R14b says how sure
        case Outcome.JOINT | Outcome.SHARED:
            level = Confidence.LOW
        case _:
            level = Confidence.HIGH if _both_ends_seen(case) else Confidence.MODERATE
    return min(level, case.confidence_max, key=RANKS.index)


def _both_ends_seen(case: Case) -> bool:
    if case.U is None or (case.U.grade or 0) < DIRECT:
        return False
    if case.cause == "pre_existing":
        return True  # R14a: what both signed to at the first acceptance needs no earlier look
    if case.L is None or (case.L.grade or 0) < DIRECT:
        return False
    return max(case.L.grade or 0, case.U.grade or 0) >= EXAMINED

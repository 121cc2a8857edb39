"""Step 12: who is left. R8 fuzzy zone."""

from schemas.vocabulary import Confidence
from services.custody.core.case import Case
from services.custody.core.rules.last_intact import custodians, in_chain_order, zones
from services.custody.core.rules.rule import POLICY, Rule

R8 = Rule(
    id="R8",
    name="fuzzy zone",
    en="Where custody passed at an unknown moment inside the bracket, both the giver and the taker stay candidates.",
    zh="保管责任在责任区间内的转移时刻不明的，交出方与接管方均列为可能责任方。",
    source=POLICY,
)
RULES = (R8,)


def held_it(case: Case) -> bool:
    """The custodians of the bracket as it now stands, and by R8 both parties of every zone in it. Never ends."""
    candidates = custodians(case)
    for zone in zones(case):
        case.fire("R8", Confidence.MODERATE)
        candidates += [zone.giver, zone.taker]
        if (zone.giver, zone.taker) not in case.zones:
            case.zones.append((zone.giver, zone.taker))
    case.candidates = in_chain_order(case, candidates)
    return False

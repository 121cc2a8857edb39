"""Step 12: who is left. R8 fuzzy zone; places for R11 sensor, R29 swapped labels, R30 authority."""

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
R11 = Rule(
    id="R11",
    name="sensor",
    en=(
        "A logger never shows damage by itself. Given damage that fits, it keeps the legs in which it felt a "
        "blow or was silent; if it covered everything and felt nothing, the place cannot be told."
    ),
    zh="传感器记录本身不证明损坏；损坏成因相符时，仅保留记录到冲击或记录中断的区段；全程覆盖而无冲击的，无法定位。",
    source="Seoul Central District Court (shock watch)",
    implemented=False,
)
R29 = Rule(
    id="R29",
    name="swapped labels",
    en=(
        "A label proves the label, not the goods. Two parcels that hold each other's goods were swapped "
        "where both were held at once."
    ),
    zh="面单只证明面单本身，不证明内件。两件快件内件互换的，换错发生在同时保管两件的一方。",
    source=POLICY,
    implemented=False,
)
R30 = Rule(
    id="R30",
    name="authority",
    en=(
        "While customs or police hold a parcel, whoever presented it stands in for them; the authority stays "
        "an open alternative."
    ),
    zh="海关、公安等机关占有期间，由提交查验的一方代为承担，该机关列为其他可能。",
    source="58 Stat. 1536",
    implemented=False,
)
RULES = (R8, R11, R29, R30)


def held_it(case: Case) -> bool:
    """The custodians of the bracket as it now stands, and by R8 both parties of every zone in it. Never ends."""
    candidates = custodians(case)
    for zone in zones(case):
        case.fire("R8", Confidence.MODERATE)
        candidates += [zone.giver, zone.taker]
        case.zones.append((zone.giver, zone.taker))
    case.candidates = in_chain_order(case, candidates)
    return False

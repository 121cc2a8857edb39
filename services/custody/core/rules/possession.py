"""Step 3a: who held it. R1 custody and implied takeover, R36 clocks. The fold itself is core/chain.py."""

from collections.abc import Sequence

from services.custody.core import chain
from services.custody.core.acts import Act
from services.custody.core.chain import Chain
from services.custody.core.policy import Policy
from services.custody.core.registry import Registry
from services.custody.core.rules.rule import POLICY, Rule

R1 = Rule(
    id="R1",
    name="custody",
    en=(
        "Custody passes by the taker's own acceptance, never by a release alone. A carrier that handles the "
        "item without having accepted it has taken it over by implication, at a moment that is not known."
    ),
    zh=(
        "保管责任自接收方本人的接收行为起转移，仅有交出记录不转移。未办理接收而实际经手的承运方视为默示接管，"
        "其时刻不明。"
    ),
    source="Oregon-Washington R.R. v. McGinn, 258 U.S. 409; UPU Convention 1891 Art 8",
)
R36 = Rule(
    id="R36",
    name="clocks",
    en=(
        "Device times are corrected by the offset measured at upload. An acceptance dated earlier than its "
        "release by more than clocks may differ is flagged, and the boundary stays."
    ),
    zh="设备时间按上传时测得的偏差校正；接收时间早于交出时间且超出允许误差的，予以标注，交接界线不变。",
    source=POLICY,
    implemented=False,
)

RULES = (R1, R36)


def custody(acts: Sequence[Act], registry: Registry, policy: Policy) -> Chain:
    """R1: who held the parcel when, from acts sorted by `Act.order`."""
    return chain.fold(acts, registry, policy)

"""Step 3a: who held it. R1 custody and implied takeover. The fold itself is core/folding.py."""

from collections.abc import Sequence

from schemas.vocabulary import SENDER, Confidence
from services.custody.core import folding
from services.custody.core.acts import Act
from services.custody.core.case import Case
from services.custody.core.chain import Chain
from services.custody.core.paper import NO_PAPER, Paper
from services.custody.core.policy import Policy
from services.custody.core.registry import Registry
from services.custody.core.rules.rule import Rule

R1 = Rule(
    id="R1",
    name="custody",
    en=(
        "Custody passes by the taker's own acceptance, never by a release alone. A carrier that handles the "
        "item, or the unit it is in, without having accepted it has taken it over by implication, at a moment "
        "that is not known. Signing a list takes every line of it."
    ),
    zh=(
        "保管责任自接收方本人的接收行为起转移，仅有交出记录不转移。未办理接收而实际经手快件或其所在总包的承运方"
        "视为默示接管，其时刻不明。签收清单即接收清单所列各件。"
    ),
    source="Oregon-Washington R.R. v. McGinn, 258 U.S. 409; UPU Convention 1891 Art 8",
)

RULES = (R1,)


def note_named_givers(case: Case) -> None:
    """R1: a taker who names another giver than the holder on record says that one more had it, and never signed.

    That moves no custody, but keeps the answer from being sure, and the one named stays open.
    """
    entity = case.registry.entity
    for handoff in case.chain.handoffs:
        named = handoff.accept.counterpart
        if named is None or named in (SENDER, handoff.giver, handoff.taker, *case.answerable):
            continue
        if case.since < handoff.accept.t <= case.until and entity(named) != entity(handoff.giver):
            case.limit("R1", Confidence.MODERATE)
            if named not in case.alternatives:
                case.alternatives.append(named)


def custody(acts: Sequence[Act], registry: Registry, policy: Policy, paper: Paper = NO_PAPER) -> Chain:
    """R1: who held the parcel when, from acts sorted by `Act.order`."""
    return folding.fold(acts, registry, policy, paper)

"""The rules, one module per step of the order table, each rule with its text beside it; `RULES` lists all of them."""

from services.custody.core.rules import (
    admission,
    authority,
    boundary,
    candidates,
    clocks,
    confidence,
    control_record,
    delay_and_loss,
    delivery,
    facets,
    findings,
    first_bad,
    journey,
    last_intact,
    origin,
    possession,
    receipt,
    sealed_units,
    sensor,
    shares,
    swaps,
)
from services.custody.core.rules.rule import Rule

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *admission.RULES,  # step 1
            *facets.RULES,  # step 2
            *possession.RULES,  # step 3
            *clocks.RULES,  # step 3, and once the answer is known
            *journey.RULES,
            *findings.RULES,  # step 4
            *delay_and_loss.RULES,  # step 5
            *first_bad.RULES,  # step 6
            *delivery.RULES,  # step 7, and 9
            *boundary.RULES,
            *last_intact.RULES,  # step 8
            *origin.RULES,  # step 9, and 12
            *receipt.RULES,  # step 10
            *sealed_units.RULES,  # step 11
            *candidates.RULES,  # step 12
            *authority.RULES,
            *sensor.RULES,
            *swaps.RULES,
            *shares.RULES,  # step 13
            *confidence.RULES,
            *control_record.RULES,  # beside the verdict, when somebody asks
        ),
        key=lambda rule: int(rule.id[1:]),
    )
)
"""R0 to R36, in the order of their numbers."""


def rule(rule_id: str) -> Rule:
    """The rule that an id in a verdict names; `R7c` is a part of R7."""
    return _BY_ID[rule_id.rstrip("abcdefgh")]


_BY_ID = {each.id: each for each in RULES}

__all__ = ["RULES", "Rule", "rule"]

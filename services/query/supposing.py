"""The same evidence as if the contract went by other settings. PURE."""

from dataclasses import replace

from msgspec import structs

from schemas.events import ParcelAnnounced, PolicySet
from services.custody.core.concerns import POLICY
from services.custody.core.facts import Evidence, Fact

DEFAULT_POLICY = "DEFAULT"
"""The tenant's own settings, and nothing on top of them."""


def suppose(evidence: Evidence, policy: str, settings: tuple[Fact, ...]) -> Evidence:
    """Evidence whose every announcement names `policy`, whose settings are these; the tenant's own stay below them."""
    named = None if policy == DEFAULT_POLICY else policy.lower()  # as announcements spell codes
    others = tuple(fact for fact in evidence.registry if not isinstance(fact.data, PolicySet) or fact.subject == POLICY)
    return replace(
        evidence, facts=tuple(_renamed(fact, named) for fact in evidence.facts), registry=(*others, *settings)
    )


def _renamed(fact: Fact, policy: str | None) -> Fact:
    if not isinstance(fact.data, ParcelAnnounced):
        return fact
    return replace(fact, data=structs.replace(fact.data, policy=policy))

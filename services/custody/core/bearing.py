"""How one act bears on custody: whether it leaves the item somewhere, shows possession, or speaks for both sides."""

from schemas.events import HandoffAccepted, ItemScanned, ParcelDropped, UnitPacked
from schemas.vocabulary import RECIPIENT, SENDER, DropPlace, Facet, PartyRole, UnitKind
from services.custody.core.acts import AT_HAND, Act, Kind
from services.custody.core.policy import Policy
from services.custody.core.registry import Registry

FINAL = (SENDER, RECIPIENT)
"""Who may be at the end of a way, there or back."""
HANDLERS = (PartyRole.CARRIER, PartyRole.LOCKER, PartyRole.AUTHORITY)
"""Who takes a parcel over by handling it."""


def is_drop(act: Act) -> bool:
    """Whether the act leaves the item somewhere instead of handing it over.

    So does a courier's entry that the final taker took it (R13a), and a signature of somebody nobody had asked (R34).
    """
    return act.kind is Kind.DROP or act.claimed_acceptance in FINAL or is_unasked(act)


def is_unasked(act: Act) -> bool:
    """R34: whether somebody whom the final taker had not named signed for it."""
    data = act.fact.data
    if act.kind is not Kind.ACCEPT or act.party not in FINAL or not isinstance(data, HandoffAccepted):
        return False
    return data.consent is False or (data.person is not None and not data.consent)


def is_on_paper(act: Act) -> bool:
    """Whether the act concerns a list on which the item stands, so that nobody need have had the item at hand."""
    data = act.fact.data
    if type(data) is UnitPacked and data.kind is UnitKind.MANIFEST:
        return True
    return act.exposed and act.unit is not None and act.fact.subject == act.unit and act.kind in AT_HAND


def left(act: Act) -> tuple[DropPlace, bool, str | None]:
    """Where it was left, whether that had been agreed, and at which address."""
    data = act.fact.data
    if isinstance(data, ParcelDropped):
        return data.place, data.consent is True, data.address
    assert isinstance(data, HandoffAccepted)
    return DropPlace.NEIGHBOUR if data.person is not None else DropPlace.ADDRESS, data.consent is True, None


def shows_possession(act: Act, holder: str, registry: Registry) -> bool:
    """Whether an act by somebody who does not hold the item shows that it took it over without saying so.

    Not a notice that it is missing, not a survey, nor a look that it took together with the holder, a line on a list,
    or the sight of an empty unit.
    """
    if not (_looked_on_releasing(act) or (act.kind in AT_HAND and act.physical)) or act.neutral or is_on_paper(act):
        return False
    if act.claimed_acceptance is not None:
        return False  # reports a handing over, so speaks against having it
    if isinstance(act.fact.data, ItemScanned) and act.fact.data.empty:
        return False
    if act.kind in (Kind.LOOK, Kind.CHECK) and stands_behind(act, holder, registry):
        return False
    return registry.role(act.party) in HANDLERS


def _looked_on_releasing(act: Act) -> bool:
    """Whether somebody who gives the item away saw it: a release alone shows nothing, a look at the item does."""
    return act.kind is Kind.RELEASE and any(look.direct and look.facet in _OF_THE_ITEM for look in act.looks)


_OF_THE_ITEM = (Facet.OUTER, Facet.CONTENTS, Facet.WEIGHT)


def stands_behind(act: Act, party: str, registry: Registry) -> bool:
    """Whether a party's side signed to an act of the other side: any party of its legal entity speaks for it."""
    return registry.entity(party) in {registry.entity(side) for side in act.joined}


def is_skewed(release: Act, accept: Act, policy: Policy) -> bool:
    """Whether the acceptance is dated before its release by more than the clocks may differ (CLOCK_SKEW)."""
    return release.t - accept.t > policy.clock_skew

"""The settings of the reasoning and what the contract says: folds of the policy's events and of announcements."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, structs

from schemas.events import ParcelAnnounced, PolicySet
from schemas.vocabulary import Defect, Hindrance, Regime, SharePolicy
from services.custody.core import concerns
from services.custody.core.facts import Fact
from services.custody.core.instants import BEGINNING, ENDLESS, later

DEFAULT_GROUNDS = frozenset((*(g.value for g in Hindrance), *(g.value for g in Defect)))


class Policy(Struct, frozen=True):
    """Settings of a tenant or contract, with the defaults of the rule set."""

    tau_grams: int | None = None
    """None: the greater of 20 g and 0.5 %."""
    handoff_window: timedelta = timedelta(hours=2)
    reservation_window: timedelta = timedelta(hours=2)
    opening_window: timedelta = timedelta(hours=24)
    locker_notice: timedelta = timedelta(hours=24)
    late_after: timedelta = timedelta(hours=24)
    unit_max_stay: timedelta = timedelta(days=7)
    clock_skew: timedelta = timedelta(seconds=120)
    """How far the clocks of two devices may differ that were compared with ours at upload."""
    clock_skew_unmeasured: timedelta = timedelta(minutes=10)
    """The same for two that never were. A crystal that is 20 parts in a million off loses 1.7 s a day, so 5 min in half
    a year, and the one device may be slow where the other is fast."""
    notice_days: int = 7
    deemed_lost: timedelta | None = None
    policy: SharePolicy = SharePolicy.FREIGHT
    regime: Regime = Regime.CN_SAME_MODE
    table: Mapping[str, int] = {}
    packing_share: str = "1/2"
    auto_accept_is_clean: bool = True
    import_accept_is_clean: bool = False
    drop_is_delivery: bool = False
    reservation_grounds: frozenset[str] = DEFAULT_GROUNDS

    @property
    def chinese(self) -> bool:
        """Whether the contract's regime is Chinese law, where the courier must look inside at pick-up."""
        return self.regime in (Regime.CN_SAME_MODE, Regime.CN_BRAND)


def policy_of(facts: Iterable[Fact], named: str | None = None, taken_over: datetime | None = None) -> Policy:
    """The settings for a parcel: the tenant's own as last set, and on top of them those that its contract names.

    A setting that an event leaves out keeps its earlier value. One with dates is for parcels that were taken over in
    that time; while nobody knows when this one was, only those without dates are in force. A name that nobody set adds
    nothing.
    """
    changes: dict[str, Any] = {}
    for data in _in_order(facts, named):
        if _is_in_force(data, taken_over):
            changes.update(_settings(data))
    return structs.replace(_DEFAULTS, **changes) if changes else _DEFAULTS


def is_dated(facts: Iterable[Fact]) -> bool:
    """Whether the settings depend on when the parcel was taken over."""
    return any(
        isinstance(fact.data, PolicySet) and (fact.data.valid_from or fact.data.valid_until) is not None
        for fact in facts
    )


def _in_order(facts: Iterable[Fact], named: str | None) -> Iterator[PolicySet]:
    """The settings that may bear on the parcel, the contract's after the tenant's, each in order of recording."""
    subjects = [concerns.POLICY]
    if named is not None and concerns.policy_subject(named) not in subjects:
        subjects.append(concerns.policy_subject(named))
    told = [
        (subjects.index(fact.subject), fact.order, fact.data)
        for fact in facts
        if isinstance(fact.data, PolicySet) and fact.subject in subjects
    ]
    return (data for _, _, data in sorted(told, key=lambda each: each[:2]))


def _is_in_force(data: PolicySet, taken_over: datetime | None) -> bool:
    if data.valid_from is None and data.valid_until is None:
        return True
    if taken_over is None:
        return False
    return (data.valid_from or BEGINNING) <= taken_over < (data.valid_until or ENDLESS)


def _settings(data: PolicySet) -> dict[str, Any]:
    return {
        setting: read(value) for name, (setting, read) in _READ.items() if (value := getattr(data, name)) is not None
    }


def _reading(name: str) -> tuple[str, Callable[[Any], Any]]:
    """Which setting a field of the event sets, and how its value is read."""
    if name.endswith("_hours"):
        return name.removesuffix("_hours"), lambda hours: timedelta(hours=hours)
    if name.endswith("_seconds"):
        return name.removesuffix("_seconds"), lambda seconds: timedelta(seconds=seconds)
    return name, frozenset if name == "reservation_grounds" else lambda value: value


_OF_THE_EVENT = ("valid_from", "valid_until", "reuse_after_days")
"""When the settings are in force, and what the cutting of journeys reads by itself (core/journeys.py)."""
_READ = {name: _reading(name) for name in PolicySet.__struct_fields__ if name not in _OF_THE_EVENT}


_DEFAULTS = Policy()


@dataclass(frozen=True, slots=True)
class Contract:
    """What the paperwork says of a parcel. The announcement recorded last replaces those before."""

    announced: ParcelAnnounced

    def promised(self, first_acceptance: datetime | None) -> datetime | None:
        """When delivery was promised for; None where nothing was promised or the clock has not started."""
        if self.announced.promised_at is not None:
            return self.announced.promised_at
        if self.announced.promised_after_hours is None or first_acceptance is None:
            return None
        return later(first_acceptance, timedelta(hours=self.announced.promised_after_hours))

    def freight(self, party: str) -> int | None:
        """A carrier's part of the freight, None where unknown."""
        parts = [leg.freight for leg in self.announced.plan if leg.party == party and leg.freight is not None]
        return sum(parts) if parts else None

    @property
    def has_plan(self) -> bool:
        """Whether any leg's dwell was planned, so that a delay could be split (R22)."""
        return any(leg.dwell_hours is not None for leg in self.announced.plan)


def contract_of(facts: Iterable[Fact]) -> Contract:
    """The contract as last announced."""
    last = max((f for f in facts if type(f.data) is ParcelAnnounced), key=lambda fact: fact.order, default=None)
    return Contract(last.data) if last is not None and isinstance(last.data, ParcelAnnounced) else _NO_PAPERWORK


_NO_PAPERWORK = Contract(ParcelAnnounced())

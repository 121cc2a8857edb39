"""Settings: whose they are, for which parcels, in which order; and what would follow under others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import HandoffAccepted, ItemScanned, ParcelAnnounced, PolicySet, UnitPacked
from schemas.vocabulary import CaptureMode, Regime, SharePolicy, UnitKind
from services.custody.core.ground import lay
from services.custody.core.policy import Policy
from tests.gathering import gather
from tests.unit.custody.core.histories import DAY_0, SUBJECT, History, Told, evidence, record, registry

DAY = timedelta(days=1)
SCAN: dict[str, Any] = {"mode": CaptureMode.HUMAN_SCAN}


def settings(name: str, recorded: timedelta, **said: Any) -> Told:
    return Told(f"{name}-{recorded}", "OFFICE", recorded, recorded, PolicySet(**said), None, f"policy:{name}")


def announced(policy: str | None) -> Told:
    return Told("paper", "OFFICE", timedelta(), timedelta(minutes=20), ParcelAnnounced(policy=policy), None)


def taken(t: timedelta, by: str = "C1", **how: Any) -> Told:
    usual: dict[str, Any] = {"recorded": t}
    return Told(f"a-{by}", by, t, data=HandoffAccepted(taker=by, **SCAN), **(usual | how))


def in_force(*told: Told, asked: str | None = None) -> Policy:
    own = tuple(each for each in told if not each.subject.startswith("policy:"))
    others = tuple(each for each in told if each.subject.startswith("policy:"))
    history = History(own, (*registry(PolicySet()), *others))
    return lay(replace(evidence(history), policy=asked), history.as_of).policy


def test_without_any_setting_the_defaults_of_the_rules_hold() -> None:
    assert in_force(taken(DAY)) == Policy()


def test_a_setting_that_an_event_leaves_out_keeps_its_earlier_value() -> None:
    first = settings("DEFAULT", DAY / 4, notice_days=3, clock_skew_seconds=60.0, clock_skew_unmeasured_seconds=90.0)

    found = in_force(first, settings("DEFAULT", DAY / 2, notice_days=5), taken(DAY))

    assert (found.notice_days, found.clock_skew) == (5, timedelta(seconds=60))
    assert found.clock_skew_unmeasured == timedelta(seconds=90)


def test_how_long_codes_rest_is_no_setting_of_the_reasoning() -> None:
    assert in_force(settings("DEFAULT", DAY / 4, reuse_after_days=30), taken(DAY)) == Policy()


# --- settings with dates ---------------------------------------------------------------------------------------------

DATED = settings("DEFAULT", DAY / 3, notice_days=3, valid_from=DAY_0 + 2 * DAY, valid_until=DAY_0 + 4 * DAY)


@pytest.mark.parametrize(
    ("t", "days"),
    [
        pytest.param(2 * DAY - timedelta(seconds=1), 7, id="before"),
        pytest.param(2 * DAY, 3, id="from the first instant"),
        pytest.param(4 * DAY - timedelta(seconds=1), 3, id="up to the end"),
        pytest.param(4 * DAY, 7, id="not at the end"),
    ],
)
def test_dates_are_those_of_the_first_acceptance(t: timedelta, days: int) -> None:
    later_ones = (taken(t + DAY, "H1"), taken(t + 2 * DAY, "LH"))

    assert in_force(DATED, taken(t), *later_ones).notice_days == days


@pytest.mark.parametrize(
    ("said", "days"), [({"valid_from": DAY_0 + 3 * DAY}, 3), ({"valid_until": DAY_0 + 3 * DAY}, 7)]
)
def test_one_date_alone_is_open_to_the_other_side(said: dict[str, Any], days: int) -> None:
    assert in_force(settings("DEFAULT", DAY / 4, notice_days=3, **said), taken(3 * DAY)).notice_days == days


def test_until_it_is_taken_over_the_first_event_dates_a_parcel() -> None:
    sighted = Told("s", "H1", 3 * DAY, 3 * DAY, ItemScanned(party="H1", **SCAN))

    assert in_force(DATED, sighted).notice_days == 3
    assert in_force(DATED, sighted, taken(5 * DAY)).notice_days == 7


def test_an_acceptance_that_does_not_count_dates_nothing() -> None:
    forged = taken(3 * DAY, "H1", signature="bad")
    typed = Told("t", "H1", 3 * DAY, 3 * DAY, HandoffAccepted(taker="H1", mode=CaptureMode.MANUAL_ENTRY), None)

    assert in_force(DATED, forged, taken(5 * DAY)).notice_days == 7
    assert in_force(DATED, typed, taken(5 * DAY)).notice_days == 7


def test_a_unit_that_is_taken_over_takes_what_is_in_it() -> None:
    packed = Told("p", "C1", DAY, DAY, UnitPacked(party="C1", unit="test:BAG", kind=UnitKind.BAG, **SCAN))
    accepted = Told("b", "H1", 3 * DAY, 3 * DAY, HandoffAccepted(taker="H1", **SCAN), subject="test:BAG")
    before = Told("b0", "H2", DAY / 2, DAY / 2, HandoffAccepted(taker="H2", **SCAN), subject="test:BAG")
    history = History((packed, accepted, before), (*registry(PolicySet()), DATED))
    facts, signatures = record(history)

    ground = lay(gather(SUBJECT, facts, (), signatures), history.as_of)

    assert ground.policy.notice_days == 3


# --- named settings --------------------------------------------------------------------------------------------------

TENANT = settings("DEFAULT", DAY / 4, notice_days=5, regime=Regime.CMR)
EXPRESS = settings("EXPRESS", DAY / 5, notice_days=2, policy=SharePolicy.EQUAL)


def test_a_contract_goes_by_the_settings_that_it_names_on_top_of_the_tenants() -> None:
    found = in_force(TENANT, EXPRESS, announced("express"), taken(DAY))

    assert (found.notice_days, found.policy, found.regime) == (2, SharePolicy.EQUAL, Regime.CMR)


@pytest.mark.parametrize("named", [None, "default", "unheard_of"])
def test_settings_that_a_contract_does_not_name_are_not_its_own(named: str | None) -> None:
    found = in_force(TENANT, EXPRESS, announced(named), taken(DAY))

    assert (found.notice_days, found.policy, found.regime) == (5, SharePolicy.FREIGHT, Regime.CMR)


def test_it_can_be_asked_what_would_follow_under_others() -> None:
    express = (TENANT, EXPRESS, announced("express"), taken(DAY))
    bare = (TENANT, EXPRESS, taken(DAY))

    assert in_force(*bare, asked="express") == in_force(*express)
    assert in_force(*express, asked="default") == in_force(*bare)


@given(st.permutations((TENANT, EXPRESS, DATED, settings("EXPRESS", DAY / 6, notice_days=9, valid_from=DAY_0))))
def test_the_order_in_which_settings_are_given_does_not_matter(told: list[Told]) -> None:
    """Which was recorded when tells, not which comes first in the evidence."""
    found = in_force(*told, announced("express"), taken(3 * DAY))

    assert found.notice_days == 2
    assert found.regime is Regime.CMR

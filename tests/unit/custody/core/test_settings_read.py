"""Every setting, one by one: what an event of the policy says, and what the reasoning then goes by."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.events import HandoffAccepted, ParcelAnnounced, PlannedLeg, PolicySet
from schemas.positions import AsOf
from schemas.vocabulary import CaptureMode, Regime, SharePolicy
from services.custody.core.ground import lay
from services.custody.core.policy import DEFAULT_GROUNDS, Policy, contract_of, is_dated, policy_of
from tests.unit.custody.core.histories import DAY_0, History, Told, evidence, registry

HOURS = timedelta(hours=1)


def said(*policies: PolicySet) -> Policy:
    told = tuple(
        Told(f"p{at}", "OFFICE", HOURS * at, HOURS * at, data, None, "policy:DEFAULT")
        for at, data in enumerate(policies, 1)
    )
    return policy_of(evidence(History((), told)).registry)


SETTINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"tau_grams": 35}, {"tau_grams": 35}),
    ({"handoff_window_hours": 3.0}, {"handoff_window": 3 * HOURS}),
    ({"reservation_window_hours": 4.0}, {"reservation_window": 4 * HOURS}),
    ({"opening_window_hours": 5.0}, {"opening_window": 5 * HOURS}),
    ({"locker_notice_hours": 6.0}, {"locker_notice": 6 * HOURS}),
    ({"late_after_hours": 7.0}, {"late_after": 7 * HOURS}),
    ({"unit_max_stay_hours": 8.0}, {"unit_max_stay": 8 * HOURS}),
    ({"clock_skew_seconds": 90.0}, {"clock_skew": timedelta(seconds=90)}),
    ({"clock_skew_unmeasured_seconds": 900.0}, {"clock_skew_unmeasured": timedelta(seconds=900)}),
    ({"notice_days": 5}, {"notice_days": 5}),
    ({"deemed_lost_hours": 72.0}, {"deemed_lost": 72 * HOURS}),
    ({"policy": SharePolicy.EQUAL}, {"policy": SharePolicy.EQUAL}),
    ({"regime": Regime.CMR}, {"regime": Regime.CMR}),
    ({"table": {"H1": 2}}, {"table": {"H1": 2}}),
    ({"packing_share": "1/3"}, {"packing_share": "1/3"}),
    ({"auto_accept_is_clean": False}, {"auto_accept_is_clean": False}),
    ({"import_accept_is_clean": True}, {"import_accept_is_clean": True}),
    ({"drop_is_delivery": True}, {"drop_is_delivery": True}),
    ({"reservation_grounds": ("torn", "wet")}, {"reservation_grounds": frozenset({"torn", "wet"})}),
    ({"reuse_after_days": 30}, {}),
]


@pytest.mark.parametrize(("told", "kept"), SETTINGS, ids=lambda each: next(iter(each), "nothing"))
def test_a_setting_changes_what_it_names_and_nothing_else(told: dict[str, Any], kept: dict[str, Any]) -> None:
    found, usual = said(PolicySet(**told)), Policy()

    assert {name: getattr(found, name) for name in kept} == kept
    assert {name for name in Policy.__struct_fields__ if getattr(found, name) != getattr(usual, name)} == set(kept)


def test_every_setting_is_in_the_table() -> None:
    listed = {name for told, _ in SETTINGS for name in told}

    assert listed | {"valid_from", "valid_until"} == set(PolicySet.__struct_fields__)


def test_the_defaults_are_those_of_the_rules() -> None:
    usual = Policy()

    assert (usual.handoff_window, usual.reservation_window) == (2 * HOURS, 2 * HOURS)
    assert (usual.opening_window, usual.locker_notice, usual.late_after) == (24 * HOURS, 24 * HOURS, 24 * HOURS)
    assert (usual.unit_max_stay, usual.deemed_lost) == (timedelta(days=7), None)
    assert (usual.clock_skew, usual.clock_skew_unmeasured) == (timedelta(minutes=2), timedelta(minutes=10))
    assert (usual.notice_days, usual.tau_grams, usual.packing_share) == (7, None, "1/2")
    assert (usual.policy, usual.regime, usual.table) == (SharePolicy.FREIGHT, Regime.CN_SAME_MODE, {})
    assert (usual.auto_accept_is_clean, usual.import_accept_is_clean, usual.drop_is_delivery) == (True, False, False)
    assert {"torn", "dark"} <= usual.reservation_grounds == DEFAULT_GROUNDS


@pytest.mark.parametrize(
    ("regime", "chinese"),
    [(regime, regime in (Regime.CN_SAME_MODE, Regime.CN_BRAND)) for regime in Regime],
)
def test_whether_the_courier_must_look_inside_goes_by_the_contracts_law(regime: Regime, chinese: bool) -> None:
    assert said(PolicySet(regime=regime)).chinese is chinese


@pytest.mark.parametrize(
    ("told", "dated"),
    [
        ((PolicySet(),), False),
        ((PolicySet(valid_from=DAY_0),), True),
        ((PolicySet(), PolicySet(valid_until=DAY_0)), True),
        ((), False),
    ],
)
def test_settings_with_dates_make_the_day_of_taking_over_matter(told: tuple[PolicySet, ...], dated: bool) -> None:
    history = tuple(
        Told(f"p{at}", "OFFICE", HOURS, HOURS, data, None, "policy:DEFAULT") for at, data in enumerate(told)
    )

    assert is_dated(evidence(History((), history)).registry) is dated


@pytest.mark.parametrize(
    ("day", "days"),
    [(1.9, 7), (2, 3), (3.9, 3), (4, 7)],
)
def test_dated_settings_hold_from_their_first_day_to_before_their_last(day: float, days: int) -> None:
    since, until = DAY_0 + timedelta(days=2), DAY_0 + timedelta(days=4)
    dated = Told(
        "p1",
        "OFFICE",
        HOURS,
        HOURS,
        PolicySet(notice_days=3, valid_from=since, valid_until=until),
        None,
        "policy:DEFAULT",
    )
    took = Told(
        "a1",
        "C1",
        timedelta(days=day),
        timedelta(days=day),
        HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, taker="C1"),
    )
    history = History((took,), (*registry(PolicySet()), dated))

    assert lay(evidence(history), history.as_of).policy.notice_days == days


# --- the contract -----------------------------------------------------------------------------------------------------


def announced(*contracts: ParcelAnnounced) -> Any:
    told = tuple(
        Told(f"c{at}", "OFFICE", timedelta(), HOURS * at, contract, None) for at, contract in enumerate(contracts)
    )
    return contract_of(reversed(evidence(History(told, ())).facts))


def test_the_contract_recorded_last_replaces_those_before() -> None:
    found = announced(ParcelAnnounced(contracting="C1", content_grams=3), ParcelAnnounced(contracting="C2"))

    assert found.announced == ParcelAnnounced(contracting="C2")


def test_without_paperwork_nothing_is_promised_planned_or_known() -> None:
    found = announced()

    assert found.announced == ParcelAnnounced()
    assert found.promised(DAY_0) is None
    assert found.freight("C1") is None
    assert not found.has_plan


def test_a_promise_is_an_instant_or_counts_from_the_first_acceptance() -> None:
    fixed = announced(ParcelAnnounced(promised_at=DAY_0, promised_after_hours=48.0))
    counted = announced(ParcelAnnounced(promised_after_hours=48.0))

    assert fixed.promised(None) == fixed.promised(DAY_0 + HOURS) == DAY_0
    assert counted.promised(DAY_0) == DAY_0 + 48 * HOURS
    assert counted.promised(None) is None


def test_a_carriers_freight_is_the_sum_over_its_legs_that_have_one() -> None:
    legs = (PlannedLeg("C1", freight=100), PlannedLeg("H1", dwell_hours=0), PlannedLeg("C1", freight=50))
    found = announced(ParcelAnnounced(plan=(*legs, PlannedLeg("C1"), PlannedLeg("LH", freight=0))))

    assert [found.freight(party) for party in ("C1", "H1", "LH", "X")] == [150, None, 0, None]
    assert found.has_plan
    assert not announced(ParcelAnnounced(plan=legs[:1])).has_plan


def test_dated_settings_are_read_where_nothing_is_known_of_the_parcel_itself() -> None:
    dated = Told("p1", "OFFICE", HOURS, HOURS, PolicySet(tau_grams=35, valid_from=DAY_0), None, "policy:DEFAULT")
    nothing = evidence(History((), (dated,)))

    assert lay(nothing, AsOf(DAY_0 + 9 * HOURS)).policy == Policy()

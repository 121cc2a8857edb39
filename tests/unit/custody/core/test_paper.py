"""Holds and redirections: whose word counts when it comes from a device that nobody enrolled, and when it is late."""

from datetime import timedelta

import pytest

from schemas.events import Event, HandoffAccepted, HoldPlaced, ParcelAnnounced, PolicySet, Redirected
from schemas.vocabulary import SENDER, CaptureMode, HoldReason
from services.custody.core.ground import lay
from services.custody.core.paper import Paper
from tests.unit.custody.core.histories import DAY_0, GOOD, History, Told, evidence, registry


def told(id_: str, by: str, day: float, data: Event, signature: str | None = GOOD) -> Told:
    return Told(id_, by, timedelta(days=day), timedelta(days=day), data, signature)


PROMISED = ParcelAnnounced(contracting="C1", promised_after_hours=48.0)
PICKED_UP = told("a1", "C1", 1, HandoffAccepted(mode=CaptureMode.HUMAN_SCAN, taker="C1", giver=SENDER))


def paper(*acts: Told) -> Paper:
    history = History((told("c1", "OFFICE", 0.1, PROMISED, None), PICKED_UP, *acts), registry(PolicySet()))
    return lay(evidence(history), history.as_of).paper


def set_aside(found: Paper) -> list[tuple[str, str]]:
    return [(fact.id, why) for fact, why in found.set_aside]


def hold(id_: str, by: str, day: float, because: HoldReason = HoldReason.CUSTOMS, signature: str | None = GOOD) -> Told:
    return told(id_, by, day, HoldPlaced(party=by, hours=10.0, because=because), signature)


def redirection(id_: str, by: str, day: float, signature: str | None = GOOD) -> Told:
    return told(id_, by, day, Redirected(party="C1", address="new"), signature)


def test_a_redirection_comes_from_any_desk_as_the_contract_does() -> None:
    found = paper(redirection("g1", "OFFICE", 1.5, None))

    assert [fact.id for fact in found.redirected] == ["g1"]
    assert set_aside(found) == []


def test_a_hold_from_a_device_that_nobody_enrolled_excuses_nobody() -> None:
    found = paper(hold("h1", "OFFICE", 1.5))

    assert found.holds == ()
    assert set_aside(found) == [("h1", "UNKNOWN_DEVICE")]


def test_a_hold_runs_from_when_it_happened_for_as_long_as_it_says() -> None:
    [found] = paper(hold("h1", "C1", 1.5)).holds

    assert (found.party, found.event) == ("C1", "h1")
    assert (found.since, found.until) == (DAY_0 + timedelta(days=1.5), DAY_0 + timedelta(days=1.5, hours=10))


@pytest.mark.parametrize(
    ("because", "excuses"),
    [
        (HoldReason.CUSTOMS, True),
        (HoldReason.RECIPIENT_REQUEST, True),
        (HoldReason.ADDRESS_ERROR, True),
        (HoldReason.FORCE_MAJEURE, True),
        (HoldReason.OPERATIONS, False),
    ],
)
def test_only_waits_that_the_carrier_did_not_make_excuse_it(because: HoldReason, excuses: bool) -> None:
    assert bool(paper(hold("h1", "C1", 1.5, because)).holds) is excuses


@pytest.mark.parametrize(
    ("day", "signature", "counts"),
    [(3, None, True), (3.001, None, False), (3.001, GOOD, True)],
    ids=["unsigned, to the hour", "unsigned, too late", "signed, too late"],
)
def test_once_the_promise_is_broken_an_unsigned_excuse_comes_too_late(
    day: float, signature: str | None, counts: bool
) -> None:
    found = paper(hold("h1", "C1", day, signature=signature))

    assert [each.event for each in found.holds] == (["h1"] if counts else [])
    assert set_aside(found) == ([] if counts else [("h1", "SELF_SERVING")])


def test_redirections_are_told_in_the_order_in_which_they_came_in() -> None:
    found = paper(redirection("g2", "C1", 2), redirection("g1", "C1", 1.5))

    assert [fact.id for fact in found.redirected] == ["g1", "g2"]

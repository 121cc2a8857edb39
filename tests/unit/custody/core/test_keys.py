"""Keys that ended, and the history of a key: what holds for the signatures of a device over its life."""

from datetime import timedelta

import pytest

from schemas.events import (
    ConditionObserved,
    DeviceEnrolled,
    DeviceKey,
    DeviceRevoked,
    HandoffAccepted,
    Observation,
    PolicySet,
)
from schemas.vocabulary import Condition, Facet, FindingKind, RevocationReason
from services.custody.core.ground import lay
from services.custody.core.history import history
from services.custody.core.verdict import Finding
from tests.unit.custody.core.histories import DAY_0, History, Told, evidence, key_of, registry
from tests.unit.custody.core.test_grades import BY_HAND, SEEN, T, graded, told


def revoked(reason: RevocationReason, recorded: timedelta, cut_off: timedelta | None = None) -> Told:
    data = DeviceRevoked(device="H1.d", reason=reason, keyid="H1", cut_off=DAY_0 + cut_off if cut_off else None)
    return Told("revoked", "OFFICE", recorded, recorded, data, None, "device:H1.D")


@pytest.mark.parametrize(
    ("revocation", "late", "expected"),
    [
        pytest.param(revoked(RevocationReason.RETIRED, T * 2, T * 2), T * 3, ([4], []), id="used before its cut-off"),
        pytest.param(
            revoked(RevocationReason.RETIRED, T * 2, T / 2), T * 3, ([], ["REVOKED_DEVICE"]), id="used after it"
        ),
        pytest.param(
            revoked(RevocationReason.COMPROMISED, T * 2), timedelta(0), ([4], []), id="recorded before the report"
        ),
        pytest.param(revoked(RevocationReason.COMPROMISED, T * 2), T * 3, ([1], []), id="recorded after, and late"),
        pytest.param(
            revoked(RevocationReason.COMPROMISED, T / 2), timedelta(0), ([3], []), id="recorded after, at once"
        ),
    ],
)
def test_a_key_that_ended(revocation: Told, late: timedelta, expected: tuple[list[int], list[str]]) -> None:
    assert graded(told(late=late), revocation) == expected


ANOTHER = "f" * 64
"""A public key under which nothing here is signed."""


def enrolled(id_: str, t: timedelta, *keys: tuple[str, str], party: str = "H1") -> Told:
    data = DeviceEnrolled(
        device="H1.d", party=party, keys=tuple(DeviceKey(keyid=keyid, public_key=key) for keyid, key in keys)
    )
    return Told(id_, "OFFICE", t, t, data, None, "device:H1.D")


def judged(event: Told, *device: Told) -> tuple[list[int], list[str]]:
    """The grades of an event by H1's device, whose registration is told in full."""
    others = tuple(each for each in registry(PolicySet()) if each.id != "device-H1")
    story = History((event,), (*others, *device))
    scene = lay(evidence(story), story.as_of).scene
    return [look.grade for act in scene.acts for look in act.looks], [why for _, why in scene.excluded.values()]


MINE = ("H1", key_of("H1"))
START = timedelta(minutes=1)
LOST, GIVEN_UP = RevocationReason.COMPROMISED, RevocationReason.RETIRED
FINE: tuple[list[int], list[str]] = ([4], [])
UNSIGNED: tuple[list[int], list[str]] = ([3], [])


def gone(reason: RevocationReason, at: timedelta, keyid: str | None = None) -> Told:
    return Told(
        f"gone-{at}", "OFFICE", at, at, DeviceRevoked(device="H1.d", reason=reason, keyid=keyid), None, "device:H1.D"
    )


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        pytest.param([enrolled("k", START, ("K2", ANOTHER), MINE)], FINE, id="one of several"),
        pytest.param(
            [enrolled("k", START, ("H1", ANOTHER)), enrolled("l", T / 2, MINE)], FINE, id="a new key, same id"
        ),
        pytest.param([enrolled("k", START, MINE), enrolled("l", T / 2, ("H1", ANOTHER))], FINE, id="the old key still"),
        pytest.param([enrolled("k", START, ("K2", ANOTHER)), enrolled("l", T * 2, MINE)], FINE, id="registered late"),
        pytest.param([enrolled("k", START, MINE), enrolled("l", T / 2)], FINE, id="enrolled again without naming keys"),
        pytest.param(
            [enrolled("k", START, ("K2", ANOTHER)), enrolled("l", T * 2, MINE, party="LH")],
            ([], ["BAD_SIGNATURE"]),
            id="whoever has the device next does not sign for the one before",
        ),
        pytest.param([enrolled("k", START, MINE), gone(GIVEN_UP, T / 2, "K2")], FINE, id="another key retired"),
        pytest.param(
            [enrolled("k", START, MINE), gone(GIVEN_UP, T / 2)], ([], ["REVOKED_DEVICE"]), id="the device retired"
        ),
        pytest.param(
            [enrolled("k", START, MINE), gone(GIVEN_UP, T / 4), enrolled("l", T / 2, MINE)], FINE, id="back in use"
        ),
        pytest.param(
            [enrolled("k", START, MINE), gone(GIVEN_UP, T / 4), enrolled("l", T / 2, ("K2", ANOTHER))],
            ([], ["REVOKED_DEVICE"]),
            id="back in use with another key",
        ),
        pytest.param([enrolled("k", START, MINE), gone(LOST, T / 2, "K2")], FINE, id="another key lost"),
        pytest.param([enrolled("k", START, MINE), gone(LOST, T / 2)], UNSIGNED, id="every key lost"),
        pytest.param(
            [enrolled("k", START, ("H1", ANOTHER)), gone(LOST, T / 4), enrolled("l", T / 2, MINE)],
            FINE,
            id="a new key since the report",
        ),
        pytest.param(
            [enrolled("k", START, MINE), gone(LOST, T / 4), enrolled("l", T / 2, MINE)],
            UNSIGNED,
            id="the lost key once more",
        ),
    ],
)
def test_a_key_counts_by_its_own_history(device: list[Told], expected: tuple[list[int], list[str]]) -> None:
    assert judged(told(), *device) == expected


def test_a_lost_key_counts_as_unsigned_whatever_time_it_claims() -> None:
    """Keys that ended: dated before the report, recorded after it."""
    device = (enrolled("k", START, MINE), gone(LOST, T + timedelta(hours=1)))

    assert judged(told(late=timedelta(hours=2)), *device) == UNSIGNED
    assert judged(told(late=timedelta(days=3)), *device) == ([1], [])


@pytest.mark.parametrize(
    ("cut_off", "answers"), [(T - timedelta(hours=1), 2), (T + timedelta(hours=1), 1)], ids=["before it", "after it"]
)
def test_a_revocation_with_a_cut_off_changes_old_answers_and_says_so(cut_off: timedelta, answers: int) -> None:
    """H1 had photographed it sound two hours before it was found torn; then its key turns out to have ended before."""
    picked_up = HandoffAccepted(taker="C1", observations=(SEEN,), **BY_HAND)
    torn = ConditionObserved(
        party="SVY", observations=(Observation(facet=Facet.OUTER, value=Condition.BAD),), **BY_HAND
    )
    events = (
        Told("pick", "C1", T / 2, T / 2, picked_up),
        Told("take", "H1", T - timedelta(hours=2), T - timedelta(hours=2), HandoffAccepted(taker="H1", **BY_HAND)),
        told(),
        Told("torn", "SVY", T + timedelta(hours=2), T + timedelta(hours=2), torn),
    )
    story = History(events, (*registry(PolicySet()), revoked(RevocationReason.RETIRED, T * 2, cut_off)))

    versions = [each for each in history(evidence(story), story.as_of) if each.finding == Finding(FindingKind.DAMAGE)]

    assert [each.because for each in versions] == ["torn", "revoked"][:answers]
    first, last = versions[0].verdict, versions[-1].verdict
    assert first is not None
    assert last is not None
    assert first.L is not None
    assert first.L.event == "look"
    if answers == 2:
        assert last.L is not None
        assert last.L.event != "look"
        assert last.replaces is not None
        assert last.replaces.because == "revoked"
        assert "REVOKED_DEVICE" in [each.why for each in last.excluded if each.event == "look"]

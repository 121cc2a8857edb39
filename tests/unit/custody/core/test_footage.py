"""Where to look: whose pictures to ask for and which record is missing, the most telling first."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import (
    Camera,
    ConditionObserved,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    NoticeGiven,
    Observation,
    Operator,
    PolicySet,
    Repacked,
    SiteRegistered,
)
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Condition,
    Confidence,
    Facet,
    FindingKind,
    Outcome,
    Proof,
)
from services.custody.core.attribution import assess
from services.custody.core.ground import lay
from services.custody.core.verdict import Absent, Finding, Footage, Verdict
from tests.golden.telling import answers as told_in
from tests.golden.telling import stories
from tests.unit.custody.core.histories import DAY_0, PHOTO, History, Told, answers, evidence, histories, law, registry

HOUR = timedelta(hours=1)
APART = timedelta(minutes=25)
"""So far that no clock can put the one before the other."""
BY_HAND: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "operator": Operator(ref="p1")}
SILENCE_IS_NOTHING = PolicySet(auto_accept_is_clean=False)


def site(code: str, recorded: timedelta = HOUR / 2, **said: Any) -> Told:
    data = SiteRegistered(site=code, **({"party": "H1", "time_zone": "Asia/Shanghai"} | said))
    return Told(f"{code}-{recorded}", "OFFICE", recorded, recorded, data, None, f"site:{code.upper()}")


def seen(value: Condition | None, facet: Facet = Facet.OUTER) -> tuple[Observation, ...]:
    return (Observation(facet=facet, value=value),) if value is not None else ()


def accept(
    by: str,
    t: timedelta,
    value: Condition | None = None,
    at: str | None = None,
    observed: tuple[Observation, ...] = (),
) -> Told:
    data = HandoffAccepted(taker=by, site=at, observations=observed or seen(value), **BY_HAND)
    return Told(f"a-{by}", by, t, t, data)


def scan(id_: str, by: str, t: timedelta, at: str | None = None) -> Told:
    return Told(id_, by, t, t, ItemScanned(party=by, mode=CaptureMode.HUMAN_SCAN, site=at))


def look(by: str, t: timedelta, value: Condition, facet: Facet = Facet.OUTER) -> Told:
    return Told(f"l-{by}-{t}", by, t, t, ConditionObserved(party=by, observations=seen(value, facet), **BY_HAND))


WAY = (
    accept("C1", HOUR, Condition.OK, at="shop"),
    accept("H1", 3 * HOUR, Condition.UNEXAMINED, at="hub.a"),
    scan("s1", "H1", 6 * HOUR, "hub.b"),
    scan("s2", "H1", 7 * HOUR, "hub.b"),
    look("H1", 10 * HOUR, Condition.BAD),
)


def verdict(way: tuple[Told, ...], *sites: Told, kind: FindingKind = FindingKind.DAMAGE) -> Verdict:
    history = History(way, (*registry(SILENCE_IS_NOTHING), *sites))
    found = assess(evidence(history), history.as_of, Finding(kind))
    assert found is not None
    return found


def asked(*sites: Told, way: tuple[Told, ...] = WAY) -> tuple[Footage, ...]:
    return verdict(way, *sites).footage


def at(t: timedelta) -> datetime:
    return DAY_0 + t


def test_a_registered_site_is_asked_camera_by_camera() -> None:
    cameras = (Camera(camera="c7", door="north", days_kept=20), Camera(camera="c9"))

    one, other = (item for item in asked(site("hub.b", cameras=cameras, party="LAND")) if item.site == "hub.b")

    for item in (one, other):
        assert (item.party, item.held_by, item.time_zone) == ("H1", "LAND", "Asia/Shanghai")
        assert (item.since, item.until) == (at(6 * HOUR), at(10 * HOUR))
        assert item.rank == one.rank
    assert (one.camera, one.door, one.kept_until) == ("c7", "north", at(10 * HOUR + timedelta(days=20)))
    assert (other.camera, other.door, other.kept_until) == ("c9", None, at(10 * HOUR + timedelta(days=30)))


def test_the_letter_says_which_cameras_until_when_and_what_they_would_tell() -> None:
    cameras = (Camera(camera="c7", door="north", days_kept=20), Camera(camera="c9"))
    shop = site("shop", party="C1", cameras=cameras)

    told = verdict(WAY, shop).explanation

    assert (
        "First ask C1 for footage of site shop, camera c7 at door north and camera c9, covering 1 January 2026, 01:00 "
        "to 03:00 UTC (kept until 21 January 2026, 03:00 UTC; ask before then). If it shows the parcel still sound on "
        "1 January 2026, 03:00 UTC, the damage came later, with H1, as found above; if already damaged, earlier, with "
        "C1."
    ) in told.en
    assert (
        "首先请 C1 提供站点 shop 的 north 门摄像头 c7、摄像头 c9 在 2026 年 1 月 1 日 01:00 至 03:00 UTC "
        "期间的监控录像（保存至 2026 年 1 月 21 日 03:00 UTC，请在此之前申请调取）。如录像显示 2026 年 1 月 1 日 "
        "03:00 UTC 时快件完好，则损坏发生在其后，即 H1 保管期间（与上述认定一致）；如当时已破损，则发生在此前，"
        "即 C1 保管期间。"
    ) in told.zh


def test_what_leaves_the_fewest_parties_at_worst_comes_first() -> None:
    way = (
        accept("C1", HOUR, Condition.OK),
        *(accept(by, t * HOUR, Condition.UNEXAMINED) for by, t in (("H1", 2), ("LH", 13), ("H2", 14))),
        look("H2", 16 * HOUR, Condition.BAD),
    )

    found = asked(way=way)

    assert [(item.rank, item.party) for item in found] == [(1, "H1"), (2, "LH"), (3, "H2"), (4, "C1")]
    assert found[0].look_at == at(13 * HOUR)
    assert found[0].parties_left_if_harmed == ("C1", "H1")
    assert found[0].parties_left_if_sound == ("LH", "H2")
    assert (found[0].hours_left_if_harmed, found[0].hours_left_if_sound) == (12.0, 3.0)


def test_among_equally_telling_places_the_shorter_time_left_comes_first() -> None:
    first = asked()[0]

    # Both halves of H1's time tell it from C1 at its coming; the hub that it came to saw that.
    assert (first.site, first.look_at) == ("shop", at(3 * HOUR))
    assert (first.parties_left_if_sound, first.parties_left_if_harmed) == (("H1",), ("C1",))


def test_pictures_that_are_kept_shorter_come_first_where_nothing_else_tells() -> None:
    short = site("hub.a", cameras=(Camera(camera="k", days_kept=2),))

    found = [item.site for item in asked(short)]

    assert found.index("hub.a") < found.index("shop")


def test_without_a_site_the_party_is_asked() -> None:
    way = (WAY[0], accept("H1", 3 * HOUR, Condition.UNEXAMINED), WAY[-1])

    assert [(item.party, item.site, item.held_by) for item in asked(way=way)] == [
        ("C1", "shop", "C1"),
        ("H1", "H1", "H1"),
    ]


def test_a_site_without_cameras_is_asked_all_the_same() -> None:
    (found,) = (item for item in asked(site("hub.b", doors=("north",))) if item.site == "hub.b")

    assert found.time_zone == "Asia/Shanghai"
    assert found.camera is None
    assert found.kept_until is None


def test_a_site_that_is_registered_twice_is_as_registered_last() -> None:
    """By when it was recorded: the order in which the evidence holds the two does not matter."""
    old = site("hub.b", HOUR / 4, cameras=(Camera(camera="old"),), time_zone="UTC")
    new = site("HUB.B", HOUR / 2, cameras=(Camera(camera="new"),))

    for registered in ((old, new), (new, old)):
        cameras = [(item.camera, item.time_zone) for item in asked(*registered) if item.site == "hub.b"]
        assert cameras == [("new", "Asia/Shanghai")]


def test_a_handoff_that_the_giver_did_not_sign_to_is_looked_at_from_both_sides() -> None:
    way = (WAY[0], accept("H1", 3 * HOUR, Condition.BAD, at="hub.a"))

    found = verdict(way).footage

    handoff = [item for item in found if item.look_at == at(3 * HOUR)]
    assert {item.party for item in handoff} == {"C1", "H1"}
    for item in handoff:
        assert item.since < at(3 * HOUR) < item.until
        assert (item.parties_left_if_sound, item.parties_left_if_harmed) == (("H1",), ("C1",))


def test_what_is_sure_asks_for_nothing() -> None:
    way = (WAY[0], look("C1", 2 * HOUR, Condition.BAD))

    found = verdict(way)

    assert found.confidence is Confidence.HIGH
    assert (found.footage, found.missing_scans) == ((), ())


def test_where_custody_passed_unseen_both_are_asked_for_the_moment() -> None:
    way = (WAY[0], scan("s1", "H1", 6 * HOUR, "hub.b"), look("H1", 10 * HOUR, Condition.BAD))

    found = verdict(way)

    zone = [item for item in found.footage if item.look_at is None]
    assert {(item.party, item.site) for item in zone} == {("C1", "shop"), ("H1", "hub.b")}
    for item in zone:
        assert (item.parties_left_if_sound, item.parties_left_if_harmed) == (("H1",), ("C1",))
    assert {scan.code for scan in found.missing_scans} == {Absent.ACCEPT, Absent.RELEASE}
    assert {(scan.since, scan.until) for scan in found.missing_scans} == {(at(HOUR), at(6 * HOUR))}


def test_whoever_was_handed_it_and_never_signed_is_asked_though_it_is_not_liable() -> None:
    release = Told("r", "C1", 3 * HOUR, 3 * HOUR, HandoffReleased(giver="C1", taker="H1", **BY_HAND))
    gone = Observation(facet=Facet.PRESENCE, value=Condition.BAD)
    missed = Told("gone", "C1", 9 * HOUR, 9 * HOUR, ConditionObserved(party="C1", observations=(gone,), **BY_HAND))

    found = verdict((WAY[0], release, missed), kind=FindingKind.LOSS)

    assert [share.party for share in found.liable] == ["C1"]
    assert {item.party for item in found.footage} == {"C1", "H1"}
    (absent,) = found.missing_scans
    assert (absent.code, absent.party, absent.since, absent.until) == (Absent.ACCEPT, "H1", at(3 * HOUR), at(9 * HOUR))


def test_a_takeover_without_a_look_is_missed() -> None:
    found = verdict((WAY[0], accept("H1", 3 * HOUR), WAY[-1]))

    (absent,) = found.missing_scans
    assert (absent.code, absent.party, absent.until) == (Absent.LOOK_AT_TAKEOVER, "H1", at(3 * HOUR))
    assert "No check of the carton by H1" in absent.en
    assert "查验外包装的记录" in absent.zh


def test_the_check_at_pick_up_and_the_look_at_delivery_are_missed_where_it_was_hidden() -> None:
    shown = NoticeGiven(
        party=RECIPIENT,
        observations=(Observation(facet=Facet.CONTENTS, value=Condition.BAD, media=(PHOTO,)),),
        proof=Proof.UNBOXING_VIDEO,
    )
    way = (
        accept("C1", HOUR),
        accept(RECIPIENT, 5 * HOUR),
        Told("n", RECIPIENT, 9 * HOUR, 9 * HOUR, shown),
    )

    found = verdict(way, kind=FindingKind.CONCEALED)

    assert found.outcome is Outcome.UNDETERMINED
    codes = [(absent.code, absent.party) for absent in found.missing_scans]
    assert codes == [(Absent.PICKUP_CHECK, "C1"), (Absent.LOOK_AT_DELIVERY, "C1")]
    assert found.missing_scans[0].parties_left_if_harmed == (SENDER,)


@pytest.mark.parametrize(
    ("story", "code", "party"),
    [
        ("16-bag-sealed-without-writing-the-number-down", Absent.SEAL_NUMBER, "C1"),
        ("61-customs-opened-the-bag-twice", Absent.SEAL_NUMBER, "AIR"),
        ("37-bag-opened-without-a-record-broken-inside", Absent.LOOK_AT_OPENING, "HUB"),
        ("54-late-and-nobody-knows-when-it-changed-hands", Absent.ACCEPT, "LH"),
        ("06-handed-out-never-taken", Absent.ACCEPT, "LH"),
        ("07c-nobody-looked-inside-at-pick-up", Absent.PICKUP_CHECK, "C1"),
    ],
)
def test_the_record_that_a_story_lacks_is_named(story: str, code: Absent, party: str) -> None:
    _, found = told_in(story)[-1]

    assert (code, party) in [(absent.code, absent.party) for absent in found.missing_scans]


def test_a_new_carton_without_a_look_inside_is_missed() -> None:
    """The contents were seen neither before nor after; the moment of repacking lay between."""
    repacked = Told("r", "C1", 2 * HOUR, 2 * HOUR, Repacked(party="C1", **BY_HAND))
    broken = look("H1", 5 * HOUR, Condition.BAD, Facet.CONTENTS)
    sound = accept("C1", HOUR, at="shop", observed=seen(Condition.OK, Facet.CONTENTS))

    found = verdict((sound, repacked, accept("H1", 3 * HOUR), broken), kind=FindingKind.CONCEALED)

    (absent,) = found.missing_scans
    assert (absent.code, absent.party, absent.until) == (Absent.LOOK_AT_REPACKING, "C1", at(2 * HOUR))


@st.composite
def unseen_ways(draw: st.DrawFn) -> tuple[Told, ...]:
    """Seen sound at the start and torn at the end, and nobody looked in between."""
    takers = draw(st.permutations(("H1", "LH", "H2")))[: draw(st.integers(1, 3))]
    hours = sorted(draw(st.sets(st.integers(2, 19), min_size=len(takers), max_size=len(takers))))
    taken = [accept(by, hour * HOUR, Condition.UNEXAMINED) for by, hour in zip(takers, hours, strict=True)]
    return (accept("C1", HOUR, Condition.OK), *taken, look(takers[-1], 20 * HOUR, Condition.BAD))


@law
@given(unseen_ways(), st.data())
def test_a_look_at_the_moment_named_leaves_whom_it_names(way: tuple[Told, ...], data: st.DataObject) -> None:
    """What footage would show, a neutral surveyor says here: the answer then names those who were said to be left."""
    item = data.draw(st.sampled_from(verdict(way).footage))
    assert item.look_at is not None
    moment = item.look_at - DAY_0

    sound = verdict((*way, surveyed(moment + APART, Condition.OK)))
    harmed = verdict((*way, surveyed(moment - APART, Condition.BAD)))

    assert sound.proved == item.parties_left_if_sound
    assert harmed.proved == item.parties_left_if_harmed


def surveyed(t: timedelta, value: Condition) -> Told:
    said = ConditionObserved(party="SVY", neutral=True, observations=seen(value), **BY_HAND)
    return Told("survey", "SVY", t, t, said)


@law
@given(histories())
def test_ranks_go_by_what_would_be_left(history: History) -> None:
    for found in answers(history):
        for items in (found.footage, found.missing_scans):
            worst = [
                max(len(item.parties_left_if_sound), len(item.parties_left_if_harmed))
                for item in items
                if item.parties_left_if_sound or item.parties_left_if_harmed
            ]
            assert worst == sorted(worst)
            ranks = [item.rank for item in items]
            assert ranks == sorted(ranks)
            assert set(ranks) == set(range(1, len(set(ranks)) + 1))


@law
@given(histories())
def test_only_an_open_answer_asks_and_nobody_is_asked_at_home(history: History) -> None:
    for found in answers(history):
        sure = found.confidence is Confidence.HIGH and found.outcome not in (Outcome.JOINT, Outcome.SHARED)
        if sure:
            assert (found.footage, found.missing_scans) == ((), ())
        for item in found.footage:
            assert item.party not in (SENDER, RECIPIENT)
            assert item.since <= item.until
            if item.look_at is not None:
                assert item.since <= item.look_at <= item.until


@pytest.mark.parametrize("name", stories())
def test_looking_where_it_says_leaves_what_it_says(name: str) -> None:
    """Whoever might have done it stays in one of the two answers that the first picture may give."""
    for _, found in told_in(name):
        for item in found.footage:
            left = {*item.parties_left_if_sound, *item.parties_left_if_harmed}
            if left and not found.parts and "R30" not in found.rules:  # whoever stands in need not have had it
                assert {share.party for share in found.liable} - {RECIPIENT, SENDER} <= left | {item.party}


def test_who_and_what_nobody_registered() -> None:
    history = History(WAY, registry(PolicySet()))

    found = lay(evidence(history), history.as_of).registry

    assert found.site("nowhere") is None
    assert found.role("NOBODY").value == "carrier"
    assert found.entity("NOBODY") == "NOBODY"
    assert found.device("/depots/NOBODY/devices/d") is None

"""What happens on the way beside handoffs: drops, units, lists, pieces; how the timeline tells it, and what waits."""

from datetime import timedelta
from pathlib import Path

import pytest

from schemas.positions import AsOf
from schemas.vocabulary import FindingKind
from services.custody.core.attribution import assess, next_deadline, verdicts
from services.custody.core.ground import lay
from services.custody.core.lateness import due_at
from services.custody.core.timeline import Timeline, timeline
from services.custody.core.verdict import Finding
from services.scenario.build import Compiled, compile_story
from services.scenario.story import parse_story
from tests.scenarios.core import evidence_of

STORIES = Path(__file__).parents[3] / "scenarios"

PARTIES = """
name: a made up way
parties: {C1: {role: carrier, contracting: true}, CR: {role: carrier}, HUB: {role: carrier}, LOK: {role: locker}}
"""
PICKED_UP = """
events:
  - {id: a1, t: 1d, do: accept, by: C1, from: SENDER, see: {O: ok@4, P: ok@4}}
"""
ASK = """
ask: [{finding: LOSS, as_of: 1d, expect: none}]
"""


def told(events: str, before: str = "") -> Compiled:
    return compile_story(parse_story(PARTIES + before + PICKED_UP.rstrip() + events + ASK))


def story(start: str) -> Compiled:
    [path] = STORIES.glob(f"{start}-*.yaml")
    return compile_story(parse_story(path.read_text(encoding="utf-8")))


def at(compiled: Compiled, days: float) -> AsOf:
    return AsOf(compiled.instant(timedelta(days=days)))


def seen(compiled: Compiled, days: float) -> Timeline:
    return timeline(evidence_of(compiled), at(compiled, days))


def holders(line: Timeline) -> list[str]:
    return [segment.party for segment in line.segments]


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("do: attempt, by: CR", id="an attempt"),
        pytest.param("do: refuse, by: RCP", id="a refusal"),
        pytest.param("do: return, by: CR", id="an order to return"),
        pytest.param("do: release, by: C1, to: CR", id="a release"),
        pytest.param("do: deliver, by: C1, to: LOK", id="a drop nobody agreed to"),
        pytest.param("do: deliver, by: C1, to: door", id="left at the door unasked"),
        pytest.param("do: notice, by: RCP", id="a notice"),
        pytest.param("do: hold, by: CR, for: 2h, because: customs", id="a wait"),
        pytest.param("do: redirect, by: SENDER, address: new", id="a redirection"),
        pytest.param("do: accept, by: RCP, person: neighbour", id="a signature of somebody nobody had named"),
    ],
)
def test_what_moves_nothing_by_itself(act: str) -> None:
    line = seen(told(f"\n  - {{id: x1, t: 2d, {act}}}"), 5)

    assert holders(line) == ["SENDER", "C1"]
    assert line.delivered_at is None
    assert line.state == "underway"


@pytest.mark.parametrize(
    "act",
    ["scan", "inspect", "weigh", "seal", "check_seal", "open", "repack", "pack, unit: bag1", "unpack, unit: bag1"],
)
def test_whoever_has_it_at_hand_without_having_signed_took_it_over(act: str) -> None:
    line = seen(told(f"\n  - {{id: x1, t: 2d, by: CR, do: {act}}}"), 5)

    assert holders(line) == ["SENDER", "C1", "CR"]
    assert [(zone.giver, zone.taker) for zone in line.zones] == [("C1", "CR")]
    assert "no ACCEPT by CR" in [gap.text for gap in line.gaps]


def test_handling_the_unit_is_handling_what_is_in_it() -> None:
    inside = "\n  - {id: p1, t: 2d, do: pack, by: C1, unit: cage7}"

    for act in ("scan", "seal", "check_seal", "open"):
        line = seen(told(inside + f"\n  - {{id: x1, t: 3d, by: CR, do: {act}, unit: cage7}}"), 5)

        assert holders(line) == ["SENDER", "C1", "CR"], act


def test_a_line_on_another_carriers_list_is_no_sight_of_it() -> None:
    """Signed by HUB from CR's list, but C1 has it: pre-advice moves nothing until it is signed for."""
    compiled = told("\n  - {id: m1, t: 3d, do: manifest, by: HUB, from: CR}")

    before, after = seen(compiled, 2.9), seen(compiled, 5)

    assert holders(before) == ["SENDER", "C1"]
    assert holders(after) == ["SENDER", "C1", "HUB"]
    assert after.zones == ()


def test_a_list_too_long_to_count_takes_what_was_scanned_near_it() -> None:
    line = "\n  - {id: m1, t: 2d, do: manifest, by: CR, from: C1, reservation: {facet: N, grounds: too_many}}"
    scanned = "\n  - {id: s1, t: 2d+90m, do: scan, by: CR, see: {P: ok@3}}"
    too_late = "\n  - {id: s1, t: 2d+3h, do: scan, by: CR, see: {P: ok@3}}"

    assert [segment.how for segment in seen(told(line + scanned), 5).segments] == ["origin", "accepted", "accepted"]
    assert seen(told(line), 5).gaps[0].text == "no ACCEPT by CR"
    assert [segment.how for segment in seen(told(line + too_late), 5).segments] == ["origin", "accepted", "implied"]


def test_a_drop_as_agreed_is_shown_and_moves_custody_to_whoever_runs_the_place() -> None:
    line = seen(told("\n  - {id: d1, t: 2d, do: deliver, by: C1, to: LOK, consent: true}"), 5)

    assert holders(line) == ["SENDER", "C1", "LOK"]
    assert line.segments[-1].how == "dropped"
    assert line.delivered_at is None
    [drop] = line.on_the_way
    assert (drop.what, drop.by, drop.place, drop.agreed) == ("drop", "C1", "locker", True)


def test_left_at_the_door_as_asked_is_delivered() -> None:
    line = seen(told("\n  - {id: d1, t: 2d, do: deliver, by: C1, to: door, consent: true}"), 5)

    assert line.holder == "RCP"
    assert line.state == "delivered"
    assert line.delivered_at == line.segments[-1].since


def test_the_recipient_signs_a_few_minutes_after_it_was_left_at_the_door() -> None:
    drop = "\n  - {id: d1, t: 2d, do: deliver, by: C1, to: door, consent: true}"
    line = seen(told(drop + "\n  - {id: a2, t: 2d+5m, do: accept, by: RCP}"), 5)

    assert [segment.how for segment in line.segments] == ["origin", "accepted", "accepted"]
    assert [handoff.accept for handoff in line.handoffs] == ["a1", "a2"]


def test_back_with_the_sender_is_returned() -> None:
    line = seen(story("39b"), 7)

    assert line.state == "returned"
    assert [each.what for each in line.on_the_way] == ["refusal", "return"]


def test_stays_in_units_are_shown_with_how_they_ended() -> None:
    inside = """
  - {id: p1, t: 2d, do: pack, by: C1, unit: bag1}
  - {id: p2, t: 2.5d, do: pack, by: C1, parcel: bag1, unit: cage2}
  - {id: a2, t: 3d, do: accept, by: CR, unit: cage2}
  - {id: i1, t: 4d, do: inspect, by: CR, see: {O: ok@4}}"""
    compiled = told(inside)

    line, during = seen(compiled, 5), seen(compiled, 3.5)

    assert [(stay.depth, stay.ended, stay.ended_by) for stay in line.stays] == [(1, "seen", "i1"), (2, "seen", "i1")]
    assert [(stay.until, stay.ended) for stay in during.stays] == [(None, None), (None, None)]
    assert [(each.event, each.what, each.by) for each in line.units] == [("p2", "pack", "C1"), ("a2", "accept", "CR")]
    assert holders(line) == ["SENDER", "C1", "CR"]


def test_a_consignment_is_as_its_worst_piece() -> None:
    line = seen(story("42"), 4)

    assert line.state == "missing"
    assert [(piece.piece, piece.state, piece.holder) for piece in line.pieces] == [
        ("p1", "delivered", "RCP"),
        ("p2", "missing", "CR"),
    ]


def test_every_finding_about_a_piece_names_it() -> None:
    compiled = story("42")

    [verdict] = verdicts(evidence_of(compiled), at(compiled, 4))

    assert verdict.finding == Finding(FindingKind.LOSS, piece="p2")


def test_a_piece_packed_by_itself_goes_with_the_bag_and_the_others_do_not() -> None:
    packed = """
  - {id: s1, t: 1d+1h, do: scan, by: C1, pieces: [p1, p2], see: {P: ok@3}}
  - {id: p1, t: 2d, do: pack, by: C1, unit: bag1, pieces: [p1]}
  - {id: a2, t: 3d, do: accept, by: CR, unit: bag1}"""

    line = seen(told(packed), 5)

    assert [(piece.piece, piece.holder) for piece in line.pieces] == [("p1", "CR"), ("p2", "C1")]


def test_a_deadline_waits_for_each_piece() -> None:
    delivered = """
  - {id: s1, t: 1d+1h, do: scan, by: C1, pieces: [p1, p2], see: {P: ok@3}}
  - {id: a2, t: 2d, do: accept, by: RCP, pieces: [p1]}"""
    compiled = told(delivered, "promised: 72h\nsettings: {deemed_lost: 5d}")

    due = next_deadline(evidence_of(compiled), at(compiled, 3))
    lost = next_deadline(evidence_of(compiled), at(compiled, 5))

    assert due == (compiled.instant(timedelta(days=4)), "promised_time")
    assert lost == (compiled.instant(timedelta(days=9)), "deemed_lost")


@pytest.mark.parametrize(
    ("waits", "due_h"),
    [
        pytest.param([], 96, id="no wait"),
        pytest.param([(48, 6)], 102, id="one"),
        pytest.param([(48, 6), (50, 6)], 104, id="two that overlap"),
        pytest.param([(48, 6), (97, 4)], 106, id="one that began while the first still put it off"),
        pytest.param([(97, 4)], 96, id="one that began when it was late already"),
        pytest.param([(96, 4)], 100, id="one that began as it fell due"),
    ],
)
def test_excused_waits_put_off_the_moment_at_which_it_is_late(waits: list[tuple[int, int]], due_h: int) -> None:
    events = "".join(
        f"\n  - {{id: h{n}, t: {t}h, do: hold, by: C1, for: {length}h, because: customs}}"
        for n, (t, length) in enumerate(waits)
    )
    compiled = told(events, "promised: 72h")
    evidence = evidence_of(compiled)
    ground = lay(evidence, at(compiled, 200 / 24))
    due = compiled.instant(timedelta(hours=due_h))

    assert due_at(ground, ground.scene) == due
    assert assess(evidence, AsOf(max(due, ground.as_of.time)), Finding(FindingKind.DELAY)) is not None
    assert (next_deadline(evidence, AsOf(due - timedelta(seconds=1))) or (None, ""))[1] == "promised_time"

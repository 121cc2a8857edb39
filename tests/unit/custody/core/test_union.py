"""One answer for several findings (R35): everything that is said of any of them is said once, and no more surely."""

from datetime import timedelta

import pytest

from schemas.positions import AsOf
from schemas.vocabulary import Confidence, DamageMode, FindingKind, Outcome
from services.custody.core import journeys
from services.custody.core.attribution import judge, judge_all
from services.custody.core.case import Ground
from services.custody.core.ground import lay
from services.custody.core.rules.clocks import Trials
from services.custody.core.union import united
from services.custody.core.verdict import Finding, Verdict
from services.scenario.build import compile_story
from services.scenario.story import parse_story
from tests.golden.telling import source
from tests.scenarios.core import evidence_of

LOSS, SHORTAGE = Finding(FindingKind.LOSS), Finding(FindingKind.SHORTAGE)
CRUSHED = Finding(FindingKind.DAMAGE, damage=DamageMode.CRUSH)
WET = Finding(FindingKind.DAMAGE, damage=DamageMode.WET)


def ground_of(text: str, days: float = 100) -> Ground:
    compiled = compile_story(parse_story(text))
    as_of = AsOf(compiled.instant(timedelta(days=days)))
    parcel = compiled.story.events[0].fields.get("parcel")
    return lay(journeys.last(evidence_of(compiled, parcel), as_of), as_of)


def story(*events: str) -> Ground:
    parties = "{C1: {role: carrier, contracting: true}, LH: {role: carrier}, H2: {role: carrier}}"
    lines = "".join(f"  - {{{event}}}\n" for event in events)
    return ground_of(f"name: x\nparties: {parties}\nask: []\nevents:\n{lines}", days=30)


TOOK = "id: a1, t: 1d, do: accept, by: C1, from: SENDER, see: {O: ok@4, C: ok@5}"
WET_AT_LH = "id: a2, t: 2d, do: accept, by: LH, see: {O: bad@5}, damage: wet, countersigned_by: C1"
CRUSHED_AT_H2 = "id: a3, t: 3d, do: accept, by: H2, see: {O: bad@5}, damage: crush, countersigned_by: LH"


def test_two_sure_answers_that_name_two_are_together_as_unsure_as_can_be() -> None:
    found = united(ground := story(TOOK, WET_AT_LH, CRUSHED_AT_H2), [WET, CRUSHED])

    assert found is not None
    assert judged(ground, WET).confidence is Confidence.HIGH
    assert (found.outcome, found.confidence) == (Outcome.SHARED, Confidence.LOW)
    assert found.parts == (WET, CRUSHED)
    assert "R35" in found.rules
    assert found.doubt[-1].rule == "R35"


def test_where_both_name_the_same_one_it_stays_as_sure_as_the_less_sure() -> None:
    ground = story(
        TOOK,
        WET_AT_LH,
        "id: i2, t: 1.5d, do: inspect, by: C1, see: {O: bad@4}, damage: crush",
    )

    found = united(ground, [WET, CRUSHED])

    assert found is not None
    assert [(share.party, share.share) for share in found.liable] == [("C1", "1")]
    assert found.confidence is Confidence.HIGH
    assert found.outcome is Outcome.SEGMENT
    assert "R35" not in {doubt.rule for doubt in found.doubt}


A_BARE_WORD = "id: n1, t: 4d, do: notice, by: RCP, see: {O: bad@1}, damage: crush"


def test_where_one_of_them_names_nobody_the_other_is_told_with_little_certainty() -> None:
    ground = story(TOOK, WET_AT_LH, A_BARE_WORD)
    alone, nobodys = judged(ground, WET), judged(ground, CRUSHED)
    assert (alone.confidence, nobodys.outcome) == (Confidence.HIGH, Outcome.UNDETERMINED)

    found = united(ground, [WET, CRUSHED])

    assert found is not None
    assert (found.outcome, found.liable, found.confidence) == (alone.outcome, alone.liable, Confidence.LOW)


def test_where_none_of_them_names_anybody_the_whole_names_nobody() -> None:
    ground = story(
        "id: a1, t: 1d, do: accept, by: C1, from: SENDER",
        "id: n1, t: 4d, do: notice, by: RCP, see: {C: bad@3}, damage: wet",
        "id: n2, t: 5d, do: notice, by: RCP, see: {C: bad@3}, damage: crush",
    )
    parts = [Finding(FindingKind.CONCEALED, damage=mode) for mode in (DamageMode.WET, DamageMode.CRUSH)]

    found = united(ground, parts)

    assert found is not None
    assert (found.outcome, found.liable, found.confidence) == (Outcome.UNDETERMINED, (), Confidence.NONE)


def test_one_that_stands_is_answered_alone_and_none_is_none() -> None:
    ground = story(TOOK, WET_AT_LH)

    assert united(ground, [WET, CRUSHED]) == judged(ground, WET)
    assert united(ground, [WET, WET]) == judged(ground, WET)
    assert united(ground, [LOSS]) is None
    assert united(ground, []) is None


def test_the_piece_that_is_asked_about_is_named() -> None:
    pieces = ", pieces: [p1, p2]"
    ground = story(TOOK + pieces, WET_AT_LH + pieces, CRUSHED_AT_H2 + pieces)
    asked = [Finding(FindingKind.DAMAGE, damage=mode, piece="p2") for mode in (DamageMode.WET, DamageMode.CRUSH)]

    found = united(ground, asked)

    assert found is not None
    assert found.finding == Finding(FindingKind.DAMAGE, piece="p2")


def judged(ground: Ground, finding: Finding) -> Verdict:
    found = judge(ground, finding, Trials(ground))
    assert found is not None
    return found


# --- of whatever is told of several ----------------------------------------------------------------------------------


STORIES = (
    "05-another-seal-on-the-bag",
    "13-damaged-on-the-quay-nobody-signed",
    "27-a-dent-at-pick-up-is-not-the-breakage-at-the-door",
    "42b-signed-for-all-one-box-missing-later",
    "50-wet-at-the-port-crushed-on-the-lorry",
    "61-customs-opened-the-bag-twice",
    "77-dented-on-the-way-there-crushed-on-the-way-back",
    "88-three-blows-and-one-wreck",
    "12k-late-by-thirty-hours",
)


@pytest.mark.parametrize("name", STORIES)
def test_whatever_is_told_of_one_is_told_once_of_all(name: str) -> None:
    ground = ground_of(source(name).read_text(encoding="utf-8"))
    listed = [verdict.finding for verdict in judge_all(ground, later={})]
    found = [verdict for finding in [*listed, SHORTAGE] if (verdict := judge(ground, finding, Trials(ground)))]

    whole = united(ground, [verdict.finding for verdict in found])

    assert whole is not None
    if len({verdict.finding for verdict in found}) < 2:
        assert whole == found[0]
        return
    for field in ("flags", "zones", "excluded", "gaps", "external_debtors", "evidence", "notice_status"):
        told = [each for verdict in found for each in getattr(verdict, field)]
        assert sorted(map(repr, getattr(whole, field))) == sorted(set(map(repr, told))), field
    assert list(whole.exposure) == sorted({span for verdict in found for span in verdict.exposure})
    assert {party for verdict in found for party in verdict.proved} == set(whole.proved)
    assert {rule for verdict in found for rule in verdict.rules} | {"R35"} == set(whole.rules)
    assert {verdict.finding for verdict in found} == set(whole.parts)
    doubts = {doubt for verdict in found for doubt in verdict.doubt}
    assert doubts == {doubt for doubt in whole.doubt if doubt.rule != "R35"}
    assert (whole.L, whole.U, whole.last_seen_intact, whole.cause) == (None, None, None, None)
    for asked in (whole.footage, whole.missing_scans):
        assert [each.rank for each in asked] == sorted(each.rank for each in asked)
        assert {each.rank for each in asked} == set(range(1, len({each.rank for each in asked}) + 1))
    told_of = {(item.party, item.site, item.since) for verdict in found for item in verdict.footage}
    assert {(item.party, item.site, item.since) for item in whole.footage} == told_of

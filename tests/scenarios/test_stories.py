"""Every story through the pure core. Which ones pass is written down; a story that changes side breaks the build."""

from pathlib import Path

import pytest

from services.custody.core.rules import RULES
from services.scenario.story import Story, parse_story
from tests.scenarios.core import shortfalls

FOLDER = Path(__file__).parent

PASSING = frozenset(
    [
        "01-linehaul-looked-then-signed-for-crushed",
        "01b-release-recorded-90-seconds-late",
        "01c-release-recorded-ten-minutes-late",
        "02-linehaul-took-it-without-a-remark",
        "02b-subject-to-inspection-is-no-reservation",
        "02c-linehaul-could-not-look-in-the-dark",
        "03a-bad-at-the-hub-door-release-silent",
        "03b-bad-at-the-hub-door-release-says-sound",
        "03c-bad-at-the-hub-door-countersigned",
        "03d-giver-has-the-better-picture",
        "06-handed-out-never-taken",
        "06b-lost-parcel-turns-up-at-the-linehaul",
        "07-broken-inside-shown-on-unboxing-video",
        "07b-bare-statement-packaging-gone",
        "07c-nobody-looked-inside-at-pick-up",
        "08a-unboxing-video-ten-days-after-delivery",
        "08b-torn-carton-noticed-after-a-clean-receipt",
        "08c-second-hub-had-photographed-the-tear",
        "09c-a-blow-but-nothing-broken",
        "10b-bad-when-the-sender-handed-it-over",
        "11-signed-offline-inspection-arrives-late",
        "11b-late-inspection-sent-twice",
        "11c-typed-in-against-its-own-interest",
        "11d-linehaul-types-already-crushed-afterwards",
        "12-torn-carton-seen-at-the-door",
        "12k-late-by-thirty-hours",
        "13-damaged-on-the-quay-nobody-signed",
        "18-left-at-a-parcel-shop-without-asking",
        "18b-seven-days-run-from-the-real-pick-up",
        "19c-weak-box-that-anyone-could-see",
        "20-shares-by-unequal-freight",
        "20b-shares-by-heads",
        "20c-shares-by-contract-table",
        "21-last-carrier-presumed",
        "22-another-van-came-than-the-one-named",
        "23-one-signature-for-forty-parcels",
        "23b-list-signed-too-many-to-count",
        "25-camera-false-alarm",
        "25b-two-cameras-disagree",
        "25c-two-cameras-disagree-then-it-is-torn",
        "26-one-of-two-phones-missing",
        "27-a-dent-at-pick-up-is-not-the-breakage-at-the-door",
        "28-released-sound-five-hours-before",
        "28b-released-sound-one-hour-before",
        "28c-taker-has-the-better-picture",
        "29-only-cameras-looked",
        "30-last-scanned-by-one-who-never-signed",
        "31-nobody-looked-from-the-start",
        "34-one-leg-slow-but-on-time",
        "35-linehaul-looked-before-it-signed",
        "35b-linehaul-looked-before-it-signed-alone",
        "35c-gate-scan-before-signing",
        "36-hub-takes-its-own-report-back",
        "36b-slip-corrected-before-anyone-complained",
        "38-dock-survey-takes-nothing-over",
        "38b-joint-look-at-the-trailer-door",
        "39-crushed-on-the-way-back",
        "39b-sender-signed-for-the-return-without-a-remark",
        "39c-recipient-kept-it-a-day-and-sent-it-back",
        "40-refused-at-the-door-with-a-photo",
        "40b-refused-but-the-courier-photographed-it-sound",
        "41-dent-photographed-three-hours-after-the-locker",
        "41b-dent-reported-two-days-after-the-locker",
        "41d-station-run-by-the-courier-itself",
        "41e-left-at-the-door-as-asked",
        "41f-vanished-from-the-door-as-asked",
        "42-one-of-two-pieces-handed-over",
        "42b-signed-for-all-one-box-missing-later",
        "43-new-label-both-numbers-in-one-photo",
        "43b-found-without-a-label-and-given-a-new-one",
        "46-lost-then-found-crushed",
        "47-one-parcel-too-many-on-the-dock",
        "48-delivered-to-the-old-address",
        "48b-new-address-new-promise",
        "49-neighbour-signed-unasked",
        "49b-concierge-named-by-the-recipient",
        "50b-scratch-at-pick-up-wreck-at-the-hub",
        "53-takeover-typed-in-by-hand",
        "54-late-and-nobody-knows-when-it-changed-hands",
        "55-cut-seal-but-nothing-missing",
        "56-remark-one-hour-after-signing",
        "56b-remark-five-hours-after-signing",
        "57-reservation-about-the-seal-only",
        "58-silence-of-a-machine-under-a-strict-contract",
        "58b-partner-import-without-a-signature",
        "59-recipient-signed-that-it-was-too-dark-to-look",
    ]
)
"""Stories that the core answers as they expect."""

ANSWERED_OTHERWISE = {
    "04-short-weight-bag-seal-held": "R9a",
    "04b-bag-looked-through-three-days-later": "R9d",
    "05-another-seal-on-the-bag": "R9b",
    "09-logger-felt-one-blow": "R11",
    "09b-logger-silent-for-two-days": "R11",
    "10-no-cushioning-and-the-sender-signed-to-it": "R14b",
    "14-wet-carton-in-a-cage-with-a-good-seal": "R9c",
    "15-watch-gone-although-seen-when-the-bag-was-sealed": "R9g",
    "16-bag-sealed-without-writing-the-number-down": "R9e",
    "16b-numbered-tape-cut-on-the-box": "R9b",
    "16c-giver-photographed-the-tape-whole": "R9e",
    "17-customs-opened-the-bag-on-the-way": "R9f",
    "19-no-cushioning-and-one-hard-blow": "R14b",
    "19b-surveyor-finds-no-cushioning-inside": "R14b",
    "24-new-carton-without-a-look-inside": "R15",
    "24b-new-carton-contents-seen-whole": "R15",
    "32-opened-at-once-uploaded-days-later": "R9a",
    "33-logger-felt-nothing-at-all": "R11",
    "33b-one-leg-unseen-the-logger-decides": "R11",
    "37-bag-opened-without-a-record-broken-inside": "R9c",
    "41c-door-log-clears-the-locker": "R9a",
    "44-two-recipients-got-each-others-goods": "R29",
    "45-held-by-customs-and-back-with-a-cut-carton": "R30",
    "46b-found-crushed-by-the-police": "R31",
    "50-wet-at-the-port-crushed-on-the-lorry": "R35",
    "51-three-scales-on-the-way": "R12",
    "52-not-in-the-sealed-bag": "R9a",
}
"""Not yet: stories whose answer waits for a rule, and for which."""

AMOUNTS = frozenset(
    [
        "12a-amount-over-declared",
        "12b-amount-total-loss",
        "12c-amount-headline-computer",
        "12d-amount-uninsured-post",
        "12e-amount-uninsured-express",
        "12f-amount-gross-negligence",
        "12g-amount-under-declared",
        "12h-amount-cmr-25-kg",
        "12i-amount-montreal-2-4-kg",
        "12j-amount-hague-visby-one-package",
    ]
)
"""Not yet: claim amounts, which are no verdicts and belong to services/claims."""


def read(name: str) -> Story:
    return parse_story((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def test_every_story_is_listed_once() -> None:
    listed = [*PASSING, *ANSWERED_OTHERWISE, *AMOUNTS]

    assert sorted(listed) == sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", sorted(PASSING))
def test_the_core_answers_as_the_story_expects(name: str) -> None:
    assert shortfalls(read(name)) == []


@pytest.mark.parametrize("name", sorted(ANSWERED_OTHERWISE))
def test_what_a_missing_rule_must_judge_is_not_answered_by_chance(name: str) -> None:
    assert shortfalls(read(name)), "passes now: move it to PASSING"


def test_each_story_that_is_answered_otherwise_waits_for_a_rule_that_is_missing() -> None:
    there = {rule.id for rule in RULES if rule.implemented}
    waits_for = {name: _whole_rule(rule) for name, rule in ANSWERED_OTHERWISE.items()}

    assert {name: rule for name, rule in waits_for.items() if rule in there} == {}


def _whole_rule(part: str) -> str:
    """The rule that a part such as R13e belongs to."""
    return part.rstrip("abcdefgh")


@pytest.mark.parametrize("name", sorted(AMOUNTS))
def test_an_amount_story_is_read_and_asks_the_core_nothing(name: str) -> None:
    story = read(name)

    assert story.amounts
    assert not story.asks

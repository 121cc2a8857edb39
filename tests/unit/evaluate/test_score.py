"""Counting by hand: shares and their bands, rows, what became of HIGH, false alarms, targets met and not met."""

from typing import Any

import pytest

from schemas.vocabulary import FindingKind
from services.evaluate.report import table
from services.evaluate.score import LEVELS, Share, alarms, certain, kept, misses, row, rows, wilson
from services.evaluate.targets import with_noise, without_noise
from services.evaluate.trial import Alarm, Answer, Result


def answer(parcel: int = 1, **told: Any) -> Answer:
    usual: dict[str, Any] = {"confidence": "HIGH", "liable": ("B",), "proved": ("B",), "seed": 1, "reported": True}
    return Answer(parcel=f"sim:{parcel}", kind=FindingKind.DAMAGE, culprit="B", **usual | told)


@pytest.mark.parametrize(
    ("part", "whole", "band"),
    [  # computed by hand from Wilson's formula with z = 1.959964
        (0, 0, (0.0, 1.0)),
        (0, 10, (0.0, 0.2775)),
        (10, 10, (0.7225, 1.0)),
        (81, 263, (0.2553, 0.3662)),
    ],
)
def test_the_band_is_wilsons(part: int, whole: int, band: tuple[float, float]) -> None:
    assert wilson(part, whole) == pytest.approx(band, abs=5e-5)


def test_a_share_of_nothing_has_no_rate() -> None:
    assert Share(0, 0).rate is None


def test_among_counts_joint_answers_and_alone_does_not() -> None:
    counted = row("x", [answer(), answer(liable=("A", "B")), answer(liable=("A",)), answer(liable=(), proved=())])

    assert (counted.among, counted.exact, counted.named) == (Share(2, 3), Share(1, 3), 3)
    assert counted.inside == Share(3, 3), "a verdict without a bracket is not counted"


def test_the_window_is_compared_where_both_looks_are_there() -> None:
    counted = row(
        "x",
        [
            answer(seen_hours=2.0, possible_hours=2.0),
            answer(seen_hours=6.0, possible_hours=2.0),
            answer(possible_hours=2.0),
            answer(seen_hours=9.0),
        ],
    )

    assert (counted.windows, counted.lost_windows, counted.wider) == (3, 1, 1)
    assert counted.window_ratio == 2.0


def test_every_answer_is_in_one_row_and_in_the_total() -> None:
    counted = rows([answer(confidence=level) for level in LEVELS])

    assert [each.harmed for each in counted] == [1] * len(LEVELS) + [len(LEVELS)]


def test_the_habits_are_counted_over_all_harmed_parcels() -> None:
    counted = row(
        "x", [answer(last_carrier="B", first_bad="A"), answer(liable=(), last_carrier="A", first_bad="B"), answer()]
    )

    assert (counted.last_carrier, counted.first_bad) == (Share(1, 3), Share(1, 3))


def test_certainty_is_counted_where_it_is_owed() -> None:
    assert certain([answer(owed=True), answer(owed=True, confidence="LOW"), answer()]) == Share(1, 2)


def test_what_became_of_high_is_asked_parcel_by_parcel() -> None:
    honest = [answer(1), answer(2), answer(3), answer(4, confidence="LOW")]
    noisy = [
        answer(1, owed=True),
        answer(2, confidence="LOW", owed=True),
        answer(3, liable=("A",)),
        answer(4),
        answer(1, seed=2, confidence="LOW"),
    ]

    found = kept(honest, noisy)

    assert (found.high, found.still, found.still_on_record, found.still_right) == (
        3, Share(2, 3), Share(1, 2), Share(1, 2),
    )  # fmt: skip
    assert found.became == {"HIGH": 2, "LOW": 1}


def test_false_alarms_count_parcels_and_not_their_findings() -> None:
    def alarm(parcel: str, *liable: str) -> Alarm:
        return Alarm(
            seed=1, parcel=parcel, kind=FindingKind.DAMAGE, confidence="LOW", outcome="", liable=liable, rules=()
        )

    counted = alarms([Result(1, (), 10, (alarm("a", "X"), alarm("a"), alarm("b")), (alarm("c"),), 100)])

    assert (counted.with_verdict, counted.naming) == (Share(2, 10), Share(1, 10))
    assert counted.by_level == {"LOW": 3}
    assert counted.strays == {"LOW": 1}


def test_misses_are_told_by_the_presumption_that_made_them() -> None:
    wrong = answer(liable=("A",), confidence="MODERATE", rules=("R4", "R5", "R7a"))
    silent = answer(liable=("RCP",), confidence="MODERATE", rules=("R5", "R13a"))
    seen = answer(liable=("A",), rules=("R4", "R7c"))

    assert misses([wrong, wrong, silent, seen, answer(), answer(liable=())]) == [
        ("MODERATE", "R5", 2),
        ("MODERATE", "R13a", 1),
        ("HIGH", "direct evidence", 1),
    ]


def test_targets_without_noise_are_met_by_perfect_answers_and_by_no_others() -> None:
    perfect = answer(owed=True, seen_hours=1.0, possible_hours=1.0)

    def met(*answers: Answer) -> list[bool | None]:
        return [target.met for target in without_noise(answers)]

    assert met(perfect) == [True, True, True, True]
    assert met(perfect, answer(proved=("A",)))[0] is False
    assert met(perfect, answer(owed=True, confidence="LOW"))[1] is False
    assert met(perfect, answer(liable=("A",)))[2] is False
    assert met(perfect, answer(seen_hours=2.0, possible_hours=1.0))[3] is False
    assert met(perfect, answer(possible_hours=1.0))[3] is False
    assert met() == [None, None, None, None]


def test_targets_with_noise_have_floors() -> None:
    def met(right: int, wrong: int, moderate: int, mistaken: int, lost: int = 0) -> list[bool | None]:
        honest = [answer(n) for n in range(right + lost)]
        noisy = [answer(n, seed=1 + n % 2) for n in range(right)]
        noisy += [answer(10_000 + n, liable=("A",), seed=1 + n % 2) for n in range(wrong)]
        noisy += [answer(20_000 + n, confidence="MODERATE", seed=1 + n % 2) for n in range(moderate)]
        noisy += [answer(30_000 + n, confidence="MODERATE", liable=("A",), seed=1 + n % 2) for n in range(mistaken)]
        same_seed = [answer(n, confidence="HIGH" if n < right else "LOW") for n in range(right + lost)]
        return [target.met for target in with_noise(noisy, kept(honest, same_seed))]

    assert met(490, 10, 400, 100) == [True, True, True, True, True]
    assert met(480, 20, 400, 100)[1] is False
    assert met(490, 10, 390, 110)[3] is False
    assert met(490, 10, 300, 75)[0] is False
    assert met(90, 0, 80, 20, lost=10)[2] is True
    assert met(89, 0, 80, 20, lost=11)[2] is False


def test_a_level_that_means_something_else_on_other_seeds_is_told() -> None:
    good = [answer(n, seed=1) for n in range(100)]
    poor = [answer(n, seed=2, liable=("A",)) for n in range(100)]

    told = with_noise([*good, *poor], kept([], []))[-1]

    assert told.met is False
    assert "HIGH" in told.measured


def test_a_table_has_columns_as_wide_as_their_widest_cell() -> None:
    assert table(("a", "bb"), [("ccc", "")]) == ["  a    bb", "  ---  --", "  ccc"]

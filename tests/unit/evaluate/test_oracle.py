"""The oracle by hand: which looks bracket a harm, who held the parcel between them, and what that is good for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from schemas.vocabulary import Condition, Facet, FindingKind
from services.evaluate.oracle import owes_certainty, possible
from services.simulate.truth import Harm, Sight

START = datetime(2026, 7, 8, 12, tzinfo=UTC)
OK, BAD = Condition.OK, Condition.BAD


def sight(hour: float, segment: int, said: Condition, **told: Any) -> Sight:
    usual: dict[str, Any] = {"by": f"S{segment}", "act": "look", "facet": Facet.OUTER, "truly": said, "grade": 4}
    return Sight(at=START + timedelta(hours=hour), segment=segment, said=said, **usual | told)


def harm(*sights: Sight, kind: FindingKind = FindingKind.DAMAGE, **told: Any) -> Harm:
    usual: dict[str, Any] = {"parcel": "sim:1", "culprit": "S2", "segment": 2, "at": START + timedelta(hours=5)}
    return Harm(kind=kind, sights=sights, **usual | told)


def hours(it: Harm) -> float | None:
    return possible(it).hours


def test_the_window_lies_between_the_looks_closest_to_the_harm() -> None:
    found = harm(sight(1, 1, OK), sight(4, 2, OK), sight(6, 2, BAD), sight(9, 3, BAD))

    assert hours(found) == 2
    assert possible(found).is_one_segment


def test_what_was_written_down_wrong_is_on_the_wrong_side_of_the_harm_and_no_end() -> None:
    assert hours(harm(sight(1, 1, OK), sight(3, 2, BAD), sight(6, 2, OK), sight(9, 2, BAD))) == 8


@pytest.mark.parametrize("grade", [1, 2])
def test_a_look_below_direct_is_no_end(grade: int) -> None:
    assert hours(harm(sight(1, 2, OK), sight(4, 2, OK, grade=grade), sight(6, 2, BAD))) == 5


def test_another_facet_is_no_end() -> None:
    assert hours(harm(sight(1, 2, OK), sight(4, 2, OK, facet=Facet.PRESENCE), sight(6, 2, BAD))) == 5


def test_without_a_look_before_there_is_no_window() -> None:
    assert hours(harm(sight(6, 2, BAD))) is None
    assert hours(harm(sight(4, 2, OK))) is None


def test_bad_at_an_acceptance_lies_with_the_giver() -> None:
    told = harm(sight(4, 2, OK), sight(6, 3, BAD, act="accept", grade=5))

    assert possible(told).is_one_segment
    assert owes_certainty(told)


def test_sound_at_an_acceptance_lies_with_the_taker() -> None:
    assert possible(harm(sight(4, 2, OK, act="accept"), sight(6, 2, BAD))).is_one_segment
    assert not possible(harm(sight(4, 1, OK, act="release"), sight(6, 2, BAD))).is_one_segment


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("several custodians", harm(sight(4, 1, OK), sight(6, 2, BAD))),
        ("instruments alone", harm(sight(4, 2, OK, grade=3), sight(6, 2, BAD, grade=3))),
        ("the taker's word alone", harm(sight(4, 2, OK, grade=5), sight(6, 3, BAD, act="accept"))),
        ("a refusal alone", harm(sight(4, 2, OK, grade=5), sight(6, 2, BAD, act="refusal", grade=3))),
        ("nobody looked before", harm(sight(6, 2, BAD, grade=5))),
        (
            "a loss",
            harm(sight(4, 2, OK, facet=Facet.PRESENCE), sight(6, 2, BAD, facet=Facet.PRESENCE), kind=FindingKind.LOSS),
        ),
        (
            "the inside, shown after delivery",
            harm(
                sight(4, 2, OK, facet=Facet.CONTENTS),
                sight(6, 2, BAD, facet=Facet.CONTENTS, act="notice"),
                kind=FindingKind.CONCEALED,
            ),
        ),
    ],
)
def test_certainty_is_not_owed(why: str, told: Harm) -> None:
    assert not owes_certainty(told), why


def test_what_the_sender_signs_to_at_pick_up_is_certain_without_an_earlier_look() -> None:
    at_pick_up = sight(6, 1, BAD, act="accept", grade=5, signed=True)

    assert owes_certainty(harm(at_pick_up, segment=0, culprit="SENDER"))
    assert not owes_certainty(harm(sight(6, 1, BAD, act="accept", grade=5), segment=0, culprit="SENDER"))


def arrives(at: float, it: Sight, *, vouched: bool = False) -> Sight:
    return structs.replace(it, recorded=START + timedelta(hours=at), vouched=vouched)


def test_what_nothing_vouches_for_and_comes_after_the_first_report_does_not_clear_its_author() -> None:
    sound = sight(1, 1, OK)
    on_taking = sight(6, 3, BAD, act="accept", grade=5)
    reported = arrives(9, sight(9, 3, BAD))

    assert hours(harm(sound, arrives(10, on_taking), reported)) == 8
    assert hours(harm(sound, arrives(6, on_taking), reported)) == 5, "in time"
    assert hours(harm(sound, arrives(10, on_taking, vouched=True), reported)) == 5, "signed"
    assert hours(harm(sound, arrives(10, sight(6, 3, BAD)), reported)) == 5, "against its author"
    assert hours(harm(sound, arrives(10, on_taking))) == 5, "its own report is no dispute"


def shortage(*sights: Sight, **told: Any) -> Harm:
    return harm(*sights, kind=FindingKind.SHORTAGE, **told)


def test_a_weight_shows_something_only_beside_an_earlier_one() -> None:
    contents = sight(1, 1, OK, facet=Facet.CONTENTS)
    first, later = sight(4, 2, OK, facet=Facet.WEIGHT, grade=3), sight(6, 2, BAD, facet=Facet.WEIGHT, grade=3)
    shown = sight(8, 3, BAD, facet=Facet.CONTENTS)

    assert hours(shortage(contents, first, later, shown)) == 2
    assert hours(shortage(contents, later, shown)) == 7, "short of what?"
    assert hours(shortage(contents, first, shown)) == 7, "equal to what?"


def test_an_equal_weight_shows_something_only_beside_the_one_at_pick_up() -> None:
    contents = sight(1, 1, OK, facet=Facet.CONTENTS)
    at_pick_up = sight(1, 1, OK, facet=Facet.WEIGHT, grade=3, act="accept")
    at_a_hub, equal = sight(3, 2, OK, facet=Facet.WEIGHT, grade=3), sight(4, 2, OK, facet=Facet.WEIGHT, grade=3)
    shown = sight(8, 3, BAD, facet=Facet.CONTENTS)

    assert hours(shortage(contents, at_pick_up, equal, shown)) == 4
    assert hours(shortage(contents, at_a_hub, equal, shown)) == 7


def test_the_outside_speaks_for_a_shortage_where_it_was_opened_visibly() -> None:
    opened = sight(6, 2, BAD, tamper=True)

    assert hours(shortage(sight(4, 2, OK), opened)) == 2
    assert hours(shortage(sight(4, 2, OK), sight(6, 2, BAD, facet=Facet.CONTENTS))) is None


def seal(hour: float, segment: int, said: Condition, unit: str = "bag:A-1", **told: Any) -> Sight:
    return sight(hour, segment, said, facet=Facet.SEAL, unit=unit, **told)


CONTENTS = (sight(1, 1, OK, facet=Facet.CONTENTS), sight(9, 4, BAD, facet=Facet.CONTENTS))


def test_broken_seals_narrow_the_window_of_who_broke_them() -> None:
    assert hours(shortage(*CONTENTS, seal(4, 2, OK), seal(7, 3, BAD), broke_seals=True)) == 3
    assert hours(shortage(*CONTENTS, seal(4, 2, OK), seal(7, 3, BAD))) == 8, "whose seals held"


def test_a_broken_seal_alone_says_nothing_of_the_parcel() -> None:
    assert hours(shortage(seal(4, 2, OK), seal(7, 3, BAD), broke_seals=True)) is None


def test_of_a_bag_in_a_cage_the_bags_seal_counts_where_it_was_looked_at() -> None:
    cage = (seal(4, 2, OK, unit="cage:A-2"), seal(6, 3, BAD, unit="cage:A-2"))
    bag = (seal(2, 2, OK), seal(8, 3, BAD))

    assert hours(shortage(*CONTENTS, *cage, *bag, broke_seals=True)) == 6
    assert hours(shortage(*CONTENTS, *cage, broke_seals=True)) == 2


def test_under_a_seal_that_held_the_packers_own_scan_is_no_sight_of_what_is_lost() -> None:
    seen = [sight(hour, 2, OK, facet=Facet.PRESENCE, act=act) for hour, act in ((2, "scan"), (4, "pack"))]
    gone = sight(8, 3, BAD, facet=Facet.PRESENCE)

    assert hours(harm(*seen, gone, kind=FindingKind.LOSS)) == 4
    assert hours(harm(*seen, seal(4, 2, OK, act="seal"), gone, kind=FindingKind.LOSS)) == 4
    assert hours(harm(*seen, seal(4.5, 3, OK), gone, kind=FindingKind.LOSS)) == 6


def test_that_a_seal_was_put_on_is_no_look_at_it() -> None:
    put_on = seal(4, 2, OK, act="seal")

    assert not owes_certainty(shortage(*CONTENTS, put_on, seal(7, 2, BAD), broke_seals=True))
    assert owes_certainty(shortage(*CONTENTS, seal(4, 2, OK), seal(7, 2, BAD), broke_seals=True))

"""The comparison with the truth counts what it says it counts."""

from datetime import UTC, datetime

from schemas.vocabulary import FindingKind
from services.demo.client import Explanation, Finding, Share, Verdict
from services.demo.score import Row, score, score_lines
from services.simulate.truth import Harm


def harm(parcel: str, culprit: str, kind: FindingKind = FindingKind.DAMAGE, *, reported: bool = True) -> Harm:
    return Harm(parcel=parcel, kind=kind, culprit=culprit, at=datetime(2026, 7, 9, tzinfo=UTC), reported=reported)


def verdict(confidence: str, *liable: str, kind: str = "DAMAGE", rules: tuple[str, ...] = ()) -> Verdict:
    return Verdict(
        finding=Finding(kind),
        outcome="SEGMENT",
        confidence=confidence,
        explanation=Explanation("", ""),
        rules=rules,
        liable=tuple(Share(party, f"1/{len(liable)}") for party in liable),
    )


HARMS = (
    harm("p1", "A"),
    harm("p2", "A"),
    harm("p3", "B"),
    harm("p4", "B"),
    harm("p5", "B", FindingKind.LOSS),
    harm("p6", "C", reported=False),
)
VERDICTS = {
    "p1": (verdict("HIGH", "A"),),
    "p2": (verdict("MODERATE", "B", rules=("R5",)),),
    "p3": (verdict("LOW", "A", "B"),),
    "p4": (verdict("NONE"),),
    "p5": (verdict("MODERATE", "B", kind="DAMAGE"), verdict("MODERATE", "B", kind="LOSS")),
}


def test_match_and_coverage_are_counted_by_confidence() -> None:
    result = score(100, HARMS, VERDICTS, ["p1", "p2", "p3", "p4", "p5", "p77"])

    assert result.rows == {"HIGH": Row(1, 1, 1), "MODERATE": Row(2, 1, 1, 1), "LOW": Row(1, 1, 0), "NONE": Row(1, 0, 0)}
    assert (result.covered, result.harmed, result.reported) == (5, 6, 5)
    assert result.unharmed_with_verdict == 1


def test_a_verdict_of_another_kind_covers_nothing() -> None:
    result = score(1, (harm("p1", "A", FindingKind.LOSS),), {"p1": (verdict("HIGH", "A"),)}, [])

    assert result.covered == 0


def test_both_words_are_defined_where_they_are_used() -> None:
    text = "\n".join(score_lines(score(100, HARMS, VERDICTS, [])))

    assert "coverage: 5 (83 %) of the harmed, 5 (100 %) of those written down" in text
    assert "coverage: the share of" in text
    assert "match: of those" in text
    assert "not among the liable: 2, of these by a clean receipt (R5): 1" in text


def test_a_day_without_harm_is_told_without_dividing_by_nothing() -> None:
    assert "harmed parcels: 0 of 5" in "\n".join(score_lines(score(5, (), {}, [])))

"""Counting: answers laid beside the truth, by how sure they are. Arithmetic on values; decides nothing itself."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from schemas.vocabulary import Confidence
from services.evaluate.trial import NO_VERDICT, Alarm, Answer, Result

LEVELS = (
    *(level.value for level in reversed((Confidence.NONE, Confidence.LOW, Confidence.MODERATE, Confidence.HIGH))),
    NO_VERDICT,
)
ALL = "all"
Z = 1.959964
"""Two-sided 95 % of the normal distribution."""


class Share(Struct, frozen=True):
    """A part of a whole, and between what the true share lies with 95 % confidence (Wilson's interval)."""

    part: int
    whole: int

    @property
    def rate(self) -> float | None:
        """None where there is nothing to count."""
        return self.part / self.whole if self.whole else None

    @property
    def band(self) -> tuple[float, float]:
        """Wilson's interval: honest at few cases and near 0 and 1, where the usual one is not."""
        return wilson(self.part, self.whole)


class Row(Struct, frozen=True, kw_only=True):
    """The harmed parcels whose verdict is this sure."""

    level: str
    harmed: int
    inside: Share
    """Who did it is in `proved`; of the verdicts that have a bracket."""
    named: int
    """Verdicts that name somebody."""
    among: Share
    """Who did it is among the named; of the verdicts that name somebody."""
    exact: Share
    """Who did it is the only one named; of the same."""
    windows: int
    """Parcels with a look on both sides of the harm."""
    lost_windows: int
    """Of these, those in whose verdict one of the two looks is wanting."""
    wider: int
    """Of the others, those whose verdict looks at other looks than the closest."""
    seen_hours: float
    """Mean window between the looks that the verdict names, over windows that are not lost."""
    possible_hours: float
    """Mean of the smallest possible ones, over the same."""
    last_carrier: Share
    """The habit "last carrier pays" names who did it; of all these parcels."""
    first_bad: Share
    """The habit "first bad scan pays" does; of all these parcels."""

    @property
    def window_ratio(self) -> float | None:
        """How much wider the windows are than they need be; None where there are none."""
        return self.seen_hours / self.possible_hours if self.possible_hours else None


class Kept(Struct, frozen=True):
    """What HIGH without noise becomes with it."""

    high: int
    """HIGH without noise."""
    became: dict[str, int]
    """How sure the same parcels' answers are with noise."""
    still: Share
    still_on_record: Share
    """The same of those whose two looks are still on record and true with noise."""
    still_right: Share
    """Of those still HIGH, who did it is the only one named."""


class Alarms(Struct, frozen=True, kw_only=True):
    """Verdicts about harms that parcels did not come to."""

    sound: int
    with_verdict: Share
    naming: Share
    """Sound parcels with a verdict that names somebody."""
    by_level: dict[str, int]
    by_kind: dict[str, int]
    strays: dict[str, int]
    """Verdicts about a harm that a harmed parcel did not come to, by how sure they are."""


SAME_HOURS = 1 / 3600
"""Windows this close are one: device times are written in whole milliseconds."""


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share; everything is possible of nothing."""
    if not whole:
        return 0.0, 1.0
    rate, square = part / whole, Z * Z
    middle = (rate + square / (2 * whole)) / (1 + square / whole)
    half = Z / (1 + square / whole) * math.sqrt(rate * (1 - rate) / whole + square / (4 * whole * whole))
    return max(0.0, middle - half), min(1.0, middle + half)


def rows(answers: Sequence[Answer]) -> tuple[Row, ...]:
    """One row for each confidence, one for no verdict, one for all."""
    by_level = [(level, [answer for answer in answers if answer.confidence == level]) for level in LEVELS]
    return tuple(row(level, mine) for level, mine in (*by_level, (ALL, answers)))


def row(level: str, answers: Sequence[Answer]) -> Row:
    """Count some answers."""
    bracketed = [answer for answer in answers if answer.proved]
    named = [answer for answer in answers if answer.liable]
    closed = [answer for answer in answers if answer.possible_hours is not None]
    found = [
        (answer.seen_hours, answer.possible_hours)
        for answer in closed
        if answer.seen_hours is not None and answer.possible_hours is not None
    ]
    return Row(
        level=level,
        harmed=len(answers),
        inside=_share(bracketed, lambda answer: answer.culprit in answer.proved),
        named=len(named),
        among=_share(named, lambda answer: answer.is_among),
        exact=_share(named, lambda answer: answer.is_exact),
        windows=len(closed),
        lost_windows=len(closed) - len(found),
        wider=sum(map(is_wider, answers)),
        seen_hours=_mean([seen for seen, _ in found]),
        possible_hours=_mean([possible for _, possible in found]),
        last_carrier=_share(answers, lambda answer: answer.last_carrier == answer.culprit),
        first_bad=_share(answers, lambda answer: answer.first_bad == answer.culprit),
    )


def is_wider(answer: Answer) -> bool:
    """Whether the verdict looks at other looks than the closest around the harm."""
    if answer.seen_hours is None or answer.possible_hours is None:
        return False
    return abs(answer.seen_hours - answer.possible_hours) > SAME_HOURS


def certain(answers: Iterable[Answer]) -> Share:
    """HIGH, of the cases that direct evidence brackets to one custodian well enough."""
    owed = [answer for answer in answers if answer.owed]
    return _share(owed, lambda answer: answer.confidence == Confidence.HIGH)


def kept(honest: Iterable[Answer], noisy: Iterable[Answer]) -> Kept:
    """What became of the answers that were HIGH without noise. Both are of the same seeds."""
    with_noise = {(answer.seed, answer.parcel): answer for answer in noisy}
    pairs = [
        with_noise[answer.seed, answer.parcel]
        for answer in honest
        if answer.confidence == Confidence.HIGH and (answer.seed, answer.parcel) in with_noise
    ]
    still = [answer for answer in pairs if answer.confidence == Confidence.HIGH]
    return Kept(
        high=len(pairs),
        became=dict(Counter(answer.confidence for answer in pairs)),
        still=Share(len(still), len(pairs)),
        still_on_record=certain(pairs),
        still_right=_share(still, lambda answer: answer.is_exact),
    )


def alarms(results: Sequence[Result]) -> Alarms:
    """Count the verdicts about sound parcels, and those about harmed ones that are about no harm of theirs."""
    raised: list[Alarm] = [alarm for result in results for alarm in result.alarms]
    sound = sum(result.sound for result in results)
    return Alarms(
        sound=sound,
        with_verdict=Share(len({(alarm.seed, alarm.parcel) for alarm in raised}), sound),
        naming=Share(len({(alarm.seed, alarm.parcel) for alarm in raised if alarm.liable}), sound),
        by_level=dict(Counter(alarm.confidence for alarm in raised)),
        by_kind=dict(Counter(alarm.kind.value for alarm in raised)),
        strays=dict(Counter(stray.confidence for result in results for stray in result.strays)),
    )


def misses(answers: Iterable[Answer]) -> list[tuple[str, str, int]]:
    """How sure, by which presumption, how many: the answers that name somebody, but not who did it. Most first."""
    found = Counter(
        (answer.confidence, _because(answer)) for answer in answers if answer.liable and not answer.is_among
    )
    return [(level, rule, count) for (level, rule), count in found.most_common()]


# A presumption names somebody nobody saw do it. Where several spoke, the one nearest to naming is told.
_PRESUMING = ("R13a", "R13b", "R13c", "R26", "R9d", "R9g", "R9a", "R9b", "R5", "R10", "R8", "R17", "R36", "R18", "R7b")


def _because(answer: Answer) -> str:
    return next((rule for rule in _PRESUMING if rule in answer.rules), "direct evidence")


def _share(answers: Sequence[Answer], holds: Callable[[Answer], bool]) -> Share:
    return Share(sum(holds(answer) for answer in answers), len(answers))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0

"""What the answers should reach, beside what they reached."""

from collections.abc import Sequence

from msgspec import Struct

from schemas.vocabulary import Confidence
from services.evaluate.score import Kept, Share, certain, row, rows
from services.evaluate.trial import Answer

HIGH_RIGHT = 0.98
STILL_HIGH = 0.90
MODERATE_RIGHT = 0.80
HARMED_MIN = 1000
WINDOW_RATIO = 1.0
WINDOW_TOLERANCE = 0.005
"""1.00, as printed."""


class Target(Struct, frozen=True):
    """One of them."""

    name: str
    wanted: str
    measured: str
    met: bool | None
    """None: nothing to measure it by."""


def without_noise(answers: Sequence[Answer]) -> tuple[Target, ...]:
    """With observers who write down what there is to see."""
    total, high = row("all", answers), _level(answers, Confidence.HIGH)
    ratio = total.window_ratio
    window = (
        "no window"
        if ratio is None
        else f"{ratio:.3f}; {total.wider} wider, {total.lost_windows} lost, of {total.windows}"
    )
    return (
        _all("who did it is in `proved`", total.inside),
        _all("HIGH wherever direct evidence brackets to one", certain(answers)),
        _all("HIGH names who did it, alone", high),
        Target(
            "window against the smallest possible",
            "1.00",
            window,
            None if ratio is None else abs(ratio - WINDOW_RATIO) < WINDOW_TOLERANCE and not total.lost_windows,
        ),
    )


def with_noise(answers: Sequence[Answer], still: Kept) -> tuple[Target, ...]:
    """With wrong looks, missing scans and clocks that are off."""
    high, moderate = _level(answers, Confidence.HIGH), _level(answers, Confidence.MODERATE)
    return (
        Target("harmed parcels", f"{HARMED_MIN:,} or more", f"{len(answers):,}", len(answers) >= HARMED_MIN),
        _at_least("HIGH names who did it, alone", high, HIGH_RIGHT),
        _at_least("still HIGH, of those HIGH without noise", still.still, STILL_HIGH),
        _at_least("MODERATE names who did it, alone", moderate, MODERATE_RIGHT),
        _steady(answers),
    )


def _level(answers: Sequence[Answer], level: Confidence) -> Share:
    return next(each.exact for each in rows(answers) if each.level == level.value)


def _all(name: str, share: Share) -> Target:
    return _at_least(name, share, 1.0)


def _at_least(name: str, share: Share, floor: float) -> Target:
    wanted = "all" if floor == 1.0 else f"{100 * floor:.0f} % or more"
    return Target(name, wanted, told(share), None if share.rate is None else share.rate >= floor)


def _steady(answers: Sequence[Answer]) -> Target:
    """Whether a level means the same on seeds that its band was not made from: one half of the seeds tests the other.

    The two bands must overlap: each half is a sample with a band of its own.
    """
    seeds = sorted({answer.seed for answer in answers})
    first = set(seeds[: len(seeds) // 2])
    outside = []
    for level in (Confidence.HIGH, Confidence.MODERATE, Confidence.LOW):
        one = _rate([answer for answer in answers if answer.seed in first], level)
        other = _rate([answer for answer in answers if answer.seed not in first], level)
        if one.band[1] < other.band[0] or other.band[1] < one.band[0]:
            outside.append(f"{level.value}: {told(one)} against {told(other)}")
    enough = len(seeds) > 1
    measured = "; ".join(outside) or ("HIGH, MODERATE and LOW agree" if enough else "one seed has no halves")
    return Target("each level inside its band on other seeds", "all three", measured, not outside if enough else None)


def _rate(answers: Sequence[Answer], level: Confidence) -> Share:
    found = next(each for each in rows(answers) if each.level == level.value)
    return found.among if level is Confidence.LOW else found.exact


def told(share: Share) -> str:
    """A share with its band, as text."""
    if share.rate is None:
        return "none to count"
    low, high = share.band
    return f"{share.part} of {share.whole}, {100 * share.rate:.1f} % ({100 * low:.1f} to {100 * high:.1f})"

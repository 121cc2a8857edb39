"""The evaluation as text: tables that a terminal shows, with their words defined."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from services.evaluate.score import Alarms, Kept, Row, Share
from services.evaluate.targets import Target, told
from services.evaluate.trial import NO_VERDICT, Answer


class Measured(Struct, frozen=True, kw_only=True):
    """The same seeds once, with or without noise."""

    parcels: int
    events: int
    rows: tuple[Row, ...]
    certain: Share
    alarms: Alarms
    misses: list[tuple[str, str, int]]
    """How sure, by which rule, how many name somebody, but not who did it."""
    targets: tuple[Target, ...]
    wrong: tuple[Answer, ...]
    """The answers to look at one by one: they name another, leave out who did it, are less sure than they
    could be, or look at other looks than the closest."""


class Report(Struct, frozen=True, kw_only=True):
    """All of it; `--json` writes this."""

    seeds: int
    seed_from: int
    parcels_per_seed: int
    notices: float
    """How many takers who do not examine a parcel note harm that shows."""
    noise: dict[str, str]
    seconds: float
    workers: int
    honest: Measured
    noisy: Measured | None = None
    kept: Kept | None = None


WORDS = (
    "in proved: who did it is among the custodians between the last look that says sound and the first that says",
    "  harmed; of the verdicts that have such a bracket. among, alone: who did it is among those named, and is the",
    "  only one; of the verdicts that name somebody. In brackets: where the true share lies with 95 % confidence.",
    "window: mean hours between the two looks that the verdict names, against the smallest window that any two",
    "  direct looks on record leave; no presumption moves either.",
    "last carrier, first bad: how often the habits name who did it, over the same parcels: the last carrier to sign",
    "  for it pays; whoever hands over, or has at hand, what is first written down as bad pays.",
    f"NONE: nobody can be named. {NO_VERDICT}: no verdict stands, mostly because nobody wrote anything down.",
    "The simulated network is made up: nothing here is a figure of a real one.",
)


def lines(report: Report) -> Iterator[str]:
    """The whole report."""
    honest, noisy, still = report.honest, report.noisy, report.kept
    yield (
        f"{report.seeds} seeds from {report.seed_from}, {report.parcels_per_seed} parcels each; "
        f"{report.seconds:.0f} s with {report.workers} processes"
    )
    yield f"{100 * report.notices:g} % of the takers who do not examine a parcel note harm that shows"
    yield from _measured("Without noise", honest)
    if noisy is not None and still is not None:
        yield from _measured(
            "With noise: " + ", ".join(f"{name} {value}" for name, value in report.noise.items()), noisy
        )
        yield from _still(still)
    yield ""
    yield from WORDS
    for title, measured in (("Targets without noise", honest), ("Targets with noise", noisy)):
        if measured is not None:
            yield ""
            yield title
            yield from table(
                ("target", "wanted", "measured", ""),
                [(each.name, each.wanted, each.measured, _met(each.met)) for each in measured.targets],
            )


def _met(met: bool | None) -> str:
    return "not measured" if met is None else "met" if met else "NOT MET"


def _measured(title: str, measured: Measured) -> Iterator[str]:
    total = measured.rows[-1]
    yield ""
    yield title
    yield f"  {total.harmed:,} harmed parcels of {measured.parcels:,}, {measured.events:,} events"
    yield from table(
        (
            "how sure",
            "harmed",
            "in proved",
            "among",
            "alone",
            "window h",
            "possible",
            "ratio",
            "last carrier",
            "first bad",
        ),
        [_row(each, total.harmed) for each in measured.rows],
    )
    yield f"  somebody is named for {_plain(Share(total.named, total.harmed))} of the harmed"
    yield f"  HIGH, of the cases that direct looks bracket to one custodian: {told(measured.certain)}"
    if measured.misses:
        told_misses = ", ".join(f"{level} {count} by {rule}" for level, rule, count in measured.misses[:8])
        yield f"  names somebody, but not who did it: {told_misses}"
    yield from _alarms(measured.alarms)


def _row(row: Row, harmed: int) -> tuple[str, ...]:
    ratio = row.window_ratio
    return (
        row.level,
        _plain(Share(row.harmed, harmed)),
        _plain(row.inside),
        _banded(row.among),
        _banded(row.exact),
        f"{row.seen_hours:.2f}" if ratio is not None else "",
        f"{row.possible_hours:.2f}" if ratio is not None else "",
        f"{ratio:.3f}" if ratio is not None else "",
        _banded(row.last_carrier),
        _banded(row.first_bad),
    )


def _alarms(alarms: Alarms) -> Iterator[str]:
    yield f"  False alarms: of {alarms.sound:,} sound parcels, with a verdict {_banded(alarms.with_verdict)},"
    yield f"    naming somebody {_banded(alarms.naming)}"
    if alarms.by_level:
        levels = ", ".join(f"{level} {count}" for level, count in sorted(alarms.by_level.items()))
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(alarms.by_kind.items()))
        yield f"    how sure: {levels}; about: {kinds}"
    if alarms.strays:
        levels = ", ".join(f"{level} {count}" for level, count in sorted(alarms.strays.items()))
        yield f"    of harmed parcels, about another harm than theirs: {levels}"


def _still(still: Kept) -> Iterator[str]:
    became = ", ".join(f"{level} {count}" for level, count in sorted(still.became.items()))
    yield f"  The {still.high} that were HIGH without noise became: {became}"
    yield f"    still HIGH {told(still.still)}; of these who did it, alone: {told(still.still_right)}"
    yield f"    still HIGH of those whose two looks are still on record and true: {told(still.still_on_record)}"


def _plain(share: Share) -> str:
    return f"{share.part} ({100 * share.rate:.0f} %)" if share.rate is not None else f"{share.part}"


def _banded(share: Share) -> str:
    if share.rate is None:
        return ""
    low, high = share.band
    return f"{share.part} {100 * share.rate:.1f} % ({100 * low:.0f}-{100 * high:.0f})"


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table with a rule under its head, every column as wide as its widest cell."""
    widths = [max(len(each[column]) for each in (head, *body)) for column in range(len(head))]
    ruled = [head, ["-" * width for width in widths], *body]
    return [
        ("  " + "  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True))).rstrip()
        for each in ruled
    ]

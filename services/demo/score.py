"""How often the answers name whom the simulator knows to have done it. Arithmetic on values; decides nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.demo.client import Verdict
from services.demo.table import table
from services.simulate.truth import Harm

CONFIDENCES = ("HIGH", "MODERATE", "LOW", "NONE")

DEFINITIONS = (
    "coverage: the share of harmed parcels about which a verdict of the right kind stands (NONE says: undetermined).",
    "match: of those, whether the party that did it is among the liable, and whether it is the only one.",
    "Under R5 a taker who signs without a look answers for what others did: that follows the rules and is no match.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """Verdicts of one confidence."""

    verdicts: int
    among: int
    alone: int
    missed_by_clean_receipt: int = 0
    """Of those that are not among the liable: how many verdicts rest on R5."""


@dataclass(frozen=True, slots=True)
class Score:
    """A simulated day against its truth."""

    parcels: int
    harmed: int
    reported: int
    """Harms that at least one recorded event tells of."""
    rows: Mapping[str, Row]
    unharmed_with_verdict: int

    @property
    def covered(self) -> int:
        """Harmed parcels with a verdict."""
        return sum(row.verdicts for row in self.rows.values())


def score(
    parcels: int, harms: Sequence[Harm], verdicts: Mapping[str, Sequence[Verdict]], cases: Sequence[str]
) -> Score:
    """Compare. `verdicts` holds those of every harmed parcel, `cases` the simulated parcels on the worklist."""
    found: dict[str, list[tuple[Harm, Verdict]]] = {name: [] for name in CONFIDENCES}
    for harm in harms:
        verdict = next((v for v in verdicts.get(harm.parcel, ()) if v.finding.kind == harm.kind), None)
        if verdict is not None:
            found[verdict.confidence].append((harm, verdict))
    harmed = {harm.parcel for harm in harms}
    return Score(
        parcels=parcels,
        harmed=len(harms),
        reported=sum(harm.reported for harm in harms),
        rows={name: _row(pairs) for name, pairs in found.items()},
        unharmed_with_verdict=sum(subject not in harmed for subject in cases),
    )


def score_lines(result: Score) -> list[str]:
    """The comparison as text, its words defined."""
    rows = [
        (name, str(row.verdicts), _share(row.among, row.verdicts), _share(row.alone, row.verdicts))
        for name, row in result.rows.items()
    ]
    total = Row(
        result.covered,
        sum(row.among for row in result.rows.values()),
        sum(row.alone for row in result.rows.values()),
    )
    rows.append(("all", str(total.verdicts), _share(total.among, total.verdicts), _share(total.alone, total.verdicts)))
    missed = total.verdicts - total.among
    by_receipt = sum(row.missed_by_clean_receipt for row in result.rows.values())
    covered, told = _share(result.covered, result.harmed), _share(result.covered, result.reported)
    return [
        f"  harmed parcels: {result.harmed} of {result.parcels}; somebody wrote it down for {result.reported}",
        f"  coverage: {covered} of the harmed, {told} of those written down",
        f"  sound parcels with a verdict: {result.unharmed_with_verdict}",
        *table(("how sure", "verdicts", "who did it is among the liable", "and is the only one"), rows, "  "),
        f"  not among the liable: {missed}, of these by a clean receipt (R5): {by_receipt}",
        *(f"  {line}" for line in DEFINITIONS),
    ]


def _row(pairs: Sequence[tuple[Harm, Verdict]]) -> Row:
    liable = [
        (harm.culprit, [share.party for share in verdict.liable], "R5" in verdict.rules) for harm, verdict in pairs
    ]
    return Row(
        verdicts=len(pairs),
        among=sum(culprit in parties for culprit, parties, _ in liable),
        alone=sum(parties == [culprit] for culprit, parties, _ in liable),
        missed_by_clean_receipt=sum(presumed and culprit not in parties for culprit, parties, presumed in liable),
    )


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f} %)" if whole else str(part)

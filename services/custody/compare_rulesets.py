"""Says which open cases this build's rules would decide otherwise than those under which they are stored.

For a build that is to go live next, beside the one that runs: it reads the live database in one frozen view and writes
nothing. Each case is asked about at exactly the positions that its stored answer was computed at, so that only the
rules differ, not what was known or how late it is.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, select, text, tuple_

from schemas.errors import LastintactError
from schemas.positions import parse_positions
from schemas.readmodel import parcel_case
from services.custody import migrations
from services.custody.core import comparison
from services.custody.core.comparison import Differing, Kind
from services.custody.core.difference import Told
from services.custody.core.rules import rule
from services.custody.core.verdict import RULESET, Boundary, Verdict
from services.custody.evidence import load_many, read_positions
from services.custody.replay import Progress, Say
from services.edge.database import unavailable_when_lost

_CASES = 100
"""Cases whose evidence is in memory at once."""


class CannotCompare(LastintactError):
    """These two cannot be compared here; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """One open case that the two rulesets answer otherwise."""

    subject: str
    journey: int
    findings: tuple[Differing, ...]
    incidents_before: tuple[str, ...]
    incidents_now: tuple[str, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """In what it differs."""
        found = {kind.value for each in self.findings for kind in each.kinds}
        return frozenset(found | ({"incidents"} if self.incidents_before != self.incidents_now else set()))

    @property
    def is_decided_otherwise(self) -> bool:
        """Whether an answer is another, not only the rules that lead to it."""
        return self.kinds != {Kind.RULES.value}


@dataclass(slots=True)
class Summary:
    """What was looked at. `exit_code` for a command: 0 only when every case is decided as before."""

    old: str
    new: str
    cases: int = 0
    decided_otherwise: int = 0
    other_rules_only: int = 0
    """The same answer by other rules: no new version of it is made."""
    left_out: int = 0
    """Open cases that are stored under another ruleset than the old one, the new one included."""
    by_kind: Counter[str] = field(default_factory=Counter)
    """Cases that differ in this; one may differ in several."""

    @property
    def exit_code(self) -> int:
        """0 or 1."""
        return 1 if self.decided_otherwise else 0


def compare_rulesets(
    engine: Engine, old: str, new: str, tell: Callable[[CaseDifference], None], *, say: Say = lambda line: None
) -> Summary:
    """Compare every open case, telling each that differs as it is found. Raises `CannotCompare`, `Unavailable`."""
    frozen = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with unavailable_when_lost("comparing rulesets"), frozen.connect() as connection:
        summary = Summary(old, new)
        total = _check(connection, summary)
        progress = Progress(say, of="open cases")
        seen = 0
        for rows in _chunks(connection):
            seen += len(rows)
            for difference in _differences(connection, rows, summary):
                _count(summary, difference)
                tell(difference)
            progress(seen, total)
        connection.rollback()
    return summary


def _check(connection: Connection, summary: Summary) -> int:
    """Refuse what would compare something else than it says; how many open cases there are."""
    if summary.new != RULESET:
        raise CannotCompare(
            f"This build decides by {RULESET} and cannot say what {summary.new} would: "
            f"run the build that has {summary.new}, or compare with {RULESET}."
        )
    if summary.old == summary.new:
        raise CannotCompare(
            f"Old and new are both {RULESET}. `lastintact fsck` says whether what is stored is what this build answers."
        )
    if not migrations.is_current(connection):
        raise CannotCompare(
            "The database was migrated for another version than this build reads. "
            "Run `lastintact migrate` on a copy of it and compare there."
        )
    stored = _rulesets(connection)
    if summary.old not in stored:
        there = ", ".join(f"{name} ({count:,})" for name, count in sorted(stored.items()))
        raise CannotCompare(
            f"No open case is stored under {summary.old}. "
            + (f"Open cases are stored under: {there}." if there else "No open case has an answer at all.")
            + f" This build has {RULESET}."
        )
    return connection.execute(select(func.count()).select_from(parcel_case)).scalar_one()


def _rulesets(connection: Connection) -> Mapping[str, int]:
    """The rulesets that answers of open cases are stored under, with the number of cases."""
    rows = connection.execute(
        text("SELECT verdicts -> 0 ->> 'ruleset', count(*) FROM projection.parcel_case GROUP BY 1")
    )
    return {name: count for name, count in rows if name is not None}


def _chunks(connection: Connection) -> Iterator[Sequence[Any]]:
    """All cases in the order of their keys, so many at a time."""
    key = (parcel_case.c.subject, parcel_case.c.journey)
    query = select(*key, parcel_case.c.verdicts, parcel_case.c.incidents, parcel_case.c.positions).order_by(*key)
    rows = connection.execute(query.limit(_CASES)).all()
    while rows:
        yield rows
        after = query.where(tuple_(*key) > tuple_(*rows[-1][:2]))
        rows = connection.execute(after.limit(_CASES)).all()


def _differences(connection: Connection, rows: Sequence[Any], summary: Summary) -> Iterator[CaseDifference]:
    wanted = [row for row in rows if _ruleset(row) in (None, summary.old)]
    summary.left_out += len(rows) - len(wanted)
    summary.cases += len(wanted)
    bundles = load_many(connection, sorted({row.subject for row in wanted}), read_positions(connection))
    for row in wanted:
        try:
            now = comparison.answers(bundles[row.subject], row.journey, parse_positions(row.positions))
        except Exception as error:
            # A rule that fails on a case is what this is run for; it must be known which one it was.
            error.add_note(f"while {row.subject}, journey {row.journey}, was decided by {RULESET}")
            raise
        incidents = tuple(row.incidents)
        found = comparison.compare(_stored(row), now.verdicts)
        if found or incidents != now.incidents:
            yield CaseDifference(row.subject, row.journey, found, incidents, now.incidents)


def _ruleset(row: Any) -> str | None:
    """What the case was decided by; None where nothing stands. All its answers are written together."""
    found: str | None = row.verdicts[0]["ruleset"] if row.verdicts else None
    return found


def _stored(row: Any) -> tuple[Verdict, ...]:
    try:
        return tuple(msgspec.convert(verdict, Verdict) for verdict in row.verdicts)
    except msgspec.ValidationError as error:
        raise CannotCompare(
            f"The stored answer about {row.subject} has another form than this build knows: {error}."
        ) from error


def _count(summary: Summary, difference: CaseDifference) -> None:
    summary.by_kind.update(difference.kinds)
    if difference.is_decided_otherwise:
        summary.decided_otherwise += 1
    else:
        summary.other_rules_only += 1


# --- for a person, and for a program -------------------------------------------------------------------------------


def lines(difference: CaseDifference) -> Iterator[str]:
    """What differs, a finding a line, and below it the rules that speak now or no more."""
    place = f"{difference.subject} journey {difference.journey}"
    for each in difference.findings:
        head = f"{place} {each.finding}: {_answer(each.before)} -> {_answer(each.after)}"
        yield "; ".join([head, *_details(each)]) if each.is_new_version else f"{place} {each.finding}: same answer"
        for what, rules in (("speaks now", each.speaks_now), ("no more", each.silent_now)):
            if rules:
                yield f"    {what}: {', '.join(map(_named, rules))}"
    if difference.incidents_before != difference.incidents_now:
        yield f"{place} incidents: {_list(difference.incidents_before)} -> {_list(difference.incidents_now)}"


def summary_lines(summary: Summary) -> Iterator[str]:
    """How many, and in what."""
    yield (
        f"{summary.cases:,} open cases compared: {summary.decided_otherwise:,} are decided otherwise by {summary.new} "
        f"than by {summary.old}; {summary.other_rules_only:,} more have the same answer by other rules."
    )
    if summary.by_kind:
        yield "Cases by what differs: " + ", ".join(f"{kind} {count:,}" for kind, count in _sorted_kinds(summary)) + "."
    if summary.left_out:
        yield f"{summary.left_out:,} open cases are stored under another ruleset and were left out."
    yield "Parcels without an open case were not looked at. Nothing was written."


def json_lines(difference: CaseDifference) -> Iterator[str]:
    """The same for a program: one line."""
    yield _json(
        {
            "subject": difference.subject,
            "journey": difference.journey,
            "kinds": sorted(difference.kinds),
            "findings": [
                {
                    "finding": str(each.finding),
                    "kinds": [kind.value for kind in each.kinds],
                    "before": _told(each.before),
                    "now": _told(each.after),
                    "speaks_now": each.speaks_now,
                    "silent_now": each.silent_now,
                }
                for each in difference.findings
            ],
            "incidents_before": difference.incidents_before,
            "incidents_now": difference.incidents_now,
        }
    )


def json_summary(summary: Summary) -> Iterator[str]:
    """The same for a program: one line."""
    told: Mapping[str, Any] = msgspec.to_builtins(summary)
    yield _json({"summary": {**told, "by_kind": dict(_sorted_kinds(summary))}})


def _json(told: object) -> str:
    return msgspec.json.encode(told).decode()


def _sorted_kinds(summary: Summary) -> list[tuple[str, int]]:
    """The kinds of difference in the order in which they are defined."""
    order = [*(kind.value for kind in Kind), "incidents"]
    return sorted(summary.by_kind.items(), key=lambda each: order.index(each[0]))


def _told(verdict: Verdict | None) -> Mapping[str, Any] | None:
    if verdict is None:
        return None
    return {**Told.of(verdict)._asdict(), "flags": sorted(verdict.flags), "rules": verdict.rules}


def _answer(verdict: Verdict | None) -> str:
    if verdict is None:
        return "nothing stands"
    who = " ".join(f"{share.party} {share.share}" for share in verdict.liable)
    return " ".join(filter(None, [verdict.outcome.value, who, verdict.confidence.value]))


def _details(each: Differing) -> Iterator[str]:
    """What differs beside the answer itself."""
    before, now = each.before, each.after
    if before is None or now is None:
        return
    for name in ("L", "U"):
        if Kind(name) in each.kinds:
            yield f"{name}: {_edge(getattr(before, name))} -> {_edge(getattr(now, name))}"
    if Kind.PROVED in each.kinds:
        yield f"proved: {_list(before.proved)} -> {_list(now.proved)}"
    if Kind.FLAGS in each.kinds:
        signed = [f"+{flag}" for flag in now.flags if flag not in before.flags]
        signed += [f"-{flag}" for flag in before.flags if flag not in now.flags]
        yield f"flags: {' '.join(signed)}"


def _edge(edge: Boundary | None) -> str:
    if edge is None:
        return "none"
    told = [edge.event or edge.t.isoformat(), edge.how, edge.rule or "", f"@{edge.grade}" if edge.grade else ""]
    return " ".join(filter(None, told))


def _list(words: Sequence[str]) -> str:
    return " ".join(words) or "none"


def _named(rule_id: str) -> str:
    """With its name, where this build has such a rule."""
    try:
        return f"{rule_id} {rule(rule_id).name}"
    except KeyError:
        return rule_id

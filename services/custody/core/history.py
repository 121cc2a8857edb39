"""The history of the answers: what would have been said after each recorded event, and what made it change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct, structs

from schemas.positions import AsOf, Position
from schemas.vocabulary import FindingKind
from services.custody.core import concerns
from services.custody.core.attribution import Cases, in_words, judge, judge_all
from services.custody.core.case import Ground
from services.custody.core.cause import Cause
from services.custody.core.difference import Answered, differs, tell
from services.custody.core.facts import Evidence, Fact, Packing, Parked, Rival
from services.custody.core.ground import lay
from services.custody.core.idle import Standstill
from services.custody.core.instants import ENDLESS, later
from services.custody.core.rules import findings
from services.custody.core.verdict import Explanation, Finding, Replaces, Verdict


class Version(Struct, frozen=True, kw_only=True):
    """One answer about one finding, as it stood once an event had been recorded."""

    finding: Finding
    version: int
    record_time: datetime
    because: str | None
    """Id of the event that brought it on; None for a record that this version cannot read."""
    verdict: Verdict | None
    """None: the finding stood no more."""
    change: Explanation
    """What is different from the version before it, and what brought it on, in sentences."""


def history(evidence: Evidence, as_of: AsOf) -> tuple[Version, ...]:
    """Distinct verdicts over the events one by one in (effective record time, position) order, up to `as_of`.

    A new version comes when outcome, liable, confidence, L, U, proved or flags change, when a finding opens, and when
    it stands no more. `replaces` in each verdict names the version before it and the event that made the difference.
    """
    cases: Cases = {}

    def of_every_finding(ground: Ground) -> tuple[Verdict, ...]:
        return judge_all(ground, later=cases)

    return _told_over_time(evidence.known_at(as_of), of_every_finding, cases)


def numbered(evidence: Evidence, as_of: AsOf, verdict: Verdict) -> Verdict:
    """The same verdict with its version, and what it replaces, as its finding's history has it.

    Time alone may have changed the answer since the last event: then it is one version further, because of no event.
    """

    is_reported = verdict.finding in findings.reported(lay(evidence, as_of))

    def of_this_finding(ground: Ground) -> tuple[Verdict, ...]:
        if is_reported and verdict.finding not in findings.reported(ground):
            return ()  # nobody had told it apart yet: its history begins later
        found = judge(ground, verdict.finding, later={})
        return (found,) if found is not None else ()

    versions = _told_over_time(evidence.known_at(as_of), of_this_finding)
    return after(versions[-1], verdict) if versions else verdict


def after(last: Version, verdict: Verdict) -> Verdict:
    """The verdict with the number that it has where this was the last version that a record brought on."""
    if last.verdict is not None and not differs(last.verdict, verdict):
        return structs.replace(verdict, version=last.version, replaces=last.verdict.replaces)
    return structs.replace(verdict, version=last.version + 1, replaces=Replaces(last.version, None))


class Moment(NamedTuple):
    """A record that could have changed the answer."""

    record_time: datetime
    position: Position
    record: "Record"
    own: Fact | None
    """The fact, where it is about the subject itself: others bear on everything."""

    @property
    def because(self) -> str | None:
        """Its event's id; None where this version cannot read it."""
        return self.record.id if isinstance(self.record, Fact) else None


Record = Fact | Packing | Rival | Parked


class Answers:
    """The answers about a subject as its records come in, each in its turn: `after` is asked in order of recording.

    `since`: everything known at that moment was there first, and only what it does not know comes in.
    """

    def __init__(
        self, known: Evidence, ask: Callable[[Ground], tuple[Verdict, ...]], since: AsOf | None = None
    ) -> None:
        self._known = known
        self._ask = ask
        self._since = since
        self._quiet_until = _quiet_until(known)
        self._disputed = frozenset(rival.identity for rival in known.rivals)
        self._still: Standstill | None = None

    def after(self, moment: Moment) -> tuple[Ground, Mapping[Finding, Verdict]] | None:
        """What stood once this had been recorded; None where it cannot differ from what stood before it."""
        now = moment.record_time if self._since is None else max(moment.record_time, self._since.time)
        if now < self._quiet_until:
            return None
        if self._still is not None and moment.own is not None and self._still.goes_on(moment.own):
            return None
        ground = lay(_up_to(self._known, moment, self._since), AsOf(now))
        standing = {verdict.finding: verdict for verdict in self._ask(ground)}
        self._still = Standstill(ground, standing, self._disputed)
        return ground, standing

    def cause(self, moment: Moment, finding: Finding, verdict: Verdict | None, ground: Ground) -> Cause:
        """What changed the answer about a finding: the record, or time alone, which had done so before it came in."""
        if finding.kind in _BY_TIME:
            now = ground.as_of
            without = judge(lay(_up_to(self._known, moment, self._since, itself=False), now), finding, later={})
            if not differs(without, verdict):
                return Cause(None, moment.record_time, ground)
        return Cause(moment.record, moment.record_time, ground)


_BY_TIME = (FindingKind.LOSS, FindingKind.DELAY)
"""Findings that time alone opens (R10, R22)."""


def _told_over_time(
    known: Evidence, ask: Callable[[Ground], tuple[Verdict, ...]], cases: Cases | None = None
) -> tuple[Version, ...]:
    """Ask after every record that may matter, and keep what was new.

    `cases`: where `ask` puts those of the moment; only what is kept is put into words.
    """
    told: list[Version] = []
    latest: dict[Finding, Version] = {}
    answers = Answers(known, ask)
    for moment in moments(known):
        answered = answers.after(moment)
        if answered is None:
            continue
        ground, standing = answered
        for finding in dict.fromkeys((*latest, *standing)):
            verdict = standing.get(finding)
            if not differs(_verdict(latest.get(finding)), verdict):
                continue
            if cases is not None and verdict is not None:
                verdict = in_words(verdict, cases[finding])
            cause = answers.cause(moment, finding, verdict, ground)
            version = next_version(latest.get(finding), finding, verdict, moment.because, cause)
            latest[finding] = version
            told.append(version)
    return tuple(told)


def next_version(
    last: Version | None, finding: Finding, verdict: Verdict | None, because: str | None, cause: Cause
) -> Version:
    """The version that a record brought on; the answer must differ."""
    number = last.version + 1 if last is not None else 1
    if verdict is not None:
        replaces = Replaces(last.version, because) if last is not None else None
        verdict = structs.replace(verdict, version=number, replaces=replaces)
    until_then = Answered(finding, _verdict(last), again=last is not None)
    return Version(
        finding=finding,
        version=number,
        record_time=cause.record_time,
        because=because,
        verdict=verdict,
        change=tell(until_then, verdict, cause),
    )


def _verdict(version: Version | None) -> Verdict | None:
    return version.verdict if version is not None else None


def moments(known: Evidence) -> list[Moment]:
    """Every record that could have changed the answer, in the order of recording."""
    others: list[Record] = [*known.unit_facts, *known.neighbours, *known.rivals, *known.parked]
    for linked in known.linked:
        others += [moment.record for moment in moments(linked)]
    found = {record.position: Moment(record.record_time, record.position, record, None) for record in others}
    found |= {fact.position: Moment(fact.record_time, fact.position, fact, fact) for fact in known.facts}
    found |= {fact.position: Moment(fact.record_time, fact.position, fact, None) for fact in known.registry}
    return sorted(found.values(), key=lambda moment: moment[:2])


def _quiet_until(known: Evidence) -> datetime:
    """Before this nothing can stand: nobody had reported anything (R0), and no deadline can have passed (R10, R22).

    A lower bound, so that asking at every earlier moment, which is most of them, can be left out.
    """
    facts = (*known.facts, *known.unit_facts)
    trouble = [fact.record_time for fact in facts if concerns.reports(fact.data) or concerns.weighs(fact.data)]
    earliest = min((fact.t for fact in facts), default=None)
    if earliest is not None:
        waits = [
            hours
            for fact in (*facts, *known.registry)
            for hours in (
                getattr(fact.data, "promised_after_hours", None),
                getattr(fact.data, "deemed_lost_hours", None),
            )
            if hours is not None
        ]
        trouble += [later(earliest, timedelta(hours=hours)) for hours in waits]
        trouble += [due for fact in facts if (due := getattr(fact.data, "promised_at", None)) is not None]
    return min(trouble, default=ENDLESS)


def _up_to(known: Evidence, moment: Moment, since: AsOf | None, *, itself: bool = True) -> Evidence:
    """The evidence up to one record, with all that was known before by another account, and with the record itself."""
    last = (moment.record_time, moment.position)

    def is_there(record: Record) -> bool:
        place = (record.record_time, record.position)
        return place < last or (itself and place == last) or (since is not None and since.knows(*place))

    return replace(
        known,
        facts=tuple(filter(is_there, known.facts)),
        unit_facts=tuple(filter(is_there, known.unit_facts)),
        neighbours=tuple(filter(is_there, known.neighbours)),
        registry=tuple(filter(is_there, known.registry)),
        rivals=tuple(filter(is_there, known.rivals)),
        parked=tuple(filter(is_there, known.parked)),
        linked=tuple(_up_to(linked, moment, since, itself=itself) for linked in known.linked),
    )

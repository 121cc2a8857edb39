"""What changed between two moments: each change of an answer in the order in which it happened, with its reason."""

from datetime import datetime

from msgspec import Struct

from schemas.positions import AsOf
from schemas.vocabulary import Confidence, Outcome
from services.custody.core.attribution import judge_all
from services.custody.core.case import Ground
from services.custody.core.cause import Cause
from services.custody.core.difference import Answered, differs, tell
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.history import Answers, Version, after, history, moments, next_version
from services.custody.core.verdict import Explanation, Finding, Share, Verdict


class Head(Struct, frozen=True, kw_only=True):
    """An answer in one line."""

    outcome: Outcome
    liable: tuple[Share, ...]
    confidence: Confidence


class Change(Struct, frozen=True, kw_only=True):
    """One answer that gave way to another."""

    finding: Finding
    record_time: datetime
    """When what brought it on was recorded; where that is time alone, the moment asked about."""
    version_before: int | None
    """None: it had never stood."""
    version_after: int | None
    """None: it stood by time alone, of which the history keeps no version, and stands no more."""
    before: Head | None
    """None: it did not stand."""
    after: Head | None
    because: str | None
    """Id of the event that brought it on; None for time alone, and for a record that this version cannot read."""
    what: Explanation


def changes(evidence: Evidence, since: AsOf, until: AsOf) -> tuple[Change, ...]:
    """What a reader who knows the answers of one moment has to be told at another, in the order in which it happened.

    Taken together they lead from every answer that stood at `since` to every one that stands at `until`. They are the
    versions of `history` that records between the two brought on, and at the end what time alone did. `until` must know
    all that `since` does, and be no earlier. A record that only the later position vector covers counts as come in
    after everything that the earlier one covers, whatever its record time: that is when the reader learns of it.
    """
    return _Telling(evidence.known_at(until), since).tell(until)


def _judge_all(ground: Ground) -> tuple[Verdict, ...]:
    return judge_all(ground, later={})


class _Telling:
    """The answers as the reader knows them, moved along from one moment to the other."""

    def __init__(self, known: Evidence, since: AsOf) -> None:
        self._known = known
        self._since = since
        self._latest: dict[Finding, Version] = {version.finding: version for version in history(known, since)}
        standing = judge_all(lay(known, since), later={})
        self._shown = {verdict.finding: self._numbered(verdict) for verdict in standing}
        self._told = {finding: version.version for finding, version in self._latest.items()}
        self._told |= {finding: verdict.version for finding, verdict in self._shown.items()}
        """The number of the last version that the reader knows of, also of findings that stand no more."""
        self._changes: list[Change] = []

    def tell(self, until: AsOf) -> tuple[Change, ...]:
        """Every change up to the later moment."""
        answers = Answers(self._known, _judge_all, since=self._since)
        for moment in moments(self._known):
            if self._since.knows(moment.record_time, moment.position):
                continue
            answered = answers.after(moment)
            if answered is None:
                continue
            ground, standing = answered
            for finding in dict.fromkeys((*self._latest, *self._shown, *standing)):
                verdict = standing.get(finding)
                last, shown = self._latest.get(finding), self._shown.get(finding)
                news = differs(last.verdict if last is not None else None, verdict)
                if not news and not differs(shown, verdict):
                    continue
                cause = answers.cause(moment, finding, verdict, ground)
                if news:
                    self._latest[finding] = next_version(last, finding, verdict, moment.because, cause)
                self._show(finding, verdict, cause, moment.because)
        ground = lay(self._known, until)
        at_last = {verdict.finding: verdict for verdict in judge_all(ground, later={})}
        for finding in dict.fromkeys((*self._shown, *at_last)):
            self._show(finding, at_last.get(finding), Cause(None, until.time, ground), None)
        return tuple(self._changes)

    def _numbered(self, verdict: Verdict) -> Verdict:
        last = self._latest.get(verdict.finding)
        return verdict if last is None else after(last, verdict)

    def _show(self, finding: Finding, verdict: Verdict | None, cause: Cause, because: str | None) -> None:
        """Tell the reader what stands now, if that is news."""
        before = self._shown.get(finding)
        last = self._latest.get(finding)
        now = self._numbered(verdict) if verdict is not None else None
        ended = last.version if last is not None and last.verdict is None else None
        if differs(before, now):
            self._changes.append(
                Change(
                    finding=finding,
                    record_time=cause.record_time,
                    version_before=self._told.get(finding),
                    version_after=now.version if now is not None else ended,
                    before=_head(before),
                    after=_head(now),
                    because=because,
                    what=tell(Answered(finding, before, again=finding in self._told), now, cause),
                )
            )
        if now is not None:
            self._shown[finding], self._told[finding] = now, now.version
        elif self._shown.pop(finding, None) is not None and ended is not None:
            self._told[finding] = ended


def _head(verdict: Verdict | None) -> Head | None:
    if verdict is None:
        return None
    return Head(outcome=verdict.outcome, liable=verdict.liable, confidence=verdict.confidence)

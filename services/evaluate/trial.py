"""One seed: a simulated day told to the pure core in memory, and each answer laid beside the truth."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, structs

from schemas.events import HandoffAccepted, NoticeGiven, Scan
from schemas.positions import AsOf
from schemas.vocabulary import Condition, Defect, FindingKind, PartyRole
from services.custody.core.attribution import assess, verdicts
from services.custody.core.facts import Evidence, Fact
from services.custody.core.verdict import Finding, Verdict
from services.evaluate.gather import record
from services.evaluate.oracle import owes_certainty, possible
from services.simulate.day import generate
from services.simulate.habits import Habits
from services.simulate.network import Network
from services.simulate.noise import Noise
from services.simulate.truth import Harm

END = datetime(2026, 7, 9, 12, 0, tzinfo=UTC)
"""When every simulated day ends: an evaluation reads no clock."""
ASKED_AFTER = timedelta(days=1)
"""By then everything has been uploaded, and no promised time has gone by."""
NO_VERDICT = "-"


class Answer(Struct, frozen=True, kw_only=True):
    """One harmed parcel: the truth, what the core says, and what the two habits say."""

    seed: int
    parcel: str
    kind: FindingKind
    culprit: str
    reported: bool
    """Whether anybody wrote down that something is wrong."""
    confidence: str
    """Of the verdict; `-` where none stands."""
    outcome: str = ""
    liable: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    seen_hours: float | None = None
    """From the last direct look that found it sound to the first that found it harmed, as the verdict names them."""
    stated_hours: float | None = None
    """From L to U, where presumptions have moved them."""
    possible_hours: float | None = None
    """The smallest window that direct evidence allows."""
    owed: bool = False
    """Whether direct evidence brackets the harm to one custodian well enough for HIGH."""
    last_carrier: str | None = None
    first_bad: str | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the one who did it is named, and nobody else."""
        return self.liable == (self.culprit,)

    @property
    def is_among(self) -> bool:
        """Whether the one who did it is among those named."""
        return self.culprit in self.liable


class Alarm(Struct, frozen=True, kw_only=True):
    """A verdict about a harm that the parcel did not come to."""

    seed: int
    parcel: str
    kind: FindingKind
    confidence: str
    outcome: str
    liable: tuple[str, ...]
    rules: tuple[str, ...]


class Result(Struct, frozen=True):
    """One seed."""

    seed: int
    answers: tuple[Answer, ...]
    sound: int
    """Parcels that came to no harm."""
    alarms: tuple[Alarm, ...]
    """About parcels that came to no harm."""
    strays: tuple[Alarm, ...]
    """About parcels that came to another harm."""
    events: int


def run_seed(seed: int, parcels: int, habits: Habits, noise: Noise) -> Result:
    """Simulate a day, ask about every parcel, and compare. Equal arguments give equal results."""
    day = generate(seed, parcels, END, habits, noise)
    recorded = record(day)
    as_of = AsOf(END + ASKED_AFTER)
    harms = {harm.parcel: harm for harm in day.harms}
    answers: list[Answer] = []
    alarms: list[Alarm] = []
    strays: list[Alarm] = []
    for parcel in day.parcels:
        evidence = recorded.evidence(parcel)
        found = verdicts(evidence, as_of)
        harm = harms.get(parcel)
        if harm is None:
            alarms += [_alarm(seed, parcel, verdict) for verdict in found]
            continue
        asked = _about(harm, found) or assess(evidence, as_of, Finding(harm.kind, damage=harm.damage))
        answers.append(compare(seed, harm, evidence, asked, day.network))
        strays += [_alarm(seed, parcel, verdict) for verdict in found if not _fits(harm, verdict)]
    return Result(seed, tuple(answers), len(day.parcels) - len(harms), tuple(alarms), tuple(strays), len(day.envelopes))


def compare(seed: int, harm: Harm, evidence: Evidence, verdict: Verdict | None, network: Network) -> Answer:
    """Lay the answer about one harmed parcel beside the truth."""
    facts = (*evidence.facts, *evidence.unit_facts)
    answer = Answer(
        seed=seed,
        parcel=harm.parcel,
        kind=harm.kind,
        culprit=harm.culprit,
        reported=harm.reported,
        confidence=NO_VERDICT,
        possible_hours=possible(harm).hours,
        owed=owes_certainty(harm),
        last_carrier=last_carrier(facts, network),
        first_bad=first_bad(facts),
    )
    return answer if verdict is None else _with(answer, verdict, facts)


def _about(harm: Harm, found: Sequence[Verdict]) -> Verdict | None:
    """The verdict about this harm among those that stand by themselves. None: a clerk would ask for one by its kind."""
    alike = [verdict for verdict in found if verdict.finding.kind is harm.kind]
    named = [verdict for verdict in alike if verdict.finding.damage == harm.damage]
    return next(iter(named or [verdict for verdict in alike if verdict.finding.damage is None]), None)


def _fits(harm: Harm, verdict: Verdict) -> bool:
    """Whether the verdict may be about this harm: one may be reported as several findings."""
    finding = verdict.finding
    return finding.kind in (harm.kind, *_SHOWS_AS.get(harm.kind, ())) and finding.damage in (None, harm.damage)


_SHOWS_AS = {FindingKind.SHORTAGE: (FindingKind.CONCEALED, FindingKind.DAMAGE)}
"""As what a harm may be reported, too: an opened carton, contents that are not as they were."""


def _with(answer: Answer, verdict: Verdict, facts: Sequence[Fact]) -> Answer:
    times = {fact.id: fact.t for fact in facts}
    seen_from = verdict.last_seen_intact.t if verdict.last_seen_intact is not None else None
    seen_until = times.get(verdict.U.event) if verdict.U is not None and verdict.U.event is not None else None
    if verdict.L is not None and verdict.L.how == "seal":
        seen_from = verdict.L.t
    stated = (verdict.U.t - verdict.L.t) if verdict.U is not None and verdict.L is not None else None
    seen = (seen_until - seen_from) if seen_until is not None and seen_from is not None else None
    return structs.replace(
        answer,
        confidence=verdict.confidence.value,
        outcome=verdict.outcome.value,
        liable=tuple(share.party for share in verdict.liable),
        proved=verdict.proved,
        alternatives=verdict.open_alternatives,
        rules=verdict.rules,
        flags=verdict.flags,
        seen_hours=_hours(seen),
        stated_hours=_hours(stated),
    )


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds() / 3600


def last_carrier(facts: Sequence[Fact], network: Network) -> str | None:
    """The habit "last carrier pays": whoever of the carriers signed for it last."""
    taken = [
        (fact.t, fact.data.taker)
        for fact in facts
        if isinstance(fact.data, HandoffAccepted) and network.parties[fact.data.taker].role is PartyRole.CARRIER
    ]
    return max(taken, default=(None, None))[1]


def first_bad(facts: Sequence[Fact]) -> str | None:
    """The habit "first bad scan pays": who hands it over where the taker says bad, else who has it at hand then."""
    told = [(fact.t, fact.id, party) for fact in facts if (party := _accused(fact)) is not None]
    return min(told, default=(None, "", None))[2]


def _accused(fact: Fact) -> str | None:
    data = fact.data
    if not isinstance(data, (Scan, NoticeGiven)):
        return None
    bad = any(seen.value is Condition.BAD for seen in data.observations)
    if isinstance(data, HandoffAccepted):
        noted = data.reservation is not None and data.reservation.grounds in _DEFECTS
        return data.giver if bad or noted else None
    if not bad:
        return None
    party = getattr(data, "party", None) or getattr(data, "giver", None)
    return party if isinstance(party, str) else None


_DEFECTS = frozenset(defect.value for defect in Defect)


def _alarm(seed: int, parcel: str, verdict: Verdict) -> Alarm:
    return Alarm(
        seed=seed,
        parcel=parcel,
        kind=verdict.finding.kind,
        confidence=verdict.confidence.value,
        outcome=verdict.outcome.value,
        liable=tuple(share.party for share in verdict.liable),
        rules=verdict.rules,
    )

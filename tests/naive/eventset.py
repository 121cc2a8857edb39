"""R18: what of the records counts: what was known, what its author took back, what came too late from whom."""

from collections.abc import Callable, Sequence
from datetime import datetime

from schemas.events import EventCorrected, HandoffAccepted, NoticeGiven
from schemas.vocabulary import Condition, Facet
from tests.naive.custody import Custody
from tests.naive.facts import Act, Look, Question, Recorded
from tests.naive.grades import CLAIMANTS, is_unsigned, other_side
from tests.naive.terms import Registry

Opens = Callable[[Act], datetime | None]
"""When the dispute opened for an act: the record time of the finding's first other direct bad or notice."""


def known(records: Sequence[Recorded], question: Question) -> list[Recorded]:
    """R18: a verdict is a function of the events recorded by then; an event sent twice is one event."""
    found: list[Recorded] = []
    names = set()
    for record in sorted(records, key=lambda each: (each.record_time, each.position)):
        name = (record.envelope.source, record.envelope.id)
        if question.as_of.knows(record.record_time, record.position) and name not in names:
            names.add(name)
            found.append(record)
    return found


def is_admission(
    act: Act,
    facet: Facet,
    value: Condition,
    custody: Custody,
    registry: Registry,
    t: datetime,
    *,
    disputed: bool = False,
) -> bool:
    """R18: a bad dated strictly inside the recorder's own custody, or an ok at or before its takeover."""
    if isinstance(act.data, NoticeGiven) or registry.role(act.by) in CLAIMANTS:
        return False
    own = [each for each in custody.segments if registry.same(each.party, act.by)]
    if disputed and not isinstance(act.data, HandoffAccepted):
        # After the dispute opened nobody admits to a takeover that only this entry itself implies.
        own = [each for each in own if each.act is not act]
    if not own:
        return False
    if value is Condition.BAD:
        return any((each.start is None or each.start < t) and (each.end is None or t < each.end) for each in own)
    return value is Condition.OK and own[0].start is not None and t <= own[0].start


def is_in_chain(party: str, custody: Custody, registry: Registry) -> bool:
    """Only a party of the chain has something to gain."""
    return any(registry.same(each.party, party) for each in custody.segments)


def serves_itself(act: Act, custody: Custody, registry: Registry, opened: datetime | None) -> bool:
    """R18: unsigned words of a party of the chain, recorded after the dispute opened, save a claimant's notice."""
    if opened is None or act.recorded <= opened or not is_in_chain(act.by, custody, registry):
        return False
    if isinstance(act.data, NoticeGiven):
        return registry.role(act.by) not in CLAIMANTS
    return is_unsigned(act, registry)


def taken_back(
    acts: Sequence[Act],
    looks: Sequence[Look],
    custody: Custody,
    registry: Registry,
    opens: Opens,
) -> set[str]:
    """R18: only the author retracts; an admission or ACCEPT after the dispute only if the other side signs to it."""
    gone: set[str] = set()
    corrections = [act for act in acts if isinstance(act.data, EventCorrected)]
    for correction in sorted(corrections, key=lambda each: (each.recorded, each.record.position), reverse=True):
        if correction.id in gone:
            continue
        assert isinstance(correction.data, EventCorrected)
        for target in acts:
            if target.id != correction.data.corrects or not registry.same(target.by, correction.by):
                continue
            admits = any(
                look.act.id == target.id and is_admission(target, look.facet, look.value, custody, registry, look.t)
                for look in looks
            )
            bound = admits or isinstance(target.data, HandoffAccepted)
            opened = opens(target)
            late = opened is not None and correction.recorded > opened
            if not (bound and late) or other_side(correction, registry):
                gone.add(target.id)
    return gone

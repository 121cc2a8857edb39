"""R18: what of the records counts: what was known, what its author took back, what came too late from whom."""

from collections.abc import Callable, Sequence
from datetime import datetime

from schemas.events import EventCorrected, HandoffAccepted, NoticeGiven
from schemas.vocabulary import Condition, Facet
from tests.naive.custody import Custody
from tests.naive.facts import Act, Look, Question, Recorded
from tests.naive.grades import CLAIMANTS, is_unsigned, other_side
from tests.naive.terms import Registry

Opens = Callable[[Act, set[str]], datetime | None]
"""When the dispute opened for an act, as long as some are gone: the first other direct bad or notice on record."""


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
) -> bool:
    """R18: a bad dated strictly inside the recorder's own custody, or an ok at or before its takeover."""
    if isinstance(act.data, NoticeGiven) or registry.role(act.by) in CLAIMANTS:
        return False
    own = [each for each in custody.segments if registry.same(each.party, act.by)]
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
    corrections.sort(key=lambda each: (each.recorded, each.record.position))
    for correction in reversed(corrections):
        if correction.id not in gone:
            gone |= {target.id for target in _targets(correction, corrections, registry)}
    for correction in corrections:
        if correction.id in gone:
            continue
        for target in _targets(correction, [act for act in acts if act not in corrections], registry):
            mine = [look for look in looks if look.act.id == target.id and not look.reference]
            said = [(look.facet, look.value, look.t) for look in mine]
            said += [(seen.facet, seen.value, target.t) for seen in target.observations if seen.facet is Facet.SEAL]
            admits = any(is_admission(target, facet, value, custody, registry, t) for facet, value, t in said)
            bound = admits or isinstance(target.data, HandoffAccepted)
            opened = opens(target, gone)
            late = opened is not None and correction.recorded > opened
            if not (bound and late) or other_side(correction, registry):
                gone.add(target.id)
    return gone


def _targets(correction: Act, acts: Sequence[Act], registry: Registry) -> list[Act]:
    """What an author takes back of its own."""
    assert isinstance(correction.data, EventCorrected)
    return [act for act in acts if act.id == correction.data.corrects and registry.same(act.by, correction.by)]

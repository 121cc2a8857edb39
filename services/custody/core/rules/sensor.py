"""Step 12: what a logger felt. R11 sensor: no proof of damage, but of where damage that fits can have happened."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.events import ConditionObserved
from schemas.vocabulary import RECIPIENT, SENDER, Confidence, DamageMode, FindingKind, Outcome
from services.custody.core.case import Case
from services.custody.core.condition import says_bad
from services.custody.core.grades import DIRECT
from services.custody.core.instants import earlier, later
from services.custody.core.rules.authority import held
from services.custody.core.rules.rule import Rule
from services.custody.core.spans import Span, outside, union

R11 = Rule(
    id="R11",
    name="sensor",
    en=(
        "A logger never shows damage by itself. Given damage that fits, it keeps the legs in which it felt a "
        "blow or was silent; if it covered everything and felt nothing, the place cannot be told."
    ),
    zh="传感器记录本身不证明损坏；损坏成因相符时，仅保留记录到冲击或记录中断的区段；全程覆盖而无冲击的，无法定位。",
    source="Seoul Central District Court (shock watch)",
)
RULES = (R11,)


class Memory(NamedTuple):
    """What the loggers inside the item have in their memories."""

    covered: list[Span]
    blows: list[datetime]


def narrowed(case: Case) -> bool:
    """R11: of the candidates those remain in whose hands a blow was felt or nothing was measured. Never ends."""
    memory = memory_of(case)
    if memory is None:
        return False
    kept = [party for party in case.candidates if _may_have(party, memory, case)]
    if len(kept) < len(case.candidates):
        case.candidates = kept
        case.fire("R11", Confidence.MODERATE)
    return False


def excluded(case: Case) -> bool:
    """R11 after R14b: the loggers were on all the way and felt nothing, so that nobody can be named."""
    if case.candidates or memory_of(case) is None:
        return False
    case.flag("MECHANISM_EXCLUDED")
    case.alternatives += [party for party in (SENDER, RECIPIENT) if party not in case.alternatives]
    return case.end(Outcome.UNDETERMINED)


def is_by_force(case: Case) -> bool:
    """Whether the harm is of a sort that a blow explains; a mechanism that nobody named may be any."""
    if case.finding.kind not in (FindingKind.DAMAGE, FindingKind.CONCEALED):
        return False
    end = case.U.act if case.U is not None else None
    seen = [look.damage for look in end.looks if says_bad(look, case.finding)] if end is not None else []
    named = {mode for mode in (case.finding.damage, *seen) if mode is not None}
    return not named or bool(named & {DamageMode.IMPACT, DamageMode.BREAKAGE})


def memory_of(case: Case) -> Memory | None:
    """What loggers inside the item say of harm that fits; None where there is none, or the harm does not fit."""
    if not is_by_force(case):
        return None
    read_out = [
        data.logger
        for act in case.scene.acts
        if type(data := act.fact.data) is ConditionObserved
        and data.logger is not None
        and data.logger.inside
        and act.unit is None
        and act.standing.ceiling >= DIRECT
    ]
    if not read_out:
        return None
    covered = union((cover.since, cover.until) for logger in read_out for cover in logger.armed)
    return Memory(covered, sorted(blow.t for logger in read_out for blow in logger.exceedances))


def felt_in(memory: Memory, spans: Sequence[Span], case: Case) -> bool:
    """Whether a blow was felt in these times; at their very ends both sides are kept, as far as clocks may differ."""
    skew = case.policy.clock_skew
    return any(earlier(since, skew) <= blow <= later(until, skew) for blow in memory.blows for since, until in spans)


def _may_have(party: str, memory: Memory, case: Case) -> bool:
    spans = held(party, case)
    return felt_in(memory, spans, case) or any(outside(memory.covered, *span) for span in spans)

"""The flags that say something of the bracket, whichever rule ended it."""

from datetime import datetime

from schemas.events import HandoffReleased, ItemScanned, NoticeGiven, ParcelRelabelled
from schemas.vocabulary import CaptureMode, FindingKind
from tests.naive.bracket import Bracket
from tests.naive.case import Case
from tests.naive.eventset import is_admission
from tests.naive.facts import Look
from tests.naive.grades import is_typed_in, is_unsigned
from tests.naive.looks import weight_agrees
from tests.naive.loss import r31_paid, r31_was_lost
from tests.naive.sharing import Candidates


def note_flags(case: Case, bracket: Bracket, found: Candidates) -> None:
    """CLOCK_SKEW, WRONG_TAKER, ADMISSION, UNSIGNED, OVERAGE, IDENTITY_UNPROVED, PAID_LOSS."""
    low, high = bracket.l_t, bracket.u_t
    if high is None:
        return
    for taking, giver in case.custody.takings:
        if not _inside(taking.t, low, high):
            continue
        late = [
            act
            for act in case.acts
            if isinstance(act.data, HandoffReleased)
            and act.by == giver
            and act.data.taker in (None, taking.by)
            and case.settings.clock_skew < act.t - taking.t <= case.settings.handoff_window
        ]
        if late:
            case.flags.add("CLOCK_SKEW")
        if taking in case.custody.wrong:
            case.flags.add("WRONG_TAKER")
    for look in (bracket.u, bracket.l, bracket.witness):
        if isinstance(look, Look) and not isinstance(look.act.data, NoticeGiven):
            _note_worth(case, look)
    for act in case.acts:
        if isinstance(act.data, ItemScanned) and act.data.overage and _inside(act.t, low, high):
            case.flags.add("OVERAGE")
        if isinstance(act.data, ParcelRelabelled) and not act.data.both_seen and _inside(act.t, low, high):
            case.flags.add("IDENTITY_UNPROVED")
    weighed = bracket.u if bracket.u_how != "seal" else None
    by_mass = case.kind in (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT)
    if by_mass and weighed is not None and weight_agrees(weighed, case.looks, case.settings, case.paper.content_grams):
        case.flags.add("WEIGHT_AGREES")
    if r31_was_lost(case) and r31_paid(case):
        case.flags.add("PAID_LOSS")


def _inside(t: datetime, low: datetime | None, high: datetime) -> bool:
    return (low is None or low <= t) and t <= high


def _note_worth(case: Case, look: Look) -> None:
    if not is_unsigned(look.act, case.registry):
        return
    entry = is_typed_in(look.act, case.registry, case.settings)
    if entry and is_admission(look.act, look.facet, look.value, case.custody, case.registry, look.t):
        case.flags.add("ADMISSION")
    elif not entry and look.act.mode is not CaptureMode.IMPORT:
        case.flags.add("UNSIGNED")

"""The order of the rules' table, steps 4 to 13: one question, one answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from schemas.vocabulary import RECIPIENT, SENDER, Condition, FindingKind, Outcome, Regime
from tests.naive import bracket as ends
from tests.naive import loss, sealed
from tests.naive.bracket import ACCESS, Bracket
from tests.naive.case import Case, build
from tests.naive.delay import r22_delay
from tests.naive.facts import Act, Answer, End, Look, Question, Recorded
from tests.naive.flagging import note_flags
from tests.naive.looks import speaks
from tests.naive.sensor import r11_narrowed, r14b_packaging
from tests.naive.sharing import (
    Candidates,
    candidates,
    named_givers,
    proved,
    r20_shares,
    r21_confidence,
    r29_swapped,
    touching_zones,
)


def answer(records: Sequence[Recorded], question: Question) -> Answer | None:
    """The verdict that stands on a question; None: none does."""
    case = build(records, question)
    if case.kind is FindingKind.DELAY:
        if loss.r31_was_lost(case):
            case.flags.add("FOUND")
        return r22_delay(case)
    if not ends.r0_opens(case):
        return None
    if case.kind is FindingKind.LOSS:
        return _loss(case)
    return _bracketed(case)


def _loss(case: Case) -> Answer | None:
    """R10: the last holder who cannot show onward acceptance or delivery answers."""
    case.looks = [look for look in case.looks if not (loss.says_lost(look) and loss.r31_found(case, look.t))]
    instant = loss.r10_instant(case)
    if instant is not None and loss.r31_found(case, instant):
        instant = None
    if instant is None and not case.bads(least=1):
        return None
    bracket = ends.r3_first_bad(case)
    if bracket is None and instant is None:
        return None if loss.r31_found(case, _first_report(case)) else _undetermined(case, None, "R3")
    if bracket is None or (instant is not None and bracket.u_t is not None and instant < bracket.u_t):
        assert instant is not None
        bracket = Bracket(None, instant, "R10")
    assert bracket.u_t is not None
    _loss_start(case, bracket)
    case.rules.add("R10")
    if bracket.u is not None and loss.lost_from(case, bracket.u_t, bracket.u):
        sealed_answer = _sealed(case, bracket, proved(case, bracket))
        if sealed_answer is not None:
            return sealed_answer
    holder = case.custody.holder_at(bracket.u_t)
    found = Candidates([holder])
    return _end(case, bracket, found, {holder: Fraction(1)}, proved(case, bracket))


def _first_report(case: Case) -> datetime:
    return min(look.t for look in case.bads(least=1))


def _loss_start(case: Case, bracket: Bracket) -> None:
    if bracket.u is not None:
        ends.r4_last_ok(case, bracket)
        return
    assert bracket.u_t is not None
    from_units = loss.lost_from(case, bracket.u_t, bracket.u)
    for ok in case.looks:
        said = ok.direct and speaks(ok, case.question) is Condition.OK
        if said and ok.t < bracket.u_t and not any(ok.act is stay.packed for stay in from_units):
            bracket.l, bracket.l_t, bracket.l_grade = ok, ok.t, ok.grade
            bracket.witness = ok


def _bracketed(case: Case) -> Answer:
    """Steps 6 to 13 for everything but loss and delay."""
    bracket = ends.r3_first_bad(case)
    if bracket is None:
        return _undetermined(case, None, "R3")
    assert bracket.u is not None
    hidden = ends.is_hidden(case, bracket.u)
    ends.r15_repacked_unseen(case, bracket)
    too_late = ends.r13b_relates_back(case, bracket)
    who = ends.r7_boundary(case, bracket)
    kept = (bracket.l, bracket.l_t, bracket.l_grade) if who == "taker" else None
    bracket.l = bracket.l_t = None
    ends.r4_last_ok(case, bracket)
    within = proved(case, bracket)
    if bracket.contradicted:
        case.rules.add("R17-stands")
        case.flags.add("CONTRADICTION")
    ended = _step_9(case, bracket, too_late, who, kept, within, hidden=hidden)
    if ended is not None:
        return ended
    bracket.u_t = sealed.at_opening(case, bracket)
    if not hidden or bracket.u_how == "R15":
        presumed = _presume(case, bracket)
        if not presumed and (case.kind is FindingKind.DAMAGE or bracket.u_how == "R15"):
            return _undetermined(case, bracket, "R16", within)
    if case.kind in ACCESS:
        sealed_answer = _sealed(case, bracket, within)
        if sealed_answer is not None:
            return sealed_answer
    return _among(case, bracket, [(bracket.l_t, bracket.u_t)], within, sealed_unit=False)


def _presume(case: Case, bracket: Bracket) -> bool:
    """Whether there is an L, once R5 and R9d have moved it as far as they do."""
    ends.r5_clean_receipt(case, bracket)
    ends.r9d_late_look(case, bracket)
    return bracket.l is not None


def _step_9(
    case: Case,
    bracket: Bracket,
    too_late: str | None,
    who: str | None,
    kept: tuple[Look | Act | None, datetime | None, int] | None,
    within: frozenset[str],
    *,
    hidden: bool,
) -> Answer | None:
    """R13c, R14a, R7b where RELEASE wins or ties, R16 for want of L: each ends the reasoning."""
    one = Fraction(1)
    if too_late is not None:
        assert bracket.delivery is not None
        delivery = bracket.delivery
        bracket.l, bracket.l_t, bracket.l_how, bracket.l_grade = delivery.act, delivery.t, "R13c", 2
        return _end(case, bracket, Candidates([delivery.taker]), {delivery.taker: one}, within)
    if ends.r14a_sender(case, bracket):
        case.rules.add("R14a")
        return _end(case, bracket, Candidates([SENDER]), {SENDER: one}, within, cause="pre_existing")
    assert bracket.u is not None
    if who == "nobody":
        return _undetermined(case, bracket, "R25", within)
    if who == "taker":
        assert kept is not None
        bracket.l, bracket.l_t, bracket.l_grade = kept
        bracket.l_how = "direct"
        return _end(case, bracket, Candidates([bracket.u.act.by]), {bracket.u.act.by: one}, within)
    if who == "both":
        giver = case.custody.holder_before(bracket.u.act)
        both = {giver: Fraction(1, 2), bracket.u.act.by: Fraction(1, 2)}
        return _end(case, bracket, Candidates(list(both)), both, within)
    if bracket.l is None and case.kind is not FindingKind.DAMAGE and bracket.u_how != "R15":
        return _undetermined(case, bracket, "R16", within)
    return None


def _sealed(case: Case, bracket: Bracket, within: frozenset[str]) -> Answer | None:
    """Step 11: R9b, else R9a, R9e, R9f; R9g when no window is left."""
    assert bracket.u_t is not None
    broken = _broken(case, bracket, within)
    if broken is not None:
        return broken
    closed = [each for each, _ in sealed.r9_intervals(case)]
    high = sealed.at_opening(case, bracket)
    # Of a loss without L since it left the sender: who took it over says by that that it was there.
    low = case.taken_over if case.kind is FindingKind.LOSS and bracket.l_t is None else bracket.l_t
    windows = sealed.subtract(low, high, closed)
    if not closed or windows == [(low, high)]:
        return None
    case.rules.add("R9a")
    if sealed.r9f_authority(case, bracket.l_t, high):
        case.flags.add("AUTHORITY_OPENING")
        case.rules.add("R9f")
    if not windows:
        case.rules.add("R9g")
        case.flags.add("RESIDUAL")
        who = sealed.opener(case, bracket)
        return _end(case, bracket, Candidates([who]), {who: Fraction(1)}, within)
    return _among(case, bracket, windows, within, sealed_unit=True)


def _broken(case: Case, bracket: Bracket, within: frozenset[str]) -> Answer | None:
    """R9b: the breach window dominates; R5 and R9d lapse, `proved` stays. R7 for the pair of seals."""
    assert bracket.u_t is not None
    low = bracket.witness.t if bracket.witness is not None else None
    high = sealed.at_opening(case, bracket)
    windows: list[sealed.Window] = []
    breaches = []
    for breach in sealed.r9b_breaches(case):
        since, until = max(breach.start.t, low or breach.start.t), min(breach.end.t, high)
        others = [each for each, chain in sealed.r9_intervals(case) if chain != breach.chain]
        left = sealed.subtract(since, until, others) if since < until else []
        if left:
            breaches.append(breach)
            windows += left
    if not breaches:
        return None
    who = sealed.r7_seal_pair(case, breaches[0])
    if who is not None and who.startswith("R7"):
        case.rules.add(who)
    first = min(breaches, key=lambda each: each.start.t).start
    last = max(breaches, key=lambda each: each.end.t).end
    case.rules -= {"R5", "R9d", "R13a", "R13b", "R26", "R7a", "R7a<5", "R7b", "R7c", "R25"} - {who}
    if who in ("both", "taker"):
        return _seals_disagree(case, bracket, breaches[0], who, within)
    case.rules.add("R9b")
    if low is None or first.t >= low:
        bracket.l, bracket.l_t, bracket.l_how, bracket.l_grade = first.act, first.t, "seal", first.grade
    else:
        assert bracket.witness is not None
        bracket.l, bracket.l_t, bracket.l_how = bracket.witness, low, "direct"
        bracket.l_grade = bracket.witness.grade
    ends_here = last.t <= high
    if ends_here:
        bracket.u_t, bracket.u_how = last.t, "seal"
    bracket.delivery = None
    if (bracket.l is first.act and first.admitted) or (ends_here and last.admitted):
        case.flags.add("ADMISSION")
    return _among(case, bracket, windows, within, sealed_unit=True, u_act=last if ends_here else None)


def _seals_disagree(case: Case, bracket: Bracket, breach: sealed.Breach, who: str, within: frozenset[str]) -> Answer:
    """R7b about a seal: the better look answers for the other side, equal ones halve it."""
    case.rules.add("R7b")
    case.flags.add("CONTRADICTION")
    giver, taker = case.custody.holder_before(breach.end.act), breach.end.act.by
    parties = [giver, taker] if who == "both" else [taker]
    if who == "taker":
        bracket.l, bracket.l_t, bracket.l_how = breach.start.act, breach.start.t, "direct"
        bracket.l_grade = breach.start.grade
    shares = {party: Fraction(1, len(parties)) for party in parties}
    return _end(case, bracket, Candidates(parties), shares, within)


def _among(
    case: Case,
    bracket: Bracket,
    windows: Sequence[tuple[datetime | None, datetime | None]],
    within: frozenset[str],
    *,
    sealed_unit: bool,
    u_act: sealed.Mark | None = None,
) -> Answer:
    """Steps 12 and 13: R8, R29, R30, R11; R14b; R20."""
    found = candidates(case, bracket, windows)
    r29_swapped(case, bracket, found)
    narrowed = r11_narrowed(case, bracket, found)
    packaging = r14b_packaging(case, bracket, found, narrowed)
    exposure = tuple((low, high) for low, high in windows if low is not None and high is not None)
    shown = exposure if sealed_unit else ()
    if packaging is not None:
        flags = {"PACKING_17_5"} if len(packaging) > 1 else set()
        case.flags |= flags
        return _end(case, bracket, found, packaging, within, cause="packaging", exposure=shown)
    if narrowed is not None and set(narrowed) != set(found.parties):
        case.rules.add("R11")
        if not narrowed:
            case.flags.add("MECHANISM_EXCLUDED")
            found.alternatives |= {SENDER, RECIPIENT}
            return _undetermined(case, bracket, "R11", within, found)
        found.parties = narrowed
    shares = r20_shares(case, found, sealed_unit=sealed.was_sealed(case, bracket))
    return _end(case, bracket, found, shares, within, exposure=shown, u_act=u_act)


# --- the record -------------------------------------------------------------------------------------------------


def _undetermined(
    case: Case,
    bracket: Bracket | None,
    rule: str,
    within: frozenset[str] = frozenset(),
    found: Candidates | None = None,
) -> Answer:
    case.rules.add(rule)
    chinese = case.settings.regime in (Regime.CN_SAME_MODE, Regime.CN_BRAND)
    if rule == "R16" and chinese and not ends.pick_up_looked_inside(case):
        case.flags.add("NO_PICKUP_CHECK")
    return _end(case, bracket or Bracket(), found or Candidates([]), {}, within)


def _end(
    case: Case,
    bracket: Bracket,
    found: Candidates,
    shares: Mapping[str, Fraction],
    within: frozenset[str],
    *,
    cause: str | None = None,
    exposure: tuple[tuple[datetime, datetime], ...] = (),
    u_act: sealed.Mark | None = None,
) -> Answer:
    note_flags(case, bracket, found)
    found.alternatives |= named_givers(case, bracket)
    outcome = _outcome(case, shares, cause)
    if outcome is Outcome.SENDER and cause is None and _came_back(case, bracket):
        cause = "after_return"
    if bracket.delivery is not None:
        found.alternatives.add(bracket.delivery.taker)
    zones = frozenset(frozenset((zone.a, zone.b)) for zone in touching_zones(case, bracket))
    return Answer(
        outcome,
        dict(shares),
        within,
        _l_of(bracket),
        _u_of(bracket, u_act),
        r21_confidence(case, bracket, outcome, shares, u_act),
        exposure,
        frozenset(case.flags),
        frozenset(case.rules),
        cause if outcome in (Outcome.SENDER, Outcome.SHARED) else None,
        frozenset(found.alternatives - set(shares)),
        zones,
        (bracket.witness.act.id, bracket.witness.act.by) if bracket.witness is not None else None,
        excluded=frozenset(case.excluded),
    )


def _came_back(case: Case, bracket: Bracket) -> bool:
    """R24: whether the sender had it back, and had not kept it until the bracket began."""
    first, *others = case.custody.segments
    left = first.end is not None and bracket.l_t is not None and first.end <= bracket.l_t
    return left and any(each.party == SENDER for each in others)


def _outcome(case: Case, shares: Mapping[str, Fraction], cause: str | None) -> Outcome:
    if not shares:
        return Outcome.UNDETERMINED
    if cause == "packaging" and len(shares) > 1:
        return Outcome.SHARED
    if len(shares) > 1:
        return Outcome.JOINT
    [party] = shares
    if party in (SENDER, RECIPIENT):
        return Outcome.SENDER if party == SENDER else Outcome.RECIPIENT
    return Outcome.SEGMENT


def _l_of(bracket: Bracket) -> End | None:
    if bracket.l is None or bracket.l_t is None:
        return None
    act = bracket.l.act if isinstance(bracket.l, Look) else bracket.l
    return End(act.id, bracket.l_t, bracket.l_how, bracket.l_grade)


def _u_of(bracket: Bracket, u_act: sealed.Mark | None) -> End | None:
    if bracket.u_t is None:
        return None
    if u_act is not None:
        return End(u_act.act.id, u_act.t, "seal", u_act.grade)
    if bracket.u is None:
        return End(None, bracket.u_t, "R10", None)
    return End(bracket.u.act.id, bracket.u_t, bracket.u_how, bracket.u.grade)

"""Steps 4 to 10: the two ends of the bracket, by R0, R17, R3, R15, R13, R26, R7, R25, R4, R14a, R16, R5, R9d."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from schemas.events import (
    DeliveryRefused,
    HandoffAccepted,
    Repacked,
)
from schemas.vocabulary import (
    SENDER,
    CaptureMode,
    Condition,
    Facet,
    FindingKind,
    Hindrance,
    PartyRole,
)
from tests.naive.case import Case
from tests.naive.custody import Delivery, first_acceptance, release_to
from tests.naive.facts import WHOLE, Act, Look
from tests.naive.grades import ceiling, is_unsigned, other_side
from tests.naive.looks import FACETS, reservation_at, speaks
from tests.naive.loss import lost_from, r10_instant

HIDDEN = (FindingKind.CONCEALED, FindingKind.WRONG_CONTENT)
ACCESS = (FindingKind.SHORTAGE, FindingKind.WRONG_CONTENT, FindingKind.LOSS)


@dataclass
class Bracket:
    """What lies between the last look that said ok and the first that said bad."""

    u: Look | None = None
    u_t: datetime | None = None
    u_how: str = "direct"
    l: Look | Act | None = None  # noqa: E741 - the rules' own letter
    l_t: datetime | None = None
    l_how: str = "direct"
    l_grade: int = 0
    witness: Look | None = None
    """The direct look that L was before a presumption moved it."""
    delivery: Delivery | None = None
    """The delivery to which U relates back."""
    contradicted: bool = False
    ignored: set[str] = field(default_factory=set)
    """Acts that R7b puts aside."""

    @property
    def empty(self) -> bool:
        return self.l_t is not None and self.u_t is not None and self.l_t >= self.u_t


def is_hidden(case: Case, u: Look) -> bool:
    """CONCEALED, WRONG_CONTENT, and SHORTAGE without visible tampering."""
    if case.kind is FindingKind.SHORTAGE:
        return not case.tampered(u)
    return case.kind in HIDDEN


def r0_opens(case: Case) -> bool:
    """R0: a bad of grade 1 or more on a facet of the kind; LOSS also by the deemed-lost instant."""
    bads = case.bads(least=1)
    if case.kind is FindingKind.DAMAGE:
        return any(look.facet is Facet.OUTER for look in bads)
    if case.kind is FindingKind.CONCEALED:
        return any(not _outside_was_bad(case, look) for look in bads)
    if case.kind is FindingKind.LOSS and r10_instant(case) is not None:
        return True
    return bool(bads)


def _outside_was_bad(case: Case, inside: Look) -> bool:
    """CONCEALED is C bad and O not: the outside was not found bad by then, in this carton."""
    as_damage = replace(case.question, kind=FindingKind.DAMAGE)
    return any(
        look.facet is Facet.OUTER
        and look.direct
        and speaks(look, as_damage) is Condition.BAD
        and (look.act.id == inside.act.id or look.order <= inside.order)
        and not any(
            isinstance(act.data, Repacked) and look.act.order < act.order < inside.act.order for act in case.acts
        )
        for look in case.looks
    )


# --- step 6: U ------------------------------------------------------------------------------------------------


def r17_standing(case: Case, bads: list[Look]) -> tuple[list[Look], set[str]]:
    """R17: facts do not heal; a better ok wins only if a later bad by another explains the claim.

    Returns the bads that stand, and the acts whose bad stands although somebody saw it sound later.
    """
    standing: list[Look] = []
    doubted = set()
    for bad in bads:
        if standing and standing[0].act.id != bad.act.id:
            break  # U is found
        later = [
            ok
            for ok in case.oks(bad)
            if ok.order > bad.order
            and ok.act.id != bad.act.id
            and ok.facet is bad.facet
            and not _repacked(case, bad, ok)
        ]
        explained = any(
            ok.grade > bad.grade
            and any(other.order > ok.order and not case.registry.same(other.act.by, ok.act.by) for other in bads)
            for ok in later
        )
        if explained:
            case.rules.add("R17")
            case.excluded.add(bad.act.id)
            case.refuted.append(bad)
            continue
        standing.append(bad)
        if later:
            doubted.add(bad.act.id)
    return standing, doubted


def _repacked(case: Case, one: Look, other: Look) -> bool:
    """R15: a repack resets the outside, not the contents."""
    return one.facet is Facet.OUTER and any(
        isinstance(act.data, Repacked) and one.act.order < act.order < other.act.order for act in case.acts
    )


def r3_first_bad(case: Case) -> Bracket | None:
    """R3: U is the earliest surviving direct bad; none direct: nothing can be said."""
    bads, doubted = r17_standing(case, case.bads())
    if not bads:
        return None
    u = replace(bads[0], grade=max(look.grade for look in bads if look.act.id == bads[0].act.id))
    return Bracket(u, u.t, contradicted=u.act.id in doubted)


def r15_repacked_unseen(case: Case, bracket: Bracket) -> None:
    """R15: a new carton without a look inside: a bad carton before it is U for the contents too."""
    assert bracket.u is not None
    if bracket.u.facet is not Facet.CONTENTS or case.kind is not FindingKind.CONCEALED:
        return  # R2: what is wrong or gone inside does not show in a tear outside
    as_damage = replace(case.question, kind=FindingKind.DAMAGE)
    inside = [look for look in case.looks if look.facet is Facet.CONTENTS and look.direct]
    whole = [look.order for look in case.oks(bracket.u) if look in inside and look.order < bracket.u.order]
    for torn in case.looks:
        is_torn = torn.facet is Facet.OUTER and speaks(torn, as_damage) is Condition.BAD and torn.direct
        if not is_torn or any(order >= torn.order for order in whole):
            continue
        for repack in case.acts:
            if isinstance(repack.data, Repacked) and torn.act.order < repack.order < bracket.u.act.order:
                looked = [k for k in inside if torn.t <= k.t <= repack.t and k.value is not Condition.UNEXAMINED]
                if not looked:
                    case.rules.add("R15")
                    bracket.u, bracket.u_t, bracket.u_how = torn, torn.t, "R15"
                    return


# --- step 7: U is final ---------------------------------------------------------------------------------------


def last_delivery(case: Case, bracket: Bracket) -> Delivery | None:
    """The delivery after which U is dated, while the final taker still held it."""
    assert bracket.u is not None
    found = None
    for each in case.custody.deliveries:
        if each.t <= bracket.u.t and each.act.id != bracket.u.act.id:
            found = each
    if found is None or (bracket.u.t > found.t and case.custody.holder_at(bracket.u.t) != found.taker):
        return None
    taken = [act.id for act, giver in case.custody.takings if giver == found.taker]
    taken += [segment.act.id for segment in case.custody.segments if segment.act is not None]
    if bracket.u.act.id in taken:
        return None  # whoever took it on from there looked, signing for it or not; that is no notice
    return found


def touching(case: Case, taking: Act, u: Look) -> bool:
    """R5, R6: whether a valid reservation at an acceptance touches the finding."""
    facets = u_facets(case, u)
    outside = {Facet.OUTER} & set(FACETS[case.kind])  # R5 speaks of the outside, so not seeing it silences R5
    return any(
        each.facet in (facets | outside if each.grounds in tuple(Hindrance) else facets)
        and (each.component or (u.component if each.grounds in tuple(Hindrance) else WHOLE)) == u.component
        for each in reservation_at(taking, case.looks, case.acts, case.custody, case.registry, case.settings)
        if not (taking.id in case.unheard and each is getattr(taking.data, "reservation", None))
    )


def r13b_relates_back(case: Case, bracket: Bracket) -> str | None:
    """R13b, R13c, R26: harm noticed after delivery. Returns the rule that ended it: R13c, or None."""
    delivery = last_delivery(case, bracket)
    u = bracket.u
    if delivery is None or u is None or bracket.u_how == "R15":
        return None
    sound = [
        ok
        for ok in case.oks(u)
        if (ok.facet in u_facets(case, u) or case.kind is FindingKind.SHORTAGE)
        and ok.value is Condition.OK
        and delivery.t <= ok.t
        and ok.order < u.order
    ]
    if sound:
        return None
    reports = [bad for bad in case.bads() if bad.order >= u.order]
    hidden = is_hidden(case, u)
    reserved = case.kind is FindingKind.DAMAGE and touching(case, delivery.act, u)
    if hidden or reserved:
        limit, rule = delivery.t + timedelta(days=case.settings.notice_days), "R13b"
    elif delivery.unattended or delivery.left:
        limit, rule = delivery.t + case.settings.locker_notice, "R26"
        case.rules.add("R26")
    else:
        return None
    if any(bad.act.recorded <= limit for bad in reports):
        case.rules.add(rule)
        bracket.u_t, bracket.u_how, bracket.delivery = delivery.t, rule, delivery
        return None
    case.rules.add("R13c")
    bracket.delivery = delivery
    return "R13c"


def r7_boundary(case: Case, bracket: Bracket) -> str | None:
    """R7, R25: U at an acceptance or refusal. Returns who answers: giver, taker, both, nobody; None: no boundary."""
    u = bracket.u
    if u is None or bracket.delivery is not None:
        return None
    refusal = isinstance(u.act.data, DeliveryRefused)
    if refusal:
        case.rules.add("R25")
        taking, giver = u.act, case.custody.holder_at(u.act.t)
    else:
        at = [(act, giver) for act, giver in case.custody.takings if act.by == u.act.by and act.t == u.t]
        if not at or not (at[0][0].id == u.act.id or u.reserved) or at[0][1] == u.act.by:
            return None
        taking, giver = at[0]
    if any(case.registry.same(party, giver) for party in other_side(u.act, case.registry)):
        case.rules.add("R7c")
        most = ceiling(u.act, case.registry, case.settings, admission=False)
        bracket.u = replace(u, grade=max(u.grade, most))
        return "giver"
    release = release_to(taking, giver, case.acts, case.settings)
    facets = u_facets(case, u)
    said = [ok for ok in case.oks(u) if release is not None and ok.act.id == release.id and ok.facet in facets]
    if not said:
        case.rules.add("R7a" if u.grade == 5 else "R7a<5")
        return "giver"
    case.rules.add("R7b")
    case.flags.add("CONTRADICTION")
    best = max(said, key=lambda ok: ok.grade)
    if best.grade < u.grade:
        bracket.ignored.add(best.act.id)
        case.excluded.add(best.act.id)
        return "giver"
    bracket.ignored.add(best.act.id)
    if refusal:
        return "nobody"
    if best.grade > u.grade:
        bracket.l, bracket.l_t, bracket.l_grade, bracket.l_how = best, best.t, best.grade, "direct"
        return "taker"
    return "both"


def u_facets(case: Case, u: Look) -> set[Facet]:
    """The facets that are bad in U."""
    bads = [look for look in case.bads() if look not in case.refuted]
    return {look.facet for look in bads if look.act.id == u.act.id} | {u.facet}


# --- step 8: L ------------------------------------------------------------------------------------------------


def r4_last_ok(case: Case, bracket: Bracket) -> None:
    """R4: L is the latest direct ok before U on a facet bad in U; for SHORTAGE on any of R2."""
    assert bracket.u is not None
    assert bracket.u_t is not None
    facets = u_facets(case, bracket.u)
    if bracket.u_how == "R15":
        facets = {Facet.OUTER, Facet.CONTENTS}
    spoken = case.oks(bracket.u)
    if bracket.u_how == "R15":
        spoken = [look for look in case.looks if look.direct and look.value is Condition.OK and look.facet in facets]
    for ok in spoken:
        if ok.act.id in bracket.ignored:
            continue
        if ok.facet not in facets and case.kind is not FindingKind.SHORTAGE:
            continue
        if case.kind is FindingKind.LOSS and any(
            ok.act.id == stay.packed.id for stay in lost_from(case, bracket.u_t, bracket.u)
        ):
            continue  # R9a: the packer's own packing scan is no L
        before = ok.t < bracket.u_t if bracket.delivery is not None else ok.order < bracket.u.order
        worse = isinstance(bracket.l, Look) and ok.act is bracket.l.act and ok.grade < bracket.l_grade
        if before and ok.act.id != bracket.u.act.id and (bracket.l_t is None or ok.t >= bracket.l_t) and not worse:
            bracket.l, bracket.l_t, bracket.l_grade, bracket.l_how = ok, ok.t, ok.grade, "direct"
            bracket.witness = ok


# --- steps 9 and 10 -------------------------------------------------------------------------------------------


def r14a_sender(case: Case, bracket: Bracket) -> bool:
    """R14a: bad at first acceptance, unless that names a carrier as giver and so says that it is not the first."""
    first = first_acceptance(case.custody)
    u = bracket.u
    if first is None or u is None or u.act.by != first.by or bracket.u_t != first.t:
        return False
    named = first.data.giver if isinstance(first.data, HandoffAccepted) else None
    return named in (None, SENDER) and (u.act.id == first.id or u.reserved)


def r5_clean_receipt(case: Case, bracket: Bracket) -> bool:
    """R5: the latest explicit, exposed, unreserved acceptance in (L, U) moves L there."""
    u = bracket.u
    assert u is not None
    assert bracket.u_t is not None
    found = None
    for taking, _ in case.custody.takings:
        if taking.t >= bracket.u_t or (bracket.l_t is not None and taking.t <= bracket.l_t):
            continue
        if _is_clean(case, taking, u):
            found = taking
    if found is None:
        return False
    case.rules.add("R5")
    bracket.l, bracket.l_t, bracket.l_grade, bracket.l_how = found, found.t, 2, "presumed"
    if any(each.act.id == found.id for each in case.custody.deliveries):
        case.rules.add("R13a")
    return True


def _is_clean(case: Case, taking: Act, u: Look) -> bool:
    role = case.registry.role(taking.by)
    if taking.unit is not None or getattr(taking.data, "inside", None) is not None:
        return False
    if role not in (PartyRole.CARRIER, PartyRole.RECIPIENT, PartyRole.SENDER):
        return False
    if taking.mode is CaptureMode.AUTO_SCAN and not case.settings.auto_accept_is_clean:
        return False
    unsigned_import = taking.mode is CaptureMode.IMPORT and is_unsigned(taking, case.registry)
    if unsigned_import and not case.settings.import_accept_is_clean:
        return False
    told = any(
        look.act.id == taking.id and look.grade >= 1 and speaks(look, case.question) is Condition.BAD
        for look in case.looks
    )
    return not told and not touching(case, taking, u)


def r9d_late_look(case: Case, bracket: Bracket) -> None:
    """R9d: the opener did not look in time: for apparent kinds it is presumed to have had the unit sound."""
    assert bracket.u is not None
    assert bracket.u_t is not None
    for stay in case.stays:
        out = stay.out
        if stay.listed or stay.outer or out is None or out.t > bracket.u_t or opener_looked(case, out):
            continue
        mine = [
            taking
            for taking, _ in case.custody.takings
            if taking.by == out.by and taking.unit is not None and stay.start <= taking.t <= out.t
        ]
        if mine and mine[-1].t < bracket.u_t and (bracket.l_t is None or mine[-1].t > bracket.l_t):
            case.rules.add("R9d")
            bracket.l, bracket.l_t, bracket.l_grade, bracket.l_how = mine[-1], mine[-1].t, 2, "R9d"


def opener_looked(case: Case, out: Act) -> bool:
    """R9d: whether the opener reported it within opening_window and before onward movement; else R5's silence."""
    moved = min((s.start for s in case.custody.segments if s.start is not None and s.start > out.t), default=None)
    for look in case.looks:
        t = look.act.recorded if is_unsigned(look.act, case.registry) else look.act.t
        mine = look.act.by == out.by
        relevant = look.direct and speaks(look, case.question) is Condition.BAD
        in_time = out.t <= t <= out.t + case.settings.opening_window
        if mine and relevant and in_time and (moved is None or t < moved):
            return True
    return False


def pick_up_looked_inside(case: Case) -> bool:
    """R16: whether the contents were looked at when it was picked up."""
    first = first_acceptance(case.custody)
    return first is not None and any(
        look.act.id == first.id and look.facet is Facet.CONTENTS and look.value is not Condition.UNEXAMINED
        for look in case.looks
    )


def final_taker_is_sender(case: Case) -> bool:
    """R24: on the way back the sender is the final taker."""
    return bool(case.custody.deliveries) and case.custody.deliveries[-1].taker == SENDER

"""Step 3b: what else happens on the way. R24 return, R27 pieces, R28 relabel, R32 overage, R33 redirect, R34 proxy.

What they make of custody is in core/folding.py, paper.py and pieces.py; here is said which of them an answer rests on.
"""

from datetime import datetime

from schemas.events import HandoffAccepted, ItemScanned, Redirected
from schemas.vocabulary import SENDER, Confidence, FindingKind
from services.custody.core.acts import Act
from services.custody.core.case import Case
from services.custody.core.containment import Stay
from services.custody.core.grades import is_unproved
from services.custody.core.instants import BEGINNING
from services.custody.core.lateness import ended_at
from services.custody.core.rules.rule import POLICY, Rule

R24 = Rule(
    id="R24",
    name="return",
    en=(
        "A refusal or return order ends nothing: the way back adds segments, and the sender is then the final "
        "taker. One bracket goes over both ways, and a recipient that held the parcel is a part of it."
    ),
    zh=(
        "拒收或退回不终止责任链：退回途中的各段依次续接，寄件人为最终接收方；"
        "责任区间贯穿往返两程，曾经持有快件的收件人亦为其中一段。"
    ),
    source=POLICY,
)
R27 = Rule(
    id="R27",
    name="pieces",
    en=(
        "A piece is an item with a verdict of its own; an event that names other pieces says nothing of it. An "
        "acceptance that names none takes all of them and shows no more than their number; the consignment is "
        "as its worst piece."
    ),
    zh=(
        "一票多件的，每件单独认定；仅提及其他件的记录对该件不生效力。未指明件号的接收视为全部接收，"
        "且仅能证明件数；整票状态以最差的一件为准。"
    ),
    source=POLICY,
)
R28 = Rule(
    id="R28",
    name="relabel",
    en=(
        "A new label joins both numbers if both were seen together; otherwise identity is unproved and its "
        "maker has taken it over."
    ),
    zh="换单时新旧单号同时可见的，两段记录合并；否则身份未证，换单方视为默示接管。",
    source=POLICY,
)
R32 = Rule(
    id="R32",
    name="overage",
    en=(
        "A parcel found on nobody's list was taken over by implication from its last holder; being over clears no one."
    ),
    zh="多出的快件视为自最后保管方默示接管；清单未列不免除任何一方。",
    source=POLICY,
)
R33 = Rule(
    id="R33",
    name="redirect",
    en=(
        "A redirection replaces route, plan and promise from when it was recorded, and moves no custody. What is "
        "left at the old address after that is not delivered."
    ),
    zh="改址自记录之时起取代原路线、计划和时限，但不转移保管责任；此后仍投放于原地址的，不构成交付。",
    source=POLICY,
)
R34 = Rule(
    id="R34",
    name="proxy",
    en=(
        "A person named or agreed to by the recipient accepts for the recipient; anybody else's signature is "
        "a drop without consent."
    ),
    zh="收件人指定或同意的代收人视同收件人签收；其他人签收视为未经同意的投放。",
    source="快递市场管理办法 28",
)
RULES = (R24, R27, R28, R32, R33, R34)


def note(case: Case) -> None:
    """Name the rules of step 3 that the answer rests on, once the bracket is known."""
    if case.finding.piece is not None:
        case.fire("R27")
    span = span_of(case)
    if span is None:
        return
    since, until = span
    if any(order.t <= until for order in case.chain.returns) or _came_back(case, until):
        case.fire("R24")
    _note_drops(case, since, until)
    _note_redirections(case, until)
    for act in case.scene.acts:
        if act.t <= until:
            _note_identity(case, act)
        if since <= act.t <= until:
            _note_sights(case, act)
    if inferred_stays(case, since, until):
        case.fire("R9h")
        case.flag("IMPLIED_UNPACK")


def inferred_stays(case: Case, since: datetime, until: datetime) -> list[Stay]:
    """R9h: the item's own stays in closed units that ended in this time without anybody's having recorded it."""
    now = min(until, case.ground.as_of.time)
    stays = case.ground.contained.stays
    return [stay for stay in stays if stay.hides and stay.implied and since <= stay.until <= now]


def span_of(case: Case) -> tuple[datetime, datetime] | None:
    """The time that the answer is about; None where nothing has an end."""
    if case.finding.kind is FindingKind.DELAY:
        return case.chain.taken_over_at or BEGINNING, ended_at(case.ground, case.scene)
    return (case.seen_since, case.until) if case.U is not None else None


def _came_back(case: Case, until: datetime) -> bool:
    return any(segment.party == SENDER and segment.start <= until for segment in case.chain.segments[1:])


def _note_drops(case: Case, since: datetime, until: datetime) -> None:
    for drop in case.chain.drops:
        if not since <= drop.act.t <= until:
            continue
        case.fire("R26" if drop.agreed else "R13e")
        if drop.misdirected:
            case.fire("R33")
        if drop.proxy:
            case.fire("R34")


def _note_redirections(case: Case, until: datetime) -> None:
    """R33: time alone tells by the promise that a redirection made."""
    by_time = case.finding.kind is FindingKind.DELAY or (case.U is not None and case.U.act is None)
    for fact in case.ground.paper.redirected:
        assert isinstance(fact.data, Redirected)
        promises = fact.data.promised_at is not None or fact.data.promised_after_hours is not None
        if by_time and (promises or fact.data.plan) and fact.record_time <= until:
            case.fire("R33")


def _note_identity(case: Case, act: Act) -> None:
    if is_unproved(act.fact.data):
        case.fire("R28", Confidence.MODERATE)
        case.flag("IDENTITY_UNPROVED")


def _note_sights(case: Case, act: Act) -> None:
    data = act.fact.data
    if isinstance(data, ItemScanned) and data.overage and act.unit is None:
        case.fire("R32")
        case.flag("OVERAGE")
    handoff = case.chain.handoff_by(act)
    if handoff is not None and isinstance(data, HandoffAccepted) and data.person is not None and data.consent:
        case.fire("R34")

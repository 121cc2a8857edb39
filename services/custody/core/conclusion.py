"""The conclusion: who answers, for what part, by which rule and why, and whom the claimant may turn to."""

from collections.abc import Iterator

from schemas.vocabulary import RECIPIENT, SENDER, FindingKind, Outcome, Regime
from services.custody.core.acts import Kind
from services.custody.core.case import Case
from services.custody.core.naming import text
from services.custody.core.rules.delivery import AFTER_RETURN
from services.custody.core.rules.shares import external_debtors, shares
from services.custody.core.wording import Text, event, harm, hours, parties, party, sound

_TAKE_NO_SHARE = (SENDER, RECIPIENT)
PACKAGING = "packaging"
"""Cause: the sender's packing (R14b)."""


def what_follows(case: Case) -> Iterator[Text]:
    """The outcome with its rule, the parts, and who owes the claimant."""
    match case.outcome:
        case Outcome.SEGMENT | Outcome.SHARED if case.delay:
            yield from _hours_over(case)
        case Outcome.SEGMENT:
            yield _segment(case).fill(who=party(case.answerable[0]), sound=sound(case.finding.kind))
        case Outcome.JOINT | Outcome.SHARED:
            yield _joint(case).fill(who=parties(case.answerable))
            if not case.halves:
                yield _PARTS.fill(parts=_parts(case))
        case Outcome.SENDER:
            yield _sender(case).fill(harm=harm(case.finding))
        case Outcome.RECIPIENT:
            yield _recipient(case).fill(sound=sound(case.finding.kind), event=event(case.finding.kind))
        case _:
            yield _undetermined(case).fill(event=event(case.finding.kind))
    yield from _claim(case)


def _claim(case: Case) -> Iterator[Text]:
    """Whom the claimant may turn to, where that is not just who is liable, and as what."""
    debtors = external_debtors(case)
    if not debtors or set(debtors) == set(case.answerable):
        return
    named = [_as_what(name, at, len(debtors), case) for at, name in enumerate(debtors)]
    who = named[0]
    if len(named) > 1:
        most = Text(", ".join(each.en for each in named[:-1]), "、".join(each.zh for each in named[:-1]))
        who = _ANY_OF.fill(most=most, last=named[-1])
    if SENDER in case.answerable:
        yield _CLAIM_THE_REST.fill(who=who)
    elif len(case.answerable) == 1:
        yield _CLAIM_WHOLE.fill(who=who, liable=party(case.answerable[0]))
    else:
        yield _CLAIM.fill(who=who)


def _as_what(name: str, at: int, count: int, case: Case) -> Text:
    """A debtor with what makes it one, where that is not that it is liable."""
    who = party(name)
    if name in case.answerable or 0 < at < count - 1:
        return who
    if case.policy.regime in (Regime.CMR, Regime.MC):
        return (_FIRST_CARRIER if at == 0 else _LAST_IN_LINE).fill(who=who)
    if at > 0:
        return who
    return (_SOLD_IT if case.ground.contract.announced.contracting is not None else _TAKEN_FOR_IT).fill(who=who)


def _hours_over(case: Case) -> Iterator[Text]:
    """R22: who took how long beyond plan and excuse."""
    over = [(party(name), hours(float(length))) for name, length in case.delay.items()]
    if len(over) == 1:
        yield _SLOW.fill(who=over[0][0], hours=over[0][1])
    else:
        listed = Text(
            ", ".join(f"{who.en} by {length.en}" for who, length in over),
            "，".join(_OVER.fill(who=who, length=length).zh for who, length in over),
        )
        yield _SLOW_TOGETHER.fill(hours=listed)
        yield _PARTS.fill(parts=_parts(case))
    if "R22" in case.doubts:
        yield _HALVED_HOURS


def _segment(case: Case) -> Text:
    if case.finding.kind is FindingKind.LOSS and "R9a" not in case.fired and "R9b" not in case.fired:
        return _LAST_HOLDER
    if "RESIDUAL" in case.flags or "R9g" in case.fired:
        return _OPENER
    if case.contradicting is not None and case.contradicting is case.witness:
        return _RELEASE_IS_BETTER
    if case.contradicting is not None and case.located:
        return _ACCEPTANCE_IS_BETTER
    if not case.located and "R20" in case.fired:
        return _LAST_CARRIER
    if "R30" in case.fired:
        return _PRESENTER
    if "R29" in case.fired:
        return _HELD_BOTH
    if "R9b" in case.fired:
        return _HELD_IT_AT_THE_BREACH
    if any(party in _TAKE_NO_SHARE for party in case.candidates):
        return _ONLY_CARRIER
    if "R11" in case.fired:
        return _LOGGED
    start = case.L
    if start is None or start.act is None or start.act.party != case.answerable[0]:
        return _HELD_IT
    return {"presumed": _HELD_IT_SINCE, "R9d": _HELD_IT_IN_THE_UNIT}.get(start.how, _HELD_IT)


def _joint(case: Case) -> Text:
    if case.cause == PACKAGING:
        return _PACKING_AND_BLOW
    if case.doubtful:
        return _ORDER_DECIDES
    return _EQUALLY_GOOD if case.halves else _UNLOCALISED


def _parts(case: Case) -> Text:
    told = [(party(share.party), share.share) for share in shares(case)]
    return Text(
        ", ".join(f"{who.en} {share}" for who, share in told), "，".join(f"{who.zh} {share}" for who, share in told)
    )


def _sender(case: Case) -> Text:
    if case.cause == PACKAGING:
        return _PACKING
    if case.cause == AFTER_RETURN:
        return _came_back(case)
    return _SENDER_STILL_HAD_IT if case.cause is None else _PRE_EXISTING


def _came_back(case: Case) -> Text:
    """R24: it happened once the sender had it again."""
    if case.finding.kind is FindingKind.LOSS:
        return _LOST_WITH_THE_SENDER
    return _SENDER_TOO_LATE if case.L is not None and case.L.rule == "R13c" else _AFTER_THE_RETURN


def _recipient(case: Case) -> Text:
    if case.L is not None and case.L.rule == "R13c":
        return _HOURS_RUN_OUT if "R26" in case.fired else _DAYS_RUN_OUT
    if "R13a" in case.fired:
        return _PRESUMED_AFTER_DELIVERY
    if case.contradicting is not None and case.contradicting is case.witness:
        return _RECIPIENTS_SIDE
    return _LOST_AFTER_DELIVERY if case.finding.kind is FindingKind.LOSS else _AFTER_DELIVERY


def _undetermined(case: Case) -> Text:
    if "MECHANISM_EXCLUDED" in case.flags:
        return _NO_MECHANISM
    if "R16" in case.fired:
        return _UNPROVED
    if case.boundary is not None and case.boundary.accept.kind is Kind.REFUSE and case.contradicting is not None:
        return _REFUSAL_CONTRADICTED
    if case.finding.kind is FindingKind.DELAY:
        return _NOBODY_OVER_PLAN if case.ground.contract.has_plan else _NO_PLAN
    return _NOTHING_TO_GO_BY if case.U is None else _NOBODY


_PARTS = text(
    "The parts are: {parts}.",
    "各方分担比例为：{parts}。",
)
_CLAIM_WHOLE = text(
    "The claimant may claim the whole from {who}; a carrier that pays instead of {liable} may recover from {liable}.",
    "索赔方可就全部损失向{who}索赔；代{liable}赔付的一方可向{liable}追偿。",
)
_CLAIM = text(
    "The claimant may claim from {who}; how the parties liable divide it among themselves does not affect the "
    "claimant.",
    "索赔方可向{who}索赔；责任各方之间如何分担，不影响索赔方。",
)
_CLAIM_THE_REST = text(
    "For all but the sender's own part the claimant may claim from {who}.",
    "扣除寄件人自负部分后，索赔方可就其余损失向{who}索赔。",
)
_ANY_OF = text(
    "{most} or {last}",
    "{most}或{last}",
)
_SOLD_IT = text(
    "{who} (the carrier that sold the carriage)",
    "{who}（缔约承运人）",
)
_TAKEN_FOR_IT = text(
    "{who} (the first carrier, taken to have sold the carriage)",
    "{who}（首程承运人，视为缔约承运人）",
)
_FIRST_CARRIER = text(
    "{who} (the first carrier)",
    "{who}（首程承运人）",
)
_LAST_IN_LINE = text(
    "{who} (the last carrier)",
    "{who}（末程承运人）",
)
_SLOW = text(
    "{who} alone is liable for the delay, in full: it took {hours} longer than planned and excused [R22].",
    "由{who}单独承担全部延误责任：扣除计划时间和可免责时间后，{who}超出{hours}[R22]。",
)
_OVER = text("{who} by {length}", "{who}超出{length}")
_SLOW_TOGETHER = text(
    "Beyond plan and excuse the time was exceeded: {hours}. They are liable for the delay in proportion [R22]. "
    "Each leg is measured by its own plan, so these hours need not add up to the delay of the whole.",
    "扣除计划时间和可免责时间后，{hours}，按超时比例承担延误责任[R22]。各段分别按其计划计算，合计不必等于全程延"
    "误时间。",
)
_HALVED_HOURS = text(
    "Where custody passed unseen between two, their hours cannot be told apart, so each is liable for half of them.",
    "交接时刻不明的双方，其超时合并计算，各承担一半责任。",
)
_LAST_HOLDER = text(
    "{who} alone is liable, in full: it held the parcel and cannot show that it passed it on or delivered it [R10].",
    "由{who}单独承担全部责任：快件由{who}保管，{who}不能证明已将快件交给下一方或已妥投[R10]。",
)
_OPENER = text(
    "{who} alone is liable, in full: it opened the unit, and the seals leave no time in which anybody else could have "
    "got at it; an error in an earlier look remains possible [R9g].",
    "由开启总包的{who}单独承担全部责任：按封志记录，其他各方均无接触内件的时间；但不排除此前查验或计量有误[R9g]。",
)
_RELEASE_IS_BETTER = text(
    "{who} alone is liable, in full: the release is the better evidence, so the parcel was {sound} when {who} "
    "took it [R7b].",
    "由{who}单独承担全部责任：移交记录的证据等级更高，故{who}接收时快件{sound}[R7b]。",
)
_ACCEPTANCE_IS_BETTER = text(
    "{who} alone is liable, in full: the acceptance is the better evidence, and {who} held the parcel before it [R7b].",
    "由{who}单独承担全部责任：接收记录的证据等级更高，此前快件由{who}保管[R7b]。",
)
_LAST_CARRIER = text(
    "Nothing on record tells on whose leg it happened. The contract presumes the last carrier, so {who} alone "
    "is liable, in full [R20].",
    "现有记录无法确定发生于哪一区段；合同约定推定由最后承运方承担，故由{who}单独承担全部责任[R20]。",
)
_PRESENTER = text(
    "{who} alone is liable, in full: it presented the parcel to the authority and is liable for that time too [R30].",
    "由{who}单独承担全部责任：快件由{who}提交机关查验，该期间的责任亦由{who}承担[R30]。",
)
_HELD_BOTH = text(
    "{who} alone is liable, in full: it alone held both parcels at once [R29].",
    "由{who}单独承担全部责任：仅{who}曾同时保管两件快件[R29]。",
)
_HELD_IT_AT_THE_BREACH = text(
    "{who} alone is liable, in full: it held the parcel while the seal was broken [R9b].",
    "由{who}单独承担全部责任：封志失效期间快件由{who}保管[R9b]。",
)
_HELD_IT = text(
    "{who} alone is liable, in full: it alone held the parcel in the time that is left [R1].",
    "由{who}单独承担全部责任：在可能发生的期间内，快件仅由{who}保管[R1]。",
)
_ONLY_CARRIER = text(
    "{who} alone is liable, in full: of those who may have held the parcel in the time that is left it alone "
    "is a carrier, and sender and recipient take no share beside carriers [R20].",
    "由{who}单独承担全部责任：可能的保管方之中仅{who}为承运方，寄件人、收件人不与承运方分担[R20]。",
)
_HELD_IT_SINCE = text(
    "{who} alone is liable, in full: the parcel is presumed to have been {sound} when {who} took it over [R5], "
    "and in the time that is left {who} alone held it [R1].",
    "由{who}单独承担全部责任：推定{who}接收时快件{sound}[R5]；在可能发生的期间内，快件仅由{who}保管[R1]。",
)
_HELD_IT_IN_THE_UNIT = text(
    "{who} alone is liable, in full: the parcel is presumed to have been {sound} when {who} took over the unit "
    "[R9d], and in the time that is left {who} alone held it [R1].",
    "由{who}单独承担全部责任：推定{who}接收总包时快件{sound}[R9d]；在可能发生的期间内，快件仅由{who}保管[R1]。",
)
_LOGGED = text(
    "{who} alone is liable, in full: it alone held the parcel in the time that the logger points to [R11].",
    "由{who}单独承担全部责任：在记录仪所指向的期间内，快件仅由{who}保管[R11]。",
)
_PACKING_AND_BLOW = text(
    "Bad packing and a blow on the way may each have caused the harm, and their effects cannot be told apart, "
    "so {who} are liable in parts [R14b].",
    "包装缺陷与途中冲击均可能造成损坏，且无法区分各自的影响，故由{who}按比例承担责任[R14b]。",
)
_ORDER_DECIDES = text(
    "Which of {who} is liable depends on an order that no clock can tell, so they share the liability [R36].",
    "{who}之中由何方承担责任，取决于无法凭时钟判定的先后，故由各方分担责任[R36]。",
)
_EQUALLY_GOOD = text(
    "The two records are equally good, so {who} are liable for one half each [R7b].",
    "双方记录的证据等级相同，由{who}各承担一半责任[R7b]。",
)
_UNLOCALISED = text(
    "{who} are liable together: each held the parcel in the time in question, and nothing on record tells on "
    "whose leg it happened [R20].",
    "由{who}共同承担责任：各方均在可能发生的期间内保管过快件，现有记录无法确定发生于哪一区段[R20]。",
)
_PACKING = text(
    "No carrier is liable; the loss stays with the sender: the carton arrived sound and the packing inside was "
    "bad, which explains the harm [R14b].",
    "承运方不承担责任，损失由寄件人自负：外包装到达时完好而内部包装存在缺陷，足以解释该损坏[R14b]。",
)
_SENDER_STILL_HAD_IT = text(
    "No carrier is liable; the loss stays with the sender: by the record the sender still had the parcel [R1].",
    "承运方不承担责任，损失由寄件人自负：据记录当时快件仍由寄件人持有[R1]。",
)
_PRE_EXISTING = text(
    "No carrier is liable; the loss stays with the sender: the parcel was already {harm} when the sender "
    "handed it over [R14a].",
    "承运方不承担责任，损失由寄件人自负：寄件人交寄时已存在{harm}[R14a]。",
)
_LOST_WITH_THE_SENDER = text(
    "No carrier is liable; the loss stays with the sender: by the record [R10] the parcel had come back to the "
    "sender [R24].",
    "承运方不承担责任，损失由寄件人自负：据记录[R10]，快件已退回寄件人[R24]。",
)
_SENDER_TOO_LATE = text(
    "No carrier is liable; the loss stays with the sender: the parcel had come back [R24], and the harm was "
    "shown only after the time for that had run out [R13c].",
    "承运方不承担责任，损失由寄件人自负：快件已退回寄件人[R24]，且逾期方才举证[R13c]。",
)
_AFTER_THE_RETURN = text(
    "No carrier is liable; the loss stays with the sender: it is taken to have happened after the sender had "
    "the parcel back [R24].",
    "承运方不承担责任，损失由寄件人自负：认定发生于快件退回寄件人之后[R24]。",
)
_HOURS_RUN_OUT = text(
    "No carrier is liable; the loss stays with the recipient: after an unattended pick-up or drop [R26] the "
    "harm was shown only when the hours allowed for that had run out [R13c].",
    "承运方不承担责任，损失由收件人自负：无人值守取件或投放之后[R26]，举证期限届满方才举证[R13c]。",
)
_DAYS_RUN_OUT = text(
    "No carrier is liable; the loss stays with the recipient: the harm was shown only after the days allowed "
    "for notice had run out [R13c].",
    "承运方不承担责任，损失由收件人自负：通知期届满后方才举证[R13c]。",
)
_PRESUMED_AFTER_DELIVERY = text(
    "No carrier is liable; the loss stays with the recipient: the recipient took delivery without a remark, so "
    "the parcel is presumed to have been {sound} then, and {event} is taken to have come after delivery [R13a].",
    "承运方不承担责任，损失由收件人自负：收件人签收时未作批注，推定交付时快件{sound}，故认定{event}发生于交付之"
    "后[R13a]。",
)
_RECIPIENTS_SIDE = text(
    "No carrier is liable; the loss stays with the recipient: the courier's release is the better evidence [R7b].",
    "承运方不承担责任，损失由收件人自负：派件方移交记录的证据等级更高[R7b]。",
)
_LOST_AFTER_DELIVERY = text(
    "No carrier is liable; the loss stays with the recipient: the parcel had been delivered [R10].",
    "承运方不承担责任，损失由收件人自负：快件丢失前已经交付[R10]。",
)
_AFTER_DELIVERY = text(
    "No carrier is liable; the loss stays with the recipient: by the record it happened after delivery [R1].",
    "承运方不承担责任，损失由收件人自负：据记录发生于交付之后[R1]。",
)
_NO_MECHANISM = text(
    "Nobody can be named: it may have happened before pick-up or after delivery, outside what the logger saw [R11].",
    "无法认定责任方：不排除发生于交寄之前或交付之后，均在记录仪覆盖范围之外[R11]。",
)
_UNPROVED = text(
    "Nobody can be named: no record shows that it was sound at the start, and it is for the claimant to show that "
    "[R16].",
    "无法认定责任方：没有交寄时完好的记录，对此应由索赔方举证[R16]。",
)
_REFUSAL_CONTRADICTED = text(
    "Nobody can be named: the courier's own look is as good or better, and nobody has taken the parcel since [R25].",
    "无法认定责任方：派件方查验记录的证据等级相同或更高，且此后快件无人接收[R25]。",
)
_NOBODY_OVER_PLAN = text(
    "Nobody can be named: by the record none of them took longer than planned [R22].",
    "无法认定责任方：据现有记录，各方均未超出计划时间[R22]。",
)
_NO_PLAN = text(
    "Nobody can be named: no plan says how long each was to take, so it cannot be said whose hours they were [R22].",
    "无法认定责任方：没有各段的时限计划，无法确定由谁造成延误[R22]。",
)
_NOTHING_TO_GO_BY = text(
    "{event} is not proved, so nobody can be named for now [R3].",
    "{event}尚未得到证实，故暂不认定责任方[R3]。",
)
_NOBODY = text("Nobody can be named by the rules in force [R20].", "按现行规则无法认定责任方[R20]。")

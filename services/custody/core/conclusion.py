"""The conclusion: who answers, for what part, by which rule and why, and whom the claimant may turn to."""

from collections.abc import Iterator

from schemas.vocabulary import RECIPIENT, SENDER, FindingKind, Outcome
from services.custody.core.acts import Kind
from services.custody.core.case import Case
from services.custody.core.naming import text
from services.custody.core.rules.delivery import AFTER_RETURN
from services.custody.core.rules.shares import external_debtors, shares
from services.custody.core.wording import Text, hours, parties, party

_TAKE_NO_SHARE = (SENDER, RECIPIENT)
PACKAGING = "packaging"
"""Cause: the sender's packing (R14b)."""


def what_follows(case: Case) -> Iterator[Text]:
    """The outcome with its rule, the parts, and who owes the claimant."""
    match case.outcome:
        case Outcome.SEGMENT | Outcome.SHARED if case.delay:
            yield from _hours_over(case)
        case Outcome.SEGMENT:
            yield _segment(case).fill(who=party(case.answerable[0]))
        case Outcome.JOINT | Outcome.SHARED:
            yield _joint(case).fill(who=parties(case.answerable))
            if not case.halves:
                yield _PARTS.fill(parts=_parts(case))
        case Outcome.SENDER:
            yield _sender(case)
        case Outcome.RECIPIENT:
            yield _recipient(case)
        case _:
            yield _undetermined(case)
    debtors = external_debtors(case)
    if debtors and set(debtors) != set(case.answerable):
        yield _DEBTORS.fill(who=parties(debtors))


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


_PARTS = text("Among themselves they bear it in these parts: {parts}.", "内部分担比例为：{parts}。")
_DEBTORS = text(
    "By the regime of the contract the claimant may turn to {who}; how the carriers divide it among themselves does "
    "not bind the claimant.",
    "依合同适用的责任制度，索赔方可向{who}主张；承运方之间的分担不约束索赔方。",
)
_SLOW = text(
    "{who} took {hours} longer than planned and not excused, and answers for the delay [R22].",
    "{who}超出计划且无免责事由的时间为{hours}，由{who}承担延误责任[R22]。",
)
_OVER = text("{who} by {length}", "{who}超出{length}")
_SLOW_TOGETHER = text(
    "Beyond plan and excuse the time was exceeded: {hours}. They answer for the delay in proportion [R22].",
    "扣除计划时间和可免责时间后，{hours}，按超时比例分担延误责任[R22]。",
)
_HALVED_HOURS = text(
    "Those whose hours cannot be told apart, since custody passed unseen between them, bear them in halves.",
    "交接时刻不明的双方，其超时合并计算，各半承担。",
)
_LAST_HOLDER = text(
    "{who} answers: it was the last to hold the parcel and cannot show that anybody took it over or that it was "
    "delivered [R10].",
    "由{who}承担责任：{who}是最后的保管方，且不能证明快件已被下一方接收或已妥投[R10]。",
)
_OPENER = text(
    "{who} answers, since it opened the unit: the seals leave no time in which anybody else could have got at it; an "
    "error in an earlier look remains possible [R9g].",
    "由开启总包的{who}承担责任：按封志记录，其他各方均无接触内件的时间；但不排除此前查验或计量有误[R9g]。",
)
_RELEASE_IS_BETTER = text(
    "{who} answers: the release is the better evidence, so the parcel was sound when {who} took it [R7b].",
    "由{who}承担责任：交出记录的证据等级更高，{who}接收时快件完好[R7b]。",
)
_ACCEPTANCE_IS_BETTER = text(
    "{who} answers: the acceptance is the better evidence, and {who} held the parcel before it [R7b].",
    "由{who}承担责任：接收记录的证据等级更高，此前快件由{who}保管[R7b]。",
)
_LAST_CARRIER = text(
    "Nothing on record tells on whose leg it happened; the contract presumes the last carrier, so {who} answers [R20].",
    "现有记录无法确定发生于哪一区段；合同约定推定由最后承运方承担，故由{who}承担责任[R20]。",
)
_PRESENTER = text(
    "{who} answers: it presented the parcel to the authority and stands in for that time [R30].",
    "由{who}承担责任：快件由{who}提交机关查验，该期间由{who}代为承担[R30]。",
)
_HELD_BOTH = text(
    "{who} answers: it alone held both parcels at once [R29].", "由{who}承担责任：仅{who}曾同时保管两件快件[R29]。"
)
_HELD_IT_AT_THE_BREACH = text(
    "{who} answers: it held the parcel while the seal was broken [R9b].",
    "由{who}承担责任：封志失效期间快件由{who}保管[R9b]。",
)
_HELD_IT = text(
    "{who} answers: it alone held the parcel in the time that is left [R1].",
    "由{who}承担责任：在可能发生的期间内，快件仅由{who}保管[R1]。",
)
_ONLY_CARRIER = text(
    "{who} answers: of those who may have held the parcel in the time that is left it alone is a carrier, and sender "
    "and recipient take no share beside carriers [R20].",
    "由{who}承担责任：可能的保管方之中仅{who}为承运方，寄件人、收件人不与承运方分担[R20]。",
)
_HELD_IT_SINCE = text(
    "{who} answers: it is presumed to have got the parcel sound [R5], and it alone held it in the time that is left "
    "[R1].",
    "由{who}承担责任：推定{who}接收时快件完好[R5]，在可能发生的期间内快件仅由{who}保管[R1]。",
)
_HELD_IT_IN_THE_UNIT = text(
    "{who} answers: it is presumed to have got the parcel sound with the unit [R9d], and it alone held it in the time "
    "that is left [R1].",
    "由{who}承担责任：推定{who}随总包接收时快件完好[R9d]，在可能发生的期间内快件仅由{who}保管[R1]。",
)
_LOGGED = text(
    "{who} answers: it alone held the parcel when the logger felt a blow or was off [R11].",
    "由{who}承担责任：记录仪记录到冲击或中断记录时，快件仅由{who}保管[R11]。",
)
_PACKING_AND_BLOW = text(
    "Bad packing and a blow on the way together explain the harm, so {who} share it [R14b].",
    "包装缺陷与途中冲击共同造成损坏，由{who}分担责任[R14b]。",
)
_ORDER_DECIDES = text(
    "Which of {who} answers depends on an order that no clock can tell, so they share it [R36].",
    "{who}之中由何方承担，取决于无法凭时钟判定的先后，故由各方分担[R36]。",
)
_EQUALLY_GOOD = text(
    "The two records are equally good, so {who} answer in equal halves [R7b].",
    "双方记录的证据等级相同，由{who}各承担一半[R7b]。",
)
_UNLOCALISED = text(
    "{who} answer together: each held the parcel in the time in question, and nothing on record tells on whose leg it "
    "happened [R20].",
    "由{who}共同承担责任：各方均在可能发生的期间内保管过快件，现有记录无法确定发生于哪一区段[R20]。",
)
_PACKING = text(
    "The sender bears it: the carton arrived sound and the packing inside was bad, which explains the harm [R14b].",
    "由寄件人承担责任：外包装到达时完好而内部包装存在缺陷，足以解释该损坏[R14b]。",
)
_SENDER_STILL_HAD_IT = text(
    "The sender bears it: by the record the sender still had the parcel [R1].",
    "由寄件人承担责任：据记录当时快件仍由寄件人持有[R1]。",
)
_PRE_EXISTING = text(
    "The sender bears it: the parcel was so when it was handed over at pick-up [R14a].",
    "由寄件人承担责任：该状况在交寄时已经存在[R14a]。",
)
_LOST_WITH_THE_SENDER = text(
    "The sender bears it: by the record [R10] the parcel had come back to the sender [R24].",
    "由寄件人承担责任：据记录[R10]，快件已退回寄件人[R24]。",
)
_SENDER_TOO_LATE = text(
    "The sender bears it: the parcel had come back [R24], and the harm was shown only after the time for that had run "
    "out [R13c].",
    "由寄件人承担责任：快件已退回寄件人[R24]，且逾期方才举证[R13c]。",
)
_AFTER_THE_RETURN = text(
    "The sender bears it: it is taken to have happened after the sender had the parcel back [R24].",
    "由寄件人承担责任：认定发生于快件退回寄件人之后[R24]。",
)
_HOURS_RUN_OUT = text(
    "The recipient bears it: after an unattended pick-up or drop [R26] the harm was shown only when the hours allowed "
    "for that had run out [R13c].",
    "由收件人承担：无人值守取件或投放之后[R26]，举证期限届满方才举证[R13c]。",
)
_DAYS_RUN_OUT = text(
    "The recipient bears it: the harm was shown only after the days allowed for notice had run out [R13c].",
    "由收件人承担：通知期届满后方才举证[R13c]。",
)
_PRESUMED_AFTER_DELIVERY = text(
    "The recipient bears it: having signed without a remark, the recipient is presumed to have got it sound, so it is "
    "taken to have happened after delivery [R13a].",
    "由收件人承担：收件人签收时未作批注，推定交付时完好，故认定发生于交付之后[R13a]。",
)
_RECIPIENTS_SIDE = text(
    "The recipient bears it: the courier's release is the better evidence [R7b].",
    "由收件人承担：派件方交出记录的证据等级更高[R7b]。",
)
_LOST_AFTER_DELIVERY = text(
    "The recipient bears it: the parcel had been delivered [R10].", "由收件人承担：快件丢失前已经交付[R10]。"
)
_AFTER_DELIVERY = text(
    "The recipient bears it: by the record it happened after delivery [R1].",
    "由收件人承担：据记录发生于交付之后[R1]。",
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
_NOTHING_TO_GO_BY = text("Nobody can be named on that report alone [R3].", "仅凭上述报告无法认定责任方[R3]。")
_NOBODY = text("Nobody can be named by the rules in force [R20].", "按现行规则无法认定责任方[R20]。")

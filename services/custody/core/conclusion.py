"""The conclusion: who answers and why, in a sentence or two."""

from collections.abc import Iterator

from schemas.vocabulary import FindingKind, Outcome
from services.custody.core.acts import Kind
from services.custody.core.case import Case
from services.custody.core.rules.confidence import confidence
from services.custody.core.rules.delivery import AFTER_RETURN
from services.custody.core.rules.shares import shares
from services.custody.core.wording import CONFIDENCE, Text, hours, parties, party


def what_follows(case: Case) -> Iterator[Text]:
    """The outcome, with how sure it is."""
    level = CONFIDENCE[confidence(case)]
    match case.outcome:
        case Outcome.SEGMENT | Outcome.SHARED if case.delay:
            yield from _hours_over(case)
        case Outcome.SEGMENT:
            yield _segment(case).fill(who=party(case.answerable[0]), level=level)
        case Outcome.JOINT | Outcome.SHARED:
            yield _joint(case).fill(who=parties(case.answerable), parts=_parts(case), level=level)
        case Outcome.SENDER if case.cause is None:
            yield Text(
                "By the record the sender still had it, and bears it (confidence {level}).",
                "据记录当时仍由寄件人持有，由寄件人承担（可信度：{level}）。",
            ).fill(level=level)
        case Outcome.SENDER if case.cause == AFTER_RETURN:
            yield _came_back(case).fill(level=level)
        case Outcome.SENDER:
            yield Text(
                "It was so when the sender handed it over, and the sender bears it (R14a; confidence {level}).",
                "该状况在寄件人交寄时已存在，由寄件人承担（R14a；可信度：{level}）。",
            ).fill(level=level)
        case Outcome.RECIPIENT:
            yield _recipient(case).fill(level=level)
        case _:
            yield _undetermined(case)


def _hours_over(case: Case) -> Iterator[Text]:
    """R22: who took how long beyond plan and excuse."""
    if len(case.delay) == 1:
        text = Text(
            "{who} took {hours} longer than planned and answers for the delay (R22; confidence {level}).",
            "{who}超出计划{hours}，由{who}承担延误（R22；可信度：{level}）。",
        )
    else:
        text = Text(
            "Beyond plan and excuse {hours} were taken; they share by the hours: {parts} (R22; confidence {level}).",
            "扣除计划和可免责时间后，{hours}；按超时比例分担：{parts}（R22；可信度：{level}）。",
        )
    over = [(party(name), hours(float(length))) for name, length in case.delay.items()]
    listed = Text(
        ", ".join(f"{length.en} by {who.en}" for who, length in over),
        "，".join(f"{who.zh}超出{length.zh}" for who, length in over),
    )
    alone = over[0]
    yield text.fill(
        who=alone[0],
        hours=alone[1] if len(over) == 1 else listed,
        parts=_parts(case),
        level=CONFIDENCE[confidence(case)],
    )
    if "R22" in case.doubts:
        yield Text(
            "Those whose hours cannot be told apart, since custody passed unseen between them, bear them in halves.",
            "交接时刻不明的双方，其超时合并计算，各半承担。",
        )


def _came_back(case: Case) -> Text:
    """R24: it happened once the sender had it again."""
    if case.finding.kind is FindingKind.LOSS:
        return Text(
            "By the record the sender had it back, and bears it (R10, R24; confidence {level}).",
            "据记录快件已退回寄件人，由寄件人承担（R10、R24；可信度：{level}）。",
        )
    if case.L is not None and case.L.rule == "R13c":
        return Text(
            "It was shown only after the time for that had run out, so it falls to the sender, who had it back "
            "(R13c, R24; confidence {level}).",
            "逾期方才举证，由已收回快件的寄件人承担（R13c、R24；可信度：{level}）。",
        )
    return Text(
        "It is taken to have happened after the sender had it back, and falls to the sender (R24; confidence {level}).",
        "认为发生于快件退回寄件人之后，由寄件人承担（R24；可信度：{level}）。",
    )


def _segment(case: Case) -> Text:
    if case.finding.kind is FindingKind.LOSS:
        return Text(
            "{who} was the last to hold it and cannot show onward acceptance, so {who} answers "
            "(R10; confidence {level}).",
            "{who}是最后的保管方，且不能证明已被下一方接收，由{who}承担（R10；可信度：{level}）。",
        )
    if case.contradicting is not None and case.contradicting is case.witness:
        return Text(
            "The release is the better evidence, so {who} answers (R7b; confidence {level}).",
            "交出记录的证据等级更高，由{who}承担（R7b；可信度：{level}）。",
        )
    if case.contradicting is not None and case.located:
        return Text(
            "The acceptance is the better evidence; {who} held it before and answers (R7b; confidence {level}).",
            "接收记录的证据等级更高，此前由{who}保管，由{who}承担（R7b；可信度：{level}）。",
        )
    if not case.located:
        return Text(
            "Nothing on record tells whose leg it was; the contract presumes the last carrier, {who} "
            "(R20; confidence {level}).",
            "现有记录无法确定区段，按约定推定由最后承运方{who}承担（R20；可信度：{level}）。",
        )
    return Text(
        "{who} held it in between and answers (confidence {level}).",
        "其间由{who}保管，由{who}承担（可信度：{level}）。",
    )


def _joint(case: Case) -> Text:
    if case.doubtful:
        return Text(
            "Who of {who} answers depends on an order that no clock can tell; they share: {parts} "
            "(R36; confidence {level}).",
            "{who}中由何方承担取决于无法凭时钟判定的先后，分担比例：{parts}（R36；可信度：{level}）。",
        )
    if case.halves:
        return Text(
            "Both looks are equally good, so {who} answer in equal halves (R7b; confidence {level}).",
            "双方记录的证据等级相同，由{who}各承担一半（R7b；可信度：{level}）。",
        )
    return Text(
        "{who} held it in between, and nothing on record tells whose leg it was; they share: {parts} "
        "(R20; confidence {level}).",
        "其间由{who}保管，现有记录无法确定区段，分担比例：{parts}（R20；可信度：{level}）。",
    )


def _parts(case: Case) -> Text:
    told = [(party(share.party), share.share) for share in shares(case)]
    return Text(
        ", ".join(f"{who.en} {share}" for who, share in told), "、".join(f"{who.zh} {share}" for who, share in told)
    )


def _recipient(case: Case) -> Text:
    if case.L is not None and case.L.rule == "R13c" and "R26" in case.fired:
        return Text(
            "It was shown only after the hours allowed for that after an unattended pick-up had run out, so it falls "
            "to the recipient (R26, R13c; confidence {level}).",
            "无人值守取件后的举证期限届满后方才举证，由收件人承担（R26、R13c；可信度：{level}）。",
        )
    if case.L is not None and case.L.rule == "R13c":
        return Text(
            "It was shown only after the notice days had run out, so it falls to the recipient "
            "(R13c; confidence {level}).",
            "通知期届满后方才举证，由收件人承担（R13c；可信度：{level}）。",
        )
    if "R13a" in case.fired:
        return Text(
            "It is presumed to have happened after delivery, and falls to the recipient (R13a; confidence {level}).",
            "推定发生于交付之后，由收件人承担（R13a；可信度：{level}）。",
        )
    if case.contradicting is not None and case.contradicting is case.witness:
        return Text(
            "The release is the better evidence, so it falls to the recipient (R7b; confidence {level}).",
            "交出记录的证据等级更高，由收件人承担（R7b；可信度：{level}）。",
        )
    if case.finding.kind is FindingKind.LOSS:
        return Text(
            "It had been delivered, so its loss falls to the recipient (R10; confidence {level}).",
            "该件已交付，其丢失由收件人承担（R10；可信度：{level}）。",
        )
    return Text(
        "It happened after delivery, and falls to the recipient (confidence {level}).",
        "发生于交付之后，由收件人承担（可信度：{level}）。",
    )


def _undetermined(case: Case) -> Text:
    if "R16" in case.fired:
        return Text(
            "Without a record that it was sound at the start nobody can be named; the burden stays with the claimant "
            "(R16).",
            "没有交寄时完好的记录，无法认定责任方，举证责任仍在索赔方（R16）。",
        )
    if case.boundary is not None and case.boundary.accept.kind is Kind.REFUSE and case.contradicting is not None:
        return Text(
            "That look is as good or better, and nobody has taken it since, so nobody can be named (R25).",
            "该记录的证据等级相同或更高，且此后无人接收，无法认定责任方（R25）。",
        )
    if case.finding.kind is FindingKind.DELAY and case.ground.contract.has_plan:
        return Text(
            "Nobody is on record as having taken longer than planned, so whose hours they were cannot be said (R22).",
            "现有记录中无人超出计划，无法认定由谁造成延误（R22）。",
        )
    if case.finding.kind is FindingKind.DELAY:
        return Text("Whose hours they were cannot be said (R22).", "现有记录无法确定由谁造成延误（R22）。")
    if case.U is None:
        return Text("Nobody can be named on that alone (R3).", "仅凭此不能认定责任方（R3）。")
    return Text("Nobody can be named.", "无法认定责任方。")

"""The answer in sentences that a claims clerk can send: what was seen, by whom, when, what follows, what would change it."""

from collections.abc import Iterator

from schemas.vocabulary import Condition, Facet, FindingKind, Outcome
from services.custody.acts import Act
from services.custody.case import Case
from services.custody.condition import FACETS
from services.custody.rules.confidence import confidence
from services.custody.rules.shares import shares
from services.custody.verdict import Explanation
from services.custody.wording import CONFIDENCE, Text, date, facet, harm, join, parties, party

_DISCLAIMER = Text("This is an evidence assessment, not legal advice.", "本结论为证据评估，不构成法律意见。")


def explain(case: Case) -> Explanation:
    """The case in both languages."""
    told = join([*_seen(case), *_answer(case), *_what_would_change_it(case), *_pending(case), _DISCLAIMER])
    return Explanation(zh=told.zh, en=told.en)


# --- what was seen ---------------------------------------------------------------------------------------------------


def _seen(case: Case) -> Iterator[Text]:
    """Last intact, what silence adds, and the harm, in the order in which it happened."""
    if case.finding.kind is FindingKind.DELAY:
        yield from _lateness(case)
        return
    witness = case.witness
    if witness is not None and (case.boundary is None or witness is not case.contradicting):
        yield Text(
            "{who} was the last to look at {what} and found it sound ({when}).",
            "{who}是最后查看{what}的一方，当时完好（{when}）。",
        ).fill(who=party(witness.party), what=facet(_facet_of(witness, case)), when=date(witness.t))
    elif witness is None and case.U is not None:
        yield Text("Before that, nobody is on record as having seen it sound.", "此前没有任何完好记录。")
    if case.L is not None and case.L.how == "presumed" and case.L.act is not None:
        yield Text(
            "{who} took it over on {when} without a remark, so it is presumed outwardly sound then (R5).",
            "{who}于{when}接收时未作任何批注，故推定当时外观完好（R5）。",
        ).fill(who=party(case.L.act.party), when=date(case.L.t))
    yield from _harm(case)


def _facet_of(witness: Act, case: Case) -> Facet:
    for look in witness.looks:
        if look.value is Condition.OK and look.facet in (case.bad_facets or FACETS[case.finding.kind]):
            return look.facet
    return Facet.PRESENCE


def _lateness(case: Case) -> Iterator[Text]:
    promised = case.ground.contract.promised(case.chain.taken_over_at)
    assert promised is not None
    delivery = case.chain.delivery
    if delivery is not None:
        yield Text("It was promised for {due} and delivered on {when}.", "承诺于{due}前送达，实际于{when}交付。").fill(
            due=date(promised), when=date(delivery.accept.t)
        )
    else:
        yield Text("It was promised for {due} and has not been delivered.", "承诺于{due}前送达，至今未交付。").fill(
            due=date(promised)
        )
    if "FOUND" in case.flags:
        yield Text("It had counted as lost and turned up since (R31).", "该件曾视为丢失，其后被找回（R31）。")


def _harm(case: Case) -> Iterator[Text]:
    """How the harm came to light, and why that moment is the end of the bracket."""
    if case.U is None:
        reporters = parties(list(dict.fromkeys(act.party for act, _ in case.openers)))
        yield Text(
            "{who} reported it {harm}, but nothing that could be checked supports the report.",
            "{who}报告快件{harm}，但没有可核验的证据支持。",
        ).fill(who=reporters, harm=harm(case.finding))
        return
    act = case.U.act
    if act is None:
        yield from _deemed_lost(case)
        return
    found = {"who": party(act.party), "harm": harm(case.finding), "when": date(act.t)}
    if case.U.rule == "R13b":
        yield Text(
            "{who} showed it {harm} on {when}, within the notice days, so the harm counts as there at delivery on {delivered} (R13b).",
            "{who}于{when}在通知期内举证快件{harm}，视为{delivered}交付时已存在（R13b）。",
        ).fill(**found, delivered=date(case.U.t))
    elif case.boundary is not None and case.U.rule in _AT_THE_HANDOFF:
        yield _AT_THE_HANDOFF[case.U.rule].fill(**found, giver=party(case.boundary.giver))
    else:
        yield Text("{who} found it {harm} on {when}.", "{who}于{when}发现快件{harm}。").fill(**found)


_AT_THE_HANDOFF = {
    "R7a": Text(
        "{who} found it {harm} on taking it over on {when}; no release by {giver} says otherwise (R7a).",
        "{who}于{when}接收时发现快件{harm}，{giver}的交出记录没有相反说明（R7a）。",
    ),
    "R7b": Text(
        "{who} found it {harm} on taking it over on {when}, while the release by {giver} says sound (R7b).",
        "{who}于{when}接收时发现快件{harm}，而{giver}的交出记录称完好（R7b）。",
    ),
    "R7c": Text(
        "{who} found it {harm} on taking it over on {when}, and {giver} signed to that (R7c).",
        "{who}于{when}接收时发现快件{harm}，{giver}已签字确认（R7c）。",
    ),
}


def _deemed_lost(case: Case) -> Iterator[Text]:
    assert case.U is not None
    for gap in case.gaps:
        taker = gap.removeprefix("no ACCEPT by ")
        yield Text("No acceptance by {who} is on record.", "没有{who}的接收记录。").fill(who=party(taker))
    zone = case.witness.t.tzinfo if case.witness is not None else None
    yield Text(
        "Nobody has had it at hand since, and the time after which it counts as lost ran out on {when} (R10).",
        "此后无人经手，至{when}期限届满，视为丢失（R10）。",
    ).fill(when=date(case.U.t.astimezone(zone) if zone is not None else case.U.t))


# --- what follows ----------------------------------------------------------------------------------------------------


def _answer(case: Case) -> Iterator[Text]:
    level = CONFIDENCE[confidence(case)]
    match case.outcome:
        case Outcome.SEGMENT:
            yield _segment(case).fill(who=party(case.answerable[0]), level=level)
        case Outcome.JOINT | Outcome.SHARED:
            yield _joint(case).fill(who=parties(case.answerable), parts=_parts(case), level=level)
        case Outcome.SENDER:
            yield Text(
                "It was so when the sender handed it over, and the sender bears it (R14a; confidence {level}).",
                "该状况在寄件人交寄时已存在，由寄件人承担（R14a；可信度：{level}）。",
            ).fill(level=level)
        case Outcome.RECIPIENT:
            yield _recipient(case).fill(level=level)
        case _:
            yield _undetermined(case)


def _segment(case: Case) -> Text:
    if case.finding.kind is FindingKind.LOSS:
        return Text(
            "{who} was the last to hold it and cannot show that anybody took it over, so {who} answers (R10; confidence {level}).",
            "{who}是最后的保管方，且不能证明已被下一方接收，由{who}承担（R10；可信度：{level}）。",
        )
    if case.contradicting is not None and case.contradicting is case.witness:
        return Text(
            "The release is the better evidence, so {who} answers (R7b; confidence {level}).",
            "交出记录的证据等级更高，由{who}承担（R7b；可信度：{level}）。",
        )
    if len(case.candidates) > 1 and not case.located:
        return Text(
            "Nothing on record tells whose leg it was; the contract presumes the last carrier, {who} (R20; confidence {level}).",
            "现有记录无法确定区段，按约定推定由最后承运方{who}承担（R20；可信度：{level}）。",
        )
    return Text(
        "{who} held it in between and answers (confidence {level}).", "其间由{who}保管，由{who}承担（可信度：{level}）。"
    )


def _joint(case: Case) -> Text:
    if case.halves:
        return Text(
            "Both looks are equally good, so {who} answer in equal halves (R7b; confidence {level}).",
            "双方记录的证据等级相同，由{who}各承担一半（R7b；可信度：{level}）。",
        )
    return Text(
        "{who} held it in between, and nothing on record tells whose leg it was; they share: {parts} (R20; confidence {level}).",
        "其间由{who}先后保管，现有记录无法确定区段，分担比例：{parts}（R20；可信度：{level}）。",
    )


def _parts(case: Case) -> Text:
    told = [(party(share.party), share.share) for share in shares(case)]
    return Text(
        ", ".join(f"{who.en} {share}" for who, share in told), "、".join(f"{who.zh.strip()} {share}" for who, share in told)
    )


def _recipient(case: Case) -> Text:
    if case.L is not None and case.L.rule == "R13c":
        return Text(
            "It was shown only after the notice days had run out, so it falls to the recipient (R13c; confidence {level}).",
            "通知期届满后方才举证，由收件人承担（R13c；可信度：{level}）。",
        )
    if "R13a" in case.fired:
        return Text(
            "It is presumed to have happened after delivery, and falls to the recipient (R13a; confidence {level}).",
            "推定发生于交付之后，由收件人承担（R13a；可信度：{level}）。",
        )
    return Text(
        "It happened after delivery, and falls to the recipient (confidence {level}).",
        "发生于交付之后，由收件人承担（可信度：{level}）。",
    )


def _undetermined(case: Case) -> Text:
    if "R16" in case.fired:
        return Text(
            "Since no record shows it sound at the start, nobody can be named, and the burden stays with the claimant (R16).",
            "由于没有交寄时完好的记录，无法认定责任方，举证责任仍在索赔方（R16）。",
        )
    if case.finding.kind is FindingKind.DELAY:
        return Text(
            "Whose hours they were cannot be said from what is on record (R22).", "现有记录无法确定由谁造成延误（R22）。"
        )
    if case.U is None:
        return Text("Nobody can be named on that alone (R3).", "仅凭此不能认定责任方（R3）。")
    return Text("Nobody can be named.", "无法认定责任方。")


# --- what would change it --------------------------------------------------------------------------------------------


def _what_would_change_it(case: Case) -> Iterator[Text]:
    found = harm(case.finding)
    if case.U is not None and case.U.rule == "R13b":
        yield Text(
            "This changes if it is shown that the harm came after delivery.", "如能证明损坏发生于交付之后，结论将改变。"
        )
    match case.outcome:
        case Outcome.SEGMENT | Outcome.RECIPIENT if case.L is not None and case.L.how == "presumed":
            assert case.L.act is not None
            yield Text(
                "This changes if {who} shows that it was already {harm} when it was taken over.",
                "如{who}证明接收时快件已{harm}，结论将改变。",
            ).fill(who=party(case.L.act.party), harm=found)
        case Outcome.SEGMENT if case.finding.kind is FindingKind.LOSS:
            yield Text(
                "This changes if an acceptance by somebody else is shown, or if the parcel turns up.",
                "如能证明已被他方接收，或快件被找回，结论将改变。",
            )
        case Outcome.JOINT:
            yield Text(
                "A look or footage from within the bracket would narrow it.", "责任区间内的查验记录或监控录像可缩小范围。"
            )
        case Outcome.UNDETERMINED if case.finding.kind is not FindingKind.DELAY:
            yield Text(
                "A direct record that shows it sound, or the harm, would change this.",
                "如有证明此前完好或证明损坏的直接记录，结论将改变。",
            )
        case Outcome.UNDETERMINED:
            yield Text("A plan or records of the handoffs would change this.", "如有分段时限计划或交接记录，结论将改变。")
        case Outcome.SENDER:
            yield Text(
                "This changes if it is shown that it was sound when it was handed over.", "如能证明交寄时完好，结论将改变。"
            )
        case Outcome.SEGMENT | Outcome.RECIPIENT:
            yield Text(
                "Only an earlier direct record of the harm, or a later one of sound, would change this.",
                "仅有更早的直接损坏记录或更晚的直接完好记录方能改变结论。",
            )


def _pending(case: Case) -> Iterator[Text]:
    if case.pending:
        yield Text(
            "The record holds events that {rules} must judge, which this version does not do yet; do not rely on this answer alone.",
            "记录中有须由{rules}判断的事件，本版本尚未实现，请勿仅凭此结论处理。",
        ).fill(rules=Text(" and ".join(case.pending), "、".join(case.pending)))
    if "EVIDENCE_INCOMPLETE" in case.flags:
        yield Text("Some records about it cannot be read yet.", "部分记录暂时无法读取。")


_WHY_NOT_SURER = {
    "R5": "soundness at takeover is presumed from silence; nobody is on record as having looked",
    "R7a": "the taker noted the harm alone; the giver neither confirmed nor denied it",
    "R7b": "giver and taker contradict each other about the same handoff",
    "R8": "custody passed at an unknown moment inside the bracket",
    "R10": "nobody saw it go; the last holder answers because onward acceptance is not shown",
    "R13a": "the recipient signed without a remark",
    "R13b": "harm shown after delivery counts as there at delivery",
    "R13c": "the harm was shown only after the notice days",
    "R14a": "the sender did not sign to the harm noted at pick-up",
    "R17": "a later look contradicts the report of harm",
    "R18": "it rests on an unsigned entry against its author's own interest",
    "R20": "nothing on record tells whose leg it was",
}


def doubts(case: Case) -> tuple[str, ...]:
    """Why the answer is not surer, one sentence per rule, named by its id."""
    told = [f"{rule}: {_WHY_NOT_SURER[rule]}" for rule in case.doubts if rule in _WHY_NOT_SURER]
    if case.outcome is Outcome.JOINT and "R20" in case.fired and "R20" not in case.doubts:
        told.append(f"R20: {_WHY_NOT_SURER['R20']}")
    if case.outcome is Outcome.UNDETERMINED:
        told += [f"{rule}: nothing on record decides it" for rule in case.fired]
    told += [f"{rule}: not implemented in this version" for rule in case.pending]
    return tuple(told)


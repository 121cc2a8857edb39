"""The answer in sentences that a claims clerk can send: what was seen, by whom, what follows, what would change it."""

from collections.abc import Iterator

from msgspec import structs

from schemas.vocabulary import Condition, Facet, FindingKind, Outcome
from services.custody.core.acts import Act
from services.custody.core.case import Case
from services.custody.core.condition import FACETS, is_slighter
from services.custody.core.instants import in_zone
from services.custody.core.outlook import what_would_change_it
from services.custody.core.rules.confidence import confidence
from services.custody.core.rules.shares import shares
from services.custody.core.verdict import Explanation
from services.custody.core.wording import CONFIDENCE, Text, date, facet, grounds, harm, join, parties, party

_DISCLAIMER = Text("This is an evidence assessment, not legal advice.", "本结论为证据评估，不构成法律意见。")


def explain(case: Case) -> Explanation:
    """The case in both languages."""
    told = join([*_seen(case), *_doubtful(case), *_answer(case), *what_would_change_it(case), *_limits(case)])
    return Explanation(zh=told.zh, en=told.en)


# --- what was seen ---------------------------------------------------------------------------------------------------


def _seen(case: Case) -> Iterator[Text]:
    """Last intact, what silence adds, and the harm, in the order in which it happened."""
    if case.finding.kind is FindingKind.DELAY:
        yield from _lateness(case)
        return
    yield from _last_intact(case)
    for accept, act in reversed(case.reserved):
        assert act.reservation is not None
        yield Text(
            "{who} took it over on {when} and noted that it could not look ({grounds}), so nothing is presumed (R6).",
            "{who}于{when}接收时注明无法查验（{grounds}），故不作推定（R6）。",
        ).fill(who=party(accept.party), when=date(accept.t), grounds=grounds(act.reservation.grounds))
    if case.L is not None and case.L.how == "presumed" and case.L.act is not None:
        yield _presumed(case.L.act, case)
    yield from _harm(case)


def _last_intact(case: Case) -> Iterator[Text]:
    witness = case.witness
    if witness is None and case.finding.kind is FindingKind.LOSS:
        if case.U is not None:
            yield Text("No scan shows when it was last at hand.", "没有扫描记录表明其最后在场的时间。")
    elif witness is None:
        if case.U is not None and case.cause is None:
            text = Text("Nobody is on record as having found {what} sound before.", "此前没有{what}完好的记录。")
            yield text.fill(what=facet(case.bad_facets[0] if case.bad_facets else Facet.PRESENCE))
    elif case.finding.kind is FindingKind.LOSS:
        yield Text("{who} was the last to have it at hand, on {when}.", "{who}最后经手该件（{when}）。").fill(
            who=party(witness.party), when=date(witness.t)
        )
    elif case.L is not None and case.L.rule == "R35":
        yield Text(
            "{who} found it no more than {slighter} on {when}, so what was found later came after that (R35).",
            "{who}于{when}查看时仅{slighter}，其后发现的更重损坏发生于此后（R35）。",
        ).fill(who=party(witness.party), when=date(witness.t), slighter=_slighter(witness, case))
    elif witness is not case.contradicting:
        yield Text(
            "{who} was the last to look at {what} and found nothing wrong, on {when}.",
            "{who}是最后查看{what}的一方，当时完好（{when}）。",
        ).fill(who=party(witness.party), what=facet(_looked_at(witness, case)), when=date(witness.t))


def _slighter(witness: Act, case: Case) -> Text:
    seen = next(look for look in witness.looks if is_slighter(look, case.finding, case.bad_facets))
    return harm(structs.replace(case.finding, damage=seen.damage or case.finding.damage, severity=seen.severity))


def _looked_at(witness: Act, case: Case) -> Facet:
    for look in witness.looks:
        if look.value is Condition.OK and look.facet in (case.bad_facets or FACETS[case.finding.kind]):
            return look.facet
    return Facet.PRESENCE


def _presumed(accept: Act, case: Case) -> Text:
    if accept.reservation is not None and accept.reservation.grounds in case.policy.reservation_grounds:
        text = Text(
            "{who} took it over on {when}; its remark ({grounds}) does not concern this harm, so it is presumed "
            "outwardly sound then (R5).",
            "{who}于{when}接收，其批注（{grounds}）与此损坏无关，故推定当时外观完好（R5）。",
        )
        return text.fill(who=party(accept.party), when=date(accept.t), grounds=grounds(accept.reservation.grounds))
    if accept.reservation is not None:
        text = Text(
            "{who} took it over on {when}; its remark ({grounds}) is no valid reservation (R6), so it is presumed "
            "outwardly sound then (R5).",
            "{who}于{when}接收，其批注（{grounds}）不构成有效保留（R6），故推定当时外观完好（R5）。",
        )
        return text.fill(who=party(accept.party), when=date(accept.t), grounds=grounds(accept.reservation.grounds))
    return Text(
        "{who} took it over on {when} without a remark, so it is presumed outwardly sound then (R5).",
        "{who}于{when}接收时未作任何批注，故推定当时外观完好（R5）。",
    ).fill(who=party(accept.party), when=date(accept.t))


def _lateness(case: Case) -> Iterator[Text]:
    promised = case.ground.contract.promised(case.chain.taken_over_at)
    assert promised is not None
    delivery = case.chain.delivery
    if delivery is not None:
        text = Text("It was promised for {due} and delivered on {when}.", "承诺于{due}前送达，实际于{when}交付。")
        yield text.fill(due=date(promised), when=date(delivery.accept.t))
    else:
        text = Text("It was promised for {due} and has not been delivered.", "承诺于{due}前送达，至今未交付。")
        yield text.fill(due=date(promised))
    if "FOUND" in case.flags:
        yield Text("It had counted as lost and turned up since (R31).", "该件曾视为丢失，其后被找回（R31）。")


def _harm(case: Case) -> Iterator[Text]:
    """How the harm came to light, and why that moment is the end of the bracket."""
    if case.U is None:
        yield Text(
            "{who} reported it {harm}, but nothing that could be checked supports the report.",
            "{who}报告快件{harm}，但没有可核验的证据支持。",
        ).fill(who=parties([act.party for act, _ in case.openers]), harm=harm(case.finding))
        return
    act = case.U.act
    if act is None:
        yield from _deemed_lost(case)
        return
    found = {"who": party(act.party), "harm": harm(case.finding), "when": date(act.t)}
    if case.U.rule == "R13b":
        yield Text(
            "{who} showed it {harm} on {when}; that was in time, so the harm counts as there at delivery on "
            "{delivered} (R13b).",
            "{who}于{when}举证快件{harm}，未逾通知期，视为{delivered}交付时已存在（R13b）。",
        ).fill(**found, delivered=date(case.U.t))
    elif case.boundary is not None and case.U.rule in _AT_THE_HANDOFF:
        noted = _NOTED_THERE if act is case.boundary.accept else _NOTED_SOON_AFTER
        said = _AT_THE_HANDOFF[case.U.rule]
        yield Text(noted.en + said.en, noted.zh + said.zh).fill(**found, giver=party(case.boundary.giver))
    else:
        yield Text("{who} found it {harm} on {when}.", "{who}于{when}发现快件{harm}。").fill(**found)


_NOTED_THERE = Text("{who} found it {harm} on taking it over on {when}", "{who}于{when}接收时发现快件{harm}")
_NOTED_SOON_AFTER = Text(
    "{who} noted it {harm} on {when}, soon enough after taking it over to count as noted there (R6)",
    "{who}于{when}注明快件{harm}，未逾接收后的保留期限，视同接收时注明（R6）",
)
_AT_THE_HANDOFF = {
    "R7a": Text("; no release by {giver} says otherwise (R7a).", "，{giver}没有相反的交出记录（R7a）。"),
    "R7b": Text(", while the release by {giver} says sound (R7b).", "，而{giver}的交出记录称完好（R7b）。"),
    "R7c": Text(", and {giver} signed to that (R7c).", "，{giver}已签字确认（R7c）。"),
}


def _deemed_lost(case: Case) -> Iterator[Text]:
    assert case.U is not None
    takers = [gap.removeprefix(_NO_ACCEPT) for gap in case.gaps if gap.startswith(_NO_ACCEPT)]
    takers = [taker for taker in takers if taker not in case.answerable]
    if takers:
        text = Text("No acceptance by {who} is on record.", "没有{who}的接收记录。")
        yield text.fill(who=parties(takers))
    # The instant comes from a setting; it is told in the zone of whoever had the parcel last.
    zone = case.witness.t.tzinfo if case.witness is not None else case.U.t.tzinfo
    yield Text(
        "Nobody has had it at hand since, and it counts as lost from {when} on (R10).",
        "此后无人经手，自{when}起视为丢失（R10）。",
    ).fill(when=date(in_zone(case.U.t, zone)))


_NO_ACCEPT = "no ACCEPT by "


def _doubtful(case: Case) -> Iterator[Text]:
    """What makes the record less than plain."""
    if "R8" in case.fired:
        for giver, taker in case.zones:
            yield Text(
                "When it passed from {giver} to {taker} is not known, so both stay candidates (R8).",
                "自{giver}转移至{taker}的时刻不明，双方均列为可能责任方（R8）。",
            ).fill(giver=party(giver), taker=party(taker))
    if case.refuted:
        yield Text(
            "An earlier alarm was refuted by a better look and is left out (R17).",
            "此前的一次损坏报警已被更高等级的查验推翻，不予采用（R17）。",
        )
    if case.contested:
        yield Text(
            "A later look says sound, but damage does not heal (R17).", "其后虽有完好记录，但损坏不会自愈（R17）。"
        )
    if "R13d" in case.fired:
        yield Text(
            "That was before delivery, so the recipient's receipt does not clear the carriers (R13d).",
            "该记录早于交付，收件人的签收不免除承运方责任（R13d）。",
        )
    if "ADMISSION" in case.flags:
        yield Text(
            "That entry is unsigned, but it speaks against its own author and counts (R18).",
            "该记录虽未签名，但不利于记录方自身，予以采信（R18）。",
        )
    reasons = {why for _, why in case.scene.excluded.values()}
    if "SELF_SERVING" in reasons:
        yield Text(
            "An unsigned note in its author's favour, made after the dispute arose, is left out (R18).",
            "争议发生后作出的、有利于记录方自身的未签名记录不予采信（R18）。",
        )
    if "TOO_LATE_TO_RETRACT" in reasons:
        yield Text(
            "Taking back a report after the dispute arose has no effect without the other side's signature (R18).",
            "争议发生后撤回记录，未经对方签字的，不生效力（R18）。",
        )


# --- what follows ----------------------------------------------------------------------------------------------------


def _answer(case: Case) -> Iterator[Text]:
    level = CONFIDENCE[confidence(case)]
    match case.outcome:
        case Outcome.SEGMENT:
            yield _segment(case).fill(who=party(case.answerable[0]), level=level)
        case Outcome.JOINT | Outcome.SHARED:
            yield _joint(case).fill(who=parties(case.answerable), parts=_parts(case), level=level)
        case Outcome.SENDER if case.cause is None:
            yield Text(
                "By the record the sender still had it, and bears it (confidence {level}).",
                "据记录当时仍由寄件人持有，由寄件人承担（可信度：{level}）。",
            ).fill(level=level)
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
    if case.finding.kind is FindingKind.DELAY:
        return Text("Whose hours they were cannot be said (R22).", "现有记录无法确定由谁造成延误（R22）。")
    if case.U is None:
        return Text("Nobody can be named on that alone (R3).", "仅凭此不能认定责任方（R3）。")
    return Text("Nobody can be named.", "无法认定责任方。")


# --- what it does not cover ----------------------------------------------------------------------------------------


def _limits(case: Case) -> Iterator[Text]:
    if case.pending:
        yield Text(
            "The record holds events that {rules} must judge, which this version cannot do yet; do not rely on this "
            "answer alone.",
            "记录中有须由{rules}判断的事件，本版本尚未实现，请勿仅凭此结论处理。",
        ).fill(rules=Text(" and ".join(case.pending), "、".join(case.pending)))
    if "EVIDENCE_INCOMPLETE" in case.flags:
        yield Text("Some records about it cannot be read yet.", "部分记录暂时无法读取。")
    yield _DISCLAIMER

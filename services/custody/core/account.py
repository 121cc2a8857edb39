"""The account: how the parcel was last seen sound, how the harm came to light, and what makes the record less plain."""

from collections.abc import Iterator
from datetime import timedelta

from msgspec import structs

from schemas.vocabulary import SENDER, Condition, Facet, FindingKind
from services.custody.core import lateness
from services.custody.core.acts import Act, Kind
from services.custody.core.case import Case
from services.custody.core.condition import FACETS, is_slighter
from services.custody.core.instants import in_zone
from services.custody.core.wording import Text, date, facet, grounds, harm, hours, parties, party


def what_was_seen(case: Case) -> Iterator[Text]:
    """What was seen by whom, in the order in which it happened, then what is doubtful about it."""
    yield from _seen(case)
    yield from _doubtful(case)


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
    elif case.chain.tendered_at is not None:
        text = Text(
            "It was promised for {due}; it was refused or called back on {when}.",
            "承诺于{due}前送达，于{when}被拒收或召回。",
        )
        yield text.fill(due=date(promised), when=date(case.chain.tendered_at))
    else:
        text = Text("It was promised for {due} and has not been delivered.", "承诺于{due}前送达，至今未交付。")
        yield text.fill(due=date(promised))
    until = lateness.ended_at(case.ground, case.scene)
    waits = [(since, min(end, until)) for since, end in lateness.excused(case.ground, case.chain)]
    waited = sum((end - since for since, end in waits if since < end), timedelta())
    if waited:
        yield Text("Waits of {hours} are excused (R22).", "其中{hours}的等待予以扣除（R22）。").fill(
            hours=hours(waited / timedelta(hours=1))
        )
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
    delivery = next((each for each in case.chain.deliveries if each.accept.t == case.U.t), None)
    if case.U.rule == "R26":
        dropped = delivery is not None and delivery.dropped
        yield (_SHOWN_AFTER_DROP if dropped else _SHOWN_AFTER_FETCHING).fill(**found, delivered=date(case.U.t))
    elif case.U.rule == "R13b" and delivery is not None and delivery.taker == SENDER:
        yield Text(
            "{who} showed it {harm} on {when}; that was in time, so the harm counts as there when the sender got it "
            "back on {delivered} (R13b).",
            "{who}于{when}举证快件{harm}，未逾通知期，视为{delivered}退回寄件人时已存在（R13b）。",
        ).fill(**found, delivered=date(case.U.t))
    elif case.U.rule == "R13b":
        yield Text(
            "{who} showed it {harm} on {when}; that was in time, so the harm counts as there at delivery on "
            "{delivered} (R13b).",
            "{who}于{when}举证快件{harm}，未逾通知期，视为{delivered}交付时已存在（R13b）。",
        ).fill(**found, delivered=date(case.U.t))
    elif case.boundary is not None and case.U.rule in _AT_THE_HANDOFF:
        noted = _NOTED_THERE if act is case.boundary.accept else _NOTED_SOON_AFTER
        noted = _REFUSED if act.kind is Kind.REFUSE else noted
        said = _AT_THE_HANDOFF[case.U.rule]
        yield Text(noted.en + said.en, noted.zh + said.zh).fill(**found, giver=party(case.boundary.giver))
    else:
        yield Text("{who} found it {harm} on {when}.", "{who}于{when}发现快件{harm}。").fill(**found)


_SHOWN_AFTER_FETCHING = Text(
    "{who} showed it {harm} on {when}; that was soon enough after it was fetched with nobody there on {delivered}, so "
    "the harm counts as there then (R26).",
    "{who}于{when}举证快件{harm}，距{delivered}无人值守取件未逾期限，视为取件时已存在（R26）。",
)
_SHOWN_AFTER_DROP = Text(
    "{who} showed it {harm} on {when}; that was soon enough after it was left there on {delivered}, so the harm counts "
    "as there then (R26).",
    "{who}于{when}举证快件{harm}，距{delivered}放置未逾期限，视为放置时已存在（R26）。",
)
_NOTED_THERE = Text("{who} found it {harm} on taking it over on {when}", "{who}于{when}接收时发现快件{harm}")
_NOTED_SOON_AFTER = Text(
    "{who} noted it {harm} on {when}, soon enough after taking it over to count as noted there (R6)",
    "{who}于{when}注明快件{harm}，未逾接收后的保留期限，视同接收时注明（R6）",
)
_REFUSED = Text(
    "{who} refused it on {when}, since it was {harm}, and nobody took it (R25)",
    "{who}于{when}以快件{harm}为由拒收，快件无人接收（R25）",
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
    for one, other in case.doubtful[:1]:
        yield Text(
            "Which came first, what {one} recorded on {when} or what {other} recorded on {then}, no clock can tell; "
            "the other way round the answer would be another (R36).",
            "{one}于{when}的记录与{other}于{then}的记录孰先孰后，无法凭时钟判定；先后互换则结论不同（R36）。",
        ).fill(one=party(one.party), when=date(one.t), other=party(other.party), then=date(other.t))
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

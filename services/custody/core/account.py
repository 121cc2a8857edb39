"""The account: who was last to see the parcel sound, who had it then, and what makes the record less plain."""

from collections.abc import Iterator

from msgspec import structs

from schemas.vocabulary import RECIPIENT, SENDER, Condition, Facet, FindingKind
from services.custody.core.acts import Act
from services.custody.core.case import Case
from services.custody.core.condition import FACETS, is_slighter
from services.custody.core.naming import text
from services.custody.core.wording import Text, date, facet, grounds, harm, outwardly_sound, parties, party


def who_had_it(case: Case) -> Iterator[Text]:
    """The last sound look, with its witness, and whose hands it went through from there."""
    if case.finding.kind is FindingKind.DELAY:
        held = [segment.party for segment in case.chain.segments if segment.party not in (SENDER, RECIPIENT)]
        if held:
            yield _CARRIED.fill(who=parties(held))
        return
    yield from _last_intact(case)
    if case.U is not None and case.proved and case.proved != [SENDER]:
        yield _held(case).fill(who=parties(case.proved), until=date(case.U.t))


def _held(case: Case) -> Text:
    """Whose hands it went through, to the end of the time in question; a lost parcel has none."""
    if case.witness is None:
        return _HELD_UNTIL
    if case.finding.kind is FindingKind.LOSS and case.U is not None and case.U.act is None:
        return _HELD_ON
    return _HELD_ALONE if len(case.proved) == 1 else _HELD_SINCE


def what_is_presumed(case: Case) -> Iterator[Text]:
    """What a takeover says by its silence, or does not say because somebody reserved."""
    for accept, act in reversed(case.reserved):
        assert act.reservation is not None
        yield _RESERVED.fill(who=party(accept.party), when=date(accept.t), grounds=grounds(act.reservation.grounds))
    if case.L is not None and case.L.how == "presumed" and case.L.act is not None:
        yield _presumed(case.L.act, case)


def _last_intact(case: Case) -> Iterator[Text]:
    witness = case.witness
    if witness is None:
        if case.finding.kind is FindingKind.LOSS:
            if case.U is not None:
                yield _NEVER_AT_HAND
        elif case.U is not None and case.cause != "pre_existing":
            yield _NEVER_SOUND.fill(what=facet(case.bad_facets[0] if case.bad_facets else Facet.PRESENCE))
        return
    told = {"who": party(witness.party), "when": date(witness.t)}
    if case.finding.kind is FindingKind.LOSS:
        yield _LAST_AT_HAND.fill(**told)
    elif case.L is not None and case.L.rule == "R35":
        yield _SLIGHTER.fill(**told, slighter=_slighter(witness, case))
    elif witness is case.contradicting:
        yield _ITS_RELEASE.fill(**told)
    else:
        yield _LAST_LOOK.fill(**told, what=facet(_looked_at(witness, case)))
    yield (_NO_MORE_THAN_A_LOOK if witness.party in case.answerable else _A_WITNESS).fill(who=party(witness.party))


def _slighter(witness: Act, case: Case) -> Text:
    seen = next((look for look in witness.looks if is_slighter(look, case.finding, case.bad_facets)), None)
    if seen is None:
        return harm(case.finding)
    return harm(structs.replace(case.finding, damage=seen.damage or case.finding.damage, severity=seen.severity))


def _looked_at(witness: Act, case: Case) -> Facet:
    facets = (*case.bad_facets, *FACETS[case.finding.kind])
    sound = [look.facet for look in witness.looks if look.value is Condition.OK]
    return next((each for each in facets if each in sound), Facet.WEIGHT if _weighed(witness) else Facet.PRESENCE)


def _weighed(witness: Act) -> bool:
    return any(look.facet is Facet.WEIGHT for look in witness.looks)


def _presumed(accept: Act, case: Case) -> Text:
    told = {"who": party(accept.party), "when": date(accept.t), "sound": outwardly_sound(case.finding.kind)}
    if accept.reservation is None:
        return _SILENT.fill(**told)
    valid = accept.reservation.grounds in case.policy.reservation_grounds
    return (_BESIDE_THE_POINT if valid else _EMPTY_REMARK).fill(**told, grounds=grounds(accept.reservation.grounds))


def what_is_doubtful(case: Case) -> Iterator[Text]:
    """What makes the record less than plain."""
    for one, other in case.doubtful[:1]:
        yield _EITHER_ORDER.fill(one=party(one.party), when=date(one.t), other=party(other.party), then=date(other.t))
    if "R8" in case.fired:
        for giver, taker in dict.fromkeys(case.zones):
            yield _PASSED_UNSEEN.fill(giver=party(giver), taker=party(taker))
    if case.refuted:
        yield _FALSE_ALARM
    if case.contested:
        yield _NOT_HEALED
    if "R13d" in case.fired:
        yield _BEFORE_DELIVERY
    if "ADMISSION" in case.flags:
        yield _ADMISSION
    reasons = {why for _, why in case.scene.excluded.values()}
    if "SELF_SERVING" in reasons:
        yield _SELF_SERVING
    if "TOO_LATE_TO_RETRACT" in reasons:
        yield _TOO_LATE_TO_RETRACT
    if "WRONG_TAKER" in case.flags:
        yield _WRONG_TAKER
    if "CLOCK_SKEW" in case.flags:
        yield _CLOCK_SKEW
    if "SEQUENCE_GAP" in case.flags:
        yield _SEQUENCE_GAP


_CARRIED = text("On its way it was with {who}, in this order.", "途中依次由{who}保管。")
_HELD_SINCE = text(
    "From then to {until} it was, by the record, with {who}.",
    "此后至{until}，记录显示快件先后由{who}保管。",
)
_HELD_ALONE = text(
    "From then to {until} it was, by the record, with {who} alone.",
    "此后至{until}，记录显示快件一直由{who}保管。",
)
_HELD_ON = text(
    "From then on the record has it with {who}.",
    "此后，记录显示快件由{who}保管。",
)
_HELD_UNTIL = text(
    "Up to {until} it had been, by the record, with {who}.",
    "截至{until}，记录显示快件由{who}保管。",
)
_NEVER_AT_HAND = text("No scan shows when the parcel was last at hand.", "没有扫描记录表明快件最后在场的时间。")
_NEVER_SOUND = text(
    "Nobody is on record as having found {what} sound before.", "此前没有任何一方查验{what}完好的记录。"
)
_LAST_AT_HAND = text(
    "{who} was the last to have the parcel at hand, on {when}.",
    "最后一次经手快件的是{who}，时间为{when}。",
)
_SLIGHTER = text(
    "{who} looked on {when} and found the parcel no more than {slighter}; what is graver came after that [R35].",
    "{who}于{when}查看时，快件仅为{slighter}，更重的损坏发生于此后[R35]。",
)
_ITS_RELEASE = text(
    "The last to find it sound was {who}, when it let the parcel go on {when}.",
    "最后记录快件完好的是{who}于{when}所作的移交记录。",
)
_LAST_LOOK = text(
    "{who} was the last to look at {what} and found nothing wrong, on {when}.",
    "最后查验{what}且未见异常的是{who}，时间为{when}。",
)
_A_WITNESS = text(
    "{who} is only a witness to that; having looked last does not make it liable [R4].",
    "{who}仅就此作证，不因最后经手或查验而承担责任[R4]。",
)
_NO_MORE_THAN_A_LOOK = text(
    "That alone does not make {who} liable; what does is said below [R4].",
    "仅此一项不使{who}承担责任，承担责任的理由见下文[R4]。",
)
_RESERVED = text(
    "{who} took it over on {when} and noted that it could not look ({grounds}), so nothing is presumed from that "
    "takeover [R6].",
    "{who}于{when}接收时注明无法查验（{grounds}），故不就该次接收作完好推定[R6]。",
)
_SILENT = text(
    "{who} took it over on {when} without a remark, so the parcel is presumed to have been {sound} then [R5].",
    "{who}于{when}接收时未作任何批注，故推定当时{sound}[R5]。",
)
_BESIDE_THE_POINT = text(
    "{who} took it over on {when}. Its remark ({grounds}) does not concern this harm, so it is presumed {sound}"
    " then [R5].",
    "{who}于{when}接收，其批注（{grounds}）与本项异常无关，故推定当时{sound}[R5]。",
)
_EMPTY_REMARK = text(
    "{who} took it over on {when}. Its remark ({grounds}) is no valid reservation [R6], so it is presumed "
    "{sound} then [R5].",
    "{who}于{when}接收，其批注（{grounds}）不构成有效保留[R6]，故推定当时{sound}[R5]。",
)
_EITHER_ORDER = text(
    "Which came first, what {one} recorded on {when} or what {other} recorded on {then}, no clock can tell; the other "
    "way round the answer would be another [R36].",
    "{one}于{when}的记录与{other}于{then}的记录孰先孰后，无法凭时钟判定；先后互换，结论即不同[R36]。",
)
_PASSED_UNSEEN = text(
    "When it passed from {giver} to {taker} is not known, so neither of them can be ruled out [R8].",
    "快件自{giver}转移至{taker}的时刻不明，双方均不能排除[R8]。",
)
_FALSE_ALARM = text(
    "An earlier alarm was refuted by a better look and is left out [R17].",
    "此前的一次损坏报警已被证据等级更高的查验推翻，不予采用[R17]。",
)
_NOT_HEALED = text(
    "A later look says sound, but damage does not heal [R17].", "其后虽有完好记录，但损坏不会自愈[R17]。"
)
_BEFORE_DELIVERY = text(
    "That was before delivery, so the recipient's receipt does not clear the carriers [R13d].",
    "上述记录早于交付，收件人的签收不免除承运方的责任[R13d]。",
)
_ADMISSION = text(
    "One entry is unsigned, but it speaks against its own author and therefore counts [R18].",
    "其中一项记录虽未签名，但不利于记录方自身，故予采信[R18]。",
)
_SELF_SERVING = text(
    "An unsigned note in its author's favour, made after the dispute arose, is left out [R18].",
    "争议发生后作出、有利于记录方自身的未签名记录，不予采信[R18]。",
)
_TOO_LATE_TO_RETRACT = text(
    "Taking back a report after the dispute arose has no effect without the other side's signature [R18].",
    "争议发生后撤回记录而未经对方签字的，不生效力[R18]。",
)
_WRONG_TAKER = text(
    "It had been released to another party than the one that took it; who took it is what counts [R1].",
    "移交记录所载的接收方与实际接收方不同，以实际接收方为准[R1]。",
)
_CLOCK_SKEW = text(
    "An acceptance is dated earlier than its release by more than clocks may differ; the acceptance stands [R1].",
    "有接收记录早于对应的移交记录，且超出时钟允许误差，仍以接收记录为准[R1]。",
)
_SEQUENCE_GAP = text(
    "A device's numbering has a hole in this time, so a record may have been lost [R36].",
    "该期间内有设备的记录编号不连续，可能有记录遗失[R36]。",
)

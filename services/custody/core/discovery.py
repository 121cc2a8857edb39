"""The discovery: what was found, by whom and when, and from when on it counts as there. The first paragraph."""

from collections.abc import Iterator
from datetime import timedelta

from schemas.vocabulary import SENDER, FindingKind
from services.custody.core import lateness
from services.custody.core.acts import Act, Kind
from services.custody.core.case import Case, Edge
from services.custody.core.instants import in_zone
from services.custody.core.naming import text
from services.custody.core.wording import Text, date, harm, hours, parties, party


def what_was_found(case: Case) -> Iterator[Text]:
    """The harm, the loss or the delay."""
    if case.finding.kind is FindingKind.DELAY:
        yield from _late(case)
    elif case.U is None:
        reported = _UNCHECKED.fill(who=parties([act.party for act, _ in case.openers]), harm=harm(case.finding))
        yield reported
    elif case.U.act is None:
        yield from _deemed_lost(case)
    else:
        yield from _found(case, case.U, case.U.act)
    if "WEIGHT_AGREES" in case.flags:
        yield _WEIGHT_AGREES


def _found(case: Case, edge: Edge, act: Act) -> Iterator[Text]:
    """How the harm came to light, and why it counts as there from the end of the bracket on."""
    shown = _shown_by(case, edge, act)
    told = {"who": party(shown.party), "harm": harm(case.finding), "when": date(shown.t)}
    delivery = next((each for each in case.chain.deliveries if each.accept.t == edge.t), None)
    match edge.rule:
        case "R26":
            dropped = delivery is not None and delivery.dropped
            yield (_SHOWN_AFTER_DROP if dropped else _SHOWN_AFTER_FETCHING).fill(**told, then=date(edge.t))
        case "R13b":
            back = delivery is not None and delivery.taker == SENDER
            yield (_SHOWN_AFTER_RETURN if back else _SHOWN_AFTER_DELIVERY).fill(**told, then=date(edge.t))
        case "R15":
            yield _FOUND.fill(**told)
            yield _REPACKED.fill(who=party(act.party), when=date(act.t))
        case "R7a" | "R7b" | "R7c" if case.boundary is not None:
            noted = _NOTED_THERE if act is case.boundary.accept else _NOTED_SOON_AFTER
            yield (_REFUSED if act.kind is Kind.REFUSE else noted).fill(**told, giver=party(case.boundary.giver))
            yield _AT_THE_HANDOFF[edge.rule].fill(giver=party(case.boundary.giver))
        case _:
            yield _FOUND.fill(**told)


def _shown_by(case: Case, edge: Edge, act: Act) -> Act:
    """Who found the harm itself: where a broken seal or a torn carton ends the bracket, the first report of it."""
    if edge.how != "seal" and edge.rule != "R15":
        return act
    return min((opener for opener, look in case.openers if look.direct), key=lambda each: each.order, default=act)


def _deemed_lost(case: Case) -> Iterator[Text]:
    assert case.U is not None
    # The instant comes from a setting; it is told in the zone of whoever had the parcel last.
    zone = case.witness.t.tzinfo if case.witness is not None else case.U.t.tzinfo
    yield _DEEMED_LOST.fill(when=date(in_zone(case.U.t, zone)))


def _late(case: Case) -> Iterator[Text]:
    promised = case.ground.contract.promised(case.chain.taken_over_at)
    assert promised is not None
    delivery = case.chain.delivery
    if delivery is not None:
        yield _DELIVERED_LATE.fill(due=date(promised), when=date(delivery.accept.t))
    elif case.chain.tendered_at is not None:
        yield _TENDERED_LATE.fill(due=date(promised), when=date(case.chain.tendered_at))
    else:
        yield _NOT_DELIVERED.fill(due=date(promised))
    until = lateness.ended_at(case.ground, case.scene)
    waits = [(since, min(end, until)) for since, end in lateness.excused(case.ground, case.chain)]
    waited = sum((end - since for since, end in waits if since < end), timedelta())
    if waited:
        yield _EXCUSED.fill(hours=hours(waited / timedelta(hours=1)))
    if "FOUND" in case.flags:
        yield _TURNED_UP


_UNCHECKED = text(
    "{who} reported the parcel {harm}, but nothing that could be checked supports the report [R3].",
    "{who}报告快件{harm}，但没有可供核验的证据支持[R3]。",
)
_FOUND = text("{who} found the parcel {harm} on {when}.", "{who}于{when}发现快件{harm}。")
_NOTED_THERE = text(
    "{who} found the parcel {harm} on {when}, when taking it over from {giver}.",
    "{who}于{when}从{giver}处接收快件时，发现快件{harm}。",
)
_NOTED_SOON_AFTER = text(
    "{who} noted the parcel {harm} on {when}, after taking it over from {giver}. That was soon enough to count "
    "as noted at the takeover [R6].",
    "{who}从{giver}处接收后，于{when}注明快件{harm}，未超过补作保留的期限，视为接收时注明[R6]。",
)
_REFUSED = text(
    "{who} refused the parcel at the hands of {giver} on {when}, since it was {harm}; nobody took it [R25].",
    "{giver}派送时，{who}于{when}以快件{harm}为由拒收，快件无人接收[R25]。",
)
_AT_THE_HANDOFF = {
    "R7a": text(
        "No release by {giver} says otherwise, so it is taken to have happened before {giver} handed it over [R7a].",
        "{giver}没有与此相反的移交记录，故认定异常在{giver}移交之前已经存在[R7a]。",
    ),
    "R7b": text(
        "The release by {giver} at the same handover says sound [R7b].",
        "而{giver}就同一次交接的移交记录称完好[R7b]。",
    ),
    "R7c": text("{giver} confirmed this by signature [R7c].", "{giver}已对此签字确认[R7c]。"),
}
_SHOWN_AFTER_DELIVERY = text(
    "{who} showed the parcel {harm} on {when}. Notice was in time, so the harm counts as there at delivery, on "
    "{then} [R13b].",
    "{who}于{when}举证证明快件{harm}。通知未逾期，故视为{then}交付时已经存在[R13b]。",
)
_SHOWN_AFTER_RETURN = text(
    "{who} showed the parcel {harm} on {when}. Notice was in time, so the harm counts as there when the sender "
    "got it back, on {then} [R13b].",
    "{who}于{when}举证证明快件{harm}。通知未逾期，故视为{then}退回寄件人时已经存在[R13b]。",
)
_SHOWN_AFTER_FETCHING = text(
    "{who} showed the parcel {harm} on {when}, soon enough after fetching it with nobody there; the harm counts as "
    "there at that moment, {then} [R26].",
    "{who}于{when}举证证明快件{harm}，距无人值守取件未超过期限，视为{then}取件时已存在[R26]。",
)
_SHOWN_AFTER_DROP = text(
    "{who} showed the parcel {harm} on {when}, soon enough after it had been left as agreed; the harm counts as there "
    "at that moment, {then} [R26].",
    "{who}于{when}举证证明快件{harm}，距按约定放置未超过期限，视为{then}放置时已存在[R26]。",
)
_REPACKED = text(
    "{who} had found the old carton in bad order on {when}, and the goods went into a new one without a look inside, "
    "so they count as harmed from then on [R15].",
    "{who}此前已于{when}发现原外包装受损，其后未查看内件即更换外包装，故内件视为自该时起已受损[R15]。",
)
_DEEMED_LOST = text(
    "No record shows the parcel after it was last at hand. It has counted as lost since {when} [R10].",
    "快件最后一次经手后再无任何记录，自{when}起视为丢失[R10]。",
)
_WEIGHT_AGREES = text(
    "The weight that is lacking agrees with the mass of what is missing [R12].", "减少的重量与短少内件的重量相符[R12]。"
)
_DELIVERED_LATE = text(
    "The parcel was promised for {due} and delivered on {when}, which is late.",
    "快件承诺于{due}前送达，实际于{when}交付，已属延误。",
)
_TENDERED_LATE = text(
    "The parcel was promised for {due}; it was refused or called back on {when}, which is late.",
    "快件承诺于{due}前送达，于{when}被拒收或召回，已属延误。",
)
_NOT_DELIVERED = text(
    "The parcel was promised for {due} and has not been delivered.", "快件承诺于{due}前送达，至今未交付。"
)
_EXCUSED = text(
    "Waits of {hours} in all are excused and were taken off [R22].",
    "另有合计{hours}的等待依约可以免责，已从延误时间中扣除[R22]。",
)
_TURNED_UP = text(
    "It had counted as lost and has turned up since; the delay goes on [R31].",
    "快件曾视为丢失，其后被找回，延误继续计算[R31]。",
)

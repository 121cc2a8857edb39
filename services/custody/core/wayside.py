"""The wayside: what else happened on the way that the answer rests on, such as drops, returns, labels, authorities."""

from collections.abc import Iterator
from datetime import datetime

from schemas.events import ItemScanned, ParcelDropped
from schemas.vocabulary import PartyRole
from services.custody.core.case import Case
from services.custody.core.chain import Drop
from services.custody.core.grades import is_unproved
from services.custody.core.naming import text
from services.custody.core.pieces import named_by
from services.custody.core.rules.journey import inferred_stays, span_of
from services.custody.core.wording import Text, date, parties, party, place


def what_happened_on_the_way(case: Case) -> Iterator[Text]:
    """One sentence for each thing, by the rules that spoke about the way."""
    span = span_of(case)
    if span is None:
        return
    since, until = span
    if "R27" in case.fired:
        yield from _pieces(case)
    for drop in case.chain.drops:
        if since <= drop.act.t <= until or (drop.agreed and "R26" in case.fired and drop.act.t <= until):
            yield _drop(drop, case)
    if "R34" in case.fired and not any(drop.proxy and since <= drop.act.t <= until for drop in case.chain.drops):
        yield _PROXY
    if "R24" in case.fired:
        yield _SENT_BACK
    if "R33" in case.fired and case.ground.paper.redirected:
        yield _REDIRECTED.fill(when=date(case.ground.paper.redirected[-1].record_time))
    yield from _identity(case)
    for stay in inferred_stays(case, since, until):
        yield _UNPACKED_UNSEEN.fill(unit=Text(stay.unit, stay.unit), when=date(stay.until))
    yield from _authority(case, since, until)


def _pieces(case: Case) -> Iterator[Text]:
    yield _ONE_PIECE.fill(piece=Text(case.finding.piece or "", case.finding.piece or ""))
    delivery = case.chain.delivery
    if delivery is not None and not delivery.dropped and not named_by(delivery.accept):
        yield _ALL_PIECES.fill(who=party(delivery.taker), when=date(delivery.accept.t))


def _identity(case: Case) -> Iterator[Text]:
    for act in case.scene.acts:
        data = act.fact.data
        if "R28" in case.fired and is_unproved(data):
            yield _RELABELLED.fill(who=party(act.party), when=date(act.t))
        if "R32" in case.fired and isinstance(data, ItemScanned) and data.overage and act.unit is None:
            yield _ON_NO_LIST.fill(who=party(act.party), when=date(act.t))
    if "R29" in case.fired:
        yield _SWAPPED


def _authority(case: Case, since: datetime, until: datetime) -> Iterator[Text]:
    """R30, and R31 where it had counted as lost and been paid."""
    if "R30" in case.fired:
        held = [
            segment.party
            for segment in case.chain.segments
            if case.registry.role(segment.party) is PartyRole.AUTHORITY and segment.start <= until
        ]
        held += [name for name in case.alternatives if case.registry.role(name) is PartyRole.AUTHORITY]
        if held:
            yield _AUTHORITY.fill(who=parties(held))
    if "PAID_LOSS" in case.flags:
        yield _PAID
    elif "R31" in case.fired and "FOUND" not in case.flags:
        yield _FOUND_AGAIN


def _drop(drop: Drop, case: Case) -> Text:
    data = drop.act.fact.data
    runs_it = data.to if isinstance(data, ParcelDropped) and data.to else None
    return _words_for(drop, case, runs_it).fill(
        who=party(drop.act.party),
        giver=party(drop.giver),
        when=date(drop.act.t),
        place=place(drop.place),
        to=party(runs_it or drop.giver),
    )


def _words_for(drop: Drop, case: Case, runs_it: str | None) -> Text:
    if drop.proxy:
        return _UNNAMED_PERSON
    if drop.misdirected:
        return _OLD_ADDRESS
    if not drop.agreed:
        return _NOT_AGREED
    segments = case.chain.segments
    segment = next((segment for segment in segments if segment.opened_by is drop.act and segment.dropped), None)
    if segment is None:
        return _AGREED
    return _AGREED_WITH_ANOTHER if runs_it is not None and segment.party == runs_it else _AGREED_AND_DELIVERED


_ONE_PIECE = text(
    "This is about piece {piece} alone; records that name other pieces say nothing of it [R27].",
    "本结论仅涉及第{piece}件；仅提及其他件的记录对该件不生效力[R27]。",
)
_ALL_PIECES = text(
    "{who} took delivery on {when} without saying which pieces, which takes all of them [R27].",
    "{who}于{when}接收时未指明件号，视为全部接收[R27]。",
)
_PROXY = text(
    "It was signed for by a person whom the recipient had named or agreed to, which is the recipient's own act [R34].",
    "由收件人指定或同意的代收人签收，视同收件人本人签收[R34]。",
)
_SENT_BACK = text(
    "It had been sent back, so the time in question goes over both ways and the sender is its final taker [R24].",
    "快件已退回，所涉期间贯穿往返两程，寄件人为最终接收方[R24]。",
)
_REDIRECTED = text(
    "It was redirected, which was recorded on {when}; what was agreed then counts from there on [R33].",
    "快件已改址（记录于{when}），此后以改址后的约定为准[R33]。",
)
_UNPACKED_UNSEEN = text(
    "Nobody recorded when it came out of {unit}; that it was out by {when} is inferred [R9h].",
    "没有快件自{unit}取出的记录，其于{when}前已取出系推定[R9h]。",
)
_RELABELLED = text(
    "{who} put a new label on it on {when} without the old one in sight, so it is not proved to be the same parcel "
    "[R28].",
    "{who}于{when}换单时未见原单号，是否为同一快件未经证明[R28]。",
)
_ON_NO_LIST = text(
    "{who} found it on {when} on no list of what should have come; that clears no one [R32].",
    "{who}于{when}发现快件不在任何清单上，但这不免除任何一方的责任[R32]。",
)
_SWAPPED = text(
    "It holds the goods of another parcel and the other holds its goods; the two can only have been swapped where both "
    "were in one party's hands at once [R29].",
    "本件与另一快件的内件互换，换错只可能发生在同时保管两件快件的一方[R29]。",
)
_AUTHORITY = text(
    "{who} held it as an authority and takes no share; whoever presented it is liable for that time [R30].",
    "{who}系依职权占有，不参与分担；该期间由提交查验的一方承担责任[R30]。",
)
_PAID = text(
    "It had been given up as lost and paid for before it turned up; what becomes of the payment is for claims staff to "
    "decide [R31].",
    "快件曾按丢失赔付，其后被找回；已付款项如何处理由理赔人员决定[R31]。",
)
_FOUND_AGAIN = text(
    "It had counted as lost and turned up since; how it was before is not restored by that [R31].",
    "快件曾视为丢失，其后被找回；此前的完好状态不因此恢复[R31]。",
)
_UNNAMED_PERSON = text(
    "On {when} it was signed for by somebody whom the recipient had not named [R34]; that is no delivery, and {giver} "
    "stayed liable for it [R13e].",
    "{when}由收件人未指定的人签收[R34]，不构成交付，仍由{giver}承担责任[R13e]。",
)
_OLD_ADDRESS = text(
    "{who} left it on {when} at an address that was no longer in force [R33]; that is no delivery [R13e].",
    "{who}于{when}将快件投放于已失效的地址[R33]，不构成交付[R13e]。",
)
_NOT_AGREED = text(
    "{who} left it {place} on {when}; that the final taker agreed is not on record, so it is no delivery, and {giver} "
    "stayed liable for it until it was fetched [R13e].",
    "{who}于{when}将快件投放于{place}，没有收件方同意的记录，不构成交付，实际取件前仍由{giver}承担责任[R13e]。",
)
_AGREED = text(
    "{who} left it {place} on {when}, as agreed; {giver} stayed liable for it [R26].",
    "{who}于{when}经同意将快件投放于{place}，仍由{giver}承担责任[R26]。",
)
_AGREED_WITH_ANOTHER = text(
    "{who} left it {place} of {to} on {when}, as agreed; {to} had it from then on, and nobody looked [R26].",
    "{who}于{when}经同意将快件投放于{to}的{place}，此后由{to}保管，当时无人查验[R26]。",
)
_AGREED_AND_DELIVERED = text(
    "{who} left it {place} on {when}, as agreed, which counts as delivery [R26].",
    "{who}于{when}按约定将快件放置于{place}，视为交付[R26]。",
)

"""The wayside: what else happened on the way that the answer rests on, such as drops, returns, new labels (step 3)."""

from collections.abc import Iterator

from schemas.events import ItemScanned, ParcelDropped
from services.custody.core.case import Case
from services.custody.core.chain import Drop
from services.custody.core.grades import is_unproved
from services.custody.core.pieces import named_by
from services.custody.core.rules.journey import inferred_stays, span_of
from services.custody.core.wording import Text, date, party, place


def what_happened_on_the_way(case: Case) -> Iterator[Text]:
    """One sentence for each thing, by the rules of step 3 that spoke."""
    span = span_of(case)
    if span is None:
        return
    since, until = span
    if "R27" in case.fired:
        yield Text(
            "This is about piece {piece} alone; records that name other pieces say nothing of it (R27).",
            "本结论仅涉及第{piece}件；仅提及其他件的记录对该件不生效力（R27）。",
        ).fill(piece=Text(case.finding.piece or "", case.finding.piece or ""))
        delivery = case.chain.delivery
        if delivery is not None and not delivery.dropped and not named_by(delivery.accept):
            yield Text(
                "{who} took it on {when} without saying which pieces, which takes all of them (R27).",
                "{who}于{when}接收时未指明件号，视为全部接收（R27）。",
            ).fill(who=party(delivery.taker), when=date(delivery.accept.t))
    for drop in case.chain.drops:
        if since <= drop.act.t <= until or (drop.agreed and "R26" in case.fired and drop.act.t <= until):
            yield _drop(drop, case)
    if "R34" in case.fired and not any(drop.proxy and since <= drop.act.t <= until for drop in case.chain.drops):
        yield Text(
            "It was signed for by a person whom the recipient had named or agreed to, which is the recipient's own act "
            "(R34).",
            "由收件人指定或同意的代收人签收，视同收件人本人签收（R34）。",
        )
    if "R24" in case.fired:
        yield Text(
            "It had been sent back, so the bracket goes over both ways and the sender is its final taker (R24).",
            "该件已退回，责任区间贯穿往返两程，寄件人为最终接收方（R24）。",
        )
    if "R33" in case.fired and case.ground.paper.redirected:
        last = case.ground.paper.redirected[-1]
        yield Text(
            "It was redirected, which was recorded on {when}; what was agreed then counts from there on (R33).",
            "该件已改址（记录于{when}），此后以改址后的约定为准（R33）。",
        ).fill(when=date(last.record_time))
    yield from _identity(case)
    for stay in inferred_stays(case, since, until):
        yield Text(
            "Nobody recorded when it came out of {unit}; that it was out by {when} is inferred (R9h).",
            "没有其从{unit}中取出的记录，其于{when}前已取出系推定（R9h）。",
        ).fill(unit=Text(stay.unit, stay.unit), when=date(stay.until))


def _identity(case: Case) -> Iterator[Text]:
    for act in case.scene.acts:
        data = act.fact.data
        if "R28" in case.fired and is_unproved(act.fact.data):
            yield Text(
                "{who} put a new label on it on {when} without the old one in sight, so it is not proved to be the "
                "same parcel (R28).",
                "{who}于{when}换单时未见原单号，是否为同一快件未经证明（R28）。",
            ).fill(who=party(act.party), when=date(act.t))
        if "R32" in case.fired and isinstance(data, ItemScanned) and data.overage and act.unit is None:
            yield Text(
                "{who} found it on {when} on no list of what should have come; that clears no one (R32).",
                "{who}于{when}发现该件不在任何清单上，但这不免除任何一方的责任（R32）。",
            ).fill(who=party(act.party), when=date(act.t))


def _drop(drop: Drop, case: Case) -> Text:
    data = drop.act.fact.data
    runs_it = data.to if isinstance(data, ParcelDropped) and data.to else None
    words = {
        "who": party(drop.act.party),
        "giver": party(drop.giver),
        "when": date(drop.act.t),
        "place": place(drop.place),
        "to": party(runs_it or drop.giver),
    }
    return _words_for(drop, case, runs_it).fill(**words)


def _words_for(drop: Drop, case: Case, runs_it: str | None) -> Text:
    if drop.proxy:
        return Text(
            "On {when} it was signed for by somebody whom the recipient had not named; that is no delivery, and "
            "{giver} kept it on its account (R34, R13e).",
            "{when}由收件人未指定的人签收，不构成交付，仍由{giver}负责（R34、R13e）。",
        )
    if drop.misdirected:
        return Text(
            "{who} left it on {when} at an address that was no longer in force; that is no delivery (R33, R13e).",
            "{who}于{when}投放于已失效的地址，不构成交付（R33、R13e）。",
        )
    if not drop.agreed:
        return Text(
            "{who} left it {place} on {when}; that the final taker agreed is not on record, so it is no delivery, and "
            "{giver} kept it on its account until it was fetched (R13e).",
            "{who}于{when}将其投放于{place}，没有收件方同意的记录，不构成交付，实际取件前仍由{giver}负责（R13e）。",
        )
    segment = next(
        (segment for segment in case.chain.segments if segment.opened_by is drop.act and segment.dropped), None
    )
    if segment is None:
        return Text(
            "{who} left it {place} on {when}, as agreed; it stayed on the account of {giver} (R26).",
            "{who}于{when}经同意将其投放于{place}，仍由{giver}负责（R26）。",
        )
    if runs_it is not None and segment.party == runs_it:
        return Text(
            "{who} left it {place} of {to} on {when}, as agreed; {to} had it from then on, and nobody looked (R26).",
            "{who}于{when}经同意将其投放于{to}的{place}，此后由{to}保管，当时无人查验（R26）。",
        )
    return Text(
        "{who} left it {place} on {when}, as agreed, which counts as delivery (R26).",
        "{who}于{when}按要求将其放置于{place}，视为交付（R26）。",
    )

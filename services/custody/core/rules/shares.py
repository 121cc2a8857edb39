"""Step 13: who pays what part, and who answers to the claimant. R20 unlocalised loss."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from schemas.vocabulary import RECIPIENT, SENDER, Confidence, Outcome, PartyRole, Regime, SharePolicy
from services.custody.core.case import Case
from services.custody.core.rules.delivery import end_with_sender
from services.custody.core.rules.rule import Rule
from services.custody.core.seals import Sealed
from services.custody.core.verdict import Share

R20 = Rule(
    id="R20",
    name="unlocalised",
    en=(
        "When the place cannot be told, every carrier of the bracket shares: by freight, by heads, by the "
        "contract's table, or the last carrier alone, as agreed. Sender, recipient and authorities take no "
        "share beside carriers."
    ),
    zh=(
        "无法确定区段的，由责任区间内各承运方按约定分担：按运费比例、均等、按合同表或由最后承运方承担；"
        "寄件人、收件人和机关不与承运方分担。"
    ),
    source="CMR 37(c), 38; 民法典 834, 842; UPU Convention 1891 Art 8(6)",
)
RULES = (R20,)

_NO_SHARE_BESIDE_CARRIERS = (PartyRole.SENDER, PartyRole.RECIPIENT, PartyRole.AUTHORITY, PartyRole.SURVEYOR)


def share_out(case: Case) -> bool:
    """R20: outcome and answerable parties where no rule before has named them."""
    carriers = sharing(case, case.candidates)
    if not carriers:
        return _no_carrier(case)
    case.alternatives += [p for p in case.candidates if p in (SENDER, RECIPIENT) and p not in case.alternatives]
    if len(carriers) == 1:
        case.located = True
        return case.end(Outcome.SEGMENT, carriers[0])
    if case.policy.policy is SharePolicy.LAST_CARRIER and not _was_closed_in(case):
        case.fire("R20", Confidence.LOW)
        return case.end(Outcome.SEGMENT, _last(case, carriers))
    case.fire("R20")
    return case.end(Outcome.JOINT, *carriers)


def sharing(case: Case, parties: Sequence[str]) -> list[str]:
    """Those who take a share: carriers and lockers."""
    return [party for party in parties if case.registry.role(party) not in _NO_SHARE_BESIDE_CARRIERS]


def divided(case: Case, parties: Sequence[str]) -> dict[str, Fraction]:
    """What part of the whole each bears by the policy."""
    if case.policy.policy is SharePolicy.LAST_CARRIER and not _was_closed_in(case):
        return {_last(case, parties): Fraction(1)}
    weights = [Fraction(weight) for weight in _weights(case, parties)]
    total = sum(weights, Fraction(0))
    return {party: weight / total for party, weight in zip(parties, weights, strict=True)}


def _was_closed_in(case: Case) -> bool:
    """Whether it lay in a sealed unit inside the bracket: the last carrier cannot have looked, so all share equally.

    That goes up to where the seal was found broken: nobody on record looked inside before.
    """
    return any(
        sealed.unit is not None and sealed.span[0] < case.until and _closed_until(sealed) > case.since
        for sealed in case.seals.sealed
    )


def _closed_until(sealed: Sealed) -> datetime:
    return sealed.broken.act.t if sealed.broken is not None else sealed.span[1]


def _last(case: Case, carriers: Sequence[str]) -> str:
    """The carrier that held it last inside the bracket, or may have; one may have held it twice.

    In a zone that is the one who took it over: up to the zone's end it may have had it.
    """
    inside = case.windows
    held = [(zone.until, zone.taker) for zone in case.chain.zones if any(zone.overlaps(*window) for window in inside)]
    # After the zones, and in their own order: whoever takes it over and leaves it at once has not held it last.
    held += [
        (each.start, each.party) for each in case.chain.segments if any(each.overlaps(*window) for window in inside)
    ]
    latest = sorted(held, key=lambda each: each[0])[::-1]
    return next((party for _, party in latest if party in carriers), carriers[-1])


def _no_carrier(case: Case) -> bool:
    if RECIPIENT in case.candidates:
        return case.end(Outcome.RECIPIENT, RECIPIENT)
    if SENDER in case.candidates:
        return end_with_sender(case)
    return case.end(Outcome.UNDETERMINED)


def shares(case: Case) -> tuple[Share, ...]:
    """The exact parts of those who answer, summing to one; nobody's where nobody answers."""
    parties = case.answerable
    if not parties:
        return ()
    weights = [Fraction(weight) for weight in ([1] * len(parties) if case.halves else _weights(case, parties))]
    told = case.delay or case.parts
    if told:
        weights = [told[party] for party in parties]
    total = sum(weights, Fraction(0))
    return tuple(
        Share(party, _written(weight / total)) for party, weight in zip(parties, weights, strict=True) if weight
    )


def _weights(case: Case, parties: Sequence[str]) -> list[int]:
    """Whole-number weights by the policy; equal ones where a freight or an entry of the table is not known."""
    equal = [1] * len(parties)
    match case.policy.policy:
        case SharePolicy.FREIGHT:
            known = [case.ground.contract.freight(party) for party in parties]
        case SharePolicy.CONTRACT_TABLE:
            known = [case.policy.table.get(party) for party in parties]
        case _:
            return equal
    weights = [weight for weight in known if weight is not None]
    return weights if len(weights) == len(parties) and sum(weights) > 0 else equal


def _written(share: Fraction) -> str:
    return str(share.numerator) if share.denominator == 1 else f"{share.numerator}/{share.denominator}"


def external_debtors(case: Case) -> tuple[str, ...]:
    """Whom the claimant may ask, by the contract's regime; parties of one legal entity are one debtor."""
    if case.outcome in (Outcome.RECIPIENT, Outcome.SENDER, Outcome.UNDETERMINED):
        return ()
    carriers = [
        s.party for s in case.chain.segments if case.registry.role(s.party) in (PartyRole.CARRIER, PartyRole.LOCKER)
    ]
    contracting = case.ground.contract.announced.contracting or (carriers[0] if carriers else None)
    located = tuple(sharing(case, case.answerable)) if case.located else ()
    asked: list[str | None]
    match case.policy.regime:
        case Regime.CMR | Regime.MC:
            asked = [*carriers[:1], *located, *carriers[-1:]]
        case Regime.CN_BRAND:
            asked = [contracting, *(located or sharing(case, case.answerable))]
        case _:
            asked = [contracting, *located]
    debtors: dict[str, str] = {}
    for party in asked:
        if party is not None:
            debtors.setdefault(case.registry.entity(party), party)
    return tuple(debtors.values())

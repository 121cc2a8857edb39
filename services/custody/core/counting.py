"""Which recorded contents count: a repeat counts once, and of rivals under one identity the first recorded counts."""

from collections.abc import Collection, Sequence
from datetime import datetime

from schemas.positions import Position
from services.custody.core.facts import Fact, Rival


def sort_out(facts: Sequence[Fact], rivals: Collection[Rival]) -> tuple[list[Fact], list[Fact]]:
    """The facts that count, and those that lost a conflict; each content once, at its first recording.

    Order of arrival does not matter: "first" is the smallest (effective record time, position).
    """
    if not rivals and len({fact.identity for fact in facts}) == len(facts):
        return list(facts), []  # nothing was told twice
    winners: dict[bytes, Fact | Rival] = {}
    copies: dict[tuple[bytes, bytes], Fact] = {}
    everything: list[Fact | Rival] = [*facts, *rivals]
    for item in everything:
        winner = winners.get(item.identity)
        if winner is None or _order(item) < _order(winner):
            winners[item.identity] = item
    for fact in facts:
        content = (fact.identity, fact.content_hash)
        first = copies.get(content)
        if first is None or fact.order < first.order:
            copies[content] = fact
    counted: list[Fact] = []
    lost: list[Fact] = []
    for (identity, content_hash), fact in copies.items():
        (counted if winners[identity].content_hash == content_hash else lost).append(fact)
    return counted, lost


def _order(item: Fact | Rival) -> tuple[datetime, Position]:
    return (item.record_time, item.position)

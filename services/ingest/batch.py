"""A JSON array cut into its items, each byte for byte; one broken item does not take its neighbours with it. PURE.

The fast way is a parser. Only when it fails the slow way looks for the commas itself, and after an item whose
brackets or quotes do not close it goes on at the next thing that reads as a whole event.
"""

import re
from typing import NamedTuple

import msgspec
from msgspec import Raw

_items_decoder = msgspec.json.Decoder(list[Raw])
_item_decoder = msgspec.json.Decoder(dict[str, Raw])

# Strings are stepped over whole; a quote that opens none (it is not closed on its line) is a token by itself.
_TOKEN = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+"|["\[\]{},]')
_WHITE = b" \t\r\n"
_SPACE = re.compile(rb"[ \t\r\n]*")
_NEXT_OBJECT = re.compile(rb",[ \t\r\n]*(?=\{)")
_MATCHING = {b"]": b"[", b"}": b"{"}

# Looking for the next whole event after a broken one decodes some bytes again; no request may make us decode much more.
_REREAD_FACTOR = 4


class NotAnArray(ValueError):
    """The bytes do not begin as a JSON array does, so there are no items to tell apart."""


class Split(NamedTuple):
    """The items in order, broken ones included as the bytes between their neighbours."""

    items: list[bytes]
    complete: bool
    """Whether the array was closed and nothing followed it."""


def split(body: bytes) -> Split:
    """Cut an array into its items. Raises `NotAnArray`."""
    try:
        return Split([bytes(item) for item in _items_decoder.decode(body)], True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _split_slowly(body)


def _split_slowly(body: bytes) -> Split:
    position = _after_space(body, 0)
    if body[position : position + 1] != b"[":
        raise NotAnArray
    position = _after_space(body, position + 1)
    items: list[bytes] = []
    budget = _Budget(len(body) * _REREAD_FACTOR)
    closes = _closes(body)
    if body[position : position + 1] == b"]":
        return Split(items, _after_space(body, position + 1) == len(body))
    while True:
        end = _end_of_value(body, position, closes)
        if end is None or not _reads(body[position:end]):
            end = _resume(body, position, end, closes, budget)
        elif body[end : end + 1] == b"]" and body[end + 1 :].strip(_WHITE):
            # The array seems to end too early: a bracket too many is part of a broken item, not the end of all.
            items.append(body[position:end].strip(_WHITE))
            position, end = end, _resume(body, end, None, closes, budget)
        items.append(body[position:end].strip(_WHITE))
        if end >= len(body):
            return Split(items, False)
        if body[end : end + 1] == b"]":
            return Split(items, not body[end + 1 :].strip(_WHITE))
        position = _after_space(body, end + 1)


class _Budget:
    """How many bytes may still be decoded again."""

    def __init__(self, left: int) -> None:
        self.left = left


def _closes(body: bytes) -> dict[int, int]:
    """For each opening bracket that has its own closing one: where it stands, and the index behind that one.

    One pass, so that many broken items cost no more than one. What is left open inside a pair does not count; a closing
    bracket that nothing waits for is passed over.
    """
    closes: dict[int, int] = {}
    waiting: list[tuple[bytes, int]] = []
    count = {b"[": 0, b"{": 0}
    for found in _TOKEN.finditer(body):
        token = found[0]
        if token in count:
            waiting.append((token, found.start()))
            count[token] += 1
        elif token in _MATCHING and count[_MATCHING[token]]:
            opening, start = b"", 0
            while opening != _MATCHING[token]:
                opening, start = waiting.pop()
                count[opening] -= 1
            closes[start] = found.end()
    return closes


def _resume(body: bytes, start: int, end: int | None, closes: dict[int, int], budget: _Budget) -> int:
    """Where the broken item from `start` on ends: before the next whole event, else at `end` or the body's end."""
    last = len(body) if end is None else end
    for comma in _NEXT_OBJECT.finditer(body, start, last):
        following = closes.get(comma.end())
        if following is None:
            continue
        budget.left -= following - comma.end()
        if budget.left <= 0:
            break
        if _is_event(body[comma.end() : following]):
            return comma.start()
    return last


def _end_of_value(body: bytes, start: int, closes: dict[int, int]) -> int | None:
    """The index of the comma or bracket that ends the array item beginning at `start`; None when none does."""
    if body[start : start + 1] in (b"[", b"{"):
        behind = closes.get(start)
        if behind is None:
            return None
        start = behind
    for found in _TOKEN.finditer(body, start):
        token = found[0]
        if token in (b",", b"]"):
            return found.start()
        if len(token) == 1:
            return None  # a bracket or a lone quote where none belongs
    return None


def _reads(item: bytes) -> bool:
    try:
        msgspec.json.decode(item)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _is_event(item: bytes) -> bool:
    """Whether this is a whole event, and not a part of a broken one's data."""
    try:
        return "specversion" in _item_decoder.decode(item)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _after_space(body: bytes, position: int) -> int:
    found = _SPACE.match(body, position)
    assert found is not None
    return found.end()

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

# Looking for the next whole event after a broken one reads some bytes again; no request may make us read much more.
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
    if body[position : position + 1] == b"]":
        return Split(items, _after_space(body, position + 1) == len(body))
    while True:
        end = _end_of_value(body, position)
        if end is None or not _reads(body[position:end]):
            end = _resume(body, position, end, budget)
        elif body[end : end + 1] == b"]" and body[end + 1 :].strip(_WHITE):
            # The array seems to end too early: a bracket too many is part of a broken item, not the end of all.
            items.append(body[position:end].strip(_WHITE))
            position, end = end, _resume(body, end, None, budget)
        items.append(body[position:end].strip(_WHITE))
        if end >= len(body):
            return Split(items, False)
        if body[end : end + 1] == b"]":
            return Split(items, not body[end + 1 :].strip(_WHITE))
        position = _after_space(body, end + 1)


class _Budget:
    """How many bytes may still be read again."""

    def __init__(self, left: int) -> None:
        self.left = left


def _resume(body: bytes, start: int, end: int | None, budget: _Budget) -> int:
    """Where the broken item from `start` on ends: before the next whole event, else at `end` or the body's end."""
    last = len(body) if end is None else end
    for comma in _NEXT_OBJECT.finditer(body, start, last):
        if budget.left <= 0:
            break
        following = _end_of_value(body, comma.end())
        budget.left -= (following or len(body)) - comma.end()
        if following is not None and _is_event(body[comma.end() : following]):
            return comma.start()
    return last


def _end_of_value(body: bytes, start: int) -> int | None:
    """The index of the comma or bracket that ends the array item beginning at `start`; None when none does."""
    open_brackets: list[bytes] = []
    for found in _TOKEN.finditer(body, start):
        token = found[0]
        if token in {b"[", b"{"}:
            open_brackets.append(token)
        elif token in {b"]", b"}"}:
            if not open_brackets:
                return found.start() if token == b"]" else None
            if open_brackets.pop() != _MATCHING[token]:
                return None
        elif token == b",":
            if not open_brackets:
                return found.start()
        elif token == b'"':
            return None
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

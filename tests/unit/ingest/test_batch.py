"""One broken item does not take its neighbours with it."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.batch import NotAnArray, split


def event(name: str, **data: Any) -> bytes:
    """A whole event, as far as the splitter cares."""
    return json.dumps(
        {"specversion": "1.0", "id": name, "data": data or {"observations": [{"a": 1}, {"b": 2}]}}
    ).encode()


GOOD = [event("e1"), event("e2", note=',{"specversion":"1.0"} ]}"'), event("e3")]

BROKEN = {
    "NaN": b'{"specversion":"1.0","id":"x","data":{"a":NaN}}',
    "trailing comma": b'{"specversion":"1.0","id":"x",}',
    "invalid UTF-8": b'{"specversion":"1.0","id":"\xff"}',
    "no colon": b'{"specversion" "1.0"}',
    "no closing brace": b'{"specversion":"1.0","id":"x","data":{"a":[{"b":1},{"c":2}]}',
    "no closing bracket": b'{"specversion":"1.0","id":"x","data":{"a":[1,2}}',
    "one brace too many": b'{"specversion":"1.0","id":"x"}}',
    "one bracket too many": b'{"specversion":"1.0","id":"x"}]',
    "no closing quote": b'{"specversion":"1.0","id":"x}',
    "no opening quote": b'{"specversion":"1.0","id:"x"}',
    "a lone quote": b'"',
    "nothing": b"",
    "a word": b"oops",
    "cut short": b'{"specversion":"1.0","id":"x","da',
    "raw newline in a string": b'{"specversion":"1.0","id":"x\n"}',
    "too deep": b"[" * 5000 + b"]" * 5000,
}


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_neighbours_of_a_broken_item_come_out_whole(broken: bytes, place: int) -> None:
    items = [*GOOD[:place], broken, *GOOD[place:]]

    found, _ = split(b"[" + b" ,\n".join(items) + b"]")

    # The last item cannot be told from the end of the array when its own end is missing.
    whole = [item for item in found if item in GOOD]
    assert whole == GOOD
    assert len(found) >= len(GOOD) + 1


@given(st.lists(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5), max_size=5))
def test_an_array_is_cut_into_what_was_written(values: list[Any]) -> None:
    written = [json.dumps(value).encode() for value in values]

    found = split(b" [ " + b" , ".join(written) + b" ]\n")

    assert found == (written, True)


@given(st.lists(st.sampled_from([*GOOD, *BROKEN.values()]), max_size=6))
def test_no_byte_but_commas_brackets_and_space_is_lost(items: list[bytes]) -> None:
    body = b"[" + b",".join(items) + b"]"

    found, complete = split(body)

    if complete:
        kept = sum(map(len, found))
        assert kept <= len(body)
        assert all(item in body for item in found)
        assert len(body) - kept <= 2 + len(found) + body.count(b" ") + body.count(b"\n") + body.count(b",")


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b' {"a":1}', b'"["', b"\xff["])
def test_what_does_not_begin_as_an_array_is_none(body: bytes) -> None:
    with pytest.raises(NotAnArray):
        split(body)


@pytest.mark.parametrize("tail", [b"", b" ", b","])
def test_an_array_that_is_not_closed_is_told_apart(tail: bytes) -> None:
    found, complete = split(b"[" + b",".join(GOOD) + tail)

    assert found[:3] == GOOD
    assert not complete


def test_what_follows_the_array_is_told() -> None:
    found, complete = split(b"[" + b",".join(GOOD) + b"] and more")

    assert found[:3] == GOOD
    assert not complete


def test_an_empty_array_holds_nothing() -> None:
    assert split(b" [ ] ") == ([], True)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b',{"specversion":' * 60_000,
        b'[{"a":[' + b'1,{"b":' * 100_000,
        b"[" + b'"' * 800_001,
        b"[" + b'{"a":"\\' * 100_000,
    ],
)
def test_hostile_bodies_are_cut_in_bounded_time(body: bytes) -> None:
    began = time.process_time()

    split(body)

    # Bounded re-reading takes well under a second; without the bound these take hours.
    assert time.process_time() - began < 10


def test_many_broken_items_take_none_of_their_whole_neighbours_with_them() -> None:
    whole = [b'{"specversion":"1.0","id":"e%d","data":{"a":[1,{"b":2}]}}' % number for number in range(2000)]
    items = [item if number % 2 else item[:-1] for number, item in enumerate(whole)]

    found = split(b"[" + b",".join(items) + b"]").items

    assert found == items

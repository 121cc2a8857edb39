"""JSON that means one thing only."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.strict import fault

DEPTH = 32

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def code(raw: bytes) -> str | None:
    """The code of the fault, if there is one."""
    found = fault(raw, DEPTH)
    return found.code if found else None


@given(
    values, st.booleans(), st.sampled_from([None, 1]), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")])
)
def test_what_an_encoder_writes_is_strict_in_any_spelling(
    value: Any, ascii_only: bool, indent: int | None, separators: tuple[str, str]
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators)

    assert code(raw.encode()) is None


@given(st.dictionaries(st.text(), values, min_size=1, max_size=4), st.data(), st.booleans())
def test_a_key_that_stands_twice_is_found_at_any_depth_and_in_any_spelling(
    members: dict[str, Any], data: st.DataObject, escaped: bool
) -> None:
    key = data.draw(st.sampled_from(sorted(members)))
    again = json.dumps(key, ensure_ascii=escaped)
    inner = json.dumps(members)[:-1] + f", {again} : 0" + "}"
    depth = data.draw(st.integers(0, 5))

    raw = '{"a":[' * depth + inner + "]}" * depth

    assert code(raw.encode()) == "DUPLICATE_KEY"


def test_the_repeated_key_is_named() -> None:
    found = fault(b'{"a":{"mode":"X","taker":"C1","mode":"Y"}}', DEPTH)

    assert found is not None
    assert found.field == "mode"


def test_equal_keys_in_different_objects_are_fine() -> None:
    assert code(b'[{"a": 1}, {"a": 2}, {"a": {"a": "a:a"}}]') is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "MALFORMED_JSON"),
        (b"{", "MALFORMED_JSON"),
        (b'{"a":1,}', "MALFORMED_JSON"),
        (b"{'a':1}", "MALFORMED_JSON"),
        (b'{"a":1} x', "MALFORMED_JSON"),
        (b'{"a":01}', "MALFORMED_JSON"),
        (b'{"a":NaN}', "MALFORMED_JSON"),
        (b'{"a":-Infinity}', "MALFORMED_JSON"),
        (b'{"a":1e999}', "MALFORMED_JSON"),
        (b'{"a":"\x01"}', "MALFORMED_JSON"),
        (b'{"a":"\\ud800"}', "MALFORMED_JSON"),
        (b"\xef\xbb\xbf{}", "MALFORMED_JSON"),
        (b'{"a":"\xff"}', "NOT_UTF8"),
        (b'{"\xc3":1}', "NOT_UTF8"),
        (b'{"a":"\xed\xa0\x80"}', "NOT_UTF8"),
        (b'{"a":1,"a":1}', "DUPLICATE_KEY"),
        (b'{"a":1,"\\u0061":1}', "DUPLICATE_KEY"),
        (b"[" * 33 + b"]" * 33, "TOO_DEEP"),
        (b"[" * 100_000 + b"]" * 100_000, "TOO_DEEP"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "TOO_DEEP"),
    ],
)
def test_what_is_not_strict_says_why(raw: bytes, expected: str) -> None:
    assert code(raw) == expected


@pytest.mark.parametrize("raw", [b"[" * 32 + b"]" * 32, b'"' + b"[{" * 100 + b'"', b"[" + b"[{}]," * 99 + b"[{}]]"])
def test_brackets_beside_each_other_or_inside_text_are_not_depth(raw: bytes) -> None:
    assert code(raw) is None


def test_numbers_of_thousands_of_digits_beside_a_repeated_key_do_not_hide_it() -> None:
    raw = b'{"n":1.' + b"1" * 5000 + b',"a":1,"a":2}'

    assert code(raw) == "DUPLICATE_KEY"

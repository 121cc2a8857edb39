"""Tables with Chinese in them stay aligned."""

from hypothesis import given
from hypothesis import strategies as st

from services.demo.table import pad, table, width, wrap

TEXTS = st.text(alphabet="ab c，。古筝完好é-", max_size=40)


def test_a_chinese_character_is_two_columns_wide() -> None:
    assert width("古筝 A") == 6
    assert width("\u00e9") == width("e\u0301") == 1


@given(TEXTS, st.integers(0, 60))
def test_padding_reaches_the_width_and_keeps_the_text(text: str, columns: int) -> None:
    padded = pad(text, columns)

    assert width(padded) == max(columns, width(text))
    assert padded.startswith(text)


def test_columns_begin_at_the_same_place_in_every_line() -> None:
    head, rule, *rows = table(("who", "what"), [("古筝", "x"), ("HUB-A", "y")])

    assert rule == "─────  ────"
    for line, mark in ((head, "what"), (rows[0], "x"), (rows[1], "y")):
        assert width(line[: line.index(mark)]) == 7


@given(TEXTS, st.integers(12, 40))
def test_wrapped_lines_fit_and_lose_nothing(text: str, columns: int) -> None:
    lines = wrap(text, columns, "  ")

    assert "".join("".join(lines).split()) == "".join(text.split())
    # One word, or a character with the punctuation that may not begin a line, can be wider than the line by itself.
    unbroken = max((width(word) for word in text.split()), default=0)
    assert all(width(line) <= max(columns, unbroken + 2) for line in lines)

"""Text tables that stay aligned when Chinese characters, which are two columns wide, stand between Latin ones."""

import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(_columns(character) for character in text)


def pad(text: str, columns: int) -> str:
    """The text filled up with spaces to that many columns; as it is when it is wider."""
    return text + " " * max(0, columns - width(text))


def wrap(text: str, columns: int, indent: str = "") -> list[str]:
    """Break a text into lines of at most that many columns: between words, and between any two Chinese characters."""
    lines: list[str] = []
    line, used = indent, width(indent)
    for piece in _pieces(text):
        if used + width(piece.rstrip()) > columns and line.strip():
            lines.append(line.rstrip())
            line, used = indent, width(indent)
        line += piece
        used += width(piece)
    return [*lines, line.rstrip()] if line.strip() else lines


def table(head: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Lines of a table with a rule under its head; every column as wide as its widest cell."""
    widths = [max(width(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [_line(row, widths, indent) for row in (head, [("─" * columns) for columns in widths], *rows)]
    return [line.rstrip() for line in lines]


def _line(row: Sequence[str], widths: Sequence[int], indent: str) -> str:
    return indent + "  ".join(pad(cell, columns) for cell, columns in zip(row, widths, strict=True))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


# Lines do not begin with these, nor end with those.
_NO_BREAK_BEFORE = "，。；：、！？）》」』,.;:!?)"
_NO_BREAK_AFTER = "（《「『("


def _pieces(text: str) -> list[str]:
    """Where a line may end: after each piece."""
    pieces: list[str] = []
    for character in text:
        wide = _columns(character) == 2
        if not pieces or (pieces[-1].endswith(" ") and character != " "):
            pieces.append(character)
        elif character in _NO_BREAK_BEFORE or character == " " or pieces[-1][-1] in _NO_BREAK_AFTER:
            pieces[-1] += character
        elif wide or _columns(pieces[-1][-1]) == 2:
            pieces.append(character)
        else:
            pieces[-1] += character
    return pieces

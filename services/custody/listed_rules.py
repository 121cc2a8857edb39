"""The rules of this build as `lastintact rules` lists them."""

import textwrap
from collections.abc import Iterator

import msgspec

from services.custody.core.rules import RULES
from services.custody.core.verdict import RULESET

_WIDTH = 110


def lines() -> Iterator[str]:
    """Each rule with its name, its text in both languages, and the law behind it."""
    yield f"Ruleset {RULESET}"
    for rule in RULES:
        yield ""
        yield f"{rule.id} {rule.name}, by {rule.source}"
        yield textwrap.fill(rule.en, _WIDTH, initial_indent="    ", subsequent_indent="    ")
        # Half as many: a Chinese character is two columns wide.
        yield textwrap.fill(rule.zh, _WIDTH // 2, initial_indent="    ", subsequent_indent="    ")


def as_json() -> Iterator[str]:
    """One document, as the read door tells it."""
    yield msgspec.json.format(msgspec.json.encode({"ruleset": RULESET, "rules": RULES})).decode()

"""What a rule is to a reader: an id, a name, and its text in both languages."""

from msgspec import Struct


class Rule(Struct, frozen=True):
    """A named rule, as listed at /v1/rules and named in every verdict that it spoke in."""

    id: str
    name: str
    en: str
    zh: str
    source: str
    """The law behind it, or `product policy`."""


POLICY = "product policy"

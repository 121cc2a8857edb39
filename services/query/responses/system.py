"""Answers about the system itself: how far it is, which one it is, by which rules it goes."""

from datetime import datetime

from msgspec import Struct

from services.custody.core.rules import Rule


class ProgressAnswer(Struct, frozen=True, kw_only=True):
    """How far things are. *Recorded* is in the log, *projected* is in the read model, *attributed* has its verdict."""

    recorded: str | None
    """The end of the log; null where only the broker knows it (then send `until`)."""
    projected: str
    record_time: datetime | None
    """Of the latest record projected; null: there is none."""
    stale: int
    """Subjects whose verdicts wait to be refreshed."""
    attributed: bool | None
    """Whether everything up to `until`, else up to `recorded`, is attributed; null: neither is known."""
    flags: tuple[str, ...] = ()


class SystemAnswer(Struct, frozen=True, kw_only=True):
    """Which system is answering."""

    name: str
    version: str
    ruleset: str
    log_id: str
    story_clock: bool
    """Record times came from requests: stories were told here, evidence never is."""
    flags: tuple[str, ...] = ()


class RulesAnswer(Struct, frozen=True, kw_only=True):
    """The rules by name, in both languages."""

    ruleset: str
    rules: tuple[Rule, ...]
    flags: tuple[str, ...] = ()

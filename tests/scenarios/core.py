"""Runs a story through the pure core alone: its events are encoded, recorded in memory and read back as evidence."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas import codec
from schemas.identifiers import parse_subject
from schemas.positions import AsOf, Position
from schemas.topics import partition_of
from schemas.vocabulary import DamageMode, FindingKind, Severity
from services.custody.core import journeys
from services.custody.core.attribution import assess
from services.custody.core.condition import WHOLE
from services.custody.core.facts import Evidence, Fact, fact_of
from services.custody.core.ground import lay
from services.custody.core.history import numbered
from services.custody.core.union import united
from services.custody.core.verdict import Finding, Verdict
from services.scenario.build import Compiled, Posting, compile_story
from services.scenario.compare import differences
from services.scenario.story import Ask, Story
from tests.gathering import gather


def record(postings: Sequence[Posting]) -> list[Fact]:
    """The facts that recording the postings gives, in that order: each subject in its partition, gapless."""
    offsets: dict[int, int] = {}
    facts = []
    for posting in postings:
        envelope = msgspec.structs.replace(
            posting.envelope, recordedtime=codec.format_instant(posting.recorded), recordedby="test"
        )
        partition = partition_of(str(parse_subject(envelope.subject)).encode())
        position = Position(partition, offsets.get(partition, 0))
        offsets[partition] = position.offset + 1
        facts.append(fact_of(position, posting.recorded, codec.encode_record(envelope)))
    return facts


def evidence_of(compiled: Compiled, parcel: str | None = None) -> Evidence:
    """Everything recorded that an answer about a parcel of the story may rest on."""
    return bundle(record(compiled.envelopes), compiled.subject(parcel))


def bundle(facts: Sequence[Fact], subject: str) -> Evidence:
    """The evidence about a subject among the facts of a story."""
    return gather(subject, facts)


def answer(compiled: Compiled, ask: Ask) -> Verdict | None:
    """The core's verdict on a question of the story, about the journey that the code stands for."""
    as_of = AsOf(compiled.instant(ask.as_of))
    evidence = journeys.last(evidence_of(compiled, ask.fields.get("parcel")), as_of)
    if "union" in ask.fields:
        return united(lay(evidence, as_of), [finding_of(ask.finding, part) for part in ask.fields["union"]])
    verdict = assess(evidence, as_of, finding_of(ask.finding, ask.fields))
    return numbered(evidence, as_of, verdict) if verdict is not None else None


def finding_of(kind: FindingKind, fields: Mapping[str, Any]) -> Finding:
    """What a question, or a part of one, is about."""
    return Finding(
        kind=kind,
        component=fields.get("component", WHOLE),
        damage=DamageMode(fields["damage"]) if "damage" in fields else None,
        severity=Severity(fields["severity"]) if "severity" in fields else None,
        piece=fields.get("piece"),
    )


def shortfalls(story: Story) -> list[str]:
    """What the core answers otherwise than the story expects."""
    compiled = compile_story(story)
    found = []
    for at, ask in enumerate(story.asks, start=1):
        verdict = answer(compiled, ask)
        told = msgspec.to_builtins(verdict) if verdict is not None else None
        found += [f"ask {at} (line {ask.line}): {text}" for text in differences(compiled, ask, told)]
    return found

"""The naive solver meets every story that the rule text tells: what it answers is what the text says."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas import codec
from schemas.events import DeviceEnrolled
from schemas.positions import AsOf, Position
from schemas.vocabulary import DamageMode, Severity
from services.custody.core.facts import Fact
from services.scenario.build import Compiled, compile_story
from services.scenario.compare import differences
from services.scenario.story import Ask, Story, parse_story
from tests.naive.facts import WHOLE, Answer, Question
from tests.naive.solve import answer
from tests.scenarios.core import record
from tests.unit.naive.recording import recorded, told

FOLDER = Path(__file__).parents[2] / "scenarios"
NOT_ASKED = frozenset(
    [
        "rules",
        "gaps",
        "footage",
        "external_debtors",
        "applicable_regime",
        "version",
        "replaces",
        "notice_status",
        "excluded",
    ]
)
"""What the naive solver does not speak of: names of rules, paperwork around the answer, versions."""


NOT_JUDGED = frozenset(["63-sent-back-and-a-year-later-the-same-number-again"])
"""One number for two consignments: this solver knows one journey of each."""


def stories() -> list[str]:
    """Every story that asks for a verdict."""
    there = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return [name for name in there if name not in NOT_JUDGED and read(name).asks]


def read(name: str) -> Story:
    return parse_story((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", stories())
def test_the_naive_solver_answers_as_the_story_expects(name: str) -> None:
    story = read(name)
    compiled = compile_story(story)
    facts = record(compiled.envelopes)

    found = [
        text
        for ask in story.asks
        if "union" not in ask.fields
        for text in differences(compiled, _asked(ask), _told(asked(compiled, facts, ask)))
    ]

    assert found == []


def asked(compiled: Compiled, facts: list[Fact], ask: Ask) -> Answer | None:
    fields = ask.fields
    question = Question(
        parcel=compiled.subject(fields.get("parcel")),
        kind=ask.finding,
        as_of=AsOf(compiled.instant(ask.as_of)),
        component=fields.get("component", WHOLE),
        damage=DamageMode(fields["damage"]) if "damage" in fields else None,
        severity=Severity(fields["severity"]) if "severity" in fields else None,
        piece=fields.get("piece"),
    )
    return answer(recorded(facts, signatures(facts)), question)


def signatures(facts: list[Fact]) -> dict[tuple[Position, str], bool]:
    """Which signatures are good, under each key that was ever enrolled."""
    keys = {key.public_key for fact in facts if isinstance(fact.data, DeviceEnrolled) for key in fact.data.keys}
    return {
        (fact.position, key): _is_good(fact.envelope, key) for fact in facts if fact.envelope.signature for key in keys
    }


def _is_good(envelope: codec.Envelope, key: str) -> bool:
    assert envelope.signature is not None
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            base64.b64decode(envelope.signature), codec.signed_form(envelope)
        )
    except InvalidSignature:
        return False
    return True


def _asked(ask: Ask) -> Ask:
    if ask.expect is None:
        return ask
    return replace(ask, expect={key: value for key, value in ask.expect.items() if key not in NOT_ASKED})


def _told(found: Answer | None) -> dict[str, object] | None:
    return told(found) if found is not None else None

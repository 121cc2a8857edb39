"""The explanations: word for word for the stories that are told, and what a reader may rely on in every one of them."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given

from schemas.vocabulary import Confidence, FindingKind, Outcome
from services.custody.core.naming import NAMES
from services.custody.core.rules import RULES
from services.custody.core.verdict import Verdict
from tests.golden.telling import answers, golden, names, stories, told
from tests.unit.custody.core import histories as told_at_random
from tests.unit.custody.core.histories import History, histories, law
from tests.unit.custody.core.test_way_at_random import ways

TOLD = names()
_CODE = re.compile(r"\bR\d+[a-h]?\b")
_RAW = (*Outcome, *FindingKind, *Confidence, "SENDER", "RCP", "None", "null", "RULE_PENDING", "NO_PICKUP_CHECK")
_EMPTY = re.compile(
    r"\(\)|（）|“”|  |\s[,.;:)]|[,;:(]\s*[,.;:)]|\.\.|[{}\[\]]"
    r"|[\u4e00-\u9fff][0-9A-Za-z]|[0-9A-Za-z][\u4e00-\u9fff]"
    r"|。。|[，；：、（][，。；：、）]| [，。；：、（）]|[，。；：、（] "
)


def test_every_sort_of_answer_is_told() -> None:
    found = [verdict for name in TOLD for _, verdict in answers(name)]

    assert len(TOLD) >= 24
    assert {verdict.outcome for verdict in found} == set(Outcome)
    assert {verdict.confidence for verdict in found} == set(Confidence)


@pytest.mark.parametrize("name", TOLD)
def test_the_explanation_reads_as_agreed(name: str) -> None:
    """`python -m tests.golden --write` takes over what is said now."""
    assert told(name) == golden(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", stories())
def test_a_reader_can_follow_it(name: str) -> None:
    for _, verdict in answers(name):
        assert list(_faults(verdict)) == []


@law
@given(histories())
def test_a_reader_can_follow_every_answer(history: History) -> None:
    for verdict in told_at_random.answers(history):
        assert list(_faults(verdict)) == []


@law
@given(ways())
def test_a_reader_can_follow_every_answer_about_a_way(way: History) -> None:
    for verdict in told_at_random.answers(way):
        assert list(_faults(verdict)) == []


@pytest.mark.parametrize("name", TOLD[:5])
def test_it_is_told_the_same_again(name: str) -> None:
    assert told(name) == told(name)


@pytest.mark.parametrize("name", TOLD)
def test_where_to_look_is_kept_apart_from_who_is_liable(name: str) -> None:
    for _, verdict in answers(name):
        paragraphs = verdict.explanation.en.split("\n\n")
        marks = ("First ask", "would have told", "would show")
        asking = [each for each in paragraphs if any(mark in each for mark in marks)]
        apart = [each for each in paragraphs if each.startswith("The following is only where evidence may be found")]
        if not verdict.parts:
            assert len(apart) == (1 if verdict.footage or verdict.missing_scans else 0)
        assert set(asking) <= set(apart)
        assert not any(" alone is liable" in each for each in apart)


def test_the_rules_have_the_names_that_are_listed() -> None:
    assert {rule.id: NAMES[rule.id].en for rule in RULES} == {rule.id: rule.name for rule in RULES}


def test_no_two_rules_share_a_name() -> None:
    for listed in ([name.en for name in NAMES.values()], [name.zh for name in NAMES.values()]):
        assert len(set(listed)) == len(listed)


def _faults(verdict: Verdict) -> Iterator[str]:
    """What a reader would stumble over."""
    for language, text in (("en", verdict.explanation.en), ("zh", verdict.explanation.zh)):
        paragraphs = text.split("\n\n")
        if not 3 <= len(paragraphs) <= (2 + 6 * len(verdict.parts) if verdict.parts else 6):
            yield f"{language}: {len(paragraphs)} paragraphs"
        for paragraph in paragraphs:
            if not paragraph or paragraph[-1] not in ".。" or "\n" in paragraph:
                yield f"{language}: no whole paragraph: {paragraph!r}"
            if (found := _EMPTY.search(paragraph)) is not None:
                yield f"{language}: {found[0]!r} in {paragraph!r}"
        yield from _unnamed_rules(language, text)
        spoken = set(re.findall(r"[A-Za-z_]+", text))
        yield from (f"{language}: raw {code}" for code in _RAW if str(code) in spoken)
    yield from _foreign_words(verdict)


def _unnamed_rules(language: str, text: str) -> Iterator[str]:
    for cited in _CODE.finditer(text):
        name = NAMES[cited[0]].en if language == "en" else NAMES[cited[0]].zh
        if not text[cited.end() :].startswith(f" {name}"):
            yield f"{language}: {cited[0]} without its name"


def _foreign_words(verdict: Verdict) -> Iterator[str]:
    """Latin letters in the Chinese text that are neither a code from the records nor a rule's id nor the zone UTC.

    Codes of parties and units are in capitals in these stories; those that are not are asked of the verdict.
    """
    known = " ".join((verdict.subject, verdict.finding.component, verdict.finding.piece or ""))
    known += "".join(f" {item.site} {item.door} {item.camera}" for item in verdict.footage)
    quoted = re.sub("“[^”]*”", "", verdict.explanation.zh)  # what somebody wrote is told as it was written
    for word in re.findall(r"[A-Za-z]+", _CODE.sub("", quoted)):
        if not word.isupper() and word not in known:
            yield f"zh: {word}"

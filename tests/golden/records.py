"""Whole records of a story as they are answered: its timeline, its verdicts without their words, its case and wait.

Stories alone name only what they are about; here every field has its value, so that none changes unseen.
"""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec

from schemas.positions import AsOf
from services.custody.core import journeys
from services.custody.core.casework import Casework, casework
from services.custody.core.changes import Change, changes
from services.custody.core.timeline import Timeline, timeline
from services.custody.core.verdict import Explanation, Verdict
from services.scenario.build import Compiled, compile_story
from services.scenario.story import parse_story
from tests.golden.telling import source
from tests.scenarios.core import answer, evidence_of

FOLDER = Path(__file__).parent / "records"


def names() -> list[str]:
    """The stories whose records are kept whole."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def golden(name: str) -> Path:
    """Where the agreed records of a story are."""
    return FOLDER / f"{name}.json"


def told(name: str) -> str:
    """The records of a story as the golden file has them: JSON, one entry of a list on a line."""
    compiled = compile_story(parse_story(source(name).read_text(encoding="utf-8")))
    moment = AsOf(compiled.instant(max(ask.as_of for ask in compiled.story.asks)))
    asked = [
        evidence_of(compiled, parcel) for parcel in dict.fromkeys(a.fields.get("parcel") for a in compiled.story.asks)
    ]
    parts = {
        "timelines": [_plain(timeline(journeys.last(each, moment), moment)) for each in asked],
        "verdicts": _verdicts(compiled),
        "cases": [_work(casework(each, None)) for each in asked],
        "changes": [
            [_change(told) for told in changes(journeys.last(each, moment), AsOf(compiled.day_0), moment)]
            for each in asked
        ],
    }
    return _laid_out(parts) + "\n"


def _verdicts(compiled: Compiled) -> list[Any]:
    found = (answer(compiled, ask) for ask in compiled.story.asks)
    plain = (_plain(verdict) for verdict in found if verdict is not None)
    return [{key: value for key, value in each.items() if key not in _NOT_HERE} for each in plain]


_NOT_HERE = ("explanation", "ruleset")
"""Agreed on elsewhere: the words in explanations/, the number with the rules."""


def _work(work: Casework) -> dict[str, Any]:
    """The rows about it; of the answers in them only which they were."""
    cases = [
        {**row, "verdicts": len(row["verdicts"]), "rests_on": " ".join(row["rests_on"])}
        for row in work.case_rows.values()
    ]
    versions = [
        {
            "version": " ".join(map(str, key)),
            **row,
            "verdict": row["verdict"] and f"{row['verdict']['outcome']} {row['verdict']['version']}",
        }
        for key, row in work.version_rows.items()
    ]
    return {
        "cases": _plain(cases),
        "versions": _plain(versions),
        "watch": _plain(work.watch.columns if work.watch is not None else None),
    }


def _change(told: Change) -> dict[str, Any]:
    """A change in one line; its words are agreed on in changes/."""
    heads = {
        name: " ".join([head.outcome, head.confidence, *(f"{share.party} {share.share}" for share in head.liable)])
        for name, head in (("before", told.before), ("after", told.after))
        if head is not None
    }
    plain = _plain(told)
    return {key: heads.get(key, value) for key, value in plain.items() if key != "what"} | {
        "finding": str(told.finding)
    }


def _plain(value: object) -> Any:
    """JSON values; what says nothing is left out."""
    return _spoken(msgspec.json.decode(msgspec.json.encode(value)))


def _spoken(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spoken(each) for key, each in value.items() if each is not None and each not in ([], {})}
    if isinstance(value, list):
        return [_spoken(each) for each in value]
    return value


def _laid_out(value: Any, indent: str = "") -> str:
    """JSON with a line for each value that would fit one."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(indent) + len(flat) <= 200:
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {_laid_out(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    lines = [f"{inner}{_laid_out(each, inner)}" for each in value]
    return "[\n" + ",\n".join(lines) + f"\n{indent}]"


def fields() -> set[str]:
    """Every name that a timeline or a verdict has for something."""
    kinds: set[type] = set()
    _collect(Timeline, kinds)
    _collect(Verdict, kinds)
    return {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)} - set(_NOT_HERE)


def _collect(kind: object, found: set[type]) -> None:
    """The records of which one is made, at any depth."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind in found or kind is Explanation:
            return
        found.add(kind)
        for field in msgspec.structs.fields(kind):
            _collect(field.type, found)
    for part in get_args(kind):
        _collect(part, found)

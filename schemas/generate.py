"""Writes `schemas/generated`: a JSON Schema (2020-12) per event type and the log as AsyncAPI; `--check` only compares.

Not part of the pure contract: it touches files, and runs at development time.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml

from schemas import asyncapi
from schemas.events import EVENT_TYPES
from schemas.upcast import lift

GENERATED = Path(__file__).parent / "generated"
EXAMPLES = Path(__file__).parent / "examples"
ASYNCAPI = GENERATED / "asyncapi.yaml"


def schema_of(event_type: str) -> dict[str, Any]:
    """The JSON Schema of the data of one event type. Unknown fields are allowed: they are kept and not read."""
    schema: dict[str, Any] = asyncapi.in_ecma(msgspec.json.schema(EVENT_TYPES[event_type]))
    name = schema.pop("$ref").rpartition("/")[2]
    definitions = schema.pop("$defs")
    body = definitions.pop(name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{event_type}.json",
        **body,
        **({"$defs": definitions} if definitions else {}),
    }


def asyncapi_text() -> str:
    """The AsyncAPI document of the log, with every golden example as it would be recorded."""
    document = asyncapi.document(
        {name: (EXAMPLES / f"{name}.json").read_bytes() for name in (*EVENT_TYPES, *lift.old_types)}
    )
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return f"# Written by python -m schemas.generate\n{text}"


class _Dumper(yaml.SafeDumper):
    """Without anchors: what occurs twice is written twice, and a reader needs no YAML beyond the plain."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def files() -> dict[Path, str]:
    """Every file that this writes and what belongs into it."""
    return {
        **{
            GENERATED / f"{event_type}.json": json.dumps(schema_of(event_type), indent=2, ensure_ascii=False) + "\n"
            for event_type in EVENT_TYPES
        },
        ASYNCAPI: asyncapi_text(),
    }


def drift() -> list[str]:
    """What differs between the committed files and what the models say now, a sentence each."""
    wanted = files()
    found = [
        f"{path.name} is out of date"
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    return found + [
        f"{path.name} belongs to no event type" for path in sorted(GENERATED.glob("*.v*.json")) if path not in wanted
    ]


def main() -> int:
    """Write the files, or with `--check` exit with 1 when they would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when something would change")
    if parser.parse_args().check:
        found = drift()
        for line in found:
            print(f"schemas/generated: {line}; run python -m schemas.generate", file=sys.stderr)
        return 1 if found else 0
    GENERATED.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

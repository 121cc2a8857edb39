"""One good event and what judging it with one fault gives, for the tests of what is taken."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from schemas.codec import Envelope
from services.edge.callers import Caller, Role
from services.ingest.acceptance import Accepted, Limits, Rejection, judge

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
NOW = datetime(2026, 7, 7, 16, 0, tzinfo=UTC)
SCANNER = Caller("k1", Role.SCANNER, depot="H1", party="H1", devices=("SC07", "SC08"))
GOOD = Envelope(
    id="e1",
    source="/depots/H1/devices/SC07",
    type="custody.item_scanned.v1",
    subject="yto:YT8812345678",
    time="2026-07-07T23:05:00+08:00",
    data=b'{"mode":"AUTO_SCAN","party":"H1"}',
)


def judged(*, caller: Caller = SCANNER, **changed: Any) -> Accepted | Rejection:
    """The judgement of the good event with these changes."""
    return judge(msgspec.structs.replace(GOOD, **changed), caller, Limits(), NOW)


def warnings(found: Accepted | Rejection) -> list[tuple[str, str]]:
    """Code and field of each warning of an accepted event."""
    assert isinstance(found, Accepted), found
    return [(reason.code, reason.field) for reason in found.warnings]


def reasons(found: Accepted | Rejection) -> list[tuple[str, str]]:
    """Code and field of each reason of a refused one; each says what to change."""
    assert isinstance(found, Rejection), found
    assert all(reason.detail.endswith(".") and reason.remedy.endswith((".", ".)")) for reason in found.reasons)
    return [(reason.code, reason.field) for reason in found.reasons]

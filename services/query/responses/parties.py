"""Answers about a party."""

from datetime import datetime

from msgspec import Struct

from services.custody.core.policy import Policy
from services.custody.core.rules.control_record import ControlRecord
from services.custody.core.verdict import RULESET, Explanation
from services.query.repository import Moment

_MEANING = Explanation(
    en=(
        "How the handoffs recorded in this party's name between `since` and `until` were recorded. It is shown and "
        "never judged: no verdict, share or confidence of this system rests on it, and a low share proves neither a "
        "loss nor a fault. What was recorded is counted whether or not it would count as evidence. Handoffs with a "
        "sender or a recipient are left out of `taken` and `given`, since only one side has a scanner."
    ),
    zh=(
        "本答复统计 `since` 至 `until` 期间以该方名义记录的交接的记录方式。仅作展示，不作评判：本系统的任何认定、份额"
        "或可信度均不以此为依据，比例低既不证明发生灭失，也不证明存在过错。凡有记录即计入，不论其能否采信为证据。"
        "与寄件人或收件人之间的交接只有一方有扫描设备，不计入 `taken` 和 `given`。"
    ),
)


class ControlRecordAnswer(Struct, frozen=True, kw_only=True):
    """How a party's handoffs were recorded over some days (R23). Shown, never judged."""

    party: str
    since: datetime
    until: datetime
    positions: str | None
    """What the answer is bound to beside `until`; null: `until` alone gives it for ever."""
    provisional: bool
    """A record that is not read yet may still change the answer."""
    acts: int
    """Acceptances and releases in the party's name that were looked at."""
    cut: bool
    """There are more; these are the latest."""
    handoff_window_seconds: float
    """How near to one another an acceptance and a release belong together, by the settings in force."""
    late_after_seconds: float
    record: ControlRecord
    rule: str = "R23"
    meaning: Explanation = _MEANING
    ruleset: str = RULESET
    flags: tuple[str, ...] = ()


def control_record_of(
    party: str,
    since: datetime,
    moment: Moment,
    policy: Policy,
    counted: ControlRecord,
    *,
    acts: int,
    cut: bool,
    flags: tuple[str, ...],
) -> ControlRecordAnswer:
    """The counts as they are told."""
    return ControlRecordAnswer(
        party=party,
        since=since,
        until=moment.as_of.time,
        positions=None if moment.positions is None else str(moment.positions),
        provisional=moment.provisional,
        acts=acts,
        cut=cut,
        handoff_window_seconds=policy.handoff_window.total_seconds(),
        late_after_seconds=policy.late_after.total_seconds(),
        record=counted,
        flags=flags,
    )

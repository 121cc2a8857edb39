"""The answer in sentences that a claims clerk can send: what was seen, by whom, what follows, what would change it."""

from collections.abc import Iterator

from services.custody.core.account import what_was_seen
from services.custody.core.case import Case
from services.custody.core.conclusion import what_follows
from services.custody.core.outlook import what_would_change_it
from services.custody.core.verdict import Explanation
from services.custody.core.wayside import what_happened_on_the_way
from services.custody.core.wording import Text, join

_DISCLAIMER = Text("This is an evidence assessment, not legal advice.", "本结论为证据评估，不构成法律意见。")


def explain(case: Case) -> Explanation:
    """The case in both languages."""
    told = join(
        [
            *what_was_seen(case),
            *what_happened_on_the_way(case),
            *what_follows(case),
            *what_would_change_it(case),
            *_limits(case),
        ]
    )
    return Explanation(zh=told.zh, en=told.en)


def _limits(case: Case) -> Iterator[Text]:
    if "EVIDENCE_INCOMPLETE" in case.flags:
        yield Text("Some records about it cannot be read yet.", "部分记录暂时无法读取。")
    yield _DISCLAIMER

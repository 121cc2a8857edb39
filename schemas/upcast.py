"""Old versions of event data, lifted on reading by one small step per version. Recorded bytes never change."""

from collections.abc import Callable
from typing import Any

Fields = dict[str, Any]
Step = tuple[str, Callable[[Fields], Fields]]


def _condition_observed_v1_to_v2(fields: Fields) -> Fields:
    """v1 told the gross mass as `weight_kg` beside the observations; v2 tells whole grams inside the W observation."""
    lifted = {name: value for name, value in fields.items() if name != "weight_kg"}
    if "weight_kg" in fields:
        grams = round(float(fields["weight_kg"]) * 1000)
        weighed = {"facet": "W", "value": "ok", "grams": grams}
        lifted["observations"] = [*fields.get("observations", ()), weighed]
    return lifted


class Upcaster:
    """The chain of steps from each old type to the newest one."""

    def __init__(self, steps: dict[str, Step]) -> None:
        self._steps = steps

    def __call__(self, event_type: str, fields: Fields) -> tuple[str, Fields]:
        """The newest type that can be reached from this one, and the fields as it wants them."""
        while event_type in self._steps:
            event_type, step = self._steps[event_type]
            fields = step(fields)
        return event_type, fields

    def knows(self, event_type: str) -> bool:
        """Whether there is a step from this type."""
        return event_type in self._steps

    def newest(self, event_type: str) -> str:
        """The newest type that can be reached from this one."""
        while event_type in self._steps:
            event_type, _ = self._steps[event_type]
        return event_type

    @property
    def old_types(self) -> tuple[str, ...]:
        """Types that are still read although nothing writes them any more."""
        return tuple(self._steps)


lift = Upcaster({"custody.condition_observed.v1": ("custody.condition_observed.v2", _condition_observed_v1_to_v2)})

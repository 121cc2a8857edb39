"""The answers, field by field, and their bytes. The OpenAPI components are made of the same structs."""

from msgspec import Struct

from services.query.responses.base import about, flags_of, head, respond
from services.query.responses.cases import Advance, Case, CasesAnswer, Reset, case
from services.query.responses.parcels import (
    ChangesAnswer,
    HistoryAnswer,
    ParcelAnswer,
    TimelineAnswer,
    VerdictsAnswer,
    parcel,
)
from services.query.responses.parties import ControlRecordAnswer, control_record_of
from services.query.responses.records import (
    EventsAnswer,
    ReceiptAnswer,
    RefusalsAnswer,
    receipt,
    recorded_event,
    refusal,
)
from services.query.responses.system import ProgressAnswer, RulesAnswer, SystemAnswer
from services.query.responses.units import UnitAnswer

__all__ = [
    "ANSWERS",
    "Advance",
    "Case",
    "CasesAnswer",
    "ChangesAnswer",
    "ControlRecordAnswer",
    "EventsAnswer",
    "HistoryAnswer",
    "ParcelAnswer",
    "ProgressAnswer",
    "ReceiptAnswer",
    "RefusalsAnswer",
    "Reset",
    "RulesAnswer",
    "SystemAnswer",
    "TimelineAnswer",
    "UnitAnswer",
    "VerdictsAnswer",
    "about",
    "case",
    "control_record_of",
    "flags_of",
    "head",
    "parcel",
    "receipt",
    "recorded_event",
    "refusal",
    "respond",
]

ANSWERS: tuple[type[Struct], ...] = (
    ParcelAnswer,
    TimelineAnswer,
    VerdictsAnswer,
    HistoryAnswer,
    ChangesAnswer,
    UnitAnswer,
    EventsAnswer,
    CasesAnswer,
    ControlRecordAnswer,
    ReceiptAnswer,
    RefusalsAnswer,
    ProgressAnswer,
    SystemAnswer,
    RulesAnswer,
    Advance,
    Reset,
)
"""Every body that the read door answers with, and what the stream's events hold."""

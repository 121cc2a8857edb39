"""The words that a story file may use, level by level. Keys are added when a scenario needs one; none is redefined."""

STORY_KEYS = frozenset(("name", "parties", "settings", "promised", "plan", "missing_g", "events", "ask", "amounts"))
PARTY_KEYS = frozenset(("role", "contracting", "freight", "entity"))
SETTINGS = frozenset(
    (
        "policy", "regime", "table", "tau_g", "handoff_window", "reservation_window", "opening_window", "locker_notice",
        "late_after", "unit_max_stay", "clock_skew", "notice_days", "deemed_lost", "packing_share",
        "auto_accept_is_clean", "import_accept_is_clean", "drop_is_delivery", "reservation_grounds",
    )
)  # fmt: skip
ACTS = (
    "release", "accept", "scan", "inspect", "weigh", "seal", "check_seal", "open", "pack", "unpack", "repack",
    "relabel", "manifest", "sensor", "hold", "deliver", "attempt", "refuse", "return", "redirect", "notice", "pay",
    "correct", "enrol", "revoke",
)  # fmt: skip
EVENT_KEYS = frozenset(
    (
        "id", "t", "do", "by", "see", "recorded", "from", "to", "unit", "site", "signed", "countersigned_by", "neutral",
        "mode", "pieces", "parcel", "proof", "grams", "component", "damage", "severity", "tamper", "holds",
        "reservation", "consent", "person", "address", "unattended", "overage", "seal", "match", "because", "for",
        "armed", "exceedances", "old", "new", "both_seen", "promised", "plan", "finding", "corrects",
    )
)  # fmt: skip
ASK_KEYS = frozenset(("finding", "as_of", "component", "damage", "severity", "piece", "parcel", "union", "expect"))
EXPECT_KEYS = frozenset(
    (
        "outcome", "cause", "liable", "proved", "L", "U", "last_seen_intact", "confidence", "rules", "flags",
        "exposure", "zones", "delay_h", "open_alternatives", "excluded", "gaps", "footage", "external_debtors",
        "applicable_regime", "version", "replaces",
    )
)  # fmt: skip
AMOUNT_KEYS = frozenset(
    ("value", "declared", "loss", "total", "fee", "k", "kg", "packages", "waiver", "pays", "flags")
)  # fmt: skip

"""What an event names beside its subject: what it registers, the unit around an item, another label. PURE."""

import re

from schemas.errors import Undecodable
from schemas.events import (
    DeviceEnrolled,
    DeviceRevoked,
    Event,
    ParcelRelabelled,
    PartyRegistered,
    PolicySet,
    SiteRegistered,
    UnitPacked,
    UnitUnpacked,
)
from schemas.identifiers import Subject, parse_subject

REGISTRY_ISSUERS = frozenset({"device", "party", "policy", "site"})
"""Issuers of subjects that are not parcels. Only `registry.` events may speak of them: one parked scan under
`policy:DEFAULT` would make every answer incomplete."""

# A policy whose code has another form could not be named by a contract (`ParcelAnnounced.policy`, in upper case).
_POLICY = re.compile(r"policy:[A-Z][A-Z0-9_]{0,47}\Z")


def check_registered(event: Event, subject: Subject) -> None:
    """A registration filed under another subject than its own would never be found."""
    match event:
        case DeviceEnrolled(device=code) | DeviceRevoked(device=code):
            field, meant = "data.device", f"device:{code.upper()}"
        case PartyRegistered(party=code):
            field, meant = "data.party", f"party:{code.upper()}"
        case SiteRegistered(site=code):
            field, meant = "data.site", f"site:{code.upper()}"
        case PolicySet():
            if not _POLICY.match(str(subject)):
                raise Undecodable(
                    f"the subject {subject} names no policy",
                    field="subject",
                    remedy="Send policy:DEFAULT, or policy: and a code of letters, digits and underscores.",
                )
            return
        case _:
            return
    if str(subject) != meant:
        _read(field, meant)
        raise Undecodable(
            f"the subject {subject} is not what the data is about", field="subject", remedy=f"Send the subject {meant}."
        )


def items_named(event: Event, subject: Subject) -> tuple[tuple[str, Subject], ...]:
    """The other items that an event is about, each by its field. One that cannot be read could never be joined."""
    match event:
        case UnitPacked(unit=text) | UnitUnpacked(unit=text):
            unit = _item("data.unit", text)
            if str(unit) == str(subject):
                raise Undecodable(
                    f"{unit} cannot be in itself",
                    field="data.unit",
                    remedy="Send the item as the subject and what holds it as data.unit.",
                )
            return (("data.unit", unit),)
        case ParcelRelabelled(old=before, new=after):
            old, new = _item("data.old", before), _item("data.new", after)
            if str(old) == str(new):
                raise Undecodable(
                    f"old and new are both {new}", field="data.new", remedy="Send the two numbers that were read."
                )
            if str(subject) not in {str(old), str(new)}:
                raise Undecodable(
                    f"the subject {subject} is neither of the two numbers",
                    field="subject",
                    remedy=f"Send the subject {old} or {new}.",
                )
            return ("data.old", old), ("data.new", new)
    return ()


def _item(field: str, text: str) -> Subject:
    item = _read(field, text)
    if item.issuer in REGISTRY_ISSUERS:
        raise Undecodable(
            f"{item} is no parcel and no unit", field=field, remedy="Send the code on the item's own label."
        )
    return item


def _read(field: str, text: str) -> Subject:
    try:
        return parse_subject(text)
    except Undecodable as error:
        raise Undecodable(error.reason, field=field, remedy=error.remedy) from error

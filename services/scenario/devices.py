"""The devices of a story's parties: one scanner each, its enrolment, its key, its signatures; and the office's desk.

Pure: keys are derived from the parties' names.
"""

import base64
import hashlib

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas import codec
from schemas.events import DeviceEnrolled, DeviceKey
from schemas.identifiers import Source
from services.scenario.names import Names

INSTRUMENTS = ("camera", "logger", "scale", "scanner")


def device_of(names: Names, party: str) -> Source:
    """The scanner of a party of the story."""
    return Source(f"{names.prefix}{party}", "handheld")


def desk(names: Names) -> Source:
    """Where the office types things in: registrations, notices, payments. It signs nothing."""
    return Source(f"{names.prefix}office", "desk")


def enrolment(names: Names, party: str) -> DeviceEnrolled:
    """That a party's scanner may speak for it."""
    device_id = device_of(names, party).device_id
    key = DeviceKey(
        keyid=keyid(names, party), public_key=_private_key(names, party).public_key().public_bytes_raw().hex()
    )
    return DeviceEnrolled(device=device_id, party=names.party(party), keys=(key,), instruments=INSTRUMENTS)


def keyid(names: Names, party: str) -> str:
    """The name of the key of a party's scanner."""
    return f"{device_of(names, party).device_id}.k1"


def signed(envelope: codec.Envelope, names: Names, party: str) -> codec.Envelope:
    """The event as the party's scanner uploads it: signed, its clock compared with ours and found right."""
    signature = _private_key(names, party).sign(codec.signed_form(envelope))
    return msgspec.structs.replace(
        envelope,
        keyid=keyid(names, party),
        sigalg="ed25519",
        signature=base64.b64encode(signature).decode(),
        clockoffsetms=0,
    )


def _private_key(names: Names, party: str) -> Ed25519PrivateKey:
    seed = hashlib.sha256(f"lastintact story {names.party(party)}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)

"""Whether a recorded event carries a good signature under a public key: a pure question about bytes."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas import codec

ALGORITHM = "ed25519"


def valid(envelope: codec.Envelope, public_key_hex: str) -> bool:
    """True when the envelope's signature is Ed25519 over its signed form under this key; False for anything else.

    A missing, malformed or foreign signature is not an error: it is simply no good signature.
    """
    if envelope.signature is None or (envelope.sigalg or ALGORITHM).lower() != ALGORITHM:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key_hex))
        key.verify(base64.b64decode(envelope.signature, validate=True), codec.signed_form(envelope))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True

"""Keys made of keys, by HKDF-SHA256 (RFC 5869): one secret never serves two purposes."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from logging_system.keys.secret import Secret

_LABEL = b"logging_system 1 "


def derive(secret: Secret, purpose: bytes, length_bytes: int = 32) -> Secret:
    """Return bytes of `secret` for one purpose.

    Args:
        secret: At least 32 random bytes.
        purpose: What they are for; another purpose gives bytes that tell nothing of these.
        length_bytes: How many.
    """
    hkdf = HKDF(SHA256(), length_bytes, salt=None, info=_LABEL + purpose)
    return Secret(hkdf.derive(secret.reveal()))

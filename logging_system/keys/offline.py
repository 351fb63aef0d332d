"""Wraps a data key to a provider's public key, so that a writer needs no answer from the provider.

HPKE is RFC 9180 in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; the context is `info`.
RSA-OAEP takes no context that every provider would check, so its SHA-256 is wrapped with the data key.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import load_der_public_key

from logging_system.keys.provider import (
    DATA_KEY_BYTES,
    FORM_HPKE,
    FORM_RSA,
    FORM_RSA_SHA1,
    PublicKey,
    WrapInvalidError,
    WrappedKey,
)
from logging_system.keys.secret import Secret

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_RSA_BITS_MIN = 2048


def wrap_offline(public_key: PublicKey, data_key: Secret, context: bytes) -> WrappedKey:
    """Wrap a data key without asking the provider.

    Args:
        public_key: As the provider gave it.
        data_key: 32 bytes.
        context: Bytes that `unwrap` must be given again.

    Returns:
        The wrapped key, in the form of the public key.

    Raises:
        ValueError: The public key is of no known form, or is none.
    """
    if public_key.form == FORM_HPKE:
        recipient = X25519PublicKey.from_public_bytes(public_key.data)
        data = _SUITE.encrypt(data_key.reveal(), recipient, info=context)
    elif public_key.form in {FORM_RSA, FORM_RSA_SHA1}:
        content = data_key.reveal() + hashlib.sha256(context).digest()
        data = _rsa(public_key).encrypt(content, oaep(public_key.form))
    else:
        raise ValueError(f"{public_key.key_id}: a public key of the unknown form {public_key.form[:40]!r}")
    return WrappedKey(public_key.key_id, public_key.version, public_key.form, data)


def unwrap_hpke(private_key: X25519PrivateKey, wrapped: WrappedKey, context: bytes) -> Secret:
    """Return the data key of `wrap_offline` with an X25519 key; for providers that hold the private key here.

    Args:
        private_key: That of the version which `wrapped` names.
        wrapped: Of the form `FORM_HPKE`.
        context: The bytes that `wrap_offline` was given.

    Raises:
        WrapInvalidError: It was not wrapped for this key and context.
    """
    try:
        data_key = Secret(_SUITE.decrypt(wrapped.data, private_key, info=context))
    except (InvalidTag, ValueError):
        raise wrap_invalid(wrapped) from None
    if len(data_key) != DATA_KEY_BYTES:
        raise wrap_invalid(wrapped)
    return data_key


def unpack_rsa(opened: Secret, wrapped: WrappedKey, context: bytes) -> Secret:
    """Return the data key of what a provider got out of the RSA form, once the context fits.

    Args:
        opened: What was under RSA: the data key's 32 bytes and the SHA-256 of its context.
        wrapped: What it was opened from; named in the error.
        context: The bytes that `wrap_offline` was given.

    Raises:
        WrapInvalidError: It was not wrapped for this context.
    """
    data = opened.reveal()
    data_key, digest = data[:DATA_KEY_BYTES], data[DATA_KEY_BYTES:]
    if not hmac.compare_digest(digest, hashlib.sha256(context).digest()):
        raise wrap_invalid(wrapped)
    return Secret(data_key)


def oaep(form: str) -> padding.OAEP:
    """Return the padding of an RSA form: OAEP and MGF1 with one hash, no label."""
    # In OAEP nobody gains by a collision, so SHA-1 is no weakness here (RFC 8017, section 7.1 lists it).
    chosen = hashes.SHA1() if form == FORM_RSA_SHA1 else hashes.SHA256()  # noqa: S303  # as above
    return padding.OAEP(padding.MGF1(chosen), chosen, None)


def wrap_invalid(wrapped: WrappedKey) -> WrapInvalidError:
    """Return the error that says of wrapped bytes that they do not fit."""
    return WrapInvalidError(
        f"key {wrapped.key}: the wrapped data key does not belong to this key and context; "
        "it is damaged, or somebody changed it",
        key_id=wrapped.key_id,
        version=wrapped.version,
    )


def _rsa(public_key: PublicKey) -> RSAPublicKey:
    key = load_der_public_key(public_key.data)
    if not isinstance(key, RSAPublicKey) or key.key_size < _RSA_BITS_MIN:
        raise ValueError(f"{public_key.key_id}: no RSA key of at least {_RSA_BITS_MIN} bits")
    return key

"""One key of the transit engine: its versions, and what is encrypted with them."""

from __future__ import annotations

import base64
import binascii
import functools
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from harness.programs.transit_lite.errors import ApiError, bad_request

SYMMETRIC = "aes256-gcm96"
RSA_BITS = {"rsa-2048": 2048, "rsa-3072": 3072, "rsa-4096": 4096}
KINDS = frozenset({SYMMETRIC, *RSA_BITS})
VERSIONS_MAX = 10_000
_NONCE_BYTES = 12
_SETTINGS = {
    "min_available_version": 0,
    "min_decryption_version": 1,
    "min_encryption_version": 0,
    "deletion_allowed": 0,
}


@dataclass(slots=True)
class TransitKey:
    """A key with its versions.

    Attributes:
        name: its name.
        kind: one of `KINDS`.
        versions: what each version encrypts with: base64 of 32 bytes, or a private key as PEM.
        newest: the highest version.
        settings: `min_…_version` and `deletion_allowed`, by Vault's names.
    """

    name: str
    kind: str
    versions: dict[int, str] = field(default_factory=dict, repr=False)
    newest: int = 0
    settings: dict[str, int] = field(default_factory=lambda: dict(_SETTINGS))

    def add_version(self) -> None:
        """Make the next version."""
        if self.newest >= VERSIONS_MAX:
            raise bad_request(f"transit_lite keeps at most {VERSIONS_MAX} versions of a key")
        self.newest += 1
        self.versions[self.newest] = _new_secret(self.kind)

    def document(self) -> dict[str, object]:
        """The key as Vault shows it, without its secrets."""
        shown = sorted(version for version in self.versions if version >= self.minimum)
        numbers = {name: value for name, value in self.settings.items() if name != "deletion_allowed"}
        return {
            "name": self.name,
            "type": self.kind,
            "latest_version": self.newest,
            "deletion_allowed": bool(self.settings["deletion_allowed"]),
            "derived": False,
            "exportable": False,
            "supports_encryption": True,
            "supports_decryption": True,
            "keys": {str(version): self._shown(version) for version in shown},
            **numbers,
        }

    @property
    def minimum(self) -> int:
        """The lowest version that decrypts."""
        return max(1, self.settings["min_decryption_version"])

    def configure(self, wanted: dict[str, int]) -> None:
        """Take over settings that fit together."""
        merged = {**self.settings, **wanted}
        # As Vault: versions begin at 1.
        merged["min_decryption_version"] = max(1, merged["min_decryption_version"])
        for which in ("decryption", "encryption"):
            if not 0 <= merged[f"min_{which}_version"] <= self.newest:
                raise bad_request(f"cannot set min {which} version, latest key version is {self.newest}")
        if 0 < merged["min_encryption_version"] < merged["min_decryption_version"]:
            raise bad_request(
                "min encryption version must be greater than or equal to min decryption version"
            )
        if merged["min_decryption_version"] < merged["min_available_version"]:
            raise bad_request("min decryption version is below the minimum available version")
        self.settings = merged

    def trim(self, available: int) -> None:
        """Destroy the versions below one."""
        settings = self.settings
        limit = min(settings["min_encryption_version"], settings["min_decryption_version"])
        if not max(1, settings["min_available_version"]) <= available <= limit:
            raise bad_request(f"minimum available version must be at most {limit}, and never falls")
        settings["min_available_version"] = available
        self.versions = {version: secret for version, secret in self.versions.items() if version >= available}

    def encrypt(self, plaintext: bytes, version: int, associated: bytes) -> str:
        """Return `vault:v<version>:<base64>`; version 0 is the newest."""
        version = version or self.newest
        if version < 0 or version > self.newest:
            raise bad_request("requested version for encryption is higher than the latest key version")
        if version < max(self.minimum, self.settings["min_encryption_version"]):
            raise bad_request(
                "requested version for encryption is less than the minimum encryption key version"
            )
        secret = self.versions[version]
        if self.kind == SYMMETRIC:
            nonce = os.urandom(_NONCE_BYTES)
            data = nonce + AESGCM(base64.b64decode(secret)).encrypt(nonce, plaintext, associated or None)
        else:
            self._refuse(associated)
            data = _encrypt_rsa(secret, plaintext)
        return f"vault:v{version}:{base64.b64encode(data).decode()}"

    def decrypt(self, ciphertext: str, associated: bytes) -> bytes:
        """Return the plaintext of what `encrypt` gave."""
        version, data = _parts(ciphertext)
        if version > self.newest:
            raise bad_request("invalid ciphertext: version is too new")
        if version < self.minimum:
            raise bad_request("ciphertext or signature version is disallowed by policy (too old)")
        secret = self.versions[version]
        if self.kind == SYMMETRIC:
            return _open(secret, data, associated)
        self._refuse(associated)
        try:
            return _private_key(secret).decrypt(data, _oaep())
        except ValueError:
            # A server error, as with Vault.
            raise ApiError(500, "failed to RSA decrypt the ciphertext: decryption error") from None

    def _refuse(self, associated: bytes) -> None:
        if associated:
            raise bad_request(f"'[0].associated_data' provided for non-AEAD cipher suite {self.kind}")

    def _shown(self, version: int) -> object:
        if self.kind == SYMMETRIC:
            return 0
        pem = _private_key(self.versions[version]).public_key()
        return {
            "name": self.kind,
            "public_key": pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        }


def stored(key: TransitKey) -> dict[str, Any]:
    """Return a key as it is kept on disk, its secrets included."""
    return {
        "name": key.name,
        "kind": key.kind,
        "newest": key.newest,
        "settings": key.settings,
        "versions": {str(version): secret for version, secret in key.versions.items()},
    }


def restored(content: dict[str, Any]) -> TransitKey:
    """Return the key that `stored` made this of."""
    versions = {int(version): secret for version, secret in content["versions"].items()}
    return TransitKey(content["name"], content["kind"], versions, content["newest"], content["settings"])


def _new_secret(kind: str) -> str:
    if kind == SYMMETRIC:
        return base64.b64encode(os.urandom(32)).decode()
    made = rsa.generate_private_key(65537, RSA_BITS[kind])
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@functools.lru_cache(64)
def _private_key(pem: str) -> rsa.RSAPrivateKey:
    # Made here, and kept in a file that only this program writes: proving it prime each time takes seconds.
    key = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - made by `_new_secret`
    return key


def _open(secret: str, data: bytes, associated: bytes) -> bytes:
    nonce, sealed = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
    try:
        return AESGCM(base64.b64decode(secret)).decrypt(nonce, sealed, associated or None)
    except (InvalidTag, ValueError):
        raise bad_request("cipher: message authentication failed") from None


def _encrypt_rsa(pem: str, plaintext: bytes) -> bytes:
    try:
        return _private_key(pem).public_key().encrypt(plaintext, _oaep())
    except ValueError:
        pass
    raise bad_request("message too long for RSA key size")


def _oaep() -> padding.OAEP:
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def _parts(ciphertext: str) -> tuple[int, bytes]:
    head, _, text = ciphertext.partition(":v")
    number, colon, encoded = text.partition(":")
    if head != "vault" or not colon or not number.isascii() or not number.isdecimal():
        raise bad_request("invalid ciphertext: no prefix")
    return int(number[:9]), from_base64(encoded, "invalid ciphertext: could not decode base64")


def from_base64(text: str, otherwise: str) -> bytes:
    """Return the bytes of base64; a 400 with `otherwise` where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise bad_request(otherwise)

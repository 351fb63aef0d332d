"""The content of a key file: keys with their versions, as JSON; read strictly, and never shown.

```
{"format": 1, "keys": {"logs": {"minimum": 1, "newest": 2, "secrets": {"1": "<base64>", "2": "<base64>"}}}}
```

A version below `newest` without a secret was destroyed; a key with `newest` 0 was destroyed as a whole.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from logging_system.keys.provider import KEY_ID
from logging_system.keys.secret import Secret

FORMAT = 1
SECRET_BYTES = 32
VERSIONS_MAX = 100_000


class KeyFileError(ValueError):
    """The bytes are no key file; nothing of them is in the message."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key of the file.

    Attributes:
        minimum: The lowest version that still unwraps.
        newest: The highest version; 0 where the key was destroyed.
        secrets: 32 bytes for each version that was not destroyed.
    """

    minimum: int
    newest: int
    secrets: Mapping[int, Secret] = field(repr=False)

    @property
    def is_destroyed(self) -> bool:
        """Whether the key itself is gone for good."""
        return self.newest == 0

    def with_version(self, secret: Secret) -> StoredKey:
        """Return the key with one more version."""
        newest = self.newest + 1
        return replace(self, newest=newest, secrets={**self.secrets, newest: secret})

    def destroyed_through(self, version: int) -> StoredKey:
        """Return the key without the secrets of versions up to `version`."""
        kept = {number: secret for number, secret in self.secrets.items() if number > version}
        return replace(self, secrets=kept)


DESTROYED = StoredKey(0, 0, {})
Keys = Mapping[str, StoredKey]


def encode_keys(keys: Keys) -> bytes:
    """Return the bytes of a key file: JSON with all secrets in base64, not encrypted.

    Args:
        keys: All keys of the file, by id.
    """
    content = {
        "format": FORMAT,
        "keys": {
            key_id: {
                "minimum": key.minimum,
                "newest": key.newest,
                "secrets": {
                    str(version): base64.b64encode(secret.reveal()).decode()
                    for version, secret in key.secrets.items()
                },
            }
            for key_id, key in keys.items()
        },
    }
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def decode_keys(data: bytes) -> Keys:
    """Return the keys of a key file.

    Args:
        data: The whole file, as `encode_keys` wrote it.

    Raises:
        KeyFileError: It is none; in a word why, and nothing of its content.
    """
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise KeyFileError("no JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("keys"), dict):
        raise KeyFileError("no JSON object with keys")
    if content.get("format") != FORMAT:
        raise KeyFileError(f"not of format {FORMAT}")
    return {_key_id(key_id): _stored_key(key) for key_id, key in content["keys"].items()}


def _key_id(key_id: str) -> str:
    if not KEY_ID.fullmatch(key_id):
        raise KeyFileError("a key id that is none")
    return key_id


def _stored_key(content: object) -> StoredKey:
    if not isinstance(content, dict) or not isinstance(content.get("secrets"), dict):
        raise KeyFileError("a key without versions")
    newest = _number(content.get("newest"))
    minimum = _number(content.get("minimum"))
    secrets = {_version(name, newest): _secret(value) for name, value in content["secrets"].items()}
    if newest and (newest not in secrets or not 1 <= minimum <= newest):
        raise KeyFileError("a key whose newest version is not there")
    return StoredKey(minimum, newest, secrets)


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= VERSIONS_MAX:
        raise KeyFileError("a version that is no number")
    return value


def _version(name: str, newest: int) -> int:
    if not (name.isascii() and name.isdecimal()) or not 1 <= int(name[:9]) <= newest:
        raise KeyFileError("a version that is no number up to the newest")
    return int(name[:9])


def _secret(value: object) -> Secret:
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != SECRET_BYTES:
        raise KeyFileError("a secret that is not 32 bytes of base64")
    return Secret(data)

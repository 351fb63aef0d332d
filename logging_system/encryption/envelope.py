"""The bytes of something sealed: a header that says with what, then ciphertext and tag of AES-256-GCM.

```
 0       u8   version of this format, 1
 1       u8   algorithm: 1 = AES-256-GCM under a key that HKDF-SHA256 makes of the data key
 2       u8   n, length of the key id
 3       n    key id, such as "logs"
 3+n     u32  version of that key when the data key was made, little-endian
 7+n     16   data key id
23+n     32   commitment: HKDF-SHA256 of the data key for this purpose alone
55+n     12   nonce: 4 random bytes of the data key, then a counter, u64 big-endian
67+n          ciphertext, 16 bytes tag
```

GCM does not commit to its key: for one ciphertext two keys can be made that both open it. The commitment is
compared first, so a block opens with the one key that sealed it. What is authenticated: a label, the header
as a whole, and what the place says of itself (`BlockContext.associated_data` for a block).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from logging_system.keys.data_keys import ID_BYTES
from logging_system.keys.derivation import derive
from logging_system.keys.provider import KEY_ID
from logging_system.keys.secret import Secret

VERSION = 1
AES_256_GCM = 1
TAG_BYTES = 16
NONCE_BYTES = 12
NONCE_PREFIX_BYTES = 4
COMMITMENT_BYTES = 32

_START = struct.Struct("<BBB")
_KEY = struct.Struct(f"<I{ID_BYTES}s{COMMITMENT_BYTES}s{NONCE_BYTES}s")


class SealError(ValueError):
    """What is sealed cannot be opened, and never will be: damaged, changed, or its key was destroyed.

    Neither plaintext nor key bytes are in it.

    Args:
        what: What is wrong.
        key_id: Which key it names, where that can be told.
        is_destroyed: Whether its key was destroyed for good.
    """

    def __init__(self, what: str, *, key_id: str = "", is_destroyed: bool = False) -> None:
        super().__init__(what)
        self.key_id = key_id
        self.is_destroyed = is_destroyed


@dataclass(frozen=True, slots=True)
class Header:
    """What a sealed thing says of itself.

    Attributes:
        key_id: The key-encryption key.
        key_version: Its version when the data key was made; after a rotation the data key is wrapped anew.
        data_key_id: 16 bytes.
        commitment: 32 bytes.
        nonce: 12 bytes.
        size_bytes: How long the header is.
    """

    key_id: str
    key_version: int
    data_key_id: bytes
    commitment: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    size_bytes: int

    @property
    def key(self) -> str:
        """Return key id and version, as they are shown and counted."""
        return f"{self.key_id}:{self.key_version}"


def header_start(key_id: str, key_version: int, data_key_id: bytes, commitment: bytes) -> bytes:
    """Return a header up to its nonce.

    Args:
        key_id: The key's name.
        key_version: Which version of it wraps the data key.
        data_key_id: The data key's, of `ID_BYTES`.
        commitment: Of the data key, see `commitment_of`.
    """
    name = key_id.encode()
    start = _START.pack(VERSION, AES_256_GCM, len(name)) + name
    return start + _KEY.pack(key_version, data_key_id, commitment, bytes(NONCE_BYTES))[:-NONCE_BYTES]


def read_header(sealed: bytes) -> Header:
    """Return the header of something sealed.

    Raises:
        SealError: It has none that this version knows.
    """
    if len(sealed) < _START.size:
        raise SealError("too short for what is sealed")
    version, algorithm, name_bytes = _START.unpack_from(sealed)
    if not is_of_this_format(sealed):
        raise SealError(f"sealed in format {version} with algorithm {algorithm}; this version knows 1 and 1")
    end = _START.size + name_bytes
    size_bytes = end + _KEY.size
    if len(sealed) < size_bytes + TAG_BYTES:
        raise SealError("too short for what is sealed")
    key_id = sealed[_START.size : end].decode("latin-1")
    if not KEY_ID.fullmatch(key_id):
        raise SealError("sealed with a key whose id is none")
    key_version, data_key_id, commitment, nonce = _KEY.unpack_from(sealed, end)
    return Header(key_id, key_version, data_key_id, commitment, nonce, size_bytes)


def is_of_this_format(sealed: bytes) -> bool:
    """Return whether something begins as what this version seals; a newer one may seal otherwise.

    Args:
        sealed: Its first two bytes are enough.
    """
    return sealed[:2] == bytes((VERSION, AES_256_GCM))


def data_key_id_of(start: bytes) -> bytes | None:
    """Return the data key that the first bytes of something sealed name; None where they are not that.

    Args:
        start: As far as the data key's id at least; what comes after it is not looked at.
    """
    if len(start) < _START.size:
        return None
    _version, _algorithm, name_bytes = _START.unpack_from(start)
    begin = _START.size + name_bytes + 4
    data_key_id = start[begin : begin + ID_BYTES]
    return data_key_id if is_of_this_format(start) and len(data_key_id) == ID_BYTES else None


def sealing_key(data_key: Secret) -> Secret:
    """Return the AES key that a data key stands for.

    Args:
        data_key: As it was unwrapped; never used to seal by itself.
    """
    return derive(data_key, b"seal")


def commitment_of(data_key: Secret) -> bytes:
    """Return what says which data key sealed something, and tells nothing of it.

    Args:
        data_key: As it was unwrapped.

    Returns:
        `COMMITMENT_BYTES` bytes, which may stand in the open.
    """
    return derive(data_key, b"commit", COMMITMENT_BYTES).reveal()


def label_of(purpose: str) -> bytes:
    """Return what is authenticated before header and place: what was sealed, and by whom.

    Args:
        purpose: `block`, `line` or `field`.
    """
    return b"logging_system sealed 1\0" + purpose.encode() + b"\0"

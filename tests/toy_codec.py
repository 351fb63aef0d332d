"""An authenticated codec with keys, as small as one can be: for tests of what a codec needs from the spool.

Not encryption: a stream from SHAKE-256 by key and block, and an HMAC over it and the associated data. The id
of the key is in what it stores, so that blocks of several keys can be read in one spool.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from logging_system.spool.codec import PLAIN, BlockContext, Codecs, KeyUnavailableError

NUMBER = 7
_TAG_BYTES = 32


class ToyCodec:
    """Stores a payload under the newest of its keys.

    Args:
        keys: Keys by id; the last one is used for new blocks. What is taken out of the mapping is missing.
    """

    number = NUMBER

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.keys = dict(keys)

    def encode(self, payload: bytes, context: BlockContext) -> tuple[bytes, ...]:
        """Return key id, tag and masked payload."""
        if not self.keys:
            raise KeyUnavailableError("none")
        key_id = list(self.keys)[-1]
        masked = self._masked(key_id, payload, context)
        return bytes([len(key_id)]), key_id.encode(), self._tag(key_id, masked, context), masked

    def decode(self, stored: bytes, context: BlockContext) -> bytes:
        """Return the payload, once its tag fits."""
        start = 1 + stored[0] if stored else 1
        key_id = stored[1:start].decode("ascii")
        if key_id not in self.keys:
            raise KeyUnavailableError(key_id)
        tag, masked = stored[start : start + _TAG_BYTES], stored[start + _TAG_BYTES :]
        if not hmac.compare_digest(tag, self._tag(key_id, masked, context)):
            raise ValueError("the tag does not fit")
        return self._masked(key_id, masked, context)

    def _masked(self, key_id: str, data: bytes, context: BlockContext) -> bytes:
        stream = hashlib.shake_256(self.keys[key_id] + context.associated_data).digest(len(data))
        return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))

    def _tag(self, key_id: str, masked: bytes, context: BlockContext) -> bytes:
        return hmac.digest(self.keys[key_id], context.associated_data + masked, "sha256")


def toy_codecs() -> Codecs:
    """Return codecs that write with a toy key and read plain blocks too."""
    return Codecs.of(ToyCodec({"k1": b"one"}), PLAIN)

"""Codec 1: a spool's blocks under AES-256-GCM, see `envelope.py`.

The data key is bound to its key, whose id is the namespace of the logs; the block to the place that it
stands at.
"""

from __future__ import annotations

from logging_system.encryption.opening import Opener
from logging_system.encryption.sealing import Sealer
from logging_system.spool.codec import BlockContext, pack_associated

NUMBER = 1
PURPOSE = "block"


class SealedBlocks:
    """Stores payloads sealed.

    Args:
        sealer: For new blocks.
        opener: For blocks that are read.
    """

    number = NUMBER

    def __init__(self, sealer: Sealer, opener: Opener) -> None:
        self._seal = sealer.seal_in_parts
        self._opener = opener

    def encode(self, payload: bytes, context: BlockContext) -> tuple[bytes, ...]:
        """Return header and ciphertext; see `Codec.encode`."""
        # Packed here, since a property costs a percent of what sealing a block takes.
        count = context.count
        place = pack_associated(context.epoch, context.codec, context.first_sequence, count)
        return self._seal(payload, place, count)

    def decode(self, stored: bytes, context: BlockContext) -> bytes:
        """Return the payload; see `Codec.decode`."""
        return self._opener.open(stored, context.associated_data)

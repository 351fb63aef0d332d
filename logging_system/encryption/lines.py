"""Lines of files beside the spool, sealed one by one: each opens alone, under the id it was written for.

`{"id":"<id>","sealed":"<base64>"}` is a dead letter, `{"_id":"<id>","_sealed":"<base64>"}` a document of the
fallback file. The id stays clear: by it a line that is written again is recognised.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging_system.encryption.opening import Opener
    from logging_system.encryption.sealing import Sealer

PURPOSE = "line"


class SealedLines:
    """Seals and opens lines.

    Args:
        sealer: Seals.
        opener: Opens.
    """

    def __init__(self, sealer: Sealer, opener: Opener) -> None:
        self._sealer = sealer
        self._opener = opener

    def seal(self, content: bytes, line_id: str) -> bytes:
        """Return a line's content, sealed, in base64.

        Args:
            content: What is not to be read.
            line_id: What it belongs to; it opens under no other.

        Raises:
            KeyUnavailableError: There is no key now.
            OSError: The wrapped data key could not be stored.
        """
        return b64encode(self._sealer.seal(content, line_id.encode()))

    def open(self, sealed: str, line_id: str) -> bytes:
        """Return the content.

        Args:
            sealed: The line, base64.
            line_id: What it was written for.

        Raises:
            ValueError: It is damaged, was changed, belongs to another id, or its key was destroyed.
            KeyUnavailableError: Its key is not here now.
        """
        try:
            data = b64decode(sealed, validate=True)
        except binascii.Error:
            raise ValueError("what is sealed is no base64") from None
        return self._opener.open(data, line_id.encode())

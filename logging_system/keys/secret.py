"""Bytes that must not be shown: no repr, message, traceback with locals or pickle holds them."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Key bytes in a wrapping that shows nothing of them.

    Args:
        data: The bytes.
    """

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = bytes(data)

    def reveal(self) -> bytes:
        """Return the bytes; hand them to a cipher, and keep them in no variable that lives longer."""
        return self._data

    def __len__(self) -> int:
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._data, other._data)

    __hash__ = None  # type: ignore[assignment]  # a hash would say whether two are the same

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; hand on the id of its key")

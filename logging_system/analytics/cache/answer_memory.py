"""Answers as bytes, the least recently used given up first, within a bound of bytes."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from logging_system.analytics.cache.validity import Provenance

try:
    from cachetools import LRUCache
except ImportError as error:
    raise ImportError("cachetools is not installed; pip install 'logquake[analytics]'") from error

ENTRY_BYTES = 600
"""What an entry takes beside its answer: its key of 32 or 48 bytes, its objects, its places in two tables."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, or the part of one for a piece of time.

    Attributes:
        encoded: It, as JSON.
        made: Which records it was made of.
        exact_seconds: When it was last known to be exact, on the clock of the cache.
    """

    encoded: bytes
    made: Provenance
    exact_seconds: float


class _Entries(LRUCache[bytes, KeptAnswer]):
    """Counts what is given up."""

    evicted_bytes = 0

    def popitem(self) -> tuple[bytes, KeptAnswer]:
        key, answer = super().popitem()
        self.evicted_bytes += entry_bytes(answer)
        return key, answer


def entry_bytes(answer: KeptAnswer) -> int:
    """Return how much memory an entry takes."""
    return ENTRY_BYTES + len(answer.encoded)


class AnswerMemory:
    """Keeps answers; safe for threads, and shared by the caches of several readers.

    Args:
        bytes_max: What all entries take at most.
    """

    def __init__(self, bytes_max: int) -> None:
        self._lock = threading.Lock()
        self._entries = _Entries(bytes_max, getsizeof=entry_bytes)

    def get(self, key: bytes) -> KeptAnswer | None:
        """Return an answer; None where there is none.

        Args:
            key: The question's; counts as a use of the answer.
        """
        with self._lock:
            found: KeptAnswer | None = self._entries.get(key)
            return found

    def put(self, key: bytes, answer: KeptAnswer) -> None:
        """Keep an answer, unless it alone is larger than the bound.

        Args:
            key: The question's; an answer that is kept under it already is replaced, or forgotten.
            answer: What is kept.
        """
        with self._lock:
            if entry_bytes(answer) <= self._entries.maxsize:
                self._entries[key] = answer
            else:
                self._entries.pop(key, None)

    def drop(self, key: bytes) -> None:
        """Forget an answer.

        Args:
            key: The question's; one that is not kept is no error.
        """
        with self._lock:
            self._entries.pop(key, None)

    @property
    def used_bytes(self) -> int:
        """What all entries take."""
        return int(self._entries.currsize)

    @property
    def evicted_bytes(self) -> int:
        """What entries took that were given up for others."""
        return self._entries.evicted_bytes

"""Remembers the backing indices that took documents, so that a look-up asks no more of them than it must."""

from __future__ import annotations

from dataclasses import dataclass, field

INDICES_MAX = 16
"""Backing indices asked at most, the newest: a doubt is younger than that many rollovers."""


@dataclass(slots=True)
class WriteIndices:
    """The backing indices that outcomes named, in the order in which they became the write index."""

    names: list[str] = field(default_factory=list)
    _dropped: int = 0

    def saw(self, name: str) -> None:
        """Take note of the index that took a document.

        Args:
            name: The backing index; empty where the store named none. Of more than `INDICES_MAX` the oldest
                goes.
        """
        if not name or name in self.names:
            return
        self.names.append(name)
        if len(self.names) > INDICES_MAX:
            del self.names[0]
            self._dropped += 1

    def mark(self) -> int:
        """Return the place of the newest; -1 if none is known."""
        return self._dropped + len(self.names) - 1

    def since(self, mark: int) -> tuple[str, ...]:
        """Return the names from a place on; none, which means all there are, for -1.

        Args:
            mark: The place, as `mark` returned it.
        """
        return () if mark < 0 else tuple(self.names[max(0, mark - self._dropped) :])

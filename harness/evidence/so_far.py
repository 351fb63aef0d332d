"""What of a run has come into its outlets so far: records, further copies, texts that nobody sent.

For a person who watches. What is judged comes from a whole reading at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from harness.evidence.lines import identities
from harness.model.protocols import Archive, Followable, Follower, StoredDocument

UNKNOWN_SHOWN_MAX = 3
EXCERPT_CHARACTERS = 120
# The names of all copies are held, to tell a second one from one that is read again.
COPIES_MAX = 2_000_000


class SoFar:
    """Counts what comes into some outlets, look by look.

    Args:
        archives: where to look; one that cannot be followed is read whole at each look.
        run_id: of the records that are looked for.

    Attributes:
        full: whether so many copies were seen that no more are counted.
    """

    def __init__(self, archives: Sequence[Archive], run_id: str) -> None:
        self._run_id = run_id
        self._archives = archives
        self._followers: list[Follower | None] = [
            each.follow() if isinstance(each, Followable) else None for each in archives
        ]
        self._copies: dict[str, tuple[int, ...]] = {}
        self._unknown: dict[str, str] = {}
        self._stored: set[int] = set()
        self._named = 0
        self.full = False

    @property
    def stored(self) -> AbstractSet[int]:
        """Return the sequences seen."""
        return self._stored

    @property
    def duplicates(self) -> int:
        """Return how many copies were seen beyond the first of each record."""
        return self._named - len(self._stored)

    @property
    def unknown(self) -> int:
        """Return how many copies were seen without an identity of this run."""
        return len(self._unknown)

    def excerpts(self) -> tuple[str, ...]:
        """Return the beginnings of the first few such copies."""
        return tuple(self._unknown.values())[:UNKNOWN_SHOWN_MAX]

    def look(self) -> None:
        """Look once at what is new; raises StackError."""
        for place, (archive, follower) in enumerate(zip(self._archives, self._followers, strict=True)):
            archive.refresh()
            self._add(place, archive.read() if follower is None else follower.read())

    def close(self) -> None:
        """Close the outlets."""
        for archive in self._archives:
            archive.close()

    def _add(self, place: int, documents: Iterable[StoredDocument]) -> None:
        for document in documents:
            name = f"{place}:{document.copy}"
            before = self._copies.get(name)
            if before is None and len(self._copies) >= COPIES_MAX:
                self.full = True
                return
            claimed = () if document.unreadable else tuple(identities(document.line, self._run_id))
            if claimed == before:
                continue
            # A copy that was written again is one copy, of what it holds now.
            self._named += len(claimed) - len(before or ())
            self._copies[name] = claimed
            self._stored.update(claimed)
            self._unknown.pop(name, None)
            if not claimed:
                self._unknown[name] = (document.unreadable or document.line)[:EXCERPT_CHARACTERS]

"""What comes into a run's outlets, look by look: each reads only what is new, where that can be told.

It tells soon and cheaply that a record has come. That a record is not there, only a whole reading tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence.lines import identify
from harness.model.protocols import Archive, Followable, Follower


class Following:
    """The sequences of one run that some outlets have been seen to hold.

    Args:
        archives: where to look, in this order; one that cannot be followed is read whole at each look.
        run_id: of the records that are looked for.
        from_now: leave out what is there already, where that can be told.

    Raises:
        StackError: what is there already cannot be told, since the store does not answer.
    """

    def __init__(self, archives: Sequence[Archive], run_id: str, *, from_now: bool = False) -> None:
        self._run_id = run_id
        self._archives: list[tuple[Archive, Follower | None]] = [
            (each, each.follow(from_now=from_now) if isinstance(each, Followable) else None)
            for each in archives
        ]
        self.seen: set[int] = set()

    def look(self, *, whole: bool = False) -> set[int]:
        """Look once, at what is new or at everything; return all sequences seen so far. Raises StackError."""
        for archive, follower in self._archives:
            archive.refresh()
            documents = archive.read() if whole or follower is None else follower.read()
            for document in documents:
                sequence = None if document.unreadable else identify(document.line, self._run_id)
                if sequence is not None:
                    self.seen.add(sequence)
        return self.seen

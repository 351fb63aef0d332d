"""What comes into a run's outlets, look by look: each reads only what is new, where that can be told.

It tells soon and cheaply that a record has come. That a record is not there, only a whole reading tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.evidence.lines import identities
from harness.model.protocols import Archive, Followable, Follower, StoredDocument

Recognise: TypeAlias = Callable[[Sequence[str], AbstractSet[int]], Iterable[int]]
"""Tells from the text of lines without an identity which records they are, but for those that are named."""


def nobody(lines: Sequence[str], named: AbstractSet[int]) -> Iterable[int]:
    """Recognise no line by its text.

    Args:
        lines: texts without an identity, in the archive's order.
        named: the sequences whose lines have theirs.

    Returns:
        No sequence, whatever the lines are.
    """
    return ()


@dataclass(slots=True)
class _Followed:
    """One archive, and the sequences seen in it by their identity and by their text."""

    archive: Archive
    follower: Follower | None
    named: set[int] = field(default_factory=set)
    by_text: set[int] = field(default_factory=set)


class Following:
    """The sequences of one run that some outlets have been seen to hold.

    Args:
        archives: where to look, in this order; one that cannot be followed is read whole at each look.
        run_id: of the records that are looked for.
        from_now: leave out what is there already, where that can be told.
        recognise: tells which records the lines are whose identity is gone.

    Raises:
        StackError: what is there already cannot be told, since the store does not answer.
    """

    def __init__(
        self,
        archives: Sequence[Archive],
        run_id: str,
        *,
        from_now: bool = False,
        recognise: Recognise = nobody,
    ) -> None:
        self._run_id = run_id
        self._recognise = recognise
        self._archives = [
            _Followed(each, each.follow(from_now=from_now) if isinstance(each, Followable) else None)
            for each in archives
        ]
        self.seen: set[int] = set()

    def look(self, *, whole: bool = False) -> set[int]:
        """Look once, at what is new or at everything; return all sequences seen so far. Raises StackError.

        Args:
            whole: read the archives from their beginning, as for a last look; else only what came since the
                last one.
        """
        for each in self._archives:
            each.archive.refresh()
            if whole or each.follower is None:
                self._add(each, each.archive.read(), set())
            else:
                self._add(each, each.follower.read(), each.by_text)
        return self.seen

    def _add(self, each: _Followed, documents: Iterable[StoredDocument], by_text: set[int]) -> None:
        """Add what was read; `by_text` has what other lines, read before, stand for."""
        unnamed = []
        for document in documents:
            if document.unreadable:
                continue
            claimed = identities(document.line, self._run_id)
            each.named.update(claimed)
            if not claimed:
                unnamed.append(document.line)
        if unnamed:
            by_text.update(self._recognise(unnamed, each.named | by_text))
        each.by_text = by_text
        self.seen |= each.named | each.by_text

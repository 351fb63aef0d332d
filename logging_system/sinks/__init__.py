"""Where documents go: each sink carries bytes and judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from logging_system.delivery.answers import Answer, NoAnswer
from logging_system.delivery.machine import Item


class Sink(Protocol):
    """A store's side of the wire; called from several threads at once."""

    def prepare(self) -> str | None:
        """Make the store as ready for documents as it allows; may be repeated.

        Returns:
            None when documents can be sent, else what stands in the way.
        """

    def send(self, items: Sequence[Item]) -> Answer | NoAnswer:
        """Send one bulk request and return what came back, in bounded time."""

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> Answer | NoAnswer:
        """Ask in one multi-get, in bounded time, which documents are stored, refreshed or not.

        Args:
            ids: The documents' ids.
            indices: Backing indices that may hold them, the oldest first. To these come newer ones
                that the store has, or all of its own where none is named.

        Returns:
            The answer as it came, `docs` with `_index`, `_id` and `found` for every id in every index, and in
            `asked` the indices, so that an answer with one of them missing is known for what it is.
        """

    def close(self) -> None:
        """Give connections back."""

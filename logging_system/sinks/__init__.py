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

    def close(self) -> None:
        """Give connections back."""

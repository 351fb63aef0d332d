"""Where documents go. A sink sends them to its store and tells what became of them; it never sends again.

To add one: a module here with a class that fits `Sink`, a line in `shipping/sink_factory.py`, and an entry in
`tests/contract/logging_system/sinks/test_sink_contract.py`, which tests what holds for every sink.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import LookUpOutcome, SendOutcome


class Sink(Protocol):
    """A store, as the delivery machine sees it; called from several threads at once."""

    def prepare(self) -> str | None:
        """Make the store as ready for documents as it allows; may be repeated.

        Returns:
            None when documents can be sent, else what stands in the way.
        """

    def send(self, items: Sequence[Item]) -> SendOutcome:
        """Store documents, each under its id, in bounded time.

        A document is stored once under its id: a second one is a `Conflict`, in the same index at least.

        Args:
            items: The documents, one or more.

        Returns:
            What became of them. Nothing is said to be stored that is not durable as the store promises it;
            whatever cannot be told is `Unknown`, and the documents are sent again.
        """

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> LookUpOutcome:
        """Tell in bounded time which documents are stored already, searchable or not.

        Args:
            ids: The documents' ids.
            indices: Backing indices that may hold them, the oldest first. To these come newer ones
                that the store has, or all of its own where none is named.

        Returns:
            The ids found, if every place that may hold them was asked for every one; else why not.
        """

    def close(self) -> None:
        """Give connections and files back; may be repeated."""


@runtime_checkable
class StandsIn(Protocol):
    """A sink that has something to write to in place of its store."""

    def use_files(self, wanted: bool) -> None:
        """Write there from now on without asking the store, or ask it again; may be repeated.

        Args:
            wanted: Whether that is wanted.
        """

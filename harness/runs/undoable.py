"""A fault whose undo is on disk before it begins, and stays there until it is known to be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from harness.model.protocols import Undo


class Journal(Protocol):
    """Where it is noted on disk how to take a fault back; `UndoJournal` is one."""

    def before(self, step: str, undo: Undo) -> None:
        """Note it durably; raises FaultError, and then the fault must not begin.

        Args:
            step: the fault's name.
            undo: how to take it back from outside.
        """
        ...

    def done(self, step: str) -> None:
        """Note that it was taken back.

        Args:
            step: the name that `before` was given.
        """
        ...


@contextmanager
def undoable(
    journal: Journal, name: str, undo: Undo, injected: AbstractContextManager[None]
) -> Iterator[None]:
    """Hold a fault for as long as the block lasts. The journal keeps its undo on every path.

    Args:
        journal: takes the undo first.
        name: what the journal calls the fault.
        undo: how to take it back from outside.
        injected: hurts the target on entry and takes it back on exit.

    Yields:
        Once, while the fault is on.

    Raises:
        FaultError: the journal cannot be written, so nothing was injected; or the fault's own.
    """
    journal.before(name, undo)
    inside: BaseException | None = None
    try:
        with injected:
            try:
                yield
            except BaseException as error:
                inside = error
                raise
    except BaseException as error:
        # What went wrong while the fault was on has left it in good order; any other error is the fault's
        # own, and nobody knows whether it is still on.
        if error is inside:
            journal.done(name)
        raise
    journal.done(name)

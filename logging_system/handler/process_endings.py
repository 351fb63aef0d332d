"""Which handlers end with this process, whichever way it ends, and which a forked child only inherits."""

from __future__ import annotations

import sys
import weakref
from typing import Protocol


class EndsWithProcess(Protocol):
    """What holds a thread and files of this process."""

    @property
    def is_inherited(self) -> bool:
        """Whether it came with a fork, and has had nothing to do in this process."""

    def leave_parent(self) -> None:
        """In a forked child: let go of what was inherited."""

    def end_with_process(self) -> None:
        """Close; called more than once where several ends are told."""


class ProcessEndings:
    """Tells what was added of forks and of the process's end. Nothing is kept alive by it."""

    def __init__(self) -> None:
        self._added: weakref.WeakSet[EndsWithProcess] = weakref.WeakSet()

    def add(self, handler: EndsWithProcess) -> None:
        """Tell a handler that has been made in this process."""
        self._added.add(handler)
        self._end_in_children_of_multiprocessing()

    def leave_parents(self) -> None:
        """In a forked child: have all let go of what was inherited."""
        for handler in list(self._added):
            handler.leave_parent()

    def end_all(self) -> None:
        """End all, at the interpreter's end."""
        for handler in list(self._added):
            handler.end_with_process()

    def end_what_began(self) -> None:
        """End the handlers that were made in this process, or have had a record in it."""
        for handler in list(self._added):
            if not handler.is_inherited:
                handler.end_with_process()

    def end_with_child_of_multiprocessing(self, _: object = None) -> None:
        """Have all end with this process if it is multiprocessing's: its children leave without atexit."""
        multiprocessing_util = sys.modules.get("multiprocessing.util")
        if multiprocessing_util is not None:
            multiprocessing_util.Finalize(None, self.end_what_began, exitpriority=100)

    def _end_in_children_of_multiprocessing(self) -> None:
        """Do so wherever a handler is made: by a worker itself, or before its work begins.

        Before it begins its work, a worker forgets whatever was to be done at its end until then. Only after
        that it knows of a parent: not yet where it imports the main module again.
        """
        util, process = (sys.modules.get(f"multiprocessing.{name}") for name in ("util", "process"))
        if util is None or process is None:
            return
        # It is held weakly there, so it must be what lives as long as the process.
        util.register_after_fork(self, ProcessEndings.end_with_child_of_multiprocessing)
        if process.parent_process() is not None:
            self.end_with_child_of_multiprocessing()

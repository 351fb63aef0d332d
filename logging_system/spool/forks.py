"""Makes a forked child let go of what its parent holds open in a spool.

A lock of flock(2) belongs to the open file, which a fork shares: as long as the child keeps the descriptor, a
parent that died still looks alive.

Whoever holds a descriptor for long is asked to forget it. Beside that every descriptor is noted from before
it is known to anybody until it is closed, so that a fork by another thread at any moment leaves none behind.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

_WAIT_SECONDS_MAX = 0.5
"""A disk that hangs in open(2) must not hold up the application's fork for longer."""


class Inherited(Protocol):
    """Something with descriptors that a child must not keep."""

    def forget(self) -> None:
        """Close the descriptors and leave the files as they are."""


class OpenDescriptors:
    """The descriptors that this process has open in spools."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._is_held = False
        self._numbers: set[int] = set()

    def open(self, call: Callable[[], int]) -> int:
        """Open a descriptor; no fork comes between the system call and the note of it.

        Args:
            call: Opens it.
        """
        with self._lock:
            descriptor = call()
            self._numbers.add(descriptor)
            return descriptor

    def close(self, descriptor: int) -> None:
        """Close a descriptor; no fork comes between the note of it and the system call."""
        with self._lock:
            self._numbers.discard(descriptor)
            os.close(descriptor)

    def before_fork(self) -> None:
        """Let whoever opens or closes one come to an end, within a bound."""
        self._is_held = self._lock.acquire(timeout=_WAIT_SECONDS_MAX)

    def after_in_parent(self) -> None:
        """Let opening and closing go on."""
        if self._is_held:
            self._is_held = False
            self._lock.release()

    def begin_in_child(self) -> None:
        """Forget who held the lock: it may be a thread that this process has not."""
        self._lock, self._is_held = threading.RLock(), False

    def close_all(self) -> None:
        """Close what was inherited and has not been forgotten."""
        for descriptor in self._numbers:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._numbers.clear()


DESCRIPTORS = OpenDescriptors()
_open: weakref.WeakSet[Inherited] = weakref.WeakSet()


def forget_in_children(holder: Inherited) -> None:
    """Call `holder.forget` in every child this process forks from now on, while `holder` lives."""
    _open.add(holder)


def forget_all() -> None:
    """Let go of everything; called in each forked child before anything else of this package runs."""
    DESCRIPTORS.begin_in_child()
    for holder in list(_open):
        holder.forget()
    DESCRIPTORS.close_all()


os.register_at_fork(
    before=DESCRIPTORS.before_fork,
    after_in_parent=DESCRIPTORS.after_in_parent,
    after_in_child=forget_all,
)

"""Makes a forked child let go of what its parent holds open in a spool.

A lock of flock(2) belongs to the open file, which a fork shares: as long as the child keeps the descriptor, a
parent that died still looks alive.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Inherited(Protocol):
    """Something with descriptors that a child must not keep."""

    def forget(self) -> None:
        """Close the descriptors and leave the files as they are."""


_open: weakref.WeakSet[Inherited] = weakref.WeakSet()


def forget_in_children(holder: Inherited) -> None:
    """Call `holder.forget` in every child this process forks from now on, while `holder` lives."""
    _open.add(holder)


def forget_all() -> None:
    """Let go of everything; called in each forked child before anything else of this package runs."""
    for holder in list(_open):
        holder.forget()


os.register_at_fork(after_in_child=forget_all)

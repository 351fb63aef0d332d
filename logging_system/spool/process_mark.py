"""Tells a process from its forked children, for the price of reading one byte.

A fork that C code makes (uWSGI's workers, an extension's) runs none of Python's hooks. Linux empties a page
of memory in every child if asked to (MADV_WIPEONFORK, madvise(2), since 4.14): what was 1 in the process that
set it is 0 in its child. Elsewhere the process's number is compared, which costs ten times as much.
"""

from __future__ import annotations

import mmap
import os
import sys
from typing import Protocol

_WIPE_ON_FORK = 18  # Python's mmap module has no name for it
_NO_SUCH_ADVICE = -1


class ProcessMark(Protocol):
    """Something whose item 0 is 1 in the process that set it, and 0 in its children until they do."""

    def __getitem__(self, index: int, /) -> int:
        """Return 1 where this process has set the mark."""

    def __setitem__(self, index: int, value: int, /) -> None:
        """Set the mark."""


class ProcessNumber:
    """A mark that compares the number of the process."""

    def __init__(self) -> None:
        self._number = os.getpid()

    def __getitem__(self, index: int, /) -> int:
        """Return 1 where this process has set the mark."""
        return int(os.getpid() == self._number)

    def __setitem__(self, index: int, value: int, /) -> None:
        """Set the mark."""
        self._number = os.getpid()


def new_mark() -> ProcessMark:
    """Return a mark that this process has set; the cheapest that the system offers."""
    mark = _wiped_page() or ProcessNumber()
    mark[0] = 1
    return mark


def _wiped_page() -> mmap.mmap | None:
    if sys.platform != "linux":
        return None
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        page.madvise(_NO_SUCH_ADVICE)
    except OSError:
        try:
            page.madvise(_WIPE_ON_FORK)
        except OSError:
            return None
        return page
    # Whoever takes any advice follows none: emulators of Linux do that.
    return None

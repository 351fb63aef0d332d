"""Keeps what is in this process's memory out of core dumps.

For programs of ours; an application decides that for itself. `PR_SET_DUMPABLE` is left alone: with it, who
watches a process of their own could not read its folder in /proc any more.
"""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

_FILTER = Path("/proc/self/coredump_filter")
_NO_DUMP = 1
"""0 writes no file, and feeds a pipe that `core_pattern` names all the same; with 1 Linux does neither."""


def forbid_core_dumps() -> None:
    """Have this process, and those that it starts, leave no core dump; never raises."""
    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        most = _NO_DUMP if hard == resource.RLIM_INFINITY else min(hard, _NO_DUMP)
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    with suppress(OSError):
        # Whoever dumps it all the same gets no memory of it.
        _FILTER.write_text("0")

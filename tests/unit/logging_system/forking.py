"""Forks in tests: by Python, whose hooks run in the child, and by C code, where none does."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable

CHILD_SECONDS_MAX = 10
SETTLING_SECONDS = 0.02
"""A worker that has nothing to do sleeps after this, for half a second."""
# With the lock of the interpreter held, as uWSGI does: the child may go on with Python.
_BY_C = ctypes.PyDLL(None)


def fork_by_python() -> int:
    return os.fork()


def fork_by_c() -> int:
    """Fork while no other thread has asked for the interpreter's lock.

    A child in which one has, and is not there, hangs in the interpreter itself: it hands the lock over and
    waits until the other has it. A thread asks after the switch interval, those of pytest's plug-ins too.
    """
    interval_seconds = sys.getswitchinterval()
    sys.setswitchinterval(CHILD_SECONDS_MAX)
    try:
        time.sleep(SETTLING_SECONDS)
        child: int = _BY_C.fork()
    finally:
        sys.setswitchinterval(interval_seconds)
    return child


def in_a_child(fork: Callable[[], int], act: Callable[[], int]) -> int:
    """Return what `act` returned in a forked child: 99 where it raised, -SIGALRM where it took too long."""
    child = fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(CHILD_SECONDS_MAX)
        code = 99
        try:
            code = act()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

"""Forks in tests: by Python, whose hooks run in the child, and by C code, where none does."""

from __future__ import annotations

import _thread
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable

CHILD_SECONDS_MAX = 10
FORKS_MAX = 4
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


def _start_and_end_a_thread() -> None:
    """Take the interpreter's lock on its list of threads: one of the parent's may have held it, ending."""
    ended = _thread.allocate_lock()
    ended.acquire()
    _thread.start_new_thread(ended.release, ())
    ended.acquire()


def in_a_child(fork: Callable[[], int], act: Callable[[], int]) -> int:
    """Return what `act` returned in a forked child: 99 where it raised, -SIGALRM where it took too long.

    A child that hangs in the interpreter itself, before it comes to `act`, is ended, and another one forked.
    """
    for _ in range(FORKS_MAX):
        if (code := _tried(fork, act)) is not None:
            return code
    raise AssertionError(f"the interpreter hung in each of {FORKS_MAX} children")


def _tried(fork: Callable[[], int], act: Callable[[], int]) -> int | None:
    """Return what `act` returned in a child; None where the child could not give up and take the lock."""
    lives, tells = os.pipe()
    child = fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(CHILD_SECONDS_MAX)
        code = 99
        try:
            for _ in range(5):
                time.sleep(0.001)
            _start_and_end_a_thread()
            os.write(tells, b".")
            code = act()
        finally:
            os._exit(code)
    os.close(tells)
    came, _, _ = select.select([lives], [], [], CHILD_SECONDS_MAX / 2)
    os.close(lives)
    if not came:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if came else None

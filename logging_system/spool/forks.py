"""Makes a forked child let go of what its parent holds, whichever way it was forked.

A lock of flock(2) belongs to the open file, which a fork shares: as long as the child keeps the descriptor,
a parent that died still looks alive. Threads are not inherited, and a lock that one of them held stays held.

```
os.fork()                      before ─▶ fork ─▶ after_in_parent
                                           └───▶ after_in_child                          (Python's hooks)
fork(2) by C code, no hooks                fork
                                           └───▶ first use of this package ─▶ after_in_child   (`notice`)
```

Whoever holds a descriptor for long is asked to forget it. Beside that every descriptor is noted from before
it is known to anybody until it is closed, so that a fork by another thread at any moment leaves none behind.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from logging_system.spool.process_mark import ProcessMark, new_mark

_WAIT_SECONDS_MAX = 0.5
"""A disk that hangs in open(2) must not hold up the application's fork for longer."""
_OTHERS_SECONDS_MAX = 0.5
"""How long a thread waits for another that has begun to do what a fork asks for."""
_THREADS_SECONDS_MAX = 0.05

Hook = Callable[[], None]


class Forks:
    """What this package does about forks: each hook runs once in each child, in the order of registration.

    Args:
        mark: Knows this process from its children.
    """

    def __init__(self, mark: ProcessMark) -> None:
        self.mark = mark
        """Item 0 is 0 in a child that has not been noticed yet: read it where a call costs too much."""
        self._in_child: list[Hook] = []
        self._noticing: dict[int, tuple[int, object]] = {}

    def register(
        self,
        *,
        before: Hook | None = None,
        after_in_parent: Hook | None = None,
        after_in_child: Hook | None = None,
    ) -> None:
        """Call hooks at forks; those before a fork and in the parent at forks by Python alone.

        Args:
            before: Called before a fork, the latest first.
            after_in_parent: Called in the parent.
            after_in_child: Called in the child; may trust no lock that it inherits.
        """
        if after_in_child is not None:
            self._in_child.append(after_in_child)
        if before is not None:
            os.register_at_fork(before=before)
        if after_in_parent is not None:
            os.register_at_fork(after_in_parent=after_in_parent)

    def notice(self) -> None:
        """Run the hooks if this process is a child in which they have not run."""
        if self.mark[0]:
            return
        process, claim = os.getpid(), (threading.get_ident(), object())
        # One step, without a lock: a lock might be held for ever by a thread that is not in this process.
        first = self._noticing.setdefault(process, claim)
        if first is not claim:
            if first[0] != claim[0]:  # else a signal handler logs in the middle of it
                self._wait_for_other()
            return
        if not self.mark[0]:
            try:
                for hook in self._in_child:
                    hook()
            finally:
                self.mark[0] = 1
        self._noticing.clear()

    def _wait_for_other(self) -> None:
        give_up_seconds = time.monotonic() + _OTHERS_SECONDS_MAX
        while not self.mark[0] and time.monotonic() < give_up_seconds:
            time.sleep(0.001)


FORKS = Forks(new_mark())
os.register_at_fork(after_in_child=FORKS.notice)


class Inherited(Protocol):
    """Something with descriptors that a child must not keep."""

    def forget(self) -> None:
        """Close the descriptors and leave the files as they are."""


class OpenDescriptors:
    """The descriptors that this process has open in spools."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._is_held = False
        self._files: dict[int, tuple[int, int]] = {}

    def open(self, call: Callable[[], int]) -> int:
        """Open a descriptor; no fork comes between the system call and the note of it.

        Args:
            call: Opens it.

        Returns:
            What `call` returned.
        """
        with self._lock:
            descriptor = call()
            self._files[descriptor] = _file_of(descriptor)
            return descriptor

    def close(self, descriptor: int) -> None:
        """Close a descriptor that is noted; no fork comes between the note of it and the system call."""
        with self._lock:
            if self._files.pop(descriptor, None) is not None:
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
        """Forget who held the lock, which may be a thread that this process has not, and what is closed.

        A fork by C code may be noticed late: a child may have closed all it inherited, and opened others.
        """
        self._lock, self._is_held = threading.RLock(), False
        inherited, self._files = self._files, {}
        for descriptor, file in inherited.items():
            with contextlib.suppress(OSError):
                if _file_of(descriptor) == file:
                    self._files[descriptor] = file

    def close_all(self) -> None:
        """Close what was inherited and has not been forgotten."""
        for descriptor in self._files:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._files.clear()


def _file_of(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


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


def _free_threads() -> None:
    """Let threads start again where one of the parent's threads was just starting or ending.

    Python itself does this after a fork that it knows of.
    """
    lock = getattr(threading, "_active_limbo_lock", None)
    if lock is None:
        return
    if lock.acquire(timeout=_THREADS_SECONDS_MAX):
        lock.release()
    else:
        threading._active_limbo_lock = threading.RLock()  # type: ignore[attr-defined]


FORKS.register(
    before=DESCRIPTORS.before_fork,
    after_in_parent=DESCRIPTORS.after_in_parent,
    after_in_child=forget_all,
)
FORKS.register(after_in_child=_free_threads)

"""What each thread is about, so that a log call made inside another one is told from it."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from logging_system.monitoring.call_times import TIMED_EVERY


class Calls:
    """What one thread is about: tells a log call made inside another (by `__str__`, a signal handler)."""

    __slots__ = ("active", "logger_seen", "overflowed", "postponed", "thread_seen", "until_timed")

    def __init__(self) -> None:
        self.active = False
        self.until_timed = TIMED_EVERY
        self.logger_seen: str | None = None
        self.thread_seen: str | None = None
        # Lists, because appending is one step: a signal handler may come between any two.
        self.postponed: list[logging.LogRecord] = []
        self.overflowed: list[logging.LogRecord] = []

    def forget(self) -> int:
        """Give up what was postponed; return how many records that were."""
        count = len(self.postponed) + len(self.overflowed)
        self.postponed.clear()
        self.overflowed.clear()
        return count


class Guard(Protocol):
    """Has the calls of the thread that asks: one look-up, instead of one for each of their attributes."""

    calls: Calls


def new_guard() -> Guard:
    """Return what each thread has of its own, of what is a thread now: gevent may have changed that."""

    class OfEachThread(threading.local):
        def __init__(self) -> None:
            self.calls = Calls()

    return OfEachThread()

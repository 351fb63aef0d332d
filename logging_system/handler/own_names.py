"""Tells what this package logs itself, which the handler does not take: it would feed on itself."""

from __future__ import annotations

import threading

from logging_system.handler.own_warnings import OWN_NAME

OWN_NAMES = f"{OWN_NAME}."
"""What the names of its loggers and of its threads begin with."""
WORKER_NAME = f"{OWN_NAMES}worker"


def is_own(logger: str, thread: str | None) -> bool:
    """Return whether a record is this package's own, by the names of its logger and its thread."""
    if logger.startswith(OWN_NAMES):
        return True
    if thread is None:  # `logging.logThreads` is off
        thread = threading.current_thread().name
    # The worker's thread also runs the application's callback, whose records are counted.
    return thread.startswith(OWN_NAMES) and thread != WORKER_NAME

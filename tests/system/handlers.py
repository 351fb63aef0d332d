"""Handlers with one habit each, for the application process to host."""

from __future__ import annotations

import logging
import time


class Quick(logging.Handler):
    """Takes every record at once."""

    def handle(self, record: logging.LogRecord) -> bool:
        return True


class RaisesOnOdd(logging.Handler):
    """Refuses records of odd number."""

    def handle(self, record: logging.LogRecord) -> bool:
        if record.__dict__["sequence"] % 2:
            raise OSError("no room")
        return True


class TellsOfEveryThird(logging.Handler):
    """Says of every third record that it is durable."""

    on_durable = None

    def handle(self, record: logging.LogRecord) -> bool:
        if record.__dict__["sequence"] % 3 == 0 and self.on_durable is not None:
            self.on_durable([record])
        return True


class SlowOnZero(logging.Handler):
    """Takes 500 ms for the first record."""

    def handle(self, record: logging.LogRecord) -> bool:
        if record.__dict__["sequence"] == 0:
            time.sleep(0.5)
        return True


class SlowToClose(Quick):
    """Keeps its application from exiting for a second."""

    def close(self) -> None:
        time.sleep(1)
        super().close()


class NeverReturns(logging.Handler):
    """Keeps its caller for good."""

    def handle(self, record: logging.LogRecord) -> bool:
        while True:
            time.sleep(1)


class NotAHandler:
    """Has nothing to do with logging."""

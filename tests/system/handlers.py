"""Handlers with one habit each, for the application process to host."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable

from harness.selftest.keeping import KeepingShipper
from harness.selftest.shipper import HonestShipper, Waiting


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

    on_durable: Callable[[list[logging.LogRecord]], None] | None = None

    def handle(self, record: logging.LogRecord) -> bool:
        if record.__dict__["sequence"] % 3 == 0 and self.on_durable is not None:
            self.on_durable([record])
        return True


class SlowOnZero(logging.Handler):
    """Takes 500 ms for the first record, after the second has come, which it awaits for at most 20 s."""

    def __init__(self) -> None:
        super().__init__()
        self._second_came = threading.Event()

    def handle(self, record: logging.LogRecord) -> bool:
        if record.__dict__["sequence"] == 1:
            self._second_came.set()
        if record.__dict__["sequence"] == 0:
            self._second_came.wait(20)
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


class ForgetsOne(HonestShipper):
    """Forgets the record of this number in the scenario whose index ends so; honest in all others."""

    def __init__(self, url: str, index: str, folder: str, forgets_in: str, number: int) -> None:
        super().__init__(url, index, folder)
        self._number = number if index.endswith(forgets_in) else -1

    def take(self) -> list[Waiting]:
        return [waiting for waiting in super().take() if waiting.number != self._number]


class NotAHandler:
    """Has nothing to do with logging."""


class StoresChanged(logging.Handler):
    """Stores every record at once, and every tenth with one letter changed; tells both on standard error."""

    def __init__(self, url: str, index: str) -> None:
        super().__init__()
        self._url = f"{url}/{index}/_doc"

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.__dict__["sequence"] % 10 == 0:
            text = f"?{text[1:]}"
        body = json.dumps({"@timestamp": "2026-01-01T00:00:00Z", "message": text}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310 - a loopback address
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
        sys.stderr.write(f"stored {text}\n")


class Journal(logging.FileHandler):
    """Appends each record to a file, behind its checksum: what `stacks/journal_shipper.py` reads."""

    def format(self, record: logging.LogRecord) -> str:
        text = json.dumps({"message": record.getMessage()})
        return f"{zlib.crc32(text.encode()):08x} {text}"


class ClosesLate(KeepingShipper):
    """Closing takes five seconds while something waits to be sent, whatever becomes of it."""

    def close(self) -> None:
        if self.waiting:
            time.sleep(5)
        super().close()

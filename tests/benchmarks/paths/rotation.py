"""Deliveries while a key is rotated: the longest gap between two, beside windows without a rotation.

The application logs without a pause, `ship` delivers to a store that answers at once. In every other window
`keys rotate` is run, in the others `keys status`, which starts the same program and rotates nothing.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import orjson

from logging_system.config.encryption import EncryptionSettings, encryption_of
from logging_system.handler.handler import SpoolHandler
from logging_system.keys.providers.file import FileProvider
from tests.benchmarks.paths.drain import shipping
from tests.benchmarks.paths.row import Row
from tests.unit.logging_system.store_server import StoreServer, http

_RECORDS_PER_SECOND = 500
_WINDOWS = 6
_WINDOW_SECONDS = 4.0
_COMMAND_AFTER_SECONDS = 0.5
_COMMAND_SECONDS_MAX = 60.0


class _Arrivals:
    """A store that takes whatever it is sent, and notes when."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self._server = StoreServer(self._answer)
        self.url = self._server.url

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def longest_gap_seconds(self, begin: float, end: float) -> float:
        """Return the longest time without a delivery between two moments."""
        seen = [begin, *(moment for moment in self.moments if begin < moment < end), end]
        return max(after - before for before, after in pairwise(seen))

    def _answer(self, request: bytes) -> Sequence[bytes]:
        head, _, body = request.partition(b"\r\n\r\n")
        target = head.split(b" ", 2)[1]
        if b"/_bulk" in target:
            self.moments.append(time.monotonic())
            return [http(orjson.dumps(_created(body)))]
        return [http(orjson.dumps(_not_found(body)) if target.startswith(b"/_mget") else b"{}")]


def _created(body: bytes) -> object:
    ids = [orjson.loads(line)["create"]["_id"] for line in body.splitlines()[::2]]
    items = [{"create": {"_index": "logs-1", "_id": each, "status": 201}} for each in ids]
    return {"errors": False, "took": 1, "items": items}


def _not_found(body: bytes) -> object:
    return {"docs": [{**asked, "found": False} for asked in orjson.loads(body)["docs"]]}


def measure() -> list[Row]:
    """Return the longest gap of all windows with a rotation, to that of those without."""
    arrivals = _Arrivals()
    try:
        with tempfile.TemporaryDirectory(prefix="paths-") as name, _logging_on(Path(name)) as encryption:
            spool = Path(name) / "spool"
            with shipping(spool, arrivals.url, "--encryption", encryption):
                time.sleep(_WINDOW_SECONDS)  # until all have begun
                gaps: dict[str, list[float]] = {"rotate": [], "status": []}
                for number in range(_WINDOWS):
                    verb = ("rotate", "status")[number % 2]
                    gaps[verb].append(_window(arrivals, spool, encryption, verb))
    finally:
        arrivals.close()
    rotating, control = max(gaps["rotate"]), max(gaps["status"])
    return [
        Row("rotation: longest gap between deliveries, of the control's", rotating / control, "x", "≤ 1"),
        Row("rotation: longest gap between deliveries", rotating * 1_000, "ms", "-"),
        Row("no rotation: longest gap between deliveries", control * 1_000, "ms", "-"),
    ]


def _window(arrivals: _Arrivals, spool: Path, encryption: str, verb: str) -> float:
    begin = time.monotonic()
    time.sleep(_COMMAND_AFTER_SECONDS)
    command = [sys.executable, "-m", "logging_system", "keys", verb, "--spool", str(spool)]
    command += ["--encryption", encryption]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=_COMMAND_SECONDS_MAX)
    time.sleep(max(0.0, begin + _WINDOW_SECONDS - time.monotonic()))
    return arrivals.longest_gap_seconds(begin, time.monotonic())


@contextmanager
def _logging_on(folder: Path) -> Iterator[str]:
    """Log at a steady rate into a sealed spool; gives the setting that opens it."""
    keys = folder / "keys.json"
    FileProvider(keys).create("logs")
    encryption = encryption_of(EncryptionSettings("file", arguments={"path": str(keys)}), folder / "spool")
    handler = SpoolHandler(spool=folder / "spool", service="benchmark", codecs=encryption.codecs())
    logger = logging.Logger("benchmark", logging.INFO)
    logger.addHandler(handler)
    stopping = threading.Event()
    thread = threading.Thread(target=_log_until, args=(stopping, logger))
    thread.start()
    try:
        yield f"provider=file,path={keys}"
    finally:
        stopping.set()
        thread.join()
        handler.close()


def _log_until(stopping: threading.Event, logger: logging.Logger) -> None:
    due_seconds, number = time.monotonic(), 0
    while not stopping.is_set():
        logger.info("payment %d accepted", number)
        number += 1
        due_seconds += 1 / _RECORDS_PER_SECOND
        time.sleep(max(0.0, due_seconds - time.monotonic()))

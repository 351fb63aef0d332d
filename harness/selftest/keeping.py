"""An honest shipper that keeps on disk what it has taken: the twin of those with bad habits about their disk.

A log call returns once its record is in a file (durability `write`), or raises. What is in the file is sent,
also after a restart: the ids are kept with the records, so that what was sent before is stored once.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from harness.selftest.shipper import BATCH_RECORDS, Answer, HonestShipper, Waiting

LAST_CHANCE_SECONDS = 1.0
_END_SECONDS = 4.0
_BATCH_RECORDS_MIN = 25
FILE = "kept.ndjson"
_HEAD = "counters"


class KeepingShipper(HonestShipper):
    """Keeps every record in a file until it is closed, and then those that were not stored.

    A batch that was not answered is halved and one that was is doubled, so that neither a slow store nor a
    large backlog makes it send for ever what takes longer than it waits for an answer.
    """

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Take up what an earlier process kept in the folder; its sending goes on at once."""
        self._ends_at = float("inf")
        super().__init__(url, index, folder)

    def start(self) -> None:
        """Read what was kept before anything is sent."""
        self._take_up()
        super().start()

    # --- on the caller's thread --------------------------------------------------------------------------

    def accept(self, waiting: Waiting) -> None:
        """Keep a record on disk, then take it.

        Raises:
            OSError: the disk did not take it, so the record is refused.
        """
        self.keep(waiting)
        super().accept(waiting)

    def keep(self, waiting: Waiting) -> None:
        """Append a record to the file; what the disk takes in part is taken back.

        Raises:
            OSError: the disk did not take it.
        """
        line = _line(waiting)
        with (self.folder / FILE).open("ab", buffering=0) as file:
            size_bytes = file.tell()
            written_bytes = 0
            try:
                written_bytes = file.write(line)
            finally:
                if written_bytes != len(line):
                    file.truncate(size_bytes)
            if written_bytes != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder / FILE))

    def close(self) -> None:
        """Give what waits a last chance, then leave the rest in the file for the next process."""
        self._ends_at = time.monotonic() + LAST_CHANCE_SECONDS
        self.closing.set()
        self.sender.join(timeout=_END_SECONDS)
        self.leave()
        self.write_counters()
        logging.Handler.close(self)

    def leave(self) -> None:
        """Replace the file by one that holds the counters and what still waits."""
        counters = {**self.counters, "accepted": self.counters["accepted"] - len(self.waiting)}
        head = json.dumps({_HEAD: counters, "number": next(self.numbers)}).encode() + b"\n"
        fresh = self.folder / "kept.fresh"
        with suppress(OSError):  # then all of it is sent again, under the same ids
            fresh.write_bytes(head + b"".join(map(_line, self.waiting)))
            fresh.replace(self.folder / FILE)

    # --- on the sender's thread --------------------------------------------------------------------------

    def goes_on(self) -> bool:
        """Stop sending when the last chance is over."""
        return super().goes_on() and time.monotonic() < self._ends_at

    def settle(self, batch: Sequence[Waiting], answer: Answer) -> list[Waiting]:
        """Send less at once after a failure, more after a success."""
        wanted = self.batch_records // 2 if answer.status == 0 else self.batch_records * 2
        self.batch_records = min(BATCH_RECORDS, max(_BATCH_RECORDS_MIN, wanted))
        return super().settle(batch, answer)

    # --- reading what was kept ---------------------------------------------------------------------------

    def kept(self) -> list[Waiting]:
        """Return the records in the file."""
        return [_waiting(entry) for entry in self._entries() if _HEAD not in entry]

    def _take_up(self) -> None:
        """Let the records in the file wait again, and go on counting where it ends."""
        self._end_last_line()
        entries = self._entries()
        for entry in entries:
            self.counters.update(entry.get(_HEAD, {}))
        self.waiting.extend(self.kept())
        self.counters["accepted"] += len(self.waiting)
        self.numbers = count(1 + max((entry["number"] for entry in entries), default=-1))

    def _end_last_line(self) -> None:
        """End a line that a process left half when it died, so that the next one stands by itself."""
        path = self.folder / FILE
        if path.exists() and not path.read_bytes().endswith(b"\n"):
            with path.open("ab") as file:
                file.write(b"\n")

    def _entries(self) -> list[dict[str, Any]]:
        try:
            lines = (self.folder / FILE).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [entry for line in lines if (entry := _entry(line))]


def _line(waiting: Waiting) -> bytes:
    names = ("number", "identity", "message", "level", "created")
    entry = {name: getattr(waiting, name) for name in names}
    return json.dumps(entry).encode() + b"\n"


def _entry(line: bytes) -> dict[str, Any]:
    """Return what a line holds; nothing where the process died while it wrote the line."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return entry


def _waiting(entry: dict[str, Any]) -> Waiting:
    return Waiting(
        entry["number"], entry["identity"], entry["message"], entry["level"], entry["created"], None
    )

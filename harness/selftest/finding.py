"""A small honest finder of trouble, a process beside the honest shipper, and known-bad ones.

    python -m harness.selftest.finding HABIT FOLDER STORE_URL

It asks the store over the link that the shipper uses. Two questions in a row without an answer are trouble:
it writes one line, and none again until the store has answered. Many records are no trouble.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

DEADLINE_SECONDS = 4.0
FILE_NAME = "findings.jsonl"
_PAUSE_SECONDS = 0.2
_ASK_SECONDS = 1.0
_FAILURES_MIN = 2
_BURST_RECORDS = 500
_LATE_SECONDS = 5.0


class HonestFinder:
    """Finds that the store does not answer, once for each time."""

    def __init__(self, folder: Path, store: str) -> None:
        """Write into the folder; ask the store at its URL."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.store = folder, store
        self.failures, self.failing_seconds, self.is_told = 0, 0.0, False

    def run(self) -> None:
        """Look again and again, until the process ends."""
        while True:
            self.look()
            time.sleep(_PAUSE_SECONDS)

    def look(self) -> None:
        """Ask once."""
        if _answers(self.store):
            self.failures, self.is_told = 0, False
            return
        self.failing_seconds = self.failing_seconds if self.failures else time.monotonic()
        self.failures += 1
        if self.is_enough() and not self.is_told:
            self.is_told = True
            self.write("store_down")

    def is_enough(self) -> bool:
        """Tell whether this is trouble."""
        return self.failures >= _FAILURES_MIN

    def write(self, cause: str) -> None:
        """Write a finding."""
        found = datetime.now(UTC).isoformat()
        line = json.dumps({"finding_id": uuid.uuid4().hex, "cause": cause, "found": found})
        with (self.folder / FILE_NAME).open("a") as file:
            file.write(line + "\n")


class SeesNothing(HonestFinder):
    """It takes an answer that does not come for one that is still to come."""

    def is_enough(self) -> bool:
        """Find nothing."""
        return False


class CriesWolf(HonestFinder):
    """It takes a second of many records for trouble."""

    def __init__(self, folder: Path, store: str) -> None:
        """Know no count yet."""
        super().__init__(folder, store)
        self.accepted, self.read_seconds = 0, time.monotonic()

    def look(self) -> None:
        """Count what the handler took in the last second, too."""
        super().look()
        if time.monotonic() - self.read_seconds < 1:
            return
        before, self.accepted, self.read_seconds = self.accepted, _accepted(self.folder), time.monotonic()
        if self.accepted - before > _BURST_RECORDS:
            self.write("load")


class BlamesTheKeys(HonestFinder):
    """It has one name for all trouble."""

    def write(self, cause: str) -> None:
        """Write a finding under a name that is wrong."""
        super().write("keys")


class FindsLate(HonestFinder):
    """It waits until nobody needs to be told any more."""

    def is_enough(self) -> bool:
        """Find what has lasted for long."""
        return time.monotonic() - self.failing_seconds > _LATE_SECONDS


HABITS: Mapping[str, type[HonestFinder]] = {
    kind.__name__: kind for kind in (HonestFinder, SeesNothing, CriesWolf, BlamesTheKeys, FindsLate)
}


def _answers(url: str) -> bool:
    """Return whether a store answers in time."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ASK_SECONDS)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _accepted(folder: Path) -> int:
    """Return how many records the handler has taken."""
    try:
        return int(json.loads((folder / "counters.json").read_text())["accepted"])
    except (OSError, ValueError, KeyError):
        return 0


def main(arguments: Sequence[str]) -> None:
    """Look for trouble with a habit."""
    habit, folder, store = arguments
    finder = HABITS[habit](Path(folder), store)
    print('{"ready": true}', flush=True)
    finder.run()


if __name__ == "__main__":
    main(sys.argv[1:])

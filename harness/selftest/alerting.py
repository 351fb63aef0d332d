"""A small honest alert on errors, a process beside the honest shipper, and known-bad ones of one habit each.

    python -m harness.selftest.alerting HABIT FOLDER RECEIVER_URL STORE_URL

The handler writes each error into a file of the folder; this reads it, counts errors by the time at which
they were logged, and posts a message once ten of them lie within five seconds, at most one in six seconds
of a clock that nobody can set.
What it has read, what it told, and what it has still to send are in a file before anything is sent.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.selftest.shipper import HonestShipper, Waiting

THRESHOLD = 10
WINDOW_SECONDS = 5.0
COOLDOWN_SECONDS = 6.0
_ERRORS = "errors.ndjson"
_STATE = "state.json"
_PAUSE_SECONDS = 0.1
_POST_SECONDS = 1.0


class NotingShipper(HonestShipper):
    """Delivers as the honest one does, and writes down when each error was logged."""

    def accept(self, waiting: Waiting) -> None:
        """Take one record."""
        if waiting.level == "ERROR":
            with (self.folder / _ERRORS).open("a") as file:
                file.write(json.dumps(waiting.created) + "\n")
        super().accept(waiting)


class HonestAlert:
    """Tells of many errors once a cooldown, also after a restart."""

    def __init__(self, folder: Path, receiver: str, store: str) -> None:
        """Go on where an earlier process stopped."""
        folder.mkdir(parents=True, exist_ok=True)
        self._errors, self._state = folder / _ERRORS, folder / _STATE
        self._receiver, self.store = receiver, store
        self.read_bytes, self.told_seconds = 0, -COOLDOWN_SECONDS
        self.recent, self.outbox = [0.0] * 0, [""] * 0
        self.restore()

    def restore(self) -> None:
        """Take up what was saved."""
        if self._state.exists():
            saved = json.loads(self._state.read_text())
            self.read_bytes, self.told_seconds = saved["read_bytes"], saved["told_seconds"]
            self.recent, self.outbox = saved["recent"], saved["outbox"]

    def save(self) -> None:
        """Make durable what was decided."""
        names = ("read_bytes", "told_seconds", "recent", "outbox")
        fresh = self._state.with_suffix(".fresh")
        fresh.write_text(json.dumps({name: getattr(self, name) for name in names}))
        fresh.replace(self._state)

    def run(self) -> None:
        """Look again and again, until the process ends."""
        while True:
            self.look()
            time.sleep(_PAUSE_SECONDS)

    def look(self) -> None:
        """Read what is new, decide, and send what waits."""
        for seconds in self._fresh():
            self.recent = [*self.recent, seconds][-THRESHOLD:]
            if self.is_enough() and self.is_due():
                self.told_seconds = self.now()
                self.tell()
        self.save()
        while self.outbox and self.post(self.outbox[0]):
            del self.outbox[0]
            self.save()

    def is_enough(self) -> bool:
        """Tell whether there are enough errors within the window."""
        return len(self.recent) == THRESHOLD and 0 <= self.recent[-1] - self.recent[0] <= WINDOW_SECONDS

    def now(self) -> float:
        """Return by what the cooldown is counted: the seconds since the machine was started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def is_due(self) -> bool:
        """Tell whether the cooldown is over."""
        return self.now() - self.told_seconds >= COOLDOWN_SECONDS

    def tell(self) -> None:
        """Put one message into the outbox; it is known by its key."""
        self.outbox.append(uuid.uuid4().hex)

    def post(self, key: str) -> bool:
        """Send a message; tell whether the receiver took it."""
        body = json.dumps({"rule": "errors", "state": "firing"})
        return 200 <= _status(self._receiver, "POST", body, {"webhook-id": key}) < 300

    def _fresh(self) -> Sequence[float]:
        """Return when the errors were logged that came since the last look."""
        if not self._errors.exists():
            return []
        with self._errors.open("rb") as file:
            file.seek(self.read_bytes)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self.read_bytes += len(whole) + 1
        return [float(line) for line in whole.splitlines()]


class AlertsTwice(HonestAlert):
    """Two threads of it tell of the same firing, each with a key of its own."""

    def tell(self) -> None:
        """Put the message into the outbox twice."""
        super().tell()
        super().tell()


class NamesAnewWhenUnanswered(HonestAlert):
    """A message that got no answer is made anew, under another key."""

    def post(self, key: str) -> bool:
        """Send a message; one that was not taken is another one the next time."""
        is_taken = super().post(key)
        if not is_taken:
            self.outbox[0] = uuid.uuid4().hex
        return is_taken


class NeverAlerts(HonestAlert):
    """Its rule looks for a level that nobody logs."""

    def is_enough(self) -> bool:
        """Find nothing."""
        return False


class AlertsOnlyWhileTheStoreIsUp(HonestAlert):
    """It asks the store for the errors, and goes on where the store does not answer."""

    def tell(self) -> None:
        """Tell what the store answers for."""
        if _status(self.store, "GET") == 200:
            super().tell()


class ForgetsAtRestart(HonestAlert):
    """What it told is in its memory alone."""

    def restore(self) -> None:
        """Begin anew."""


class HasNoCooldown(HonestAlert):
    """Every error beyond the threshold is told."""

    def is_due(self) -> bool:
        """Tell always."""
        return True


class CountsByTheTimeOfDay(HonestAlert):
    """Its cooldown is over when the time of day says so, which somebody may set."""

    def now(self) -> float:
        """Return the time of day."""
        return time.time()


class AlertsOnNothing(HonestAlert):
    """It takes the threshold for what one error is enough for."""

    def is_enough(self) -> bool:
        """Find one error enough."""
        return bool(self.recent)


HABITS: Mapping[str, type[HonestAlert]] = {
    kind.__name__: kind
    for kind in (
        HonestAlert,
        AlertsTwice,
        NamesAnewWhenUnanswered,
        NeverAlerts,
        AlertsOnlyWhileTheStoreIsUp,
        ForgetsAtRestart,
        HasNoCooldown,
        CountsByTheTimeOfDay,
        AlertsOnNothing,
    )
}


def _status(url: str, method: str, body: str | None = None, headers: Mapping[str, Any] | None = None) -> int:
    """Return the status of an answer; 0 where none comes."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_POST_SECONDS)
    try:
        connection.request(method, parts.path or "/", body, dict(headers or {}))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def main(arguments: Sequence[str]) -> None:
    """Watch with a habit."""
    habit, folder, receiver, store = arguments
    alert = HABITS[habit](Path(folder), receiver, store)
    print('{"ready": true}', flush=True)
    alert.run()


if __name__ == "__main__":
    main(sys.argv[1:])

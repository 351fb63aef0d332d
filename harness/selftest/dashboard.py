"""A small honest dashboard, a process beside the honest shipper, and known-bad ones of one habit each.

    python -m harness.selftest.dashboard HABIT FILE STORE_URL INDEX

Twice a second it asks the store, over the link that the shipper uses, how many records of two namespaces
there are since it began, and writes both answers down. While the store is down it shows the last ones, and
their age.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

OWN, OTHER = "own", "other"
EVERY_SECONDS = 3.0
_PAUSE_SECONDS = 0.5
_ASK_SECONDS = 1.0
_KEPT_SECONDS = 4.0


@dataclass
class Kept:
    """An answer that was kept, and when it was asked for."""

    records: int
    asked_seconds: float


class HonestDashboard:
    """Asks each time, and says how old an answer is that it could not have again."""

    def __init__(self, path: Path, store: str, index: str) -> None:
        """Write answers into a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.store = path, store
        self.indices = {OWN: index, OTHER: f"{index}-of-others"}
        self.since = datetime.now(UTC)
        self.kept: dict[str, Kept] = {}

    def run(self) -> None:
        """Refresh again and again, until the process ends."""
        while True:
            for namespace in (OWN, OTHER):
                self.refresh(namespace)
            time.sleep(_PAUSE_SECONDS)

    def refresh(self, namespace: str) -> None:
        """Answer for a namespace once."""
        asked = time.time()
        if (records := self.ask(namespace)) is not None:
            self.kept[self.key(namespace)] = Kept(records, asked)
        if (kept := self.kept.get(self.key(namespace))) is not None:
            self.write(namespace, asked, kept)

    def key(self, namespace: str) -> str:
        """Return what an answer is kept under."""
        return namespace

    def ask(self, namespace: str) -> int | None:
        """Return how many records the store has; None where it does not answer."""
        query = {"range": {"@timestamp": {"gte": self.since.isoformat()}}}
        path = f"/{self.indices[namespace]}/_count?ignore_unavailable=true"
        return _count(self.store, path, {"query": query})

    def write(self, namespace: str, asked_seconds: float, kept: Kept) -> None:
        """Write an answer down."""
        answer = {
            "namespace": namespace,
            "asked": _text(asked_seconds),
            "answered": _text(time.time()),
            "since": self.since.isoformat(),
            "until": _text(asked_seconds),
            "records": kept.records,
            "stale_age_seconds": self.age_seconds(asked_seconds, kept),
        }
        with self.path.open("a") as file:
            file.write(json.dumps(answer) + "\n")

    def age_seconds(self, asked_seconds: float, kept: Kept) -> float:
        """Return how old an answer is."""
        return asked_seconds - kept.asked_seconds


class ServesStaleAsFresh(HonestDashboard):
    """It keeps answers for seconds, and shows them as if they were of now."""

    def ask(self, namespace: str) -> int | None:
        """Ask where nothing is kept that it takes for young."""
        kept = self.kept.get(namespace)
        if kept is not None and time.time() - kept.asked_seconds < _KEPT_SECONDS:
            return None
        return super().ask(namespace)

    def age_seconds(self, asked_seconds: float, kept: Kept) -> float:
        """Call every answer new."""
        return 0.0


class CachesAcrossNamespaces(HonestDashboard):
    """It keeps an answer under the question, and forgets who asked."""

    def key(self, namespace: str) -> str:
        """Return the same for all."""
        return ""

    def ask(self, namespace: str) -> int | None:
        """Ask for the first namespace only."""
        return super().ask(namespace) if namespace == OWN else None


class GoesBlank(HonestDashboard):
    """It shows nothing while the store is down."""

    def write(self, namespace: str, asked_seconds: float, kept: Kept) -> None:
        """Write what was just answered."""
        if kept.asked_seconds == asked_seconds:
            super().write(namespace, asked_seconds, kept)


HABITS: Mapping[str, type[HonestDashboard]] = {
    kind.__name__: kind for kind in (HonestDashboard, ServesStaleAsFresh, CachesAcrossNamespaces, GoesBlank)
}


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _count(url: str, path: str, body: Mapping[str, object]) -> int | None:
    """Return what a store counts; None where it gives no answer in time."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ASK_SECONDS)
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        return int(json.load(answer)["count"]) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()


def main(arguments: Sequence[str]) -> None:
    """Show with a habit."""
    habit, path, store, index = arguments
    dashboard = HABITS[habit](Path(path), store, index)
    print('{"ready": true}', flush=True)
    dashboard.run()


if __name__ == "__main__":
    main(sys.argv[1:])

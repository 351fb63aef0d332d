"""Reads the counts of events in a spool folder's status files, and gives each new event as a record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

LOGGER = "logging_system.events"
EVENTS_MAX = 1_000
"""Events of one kind and file that one look gives; more at once say no more."""
_FILES = "status-*.json"

_Counts = dict[str, dict[str, int]]


class PipelineEvents:
    """The counts of events in a folder's status files, and what is new in them.

    Args:
        folder: The spool folder.
        content: What `content` returned before a restart; None begins with what the files say now.
    """

    def __init__(self, folder: Path, content: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self._folder = folder
        self._counts: _Counts = (
            dict(self._read()) if content is None else {name: dict(each) for name, each in content.items()}
        )

    def new(self, now_seconds: float) -> Iterator[dict[str, Any]]:
        """Yield a record for each event since the last call.

        Args:
            now_seconds: Seconds since 1970.
        """
        before, self._counts = self._counts, dict(self._read())
        moment = datetime.fromtimestamp(now_seconds, UTC).isoformat()
        for name, counts in self._counts.items():
            for kind, count in counts.items():
                known = before.get(name, {}).get(kind, 0)
                # Lower than before, it is another process under the same name.
                more = count - known if count >= known else count
                for _ in range(min(more, EVENTS_MAX)):
                    yield {
                        "@timestamp": moment,
                        "message": f"{kind} ({name})",
                        "log": {"level": "warning", "logger": LOGGER},
                        "event": {"action": kind},
                    }

    def content(self) -> _Counts:
        """Return what must survive a restart, as JSON has it."""
        return self._counts

    def _read(self) -> Iterator[tuple[str, dict[str, int]]]:
        for path in sorted(self._folder.glob(_FILES)):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                counts = orjson.loads(path.read_bytes())["events"]
                yield path.name, {str(kind): int(count) for kind, count in counts.items()}

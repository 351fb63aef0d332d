"""The history: facts appended by several processes, one file each, merged by the reader.

A line is `{"event": "Sent", "rows": [[...], ...]}`, the rows being the fields of facts of one sort in their
declared order. Each line is one write(2), so what a process recorded survives its SIGKILL; a line cut in the
middle can only be a file's last and is left out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import groupby, islice
from pathlib import Path
from sys import intern
from typing import Any, get_args

import orjson

from harness.model import facts
from harness.model.errors import InternalError, UnavailableError
from harness.model.facts import Event

HISTORY_BYTES_MAX = 2 << 30
_ROWS_PER_LINE_MAX = 1_000
_BYTES_PER_READING_MAX = 8 << 20
_CLASSES: dict[str, type[Any]] = {cls.__name__: cls for cls in get_args(facts.Event)}
_FIELDS = {name: tuple(field.name for field in fields(cls)) for name, cls in _CLASSES.items()}
_OF_FEW_WORDS = frozenset({"level", "logger", "name"})
"""Fields of many facts whose words are few, so that each word is in memory once."""
_FEW_WORDS_AT = {
    name: tuple(at for at, field in enumerate(names) if field in _OF_FEW_WORDS)
    for name, names in _FIELDS.items()
}


class HistoryFullError(InternalError):
    """The history reached its cap; what was not recorded cannot be judged."""


class HistoryUnwritableError(UnavailableError):
    """The history cannot be written: no room, a limit on file sizes, a broken disk."""


class Recorder:
    """Appends one process's facts, from any thread, to its own file, readable by the owner only."""

    def __init__(self, path: Path, bytes_max: int = HISTORY_BYTES_MAX) -> None:
        """Create or continue the file; `bytes_max` is its cap.

        Raises:
            HistoryUnwritableError: there is no room, or no permission.
        """
        self._path = path
        self._lock = threading.Lock()
        try:
            self._descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        except OSError as error:
            raise self._unwritable(error.strerror) from error
        self._bytes_left = bytes_max - path.stat().st_size

    def record(self, *events: Event) -> None:
        """Append facts.

        Raises:
            HistoryFullError: the cap is reached; nothing of this call is written from there on.
            HistoryUnwritableError: there is no room.
        """
        self.record_all(events)

    def record_all(self, events: Iterable[Event]) -> None:
        """Append many facts, batched into lines by runs of one sort."""
        for cls, run in groupby(events, key=type):
            names = _FIELDS[cls.__name__]
            # Line by line: the facts of a whole reading are never in memory together.
            while rows := [
                [getattr(each, name) for name in names] for each in islice(run, _ROWS_PER_LINE_MAX)
            ]:
                self._write(cls.__name__, rows)

    def close(self) -> None:
        """Close the file; idempotent."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _write(self, name: str, rows: list[list[Any]]) -> None:
        with self._lock:
            self._append(orjson.dumps({"event": name, "rows": rows}) + b"\n")

    def _append(self, line: bytes) -> None:
        self._bytes_left -= len(line)
        if self._bytes_left < 0:
            raise HistoryFullError(
                f"{self._path}: the history reached its cap; raise --history-mib-max, or run "
                "shorter scenarios or a lower rate"
            )
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise self._unwritable(error.strerror) from error
        if written != len(line):
            raise self._unwritable(f"only {written} of {len(line)} bytes of a line were written")

    def _unwritable(self, why: str | None) -> HistoryUnwritableError:
        return HistoryUnwritableError(
            f"{self._path}: the history cannot be written: {why}; free space there, or name another "
            "folder with --out"
        )


class HistoryFollower:
    """Reads a history that is still written: each reading goes on where the one before it stopped.

    Args:
        folder: of the history; files that appear later are read too.
        bytes_max: how much one reading takes of each file at most; the rest comes with the next.
    """

    def __init__(self, folder: Path, bytes_max: int = _BYTES_PER_READING_MAX) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._read_bytes: dict[Path, int] = {}

    def read(self) -> list[Event]:
        """Return the facts that were appended since the last reading, file by file, in their order there.

        Raises:
            InternalError: a whole line cannot be read.
        """
        return [event for path in sorted(self._folder.glob("*.jsonl")) for event in self._read_on(path)]

    def _read_on(self, path: Path) -> Iterator[Event]:
        began = self._read_bytes.get(path, 0)
        with path.open("rb") as file:
            file.seek(began)
            fresh = file.read(self._bytes_max)
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read_bytes[path] = began + len(whole)
        for line in whole.splitlines():
            yield from _facts(line, f"{path}, after byte {began:,}")


def read_history(folder: Path) -> list[Event]:
    """Return all facts of a run's history folder, those with a time in its order, the others after them.

    Raises:
        InternalError: a line other than a file's cut last one cannot be read.
    """
    events = [event for path in sorted(folder.glob("*.jsonl")) for event in _read_file(path)]
    events.sort(key=_time_ns)
    return events


def _time_ns(event: Event) -> float:
    at_ns: float | None = getattr(event, "at_ns", None)
    return at_ns if at_ns is not None else getattr(event, "due_ns", float("inf"))


def _read_file(path: Path) -> Iterator[Event]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            # What follows the last newline was cut by the writer's death.
            if line.endswith(b"\n"):
                yield from _facts(line, f"{path}:{number}")


def _facts(line: bytes, where: str) -> Iterator[Event]:
    try:
        entry = orjson.loads(line)
        cls = _CLASSES[entry["event"]]
        few_words_at = _FEW_WORDS_AT[entry["event"]]
        for row in entry["rows"]:
            # An older history may have rows of fewer fields.
            for at in few_words_at if len(row) > max(few_words_at, default=0) else ():
                row[at] = intern(row[at])
            yield cls(*row)
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InternalError(f"{where}: not a line of history: {error}") from error

"""Counters in JSON files: a key may be dotted, and its values are summed over all files that have it."""

from __future__ import annotations

import glob
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from harness.evidence.archives.fields import scalars_in
from harness.model.errors import StackError
from harness.model.protocols import DatedCount

_FILES_MAX = 1_000


class JsonFileCounters:
    """Reads every file that a pattern matches; a mapping counts as the sum of the numbers in it.

    Args:
        files: the pattern, e.g. `/spool/status-*.json`.
    """

    def __init__(self, files: str) -> None:
        self._files = files

    def read(self, keys: Sequence[str]) -> Mapping[str, float]:
        """Return the sum of each key that at least one file has.

        Raises:
            StackError: a file is no JSON object, or too many match.
        """
        return {key: found.value for key, found in self.read_dated(keys).items()}

    def read_dated(self, keys: Sequence[str]) -> Mapping[str, DatedCount]:
        """Return the sum of each key, and how long ago the newest file that has it was written.

        Raises:
            StackError: a file is no JSON object, or too many match.
        """
        found: dict[str, DatedCount] = {}
        for path in self._paths():
            age_seconds = _age_seconds(path)
            content = _content(path)
            for key in keys:
                if (value := _number(_inside(content, key))) is not None:
                    before = found.get(key, DatedCount(0.0, age_seconds))
                    age = min(before.age_seconds, age_seconds)
                    found[key] = DatedCount(before.value + value, age)
        return found

    def keys(self) -> Sequence[str]:
        """Return the keys of all numbers, dots parting keys, and those of the mappings that hold them.

        Raises:
            StackError: a file is no JSON object, or too many match.
        """
        return list(dict.fromkeys(key for path in self._paths() for key in _keys(_content(path))))

    def _paths(self) -> list[Path]:
        paths = sorted(glob.glob(self._files))  # noqa: PTH207 - the pattern is a whole path, which Path.glob does not take
        if len(paths) > _FILES_MAX:
            raise StackError(f"{self._files}: {len(paths):,} files match, at most {_FILES_MAX:,} are read")
        return [Path(path) for path in paths]


def _keys(content: object) -> Iterator[str]:
    for field, value in scalars_in(content):
        if _number(value) is not None:
            parts = field.split(".")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _age_seconds(path: Path) -> float:
    """Return how long ago a file was written; before it is read, so that what is read is not older."""
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError as error:
        raise StackError(f"{path}: the counters cannot be read: {error}") from error


def _content(path: Path) -> object:
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise StackError(f"{path}: the counters cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise StackError(f"{path}: the counters are no JSON object")
    return content


def _inside(content: object, dotted: str) -> object:
    for part in dotted.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content


def _number(value: Any) -> float | None:
    if isinstance(value, dict):
        numbers = [number for each in value.values() if (number := _number(each)) is not None]
        return sum(numbers)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)

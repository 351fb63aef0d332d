"""Follows the files in which a stack writes what it finds about itself, and sees when each line came.

A stack's own word for when it found something counts only as far as it fits what was seen: the line was not
there at one look and was there at the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from glob import iglob
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from harness.evidence.alerts.inboxes import Clocks
from harness.model.declarations import Findings
from harness.model.facts import FindingSeen, FindingsRead

FILES_MAX = 100
FINDINGS_MAX = 20_000
_LINE_BYTES_MAX = 1 << 20
_LOOK_BYTES_MAX = 16 << 20
_SECOND_NS = 1_000_000_000


class FindingsFollower:
    """Reads what is new in the files of a stack's findings.

    Args:
        declared: where they are and what their lines say.
        pattern: of the files, without placeholders.
        clocks: of this machine.
        settled_ns: how long after the start of sending the last that is owed must have come.
    """

    def __init__(self, declared: Findings, pattern: str, clocks: Clocks, settled_ns: int = 0) -> None:
        self.settled_ns = settled_ns
        self._declared = declared
        self._pattern = pattern
        self._clocks = clocks
        self._read: dict[tuple[int, int], int] = {}
        """How much was read of each file, by device and inode: a rotated file keeps these."""
        self._known: set[str] = set()
        self._looked_ns = clocks.monotonic_ns()
        self._unreadable = 0
        self._example = ""
        self._unread = ""

    def look(self, now_ns: int) -> list[FindingSeen]:
        """Return what was found since the last look.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
        seen: list[FindingSeen] = []
        try:
            for path in islice(sorted(iglob(self._pattern)), FILES_MAX):  # noqa: PTH207 - a whole path
                seen.extend(self._of_file(Path(path), now_ns))
        except OSError as error:
            self._unread = str(error)
        self._looked_ns = now_ns
        return seen

    def whole(self, now_ns: int) -> Iterator[FindingSeen | FindingsRead]:
        """Yield what is new, and that all was read."""
        yield from self.look(now_ns)
        yield FindingsRead(now_ns, self._unreadable, self._example, self._unread)

    def _of_file(self, path: Path, now_ns: int) -> Iterator[FindingSeen]:
        with path.open("rb") as file:
            status = path.stat()
            identity = status.st_dev, status.st_ino
            file.seek(self._read.get(identity, 0))
            content = file.read(_LOOK_BYTES_MAX)
        whole = content.rfind(b"\n") + 1
        if not whole and len(content) > _LINE_BYTES_MAX:
            whole = len(content)
        self._read[identity] = self._read.get(identity, 0) + whole
        for line in content[:whole].splitlines():
            if line.strip() and (finding := self._finding(path, line, now_ns)) is not None:
                yield finding

    def _finding(self, path: Path, line: bytes, now_ns: int) -> FindingSeen | None:
        """Return a line's finding, where it is one that was not known yet."""
        try:
            content = orjson.loads(line)
            identity, cause = (_text(content, place) for place in (self._declared.id, self._declared.cause))
        except (orjson.JSONDecodeError, ValueError) as error:
            self._unreadable += 1
            self._example = self._example or f"{path.name}: {error}"
            return None
        if identity in self._known:
            return None
        if len(self._known) >= FINDINGS_MAX:
            self._unread = f"more than {FINDINGS_MAX:,} findings"
            return None
        self._known.add(identity)
        return FindingSeen(self._moment_ns(content, now_ns), identity, cause)

    def _moment_ns(self, content: Mapping[str, Any], now_ns: int) -> int:
        """Return when a line came: when the stack says so, but after the last look and before this one."""
        found = _inside(content, self._declared.found)
        claimed_ns = now_ns
        if isinstance(found, str):
            try:
                moment = datetime.fromisoformat(found)
            except ValueError:
                return now_ns
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            claimed_ns = self._clocks.moment_ns(int(moment.timestamp() * _SECOND_NS))
        return min(max(claimed_ns, self._looked_ns), now_ns)


def _text(content: object, place: str) -> str:
    found = _inside(content, place)
    if not isinstance(found, str) or not found:
        raise ValueError(f"a line without {place}")
    return found


def _inside(content: object, place: str) -> object:
    for part in place.split("."):
        content = content.get(part) if isinstance(content, Mapping) else None
    return content

"""Files of JSON lines that a stack writes while a run is on, followed so that one knows when each line came.

What a stack says of when it wrote something counts only as far as it fits what was seen: the line was not
there at one look and was there at the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import iglob
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import orjson

from harness.evidence.alerts.inboxes import Clocks
from harness.model.facts import Event

FILES_MAX = 100
_LINE_BYTES_MAX = 1 << 20
_LOOK_BYTES_MAX = 16 << 20
_SECOND_NS = 1_000_000_000


class Follower(Protocol):
    """Reads what a stack writes about itself while a run is on.

    `settled_ns` says how long after the start of sending the last of it that is owed must have come.
    """

    settled_ns: int

    def look(self, now_ns: int) -> Iterable[Event]:
        """Return what came since the last look; the moment is of CLOCK_MONOTONIC.

        Args:
            now_ns: when the look is made; what is found counts as come by then.
        """
        ...

    def whole(self, now_ns: int) -> Iterable[Event]:
        """Return what came since the last look, and that all was read.

        Args:
            now_ns: when the look is made, by CLOCK_MONOTONIC.
        """
        ...


@dataclass(frozen=True, slots=True)
class JsonLine:
    """A line that came after `after_ns` and before `until_ns`, both CLOCK_MONOTONIC."""

    content: Mapping[str, Any]
    after_ns: int
    until_ns: int

    def text(self, place: str) -> str:
        """Return the text at a dotted path; raises ValueError where there is none.

        Args:
            place: keys parted by dots, from the outermost; an empty text counts as none.
        """
        found = self.at(place)
        if not isinstance(found, str) or not found:
            raise ValueError(f"a line without {place}")
        return found

    def number(self, place: str, default: float | None = None) -> float:
        """Return the number at a dotted path; raises ValueError where there is neither it nor a default.

        Args:
            place: keys parted by dots, from the outermost; a truth value is no number.
            default: what stands for a number that is not there or null; None = it must be there.
        """
        found = self.at(place)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return float(found)
        if found is None and default is not None:
            return default
        raise ValueError(f"a line without {place}")

    def at(self, place: str) -> object:
        """Return what is at a dotted path; None where nothing is.

        Args:
            place: keys parted by dots, from the outermost; lists are not looked into.
        """
        content: object = self.content
        for part in place.split("."):
            content = content.get(part) if isinstance(content, Mapping) else None
        return content

    def came_ns(self, claimed_ns: int | None) -> int:
        """Return when the line came: when the stack says, as far as that fits what was seen.

        Args:
            claimed_ns: the stack's own word, in ns of CLOCK_MONOTONIC; None = it says nothing. What lies
                outside `after_ns` to `until_ns` counts as the nearer of the two.
        """
        return self.until_ns if claimed_ns is None else min(max(claimed_ns, self.after_ns), self.until_ns)


class JsonLinesFollower:
    """Reads what is new in files of JSON lines.

    Args:
        pattern: of the files.
        clocks: of this machine.

    Attributes:
        unreadable: how many lines are no JSON objects, or were called so by `skip`.
        example: what is wrong with the first of them.
        unread: why a file could not be read; empty where all could.
    """

    def __init__(self, pattern: str, clocks: Clocks) -> None:
        self._pattern = pattern
        self._clocks = clocks
        self._read: dict[tuple[int, int], int] = {}
        """How much was read of each file, by device and inode: a rotated file keeps these."""
        self._looked_ns = clocks.monotonic_ns()
        self.unreadable = 0
        self.example = ""
        self.unread = ""

    def look(self, now_ns: int) -> Iterator[JsonLine]:
        """Yield the lines that came since the last look.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
        after_ns, self._looked_ns = self._looked_ns, now_ns
        try:
            for path in islice(sorted(iglob(self._pattern)), FILES_MAX):  # noqa: PTH207 - a whole path
                for line in self._lines(Path(path)):
                    try:
                        content = orjson.loads(line)
                    except orjson.JSONDecodeError as error:
                        self.skip(f"{Path(path).name}: {error}")
                        continue
                    if isinstance(content, dict):
                        yield JsonLine(content, after_ns, now_ns)
                    else:
                        self.skip(f"{Path(path).name}: a line that is no JSON object")
        except OSError as error:
            self.unread = str(error)

    def skip(self, why: str) -> None:
        """Count a line that says too little.

        Args:
            why: what it lacks; of all that are skipped the first one's is kept as an example.
        """
        self.unreadable += 1
        self.example = self.example or why

    def moment_ns(self, found: object) -> int | None:
        """Return a time of day in ISO 8601 as CLOCK_MONOTONIC has it; None where it is none.

        Args:
            found: whatever the line has there; a time without an offset is taken for UTC.
        """
        if not isinstance(found, str):
            return None
        try:
            moment = datetime.fromisoformat(found)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return self._clocks.moment_ns(int(moment.timestamp() * _SECOND_NS))

    def _lines(self, path: Path) -> Iterator[bytes]:
        """Yield the whole lines of a file that were not read yet; half a line waits for its end."""
        with path.open("rb") as file:
            status = path.stat()
            identity = status.st_dev, status.st_ino
            file.seek(self._read.get(identity, 0))
            content = file.read(_LOOK_BYTES_MAX)
        whole = content.rfind(b"\n") + 1
        if not whole and len(content) > _LINE_BYTES_MAX:
            whole = len(content)
        self._read[identity] = self._read.get(identity, 0) + whole
        yield from filter(bytes.strip, content[:whole].splitlines())

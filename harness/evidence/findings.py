"""What a stack finds about itself, each finding when it was first written."""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence.alerts.inboxes import Clocks
from harness.evidence.json_lines import JsonLine, JsonLinesFollower
from harness.model.declarations import Findings
from harness.model.facts import FindingSeen, FindingsRead

FINDINGS_MAX = 20_000
SAYS_CHARACTERS_MAX = 200


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
        self._lines = JsonLinesFollower(pattern, clocks)
        self._known: set[str] = set()

    def look(self, now_ns: int) -> list[FindingSeen]:
        """Return what was found since the last look.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
        return [seen for line in self._lines.look(now_ns) if (seen := self._finding(line)) is not None]

    def whole(self, now_ns: int) -> Iterator[FindingSeen | FindingsRead]:
        """Yield what is new, and that all was read."""
        yield from self.look(now_ns)
        yield FindingsRead(now_ns, self._lines.unreadable, self._lines.example, self._lines.unread)

    def _finding(self, line: JsonLine) -> FindingSeen | None:
        """Return a line's finding, where it is one that was not known yet."""
        try:
            identity, cause = line.text(self._declared.id), line.text(self._declared.cause)
        except ValueError as error:
            self._lines.skip(str(error))
            return None
        if identity in self._known:
            return None
        if len(self._known) >= FINDINGS_MAX:
            self._lines.unread = f"more than {FINDINGS_MAX:,} findings"
            return None
        self._known.add(identity)
        came_ns = line.came_ns(self._lines.moment_ns(line.at(self._declared.found)))
        return FindingSeen(came_ns, identity, cause, self._says(line))

    def _says(self, line: JsonLine) -> str:
        """Return what a line says to a person, on one line and bounded; what is no text says nothing."""
        texts = [text for place in self._declared.says if isinstance(text := line.at(place), str) and text]
        said = ": ".join(texts)[: SAYS_CHARACTERS_MAX + 1]
        shown = "".join(each if each.isprintable() else " " for each in said)
        return shown if len(shown) <= SAYS_CHARACTERS_MAX else f"{shown[: SAYS_CHARACTERS_MAX - 1]}…"

"""What a stack's analytics answered while a run was on: how many records, of which time, and how old."""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence.alerts.inboxes import Clocks
from harness.evidence.json_lines import JsonLine, JsonLinesFollower
from harness.model.declarations import Answers
from harness.model.facts import AnswerGiven, AnswersRead
from harness.model.nanoseconds import SECOND_NS

ANSWERS_MAX = 20_000


class AnswersFollower:
    """Reads what is new in the files of a stack's answers.

    Args:
        declared: where they are and what their lines say.
        pattern: of the files, without placeholders.
        clocks: of this machine.
    """

    def __init__(self, declared: Answers, pattern: str, clocks: Clocks) -> None:
        self.settled_ns = 0
        self._declared = declared
        self._lines = JsonLinesFollower(pattern, clocks)
        self._read = 0

    def look(self, now_ns: int) -> list[AnswerGiven]:
        """Return what was answered since the last look.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
        return [given for line in self._lines.look(now_ns) if (given := self._answer(line)) is not None]

    def whole(self, now_ns: int) -> Iterator[AnswerGiven | AnswersRead]:
        """Yield what is new, and that all was read."""
        yield from self.look(now_ns)
        yield AnswersRead(now_ns, self._lines.unreadable, self._lines.example, self._lines.unread)

    def _answer(self, line: JsonLine) -> AnswerGiven | None:
        if self._read >= ANSWERS_MAX:
            self._lines.unread = f"more than {ANSWERS_MAX:,} answers"
            return None
        self._read += 1
        declared = self._declared
        try:
            from_ns, to_ns = (self._moment_ns(line, place) for place in (declared.since, declared.until))
            records = int(line.number(declared.records))
            stale_ns = int(line.number(declared.stale_age_seconds, 0.0) * SECOND_NS)
            namespace = line.text(declared.namespace) if declared.namespace else ""
        except ValueError as error:
            self._lines.skip(str(error))
            return None
        answered_ns = line.came_ns(self._lines.moment_ns(line.at(declared.answered)))
        asked_ns = self._lines.moment_ns(line.at(declared.asked))
        asked_ns = answered_ns if asked_ns is None else min(asked_ns, answered_ns)
        return AnswerGiven(answered_ns, asked_ns, from_ns, to_ns, records, stale_ns, namespace)

    def _moment_ns(self, line: JsonLine, place: str) -> int:
        moment_ns = self._lines.moment_ns(line.text(place))
        if moment_ns is None:
            raise ValueError(f"a line whose {place} is no time")
        return moment_ns

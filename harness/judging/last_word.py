"""A killed application's last word about its counters: how old it was, and what it cannot have counted.

Counters are written down now and then. On a busy machine the last time may be long before the kill, and what
came back between the two is in no counter. How old the word was is told by the reading itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.judging.timeline import Timeline
from harness.model.nanoseconds import SECOND_NS

WRITING_SECONDS = 0.5
"""How long before it was written down a record may have come back that is not counted in it."""


@dataclass(frozen=True, slots=True)
class LastWord:
    """What a killed application last wrote down: so long before the kill, so many records before it."""

    seconds: float
    records: int


def last_word(timeline: Timeline, name: str) -> LastWord | None:
    """Return the oldest last word about a counter over all kills of the application.

    Args:
        timeline: of the scenario.
        name: the counter.

    Returns:
        None where nobody was killed, or where no reading tells when it was written.
    """
    written = [each.written_ns for each in timeline.readings.get(name, ()) if each.written_ns is not None]
    words = [_before(timeline, killed_ns, written) for killed_ns in timeline.application_kills_ns()]
    return max(words, key=lambda each: each.records, default=None) if written else None


def _before(timeline: Timeline, killed_ns: int, written: list[int]) -> LastWord:
    """Return the last word before one kill; where none is known, nothing was written since the start."""
    sent = [each.sent_ns for each in timeline.entries.values() if each.answered_ns and each.sent_ns]
    last_ns = max((at_ns for at_ns in written if at_ns <= killed_ns), default=min(sent, default=killed_ns))
    since_ns = last_ns - int(WRITING_SECONDS * SECOND_NS)
    uncounted = sum(since_ns <= sent_ns <= killed_ns for sent_ns in sent)
    return LastWord((killed_ns - last_ns) / SECOND_NS, uncounted)

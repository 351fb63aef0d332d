"""What cut a record's way to the store after it was sent: a stack that had no answer may send it again.

Only what was proved is told, and only where it was on while the record may have been on its way. Whether the
stack did send again then, nobody saw.
"""

from __future__ import annotations

from harness.judging.timeline import Entry, Timeline
from harness.model.declarations import LOAD, is_sender
from harness.model.nanoseconds import SECOND_NS

_TOLD_MAX = 3


def cut_lines(timeline: Timeline, entry: Entry, visible_seconds: float) -> tuple[str, ...]:
    """Say which faults between the stack and its store a record met on its way, earliest first.

    Args:
        timeline: of the scenario.
        entry: a record that is stored more than once.
        visible_seconds: how long a record may wait in the stack's buffer before it is first sent on.
    """
    if entry.sent_ns is None:
        return ()
    waiting_until_ns = entry.sent_ns + int(visible_seconds * SECOND_NS)
    met = [
        (window, step)
        for step, window in timeline.fault_windows
        if step in timeline.landed
        and not (timeline.fault_targets[step] == LOAD or is_sender(timeline.fault_targets[step]))
        and window.from_ns <= waiting_until_ns
        and window.to_ns > entry.sent_ns
    ]
    met.sort(key=lambda each: each[0].from_ns)
    return tuple(
        f"While it may have been on its way, {window.label} was on, from {timeline.seconds(window.from_ns)}: "
        f"{next(seen.proof for seen in timeline.seen[step] if seen.landed)}."
        for window, step in met[:_TOLD_MAX]
    )

"""A new connection to a service shortly after a record was sent: a stack that lost one may send it again.

Connections that a fault's own proof opens, or its healing, say nothing of the stack, so only those outside of
all faults are told. Nor does one among many: a stack that opens one for each request has not reconnected.
"""

from __future__ import annotations

from harness.judging.timeline import Entry, Timeline
from harness.model.facts import CONNECTIONS
from harness.model.nanoseconds import SECOND_NS

WAITED_SECONDS_MAX = 10.0
"""How long a stack waits for an answer before it sends again at the latest, as far as this is concerned."""

OFTEN = 3


def reconnect_lines(timeline: Timeline, entry: Entry, visible_seconds: float) -> tuple[str, ...]:
    """Say which links the stack connected anew while a record may have been on its way, and how soon.

    Args:
        timeline: of the scenario.
        entry: a record that is stored more than once.
        visible_seconds: how long a record may wait in the stack's buffer before it is first sent on.
    """
    if entry.sent_ns is None:
        return ()
    until_ns = entry.sent_ns + int((visible_seconds + WAITED_SECONDS_MAX) * SECOND_NS)
    lines = []
    for link, samples in timeline.samples_by_process(CONNECTIONS).items():
        met = [each for each in samples if entry.sent_ns < each.at_ns <= until_ns]
        before = max((each.value for each in samples if each.at_ns <= entry.sent_ns), default=0.0)
        quiet = [each for each in met if not _in_a_fault(timeline, each.at_ns)]
        if quiet and met[-1].value - before <= OFTEN:
            seconds = (quiet[0].at_ns - entry.sent_ns) / SECOND_NS
            lines.append(
                f"A new connection over {link} was opened {seconds:.1f} s after its log call, at "
                f"{timeline.seconds(quiet[0].at_ns)}, while no fault was on."
            )
    return tuple(lines)


def _in_a_fault(timeline: Timeline, at_ns: int) -> bool:
    return any(window.from_ns <= at_ns < window.to_ns + SECOND_NS for _, window in timeline.fault_windows)

"""Whether a neighbour on this machine may be why log calls were late.

The control makes the same calls into a NullHandler from a process of its own. When its calls are late as
well, this machine was busy; but with what? A stack that burns the processors makes the control late too, and
must not be excused for it. So a neighbour may be to blame only where the processors tell so: what does not
belong to the run took a good part of one, and the lateness is of a size that the control's explains. Whether
the neighbour took more than the run is no measure: a spike that fills one and a half of two cores by itself
is in time where it is alone, and late beside half a core of somebody else's.

Where even the control was later than a stack may be, the machine was starved. Calls that are a little slower
each then wait in a queue for one another, and the last of them for minutes, of which the control, whose calls
are quicker, tells nothing. So the calls themselves are looked at: those that took longer than the control
explains make out the lateness where a stack stalls, and none of them does where the machine was too slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.judging.statistics import quantile
from harness.judging.timeline import Timeline, Window
from harness.model.facts import CORES_OTHERS, CORES_RUN, Sample
from harness.model.nanoseconds import MS_NS

CONTROL_P99_MS = 2.0
"""What a control that is left alone stays below; measured: 0.1 to 0.8 ms."""

OTHERS_CORES_MIN = 0.35
"""What an idle machine's own processes stay well below; measured: 0.02 to 0.1."""
LATENESS_FACTOR = 10
"""A call of a stack takes several turns of the processor where a NullHandler takes one, each of them late."""

STALLED_SHARE_MIN = 0.5
"""How much of a lateness calls that stalled must make out for it to be the stack's on a starved machine."""

STARVED_CONTROL_P99_MS = 500.0
"""A machine on which a call that does nothing takes so long tells nothing of how soon a stack recovers."""

_CONTROL_CALLS_MIN = 100


def disturbance(
    timeline: Timeline, window: Window, own_p99_ms: float, limit_ms: float, calls_ms: Iterable[float]
) -> str:
    """Say which neighbour may be why calls of a window were late; empty where the lateness is the stack's.

    Args:
        timeline: of the scenario.
        window: the stretch whose calls were late.
        own_p99_ms: their response p99 without the harness's own lateness, in ms.
        limit_ms: what it may reach, in ms.
        calls_ms: how long each call of the run took by itself, from its begin to its return, in ms.
    """
    control_ms = [
        (call.returned_ns - call.due_ns) / MS_NS
        for call in timeline.control_calls
        if window.holds(call.due_ns)
    ]
    run = _mean(timeline, window, CORES_RUN)
    others = _mean(timeline, window, CORES_OTHERS)
    if run is None or others is None or len(control_ms) < _CONTROL_CALLS_MIN:
        return ""
    control_p99_ms = quantile(control_ms, 0.99)
    if control_p99_ms < CONTROL_P99_MS or others < OTHERS_CORES_MIN:
        return ""
    explained_ms = LATENESS_FACTOR * control_p99_ms
    if own_p99_ms - limit_ms > explained_ms:
        stalled_ms = sum(call_ms for call_ms in calls_ms if call_ms - limit_ms > explained_ms)
        if control_p99_ms <= limit_ms or stalled_ms >= STALLED_SHARE_MIN * own_p99_ms:
            return ""
    return (
        f"other processes on this machine took {others:.1f} cores meanwhile, the run itself {run:.1f}, "
        f"and the control's own p99 was {control_p99_ms:,.1f} ms (below {CONTROL_P99_MS:g} ms undisturbed)"
    )


def starvation(timeline: Timeline, from_ns: int) -> str:
    """Say that this machine was starved, so that no recovery on it was late by the stack; empty where not.

    Recoveries are times of seconds, of many processes one after the other. They are excused only where the
    control, over all of the run, was hundreds of times later than on any machine that works, and others than
    the run took the processors while the recovery was waited for.

    Args:
        timeline: of the scenario.
        from_ns: CLOCK_MONOTONIC, since when it was waited for.
    """
    control_ms = [(call.returned_ns - call.due_ns) / MS_NS for call in timeline.control_calls]
    others = _mean(timeline, Window("", from_ns, timeline.ended_ns), CORES_OTHERS)
    if others is None or others < OTHERS_CORES_MIN or len(control_ms) < _CONTROL_CALLS_MIN:
        return ""
    control_p99_ms = quantile(control_ms, 0.99)
    if control_p99_ms < STARVED_CONTROL_P99_MS:
        return ""
    return (
        f"this machine was starved: other processes took {others:.1f} cores meanwhile, and a call into a "
        f"NullHandler took {control_p99_ms:,.0f} ms (p99)"
    )


def _mean(timeline: Timeline, window: Window, name: str) -> float | None:
    """Return how many cores were taken in a window, by the samples that tell of it; None where none does.

    A sample tells of the time since the one before. On a starved machine that may be all of the window, and
    the sample taken only after its end: without it the machine that was starved most would excuse nothing.
    """
    samples: Sequence[Sample] = timeline.samples.get(name, ())
    before = (timeline.began_ns, *(sample.at_ns for sample in samples))
    values = [
        sample.value
        for from_ns, sample in zip(before, samples, strict=False)
        if from_ns < window.to_ns and window.from_ns <= sample.at_ns
    ]
    return sum(values) / len(values) if values else None

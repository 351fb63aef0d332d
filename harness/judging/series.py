"""From facts to what charts draw: one row a second, and the faults as bands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from harness.judging.statistics import quantile
from harness.judging.timeline import CONTROL, Timeline
from harness.model.declarations import Scenario
from harness.model.facts import MEMORY_MIB, READ_BACK_SECONDS, STORED
from harness.model.nanoseconds import MS_NS, SECOND_NS
from harness.model.result import Band, SecondOfRun


def read_back_seconds(timeline: Timeline) -> float:
    """Return how long the harness looked at the stack's outlets, all looks together."""
    looks = sum(look.at_ns - look.began_ns for wave in timeline.fresh for look in wave.looks)
    return sum(sample.value for sample in timeline.samples.get(READ_BACK_SECONDS, [])) + looks / SECOND_NS


def bands(timeline: Timeline, scenario: Scenario) -> tuple[Band, ...]:
    """Return each injected step as a band, with the proof that it landed or what was seen instead."""
    result = []
    for number, window in timeline.fault_windows:
        seen = timeline.seen.get(number, [])
        landed = [each for each in seen if each.landed]
        proofs = [each.proof for each in landed or seen]
        step = scenario.steps[number]
        result.append(
            Band(
                _seconds(timeline, window.from_ns),
                _seconds(timeline, window.to_ns),
                step.fault,
                step.target,
                bool(landed),
                proofs[-1] if proofs else "nothing was observed",
            )
        )
    return tuple(result)


def series(timeline: Timeline) -> tuple[SecondOfRun, ...]:
    """Return one row for each second from the start of sending to the end of the drain."""
    if not timeline.began_ns:
        return ()
    seconds = (timeline.phases.get("read back", timeline.ended_ns) - timeline.began_ns) // SECOND_NS + 1
    due = [0] * seconds
    answered = [0] * seconds
    acknowledged = [0] * seconds
    responses: list[list[float]] = [[] for _ in range(seconds)]
    for entry in timeline.entries.values():
        _add(due, timeline, entry.due_ns)
        _add(answered, timeline, entry.answered_ns)
        _add(acknowledged, timeline, entry.acknowledged_ns)
        if (index := _index(timeline, entry.due_ns, seconds)) is not None:
            # What never returned has taken at least until the end: left out, the worst stall would not show.
            returned_ns = timeline.ended_ns if entry.returned_ns is None else entry.returned_ns
            responses[index].append((returned_ns - entry.due_ns) / MS_NS)
    control = _control(timeline, seconds)
    stored = _stored(timeline, seconds)
    memory = _memory(timeline, seconds)
    rows = []
    owed = 0
    for second in range(seconds):
        owed += acknowledged[second]
        held = stored[second]
        rows.append(
            SecondOfRun(
                second,
                due[second],
                answered[second],
                acknowledged[second],
                _quantile(responses[second], 0.5),
                _quantile(responses[second], 0.99),
                _quantile(control[second], 0.99),
                held,
                None if held is None else max(0, owed - held),
                memory.get(second),
            )
        )
    return tuple(rows)


def _control(timeline: Timeline, seconds: int) -> list[list[float]]:
    result: list[list[float]] = [[] for _ in range(seconds)]
    for call in timeline.control_calls:
        if (index := _index(timeline, call.due_ns, seconds)) is not None:
            result[index].append((call.returned_ns - call.due_ns) / MS_NS)
    return result


def _stored(timeline: Timeline, seconds: int) -> list[int | None]:
    """Return the last count seen in each second; None where the archive could not be asked."""
    counts = timeline.samples.get(STORED, [])
    moments = [event.at_ns for event in counts]
    result: list[int | None] = []
    for second in range(seconds):
        until_ns = timeline.began_ns + (second + 1) * SECOND_NS
        last = bisect_right(moments, until_ns) - 1
        fresh = last >= 0 and moments[last] > until_ns - 2 * SECOND_NS
        result.append(int(counts[last].value) if fresh else None)
    return result


def _memory(timeline: Timeline, seconds: int) -> dict[int, float]:
    """Return the sum over the processes of each second's last samples, the control's left out."""
    last: dict[int, dict[str, float]] = {}
    for process, samples in timeline.samples_by_process(MEMORY_MIB).items():
        for sample in samples if process != CONTROL else ():
            if (index := _index(timeline, sample.at_ns, seconds)) is not None:
                last.setdefault(index, {})[process] = sample.value
    return {second: round(sum(values.values()), 1) for second, values in last.items()}


def _add(counts: list[int], timeline: Timeline, at_ns: int | None) -> None:
    if at_ns is not None and (index := _index(timeline, at_ns, len(counts))) is not None:
        counts[index] += 1


def _index(timeline: Timeline, at_ns: int, seconds: int) -> int | None:
    index = (at_ns - timeline.began_ns) // SECOND_NS
    return index if 0 <= index < seconds else None


def _seconds(timeline: Timeline, at_ns: int) -> float:
    return round((at_ns - timeline.began_ns) / SECOND_NS, 3)


def _quantile(values: Sequence[float], fraction: float) -> float | None:
    return round(quantile(values, fraction), 3) if values else None

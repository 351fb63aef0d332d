"""From facts to what charts draw: one row a second, and the faults as bands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from harness.judging.statistics import quantile
from harness.judging.timeline import SECOND_NS, Account, account
from harness.model.declarations import Scenario
from harness.model.facts import MEMORY_MIB, STORED, ControlCall, Event, FaultSeen, Sample
from harness.model.result import Band, SecondOfRun

_MS_NS = 1_000_000


def bands(events: Sequence[Event], scenario: Scenario) -> tuple[Band, ...]:
    """Return each injected step as a band, with the proof that it landed or what was seen instead."""
    run = account(events)
    seen = {event.step: event for event in events if isinstance(event, FaultSeen)}
    landed = {event.step: event for event in events if isinstance(event, FaultSeen) and event.landed}
    result = []
    for number, window in run.fault_windows:
        observed = landed.get(number) or seen.get(number)
        step = scenario.steps[number]
        result.append(
            Band(
                _seconds(run, window.from_ns),
                _seconds(run, window.to_ns),
                step.fault,
                step.target,
                number in landed,
                observed.proof if observed else "nothing was observed",
            )
        )
    return tuple(result)


def series(events: Sequence[Event]) -> tuple[SecondOfRun, ...]:
    """Return one row for each second from the start of sending to the end of the drain."""
    run = account(events)
    if not run.began_ns:
        return ()
    seconds = (run.phases.get("read back", run.ended_ns) - run.began_ns) // SECOND_NS + 1
    due = [0] * seconds
    answered = [0] * seconds
    acknowledged = [0] * seconds
    responses: list[list[float]] = [[] for _ in range(seconds)]
    for entry in run.entries.values():
        _add(due, run, entry.due_ns)
        _add(answered, run, entry.answered_ns)
        _add(acknowledged, run, entry.acknowledged_ns)
        if (index := _index(run, entry.due_ns, seconds)) is not None:
            # What never returned has taken at least until the end: left out, the worst stall would not show.
            returned_ns = run.ended_ns if entry.returned_ns is None else entry.returned_ns
            responses[index].append((returned_ns - entry.due_ns) / _MS_NS)
    control = _control(events, run, seconds)
    stored = _stored(events, run, seconds)
    memory = _memory(events, run, seconds)
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


def _control(events: Sequence[Event], run: Account, seconds: int) -> list[list[float]]:
    result: list[list[float]] = [[] for _ in range(seconds)]
    for event in events:
        if isinstance(event, ControlCall) and (index := _index(run, event.due_ns, seconds)) is not None:
            result[index].append((event.returned_ns - event.due_ns) / _MS_NS)
    return result


def _stored(events: Sequence[Event], run: Account, seconds: int) -> list[int | None]:
    """Return the last count seen in each second; None where the archive could not be asked."""
    counts = [event for event in events if isinstance(event, Sample) and event.name == STORED]
    moments = [event.at_ns for event in counts]
    result: list[int | None] = []
    for second in range(seconds):
        until_ns = run.began_ns + (second + 1) * SECOND_NS
        last = bisect_right(moments, until_ns) - 1
        fresh = last >= 0 and moments[last] > until_ns - 2 * SECOND_NS
        result.append(int(counts[last].value) if fresh else None)
    return result


def _memory(events: Sequence[Event], run: Account, seconds: int) -> dict[int, float]:
    """Return the sum over the processes of each second's last samples, the control's left out."""
    samples: dict[int, dict[str, float]] = {}
    for event in events:
        if isinstance(event, Sample) and event.name.startswith(f"{MEMORY_MIB}."):
            index = _index(run, event.at_ns, seconds)
            if index is not None and event.name != f"{MEMORY_MIB}.control":
                samples.setdefault(index, {})[event.name] = event.value
    return {second: round(sum(values.values()), 1) for second, values in samples.items()}


def _add(counts: list[int], run: Account, at_ns: int | None) -> None:
    if at_ns is not None and (index := _index(run, at_ns, len(counts))) is not None:
        counts[index] += 1


def _index(run: Account, at_ns: int, seconds: int) -> int | None:
    index = (at_ns - run.began_ns) // SECOND_NS
    return index if 0 <= index < seconds else None


def _seconds(run: Account, at_ns: int) -> float:
    return round((at_ns - run.began_ns) / SECOND_NS, 3)


def _quantile(values: Sequence[float], fraction: float) -> float | None:
    return round(quantile(values, fraction), 3) if values else None

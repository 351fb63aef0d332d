"""The log call returns in time, before, during and after every fault.

`response` (due → return) is judged, not `call` (enter → return), since a call that blocks makes the next ones
late without making them slow. Of lateness above the limit only what is not the harness's own is the stack's
(`call_times.py`), and lateness that a neighbour on this machine explains is nobody's (`disturbance.py`).

A fault on the application itself holds up calls that no stack could have answered (docs/decisions/0003): what
was under way when it began is cut off there, and what was due until it was healed is not judged. Where the
application ended by itself, nobody can say what the rest of its calls would have taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from harness.judging.call_times import Outage, Timing, outages_of, stuck_calls, timings_of
from harness.judging.checker import Charge
from harness.judging.disturbance import disturbance
from harness.judging.measure import Measure, given_limit
from harness.judging.statistics import excess_odds, quantile, samples_needed
from harness.judging.timeline import Entry, Timeline, Window
from harness.judging.wording import count
from harness.model.declarations import APPLICATION
from harness.model.facts import ControlCall
from harness.model.nanoseconds import MS_NS
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

VETO = "deadlocked caller"
_SHARE = 0.01
_CONFIDENCE = 0.95


class ResponseP99Ms:
    """The log call returns in time: `response` p99 within the promise, in every window of the run."""

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "caller protection"
    unit: ClassVar[str] = "ms"
    needs_quiet: ClassVar[bool] = True
    samples_min: ClassVar[int] = samples_needed(1 - _SHARE, _CONFIDENCE)

    def __init__(self, charge: Charge, *, limit_ms: float | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_ms: milliseconds that the p99 may reach; by default the stack's promise.
        """
        self._limit_ms = given_limit("limit_ms", limit_ms) or charge.promises.response_p99_ms
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit_ms)

    def check(self, timeline: Timeline) -> Verdict:
        """Judge each window's p99; calls that never returned count with the time they were seen to take."""
        outages = outages_of(timeline)
        timings = timings_of(timeline, outages)
        gone = timeline.application_gone()
        unanswered = "" if gone is None else _unanswered(timeline, gone)
        sendable = [timing for timing in timings if gone is None or not gone.holds(timing.due_ns)]
        windows = [
            (window, _within(sendable, window, self._limit_ms))
            for window in _judged_windows(timeline, outages)
        ]
        calls_ms = [timing.call_ms for timing in timings]
        judged = [self._judged(timeline, window, inside, calls_ms) for window, inside in windows if inside]
        if not judged:
            return self._measure.verdict(
                Status.INCONCLUSIVE, None, unanswered or "No record was due.", samples=0
            )
        stuck = stuck_calls(timeline, outages)
        status = Status.FAIL if stuck else _worst_of(status for status, _, _ in judged)
        if status is Status.PASS and unanswered:
            status = Status.INCONCLUSIVE
        decisive = [window for window in judged if window[0] is status] or judged
        _, p99_ms, sentence = max(decisive, key=lambda window: window[1])
        return self._measure.verdict(
            status,
            p99_ms,
            unanswered if unanswered and status is Status.INCONCLUSIVE else sentence,
            evidence=(
                *(sentence for _, _, sentence in judged),
                *_unjudged(timings, outages),
                *_figures(_whole(timings), timeline.control_calls),
            ),
            counterexample=_longest(timeline, stuck, timings) if status is Status.FAIL else (),
            vetoes=(VETO,) if stuck else (),
            samples=min(len(inside) for _, inside in windows if inside),
        )

    def _judged(
        self, timeline: Timeline, window: Window, inside: Sequence[Timing], calls_ms: Sequence[float]
    ) -> tuple[Status, float, str]:
        """Judge one window; a FAIL that a neighbour on this machine explains is none."""
        status, p99_ms, said = _judge(window.label, inside, self._limit_ms)
        failed = status is Status.FAIL
        why = disturbance(timeline, window, p99_ms, self._limit_ms, calls_ms) if failed else ""
        if not why:
            return status, p99_ms, said
        return Status.INCONCLUSIVE, p99_ms, f"{said.removesuffix('.')}, but {why}."


def _worst_of(statuses: Iterable[Status]) -> Status:
    """Return FAIL before INCONCLUSIVE before PASS."""
    order = (Status.PASS, Status.INCONCLUSIVE, Status.FAIL)
    return max(statuses, key=order.index)


def _judged_windows(timeline: Timeline, outages: Sequence[Outage]) -> list[Window]:
    """Return the steady stretch and, for each fault, the stretch from its injection to the next one's.

    A fault's recovery belongs to it: where healing ends is known only afterwards, and a window must hold the
    number of samples that was planned for it. After a fault on the application its window begins with its
    healing, and so does that of a fault which lay within it. A fault on one of several workers leaves the
    others, which are judged meanwhile.
    """
    outages = [outage for outage in outages if outage.target not in timeline.hosted]
    ends = [window.from_ns for _, window in timeline.fault_windows[1:]] + [timeline.probing_ns]
    own = {outage.from_ns for outage in outages}
    faults = [
        Window(
            f"{window.label}, once healed" if window.from_ns in own else f"{window.label} and after",
            max([window.from_ns, *(each.to_ns for each in outages if each.holds(window.from_ns))]),
            to_ns,
        )
        for (_, window), to_ns in zip(timeline.fault_windows, ends, strict=False)
    ]
    return [timeline.steady(), *faults]


def _within(timings: Sequence[Timing], window: Window, limit_ms: float) -> list[Timing]:
    """Return what a window is judged by: of what was cut off, only what was above the limit by then."""
    return [
        timing
        for timing in timings
        if window.holds(timing.due_ns) and not timing.away and (not timing.cut or timing.own_ms > limit_ms)
    ]


def _whole(timings: Sequence[Timing]) -> list[Timing]:
    return [timing for timing in timings if not timing.cut and not timing.away]


def _unjudged(timings: Sequence[Timing], outages: Sequence[Outage]) -> tuple[str, ...]:
    """Say what a fault on the application leaves out of the judgement, and how much of it there is."""
    said = []
    for outage in outages:
        if due := sum(timing.away and outage.holds(timing.due_ns) for timing in timings):
            said.append(
                f"{count(due, 'record was', 'records were')} due while {outage.label}; they are not judged."
            )
    behind = sum(timing.behind and not timing.away for timing in timings)
    if behind:
        said.append(f"{count(behind, 'later record')} waited behind those; only their own time counts.")
    cut = sum(timing.cut for timing in timings)
    if cut:
        said.append(
            f"{count(cut, 'record was', 'records were')} under way when the application was hit; only those "
            "above the limit by then are judged."
        )
    return tuple(said)


def _unanswered(timeline: Timeline, gone: Window) -> str:
    """Say how much nobody can judge because the application ended by itself; empty where that is nothing.

    Whether the stack made it end cannot be told from here, so this is no failure of the stack's, and no pass.
    """
    open_calls = [
        entry for entry in timeline.scheduled() if entry.returned_ns is None and entry.due_ns < gone.to_ns
    ]
    if not open_calls:
        return ""
    ended = timeline.ended_by_itself(APPLICATION)
    returncode = None if ended is None else ended.returncode
    return (
        f"{len(open_calls):,} of {len(timeline.scheduled()):,} records were not answered or never sent: the "
        f"application ended by itself with {returncode} at about {timeline.seconds(gone.from_ns)}."
    )


def _judge(label: str, timings: Sequence[Timing], limit_ms: float) -> tuple[Status, float, str]:
    """Return the status of one window, its p99 in ms, and the sentence that says so."""
    p99_ms = quantile([timing.response_ms for timing in timings], 1 - _SHARE)
    own_p99_ms = quantile([timing.own_ms for timing in timings], 1 - _SHARE)
    excesses = sum(timing.own_ms > limit_ms for timing in timings)
    needed = samples_needed(1 - _SHARE, _CONFIDENCE)
    said = f"{label}: response p99 {p99_ms:,.1f} ms over {count(len(timings), 'record')}"
    allowed = f"at most {limit_ms:g} ms allowed"
    if len(timings) < needed:
        if excesses and excess_odds(len(timings), excesses, _SHARE) < 1 - _CONFIDENCE:
            return Status.FAIL, own_p99_ms, f"{said}, {excesses:,} of them too slow ({allowed})."
        return Status.INCONCLUSIVE, p99_ms, f"{said}; {needed} are needed to bound a p99."
    if own_p99_ms > limit_ms:
        return Status.FAIL, own_p99_ms, f"{said} ({allowed})."
    if p99_ms > limit_ms:
        return (
            Status.INCONCLUSIVE,
            p99_ms,
            f"{said}, but only {own_p99_ms:,.1f} ms of it are the stack's ({allowed}).",
        )
    return Status.PASS, p99_ms, f"{said} ({allowed})."


def _figures(timings: Sequence[Timing], control_calls: Sequence[ControlCall]) -> tuple[str, ...]:
    control_ms = [(call.returned_ns - call.due_ns) / MS_NS for call in control_calls]
    return (
        _spread("call", [timing.call_ms for timing in timings]),
        _spread("response", [timing.response_ms for timing in timings]),
        _spread("response of the NullHandler control beside it", control_ms),
    )


def _spread(name: str, values_ms: Sequence[float]) -> str:
    if not values_ms:
        return f"{name}: no sample."
    parts = ", ".join(
        f"{label} {quantile(values_ms, fraction):,.3f}"
        for label, fraction in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))
    )
    return f"{name}: {parts} ms over {count(len(values_ms), 'call')}."


def _longest(timeline: Timeline, stuck: Sequence[Entry], timings: Sequence[Timing]) -> tuple[str, ...]:
    if stuck:
        entry = stuck[0]
        began = timeline.seconds(entry.sent_ns)
        return (f"The log call of record {entry.sequence} began at {began} and never returned.",)
    longest = max(timings, key=lambda timing: timing.own_ms)
    return (
        f"The record due at {timeline.seconds(longest.due_ns)} was answered "
        f"{longest.response_ms:,.1f} ms later, {timeline.what_was_on(longest.due_ns)}; "
        f"its own call took {longest.call_ms:,.1f} ms.",
    )

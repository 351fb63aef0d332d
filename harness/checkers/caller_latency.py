"""The log call returns in time, before, during and after every fault.

Two numbers (open loop): `call` is enter → return, `response` is due → return. `response` is judged, since a
call that blocks makes the next ones late without making them slow. Where the generator was late although no
call was outstanding, the harness is at fault: the checker replays each producer with that lateness taken out,
and only what is still above the limit is the stack's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.account import SECOND_NS, Account, Entry, Window, account
from harness.facts import ControlCall, Event
from harness.protocols import Charge, Status, Verdict
from harness.statistics import excess_odds, quantile, samples_needed

VETO = "deadlocked caller"
_STUCK_SECONDS = 10.0
_MS_NS = 1_000_000
_SHARE = 0.01
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Timing:
    """One due record: its times in ms. `own_ms` is the response with the harness's lateness taken out."""

    due_ns: int
    call_ms: float
    response_ms: float
    own_ms: float


class CallerLatency:
    """The log call returns in time: `response` p99 within the promise, in every window of the run."""

    objective: ClassVar[str] = "caller.response_p99_ms"
    dimension: ClassVar[str] = "caller protection"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._limit_ms = charge.promises.response_p99_ms

    def check(self, events: Sequence[Event]) -> Verdict:
        """Judge each window's p99; calls that never returned count with the time they were seen to take."""
        run = account(events)
        timings = timings_of(run)
        windows = [(window, _within(timings, window)) for window in judged_windows(run)]
        judged = [_judge(window.label, inside, self._limit_ms) for window, inside in windows if inside]
        if not judged:
            return self._verdict(Status.INCONCLUSIVE, None, "no record was due")
        stuck = _stuck(run)
        status = Status.FAIL if stuck else worst_of(status for status, _, _ in judged)
        p99_ms = max(p99 for _, p99, _ in judged)
        blamed = [sentence for found, _, sentence in judged if found is status] or [judged[0][2]]
        return self._verdict(
            status,
            round(p99_ms, 3),
            blamed[0],
            evidence=(*(sentence for _, _, sentence in judged), *_figures(timings, events)),
            counterexample=_longest(run, stuck, timings) if status is Status.FAIL else (),
            vetoes=(VETO,) if stuck else (),
            samples=min(len(inside) for _, inside in windows if inside),
        )

    def _verdict(
        self,
        status: Status,
        value: float | None,
        summary: str,
        evidence: tuple[str, ...] = (),
        counterexample: tuple[str, ...] = (),
        vetoes: tuple[str, ...] = (),
        samples: int = 0,
    ) -> Verdict:
        return Verdict(
            self.objective,
            self.dimension,
            status,
            summary,
            value,
            "ms",
            self._limit_ms,
            evidence,
            counterexample,
            vetoes,
            samples,
        )


def worst_of(statuses: Iterable[Status]) -> Status:
    """Return FAIL before INCONCLUSIVE before PASS."""
    order = (Status.PASS, Status.INCONCLUSIVE, Status.FAIL)
    return max(statuses, key=order.index)


def judged_windows(run: Account) -> list[Window]:
    """Return the steady stretch and, for each fault, the stretch from its injection to the next one's.

    A fault's recovery belongs to it: where healing ends is known only afterwards, and a window must hold the
    number of samples that was planned for it.
    """
    starts = [(window.from_ns, window.label) for _, window in run.fault_windows]
    ends = [from_ns for from_ns, _ in starts[1:]] + [run.probing_ns]
    faults = [
        Window(f"{label} and after", from_ns, to_ns)
        for (from_ns, label), to_ns in zip(starts, ends, strict=False)
    ]
    return [run.steady(), *faults]


def timings_of(run: Account) -> list[Timing]:
    """Return the times of all scheduled records; each producer is also replayed as if on time."""
    timings: list[Timing] = []
    producers = {entry.producer for entry in run.entries.values()}
    for producer in sorted(producers):
        mine = sorted(
            (entry for entry in run.scheduled() if entry.producer == producer), key=lambda entry: entry.due_ns
        )
        timings.extend(_replay(mine, run.ended_ns))
    return timings


def _replay(entries: Sequence[Entry], ended_ns: int) -> Iterable[Timing]:
    free_ns = 0
    stuck = False
    for entry in entries:
        returned_ns = entry.returned_ns if entry.returned_ns is not None else ended_ns
        if entry.sent_ns is not None:
            call_ns = returned_ns - entry.sent_ns
            stuck = stuck or entry.returned_ns is None
            free_ns = max(entry.due_ns, free_ns) + call_ns
            own_ns = free_ns - entry.due_ns
        else:
            # Never sent: the stack's doing only where an earlier call of this producer never came back.
            call_ns = 0
            own_ns = ended_ns - entry.due_ns if stuck else 0
        yield Timing(
            entry.due_ns,
            call_ns / _MS_NS,
            (returned_ns - entry.due_ns) / _MS_NS,
            own_ns / _MS_NS,
        )


def _within(timings: Sequence[Timing], window: Window) -> list[Timing]:
    return [timing for timing in timings if window.holds(timing.due_ns)]


def _judge(label: str, timings: Sequence[Timing], limit_ms: float) -> tuple[Status, float, str]:
    """Return the status of one window, its p99 in ms, and the sentence that says so."""
    p99_ms = quantile([timing.response_ms for timing in timings], 1 - _SHARE)
    own_p99_ms = quantile([timing.own_ms for timing in timings], 1 - _SHARE)
    excesses = sum(timing.own_ms > limit_ms for timing in timings)
    needed = samples_needed(1 - _SHARE, _CONFIDENCE)
    said = f"{label}: response p99 {p99_ms:,.1f} ms over {len(timings):,} records"
    if len(timings) < needed:
        if excesses and excess_odds(len(timings), excesses, _SHARE) < 1 - _CONFIDENCE:
            return Status.FAIL, own_p99_ms, f"{said}, {excesses:,} of them above {limit_ms:g} ms"
        return Status.INCONCLUSIVE, p99_ms, f"{said}; {needed} are needed to bound a p99"
    if own_p99_ms > limit_ms:
        return Status.FAIL, own_p99_ms, f"{said}, above {limit_ms:g} ms"
    if p99_ms > limit_ms:
        return Status.INCONCLUSIVE, p99_ms, f"{said}, but only {own_p99_ms:,.1f} ms of it are the stack's"
    return Status.PASS, p99_ms, said


def _stuck(run: Account) -> list[Entry]:
    return [
        entry
        for entry in run.entries.values()
        if entry.sent_ns is not None
        and entry.returned_ns is None
        and run.ended_ns - entry.sent_ns > _STUCK_SECONDS * SECOND_NS
    ]


def _figures(timings: Sequence[Timing], events: Sequence[Event]) -> tuple[str, ...]:
    control_ms = [
        (event.returned_ns - event.due_ns) / _MS_NS for event in events if isinstance(event, ControlCall)
    ]
    return (
        _spread("call", [timing.call_ms for timing in timings]),
        _spread("response", [timing.response_ms for timing in timings]),
        _spread("response of the NullHandler control beside it", control_ms),
    )


def _spread(name: str, values_ms: Sequence[float]) -> str:
    if not values_ms:
        return f"{name}: no sample"
    parts = ", ".join(
        f"{label} {quantile(values_ms, fraction):,.3f}"
        for label, fraction in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))
    )
    return f"{name}: {parts} ms over {len(values_ms):,} calls"


def _longest(run: Account, stuck: Sequence[Entry], timings: Sequence[Timing]) -> tuple[str, ...]:
    if stuck:
        entry = stuck[0]
        began = run.seconds(entry.sent_ns)
        return (f"the log call of record {entry.sequence} began at {began} and never returned",)
    longest = max(timings, key=lambda timing: timing.own_ms)
    return (
        f"the record due at {run.seconds(longest.due_ns)} was answered {longest.response_ms:,.1f} ms later, "
        f"{run.what_was_on(longest.due_ns)}; its own call took {longest.call_ms:,.1f} ms",
    )

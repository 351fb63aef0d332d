"""The log call returns in time, before, during and after every fault.

Two numbers (open loop): `call` is enter → return, `response` is due → return. `response` is judged, since a
call that blocks makes the next ones late without making them slow. Where the generator was late although no
call was outstanding, the harness is at fault: the checker replays each producer with that lateness taken out,
and only what is still above the limit is the stack's.

A fault on the application itself holds up calls that no stack could have answered (docs/decisions/0003): what
was under way when it began is cut off there, and what was due until it was healed is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.account import SECOND_NS, Account, Entry, Window, account
from harness.facts import ControlCall, Event, FaultChanged
from harness.protocols import APPLICATION, Charge, Status, Verdict
from harness.statistics import excess_odds, quantile, samples_needed

VETO = "deadlocked caller"
_STUCK_SECONDS = 10.0
_MS_NS = 1_000_000
_SHARE = 0.01
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Timing:
    """One due record: its times in ms. `own_ms` is the response with the harness's lateness taken out.

    Where a fault on the application cut it off, the times are those until then: it took that long at least.
    Where its producer was still working off what such a fault had left due, `response_ms` is its own time.
    """

    due_ns: int
    call_ms: float
    response_ms: float
    own_ms: float
    cut: bool = False
    behind: bool = False


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
        outages = outages_of(events, run.ended_ns)
        timings = timings_of(run, outages)
        windows = [
            (window, _within(timings, window, self._limit_ms)) for window in judged_windows(run, outages)
        ]
        judged = [_judge(window.label, inside, self._limit_ms) for window, inside in windows if inside]
        if not judged:
            return self._verdict(Status.INCONCLUSIVE, None, "no record was due")
        stuck = _stuck(run, outages)
        status = Status.FAIL if stuck else worst_of(status for status, _, _ in judged)
        decisive = [window for window in judged if window[0] is status] or judged
        _, p99_ms, sentence = max(decisive, key=lambda window: window[1])
        return self._verdict(
            status,
            round(p99_ms, 3),
            sentence,
            evidence=(
                *(sentence for _, _, sentence in judged),
                *_unjudged(timings, outages),
                *_figures(_whole(timings, outages), events),
            ),
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


def outages_of(events: Sequence[Event], ended_ns: int) -> list[Window]:
    """Return when faults were on the application itself; one that was never healed lasts to the end."""
    began: dict[int, FaultChanged] = {}
    healed_ns: dict[int, int] = {}
    for event in events:
        if isinstance(event, FaultChanged) and event.target == APPLICATION:
            if event.state == "injecting":
                began[event.step] = event
            elif event.state == "healed":
                healed_ns[event.step] = event.at_ns
    return [
        Window(f"{event.fault} on {event.target}", event.at_ns, healed_ns.get(step, ended_ns + 1))
        for step, event in began.items()
    ]


def judged_windows(run: Account, outages: Sequence[Window]) -> list[Window]:
    """Return the steady stretch and, for each fault, the stretch from its injection to the next one's.

    A fault's recovery belongs to it: where healing ends is known only afterwards, and a window must hold the
    number of samples that was planned for it. After a fault on the application its window begins with its
    healing, and so does that of a fault which lay within it.
    """
    ends = [window.from_ns for _, window in run.fault_windows[1:]] + [run.probing_ns]
    own = {outage.from_ns for outage in outages}
    faults = [
        Window(
            f"{window.label}, once healed" if window.from_ns in own else f"{window.label} and after",
            max([window.from_ns, *(each.to_ns for each in outages if each.holds(window.from_ns))]),
            to_ns,
        )
        for (_, window), to_ns in zip(run.fault_windows, ends, strict=False)
    ]
    return [run.steady(), *faults]


def timings_of(run: Account, outages: Sequence[Window]) -> list[Timing]:
    """Return the times of all scheduled records; each producer is also replayed as if on time."""
    timings: list[Timing] = []
    lost = _lost_calls(run, outages)
    for mine in _by_producer(run.scheduled()):
        timings.extend(_replay(mine, run.ended_ns, outages, lost))
    return timings


def _by_producer(entries: Iterable[Entry]) -> Iterable[list[Entry]]:
    """Return each producer's records in the order they were due, which is that of its calls."""
    producers: dict[int, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.due_ns):
        producers.setdefault(entry.producer, []).append(entry)
    return producers.values()


def _lost_calls(run: Account, outages: Sequence[Window]) -> frozenset[int]:
    """Return the records whose call went down with the application.

    A producer makes one call at a time. A call that began before a fault on the application was healed and
    never came back, although its producer has made another since, did not hold that producer: its process
    died. Where no other followed, the call holds its producer still, and no fault excuses it.
    """
    lost: set[int] = set()
    for mine in _by_producer(run.entries.values()):
        followed = False
        for entry in reversed(mine):
            if entry.sent_ns is None:
                continue
            hit = any(entry.sent_ns < outage.to_ns for outage in outages)
            if entry.returned_ns is None and followed and hit:
                lost.add(entry.sequence)
            followed = True
    return frozenset(lost)


def _replay(
    entries: Sequence[Entry], ended_ns: int, outages: Sequence[Window], lost: frozenset[int]
) -> Iterable[Timing]:
    free_ns = 0
    backlog_ns = 0
    stuck = False
    for entry in entries:
        cut_ns = _cut_ns(entry, outages, lost)
        end_ns = ended_ns if entry.returned_ns is None else entry.returned_ns
        if cut_ns is not None:
            end_ns = cut_ns
        if entry.sent_ns is not None:
            call_ns = max(0, end_ns - entry.sent_ns)
            stuck = stuck or (entry.returned_ns is None and entry.sequence not in lost)
            # Where the cut came before the call, only an earlier call can have kept it waiting until then.
            waits = cut_ns is not None and entry.sent_ns >= cut_ns and free_ns > entry.due_ns
            free_ns = end_ns if waits else max(entry.due_ns, free_ns) + call_ns
            own_ns = free_ns - entry.due_ns
        else:
            # Never sent: the stack's doing only where an earlier call of this producer never came back.
            call_ns = 0
            own_ns = ended_ns - entry.due_ns if stuck else 0
        response_ns = end_ns - entry.due_ns
        behind = cut_ns is None and entry.sent_ns is not None and backlog_ns > entry.due_ns
        if behind and entry.sent_ns is not None:
            # What the harness was late with, although its producer was free, is not the backlog's doing.
            response_ns = own_ns + max(0, entry.sent_ns - backlog_ns)
        if behind or any(_spans(entry, outage) for outage in outages):
            backlog_ns = max(backlog_ns, entry.returned_ns or 0)
        yield Timing(
            entry.due_ns,
            call_ns / _MS_NS,
            response_ns / _MS_NS,
            own_ns / _MS_NS,
            cut_ns is not None,
            behind,
        )


def _spans(entry: Entry, outage: Window) -> bool:
    """Return whether a record was due before the fault was healed, and answered after it had begun."""
    return (
        entry.due_ns < outage.to_ns and entry.returned_ns is not None and entry.returned_ns > outage.from_ns
    )


def _cut_ns(entry: Entry, outages: Sequence[Window], lost: frozenset[int]) -> int | None:
    """Return when a fault on the application cut off a record that was due and not answered by then."""
    if entry.returned_ns is None and entry.sequence not in lost:
        return None
    for outage in outages:
        if entry.due_ns < outage.from_ns and (entry.returned_ns is None or _spans(entry, outage)):
            return outage.from_ns
    return None


def _within(timings: Sequence[Timing], window: Window, limit_ms: float) -> list[Timing]:
    """Return what a window is judged by: of what was cut off, only what was above the limit by then."""
    return [
        timing
        for timing in timings
        if window.holds(timing.due_ns) and (not timing.cut or timing.own_ms > limit_ms)
    ]


def _whole(timings: Sequence[Timing], outages: Sequence[Window]) -> list[Timing]:
    return [
        timing
        for timing in timings
        if not timing.cut and not any(outage.holds(timing.due_ns) for outage in outages)
    ]


def _unjudged(timings: Sequence[Timing], outages: Sequence[Window]) -> tuple[str, ...]:
    """Say what a fault on the application leaves out of the judgement, and how much of it there is."""
    said = [
        f"not judged: {sum(outage.holds(timing.due_ns) for timing in timings):,} records due while "
        f"{outage.label} was on, which nobody could send"
        for outage in outages
    ]
    behind = sum(
        timing.behind and not any(outage.holds(timing.due_ns) for outage in outages) for timing in timings
    )
    if behind:
        said.append(
            f"{behind:,} records due after the healing waited behind those and count with their own time"
        )
    cut = sum(timing.cut for timing in timings)
    if cut:
        said.append(
            f"{cut:,} records were under way when the application was hit; they count where they were above "
            "the limit by then, and are left out where they were not"
        )
    return tuple(said)


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


def _stuck(run: Account, outages: Sequence[Window]) -> list[Entry]:
    lost = _lost_calls(run, outages)
    return [
        entry
        for entry in run.entries.values()
        if entry.sequence not in lost
        and entry.sent_ns is not None
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

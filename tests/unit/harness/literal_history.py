"""Literal histories for tests: a good run of a few records, from which a test takes or changes facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.evidence.lines import digest
from harness.judging.checker import Charge
from harness.model.declarations import Part, Promises, Scenario, Step
from harness.model.facts import (
    Acknowledged,
    Answered,
    ArchiveRead,
    Due,
    Event,
    FaultChanged,
    FaultSeen,
    Found,
    FreshLooked,
    FreshSent,
    PhaseChanged,
    Sent,
)

SECOND = 1_000_000_000
MS = 1_000_000
BEGAN = 100 * SECOND

STEP = Step("killed", "elasticsearch", at_seconds=4.0, for_seconds=2.0)


def scenario(*steps: Step, sending_seconds: float = 10.0) -> Scenario:
    return Scenario(
        name="literal",
        title="A literal history",
        hypothesis="It holds.",
        schedule=Part("steady", {"rate_per_second": 100.0}),
        producers=2,
        sending_seconds=sending_seconds,
        steps=steps,
        checks=(Part("acknowledged_lost"),),
        liveness_seconds=30.0,
    )


def charge(*steps: Step, promises: Promises | None = None) -> Charge:
    return Charge(scenario(*steps), promises or Promises())


def at(seconds: float) -> int:
    """Return a moment `seconds` after sending began, in ns."""
    return BEGAN + round(seconds * SECOND)


def life(sequence: int, due: float, call_ms: float = 0.1, *, late_ms: float = 0.0) -> list[Event]:
    """Return a record that was sent, answered, acknowledged and found once; times in s and ms."""
    entered = at(due) + round(late_ms * MS)
    returned = entered + round(call_ms * MS)
    return [
        Due(sequence, at(due), sequence % 2, digest(f"line {sequence}")),
        Sent(sequence, entered),
        Answered(sequence, returned),
        Acknowledged(sequence, returned),
        Found(sequence, digest(f"line {sequence}"), f"index/{sequence}"),
    ]


def phases(*, probe_at: float = 12.0, ended_at: float = 14.0) -> list[Event]:
    return [
        PhaseChanged(BEGAN - SECOND, "start"),
        PhaseChanged(BEGAN, "steady"),
        PhaseChanged(at(10), "drain"),
        PhaseChanged(at(probe_at), "probe"),
        ArchiveRead(at(ended_at), 0),
        PhaseChanged(at(ended_at), "stop"),
    ]


def fault(number: int = 0, begin: float = 4.0, end: float = 6.0, *, landed: bool = True) -> list[Event]:
    return [
        FaultChanged(at(begin), number, "killed", "elasticsearch", "injecting"),
        FaultChanged(at(begin), number, "killed", "elasticsearch", "injected"),
        FaultSeen(at(begin), number, landed, "pid 7 is gone" if landed else "pid 7 runs"),
        FaultChanged(at(end), number, "killed", "elasticsearch", "healing"),
        FaultChanged(at(end), number, "killed", "elasticsearch", "healed"),
    ]


def good_run(records: int = 1000, seconds: float = 10.0) -> list[Event]:
    """Return a faultless examination of one fault: even load, every record found once, probes too."""
    lives = [event for n in range(records) for event in life(n, n * seconds / records)]
    probes = [event for n in range(records, records + 2) for event in life(n, 12.0)]
    return [
        *phases(),
        *fault(),
        *lives,
        *probes,
        FreshSent(at(12), records, records + 1),
        looked(records, 12.4, 12.5, 2),
    ]


def looked(first: int, began: float, ended: float, found: int) -> FreshLooked:
    """Return a look for the wave of fresh records that begins with that sequence; times in s."""
    return FreshLooked(at(ended), at(began), first, found)


def without(events: Iterable[Event], kind: type, *sequences: int) -> list[Event]:
    """Return the events but those of one kind about these records."""
    return [
        event
        for event in events
        if not (isinstance(event, kind) and getattr(event, "sequence", None) in sequences)
    ]


def replaced(events: Sequence[Event], kind: type, sequence: int, *new: Event) -> list[Event]:
    """Return the events with one record's facts of a kind replaced."""
    return [*without(events, kind, sequence), *new]

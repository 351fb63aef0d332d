"""Runs a plan on several processes and watches them: one that dies or stands still is a finding too."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from tests.fuzz.mutations import input_of
from tests.fuzz.worker import (
    BEAT,
    COUNTS,
    FAILED,
    KEPT,
    NUMBER,
    REFUSED,
    TARGET,
    WORKERS,
    Finding,
    Plan,
    work,
)

STUCK_SECONDS = 60.0
"""An input's processor time is bounded much lower; this is for what waits, or never leaves native code."""
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_DEATHS_MAX = 20
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a target's inputs."""

    kept: int
    refused: int
    failed: int

    @property
    def tried(self) -> int:
        """All of them."""
        return self.kept + self.refused + self.failed


@dataclass(slots=True)
class Report:
    """What a campaign found, by target in the plan's order."""

    counts: dict[str, Counts] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Watched:
    worker: int
    state: MutableSequence[int]
    process: SpawnProcess
    findings: Connection
    first_beat: int
    beat: int
    beat_seconds: float
    deaths: int = 0


def run(
    plan: Plan,
    *,
    stuck_seconds: float = STUCK_SECONDS,
    on_progress: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Try all inputs of a plan.

    Args:
        plan: What to try.
        stuck_seconds: How long one trial may take on the wall's clock.
        on_progress: Told the state a few times a second.
    """
    states = [_SPAWN.RawArray("q", COUNTS + 3 * len(plan.names)) for _ in range(WORKERS)]
    running = [_start(plan, worker, (0, worker), state) for worker, state in enumerate(states)]
    report = Report()
    try:
        while running:
            wait([watched.findings for watched in running], _LOOK_SECONDS)
            running = [again for watched in running if (again := _look(plan, watched, stuck_seconds, report))]
            report.counts = _counts(plan, states)
            on_progress(report)
    finally:
        for watched in running:
            watched.process.kill()
            watched.process.join()
    return report


def _start(plan: Plan, worker: int, start: tuple[int, int], state: MutableSequence[int]) -> _Watched:
    receiving, sending = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=work, args=(plan, worker, start, state, sending), daemon=True)
    process.start()
    sending.close()  # the worker's is then the only one, so that its end is seen here
    return _Watched(worker, state, process, receiving, state[BEAT], state[BEAT], time.monotonic())


def _look(plan: Plan, watched: _Watched, stuck_seconds: float, report: Report) -> _Watched | None:
    """Take what a worker has found; return it, or the one that goes on in its place, or None at its end."""
    now_seconds = time.monotonic()
    if watched.state[BEAT] != watched.beat:
        watched.beat, watched.beat_seconds = watched.state[BEAT], now_seconds
    limit_seconds = stuck_seconds if watched.beat > watched.first_beat else _START_SECONDS
    stuck = now_seconds - watched.beat_seconds > limit_seconds
    if stuck:
        watched.process.kill()
    if not stuck and not _receive(watched.findings, report):
        return watched
    while not _receive(watched.findings, report):
        pass
    watched.process.join()
    watched.findings.close()
    if watched.process.exitcode == 0:
        return None
    how = f"stood still for {stuck_seconds:g} s" if stuck else f"died with {watched.process.exitcode}"
    return _after_death(plan, watched, how, report)


def _receive(findings: Connection, report: Report) -> bool:
    """Take one finding if there is one; return whether the sender has ended."""
    try:
        if findings.poll():
            finding = findings.recv()
            known = {(one.target, one.signature) for one in report.findings}
            if (finding.target, finding.signature) not in known:
                report.findings.append(finding)
    except EOFError:
        return True
    return False


def _after_death(plan: Plan, watched: _Watched, how: str, report: Report) -> _Watched | None:
    place, number = watched.state[TARGET], watched.state[NUMBER]
    target = plan.target(place)
    if watched.state[BEAT] == watched.first_beat:
        raise RuntimeError(f"a fuzzing process {how} before its first input; its error stands above")
    watched.state[COUNTS + 3 * place + FAILED] += 1
    body = input_of(target, target.seeds(), plan.seed, number)
    report.findings.append(Finding(target.name, plan.seed, number, body, how, f"the process {how}"))
    if watched.deaths + 1 >= _DEATHS_MAX:
        return None
    again = _start(plan, watched.worker, (place, number + WORKERS), watched.state)
    again.deaths = watched.deaths + 1
    return again


def _counts(plan: Plan, states: list[MutableSequence[int]]) -> dict[str, Counts]:
    totals = {}
    for place, name in enumerate(plan.names):
        at = COUNTS + 3 * place
        kept, refused, failed = (
            sum(state[at + kind] for state in states) for kind in (KEPT, REFUSED, FAILED)
        )
        totals[name] = Counts(kept, refused, failed)
    return totals

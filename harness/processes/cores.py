"""How much of this machine's processors the run takes itself, and how much its neighbours."""

from __future__ import annotations

import os
from collections.abc import Mapping

from harness.model.facts import CORES_OTHERS, CORES_RUN
from harness.processes import procfs
from harness.processes.procfs import CpuTicks


class Cores:
    """Measures cores taken since the look before, by every process of this harness and by all others.

    A process is the run's own where it carries this harness's mark in its environment, whoever its parent is:
    the application, the stack's processes, servers, the control, and whatever they start.
    """

    def __init__(self) -> None:
        """Nothing has been looked at yet."""
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")
        self._busy: int | None = None
        self._own: Mapping[int, CpuTicks] = {}
        self._at_seconds = 0.0

    def usage(self) -> dict[str, float]:
        """Return both since the last look; empty at the first. Implements Measurable."""
        # The time belongs to the first: looking at every process takes a while on a busy machine.
        busy, now, own = procfs.busy_ticks(), _uptime_seconds(), self._marked()
        before, self._busy = self._busy, busy
        earlier, self._own = self._own, own
        seconds, self._at_seconds = now - self._at_seconds, now
        if before is None or seconds <= 0:
            return {}
        mine = _ticks_between(earlier, own)
        scale = self._ticks_per_second * seconds
        others = max(0, busy - before - mine)
        return {CORES_RUN: round(mine / scale, 3), CORES_OTHERS: round(others / scale, 3)}

    def _marked(self) -> dict[int, CpuTicks]:
        harness = procfs.mark(os.getpid())
        pids = {
            pid
            for pid, variables in procfs.started_by_a_harness()
            if variables[procfs.HARNESS_VARIABLE] == harness
        }
        found = {pid: procfs.cpu_ticks(pid) for pid in pids | {os.getpid()}}
        return {pid: ticks for pid, ticks in found.items() if ticks is not None}


def _ticks_between(before: Mapping[int, CpuTicks], now: Mapping[int, CpuTicks]) -> int:
    """Return what was run for between two looks.

    What an ended process ran for moves to its parent, so that the sum of all goes on. Where its parent was no
    process of the run the sum falls, and what those that are still there ran for is the least that is known.
    """
    in_all = sum(ticks.own + ticks.children for ticks in now.values())
    in_all -= sum(ticks.own + ticks.children for ticks in before.values())
    there = sum(ticks.own - (before[pid].own if pid in before else 0) for pid, ticks in now.items())
    return max(in_all, there, 0)


def _uptime_seconds() -> float:
    return float((procfs.PROC / "uptime").read_text().split()[0])

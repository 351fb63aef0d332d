"""The wall clock that a scenario's stack and application follow: the machine's, unless a step moves it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.deployments.clock_library import clock_library
from harness.model.declarations import CLOCK
from harness.model.errors import UnavailableError
from harness.model.protocols import Clock, Fault
from harness.targets.capabilities import ClockMovable
from harness.targets.wall_clock import NOT_ASKED, WallClockStays, WallClockTarget


def wall_clock(faults: Iterable[Fault], folder: Path, clock: Clock) -> WallClockTarget | WallClockStays:
    """Return the clock that a scenario moves.

    Args:
        faults: those of all its steps.
        folder: takes the file that says how far the clock is moved.
        clock: for every wait.

    Returns:
        What says why it stays, and preloads nothing, where no step moves it or this machine cannot.
    """
    if not any(fault.needs is ClockMovable for fault in faults):
        return WallClockStays(NOT_ASKED)
    try:
        return WallClockTarget(CLOCK, str(folder / "wall-clock"), clock_library(), clock)
    except UnavailableError as error:
        return WallClockStays(str(error))

"""A clock that only goes forward, also across restarts, whatever happens to the time of day.

Within one boot it follows the kernel's boot time, which no setting of the clock moves. After another boot the
time of day says how long it was, where it did not go backwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ForwardState:
    """What must survive a restart.

    Attributes:
        forward_seconds: What the clock showed.
        boot_seconds: The kernel's boot time then.
        wall_seconds: The time of day then, seconds since 1970.
        boot_id: Which boot it was; empty where the system does not say.
    """

    forward_seconds: float
    boot_seconds: float
    wall_seconds: float
    boot_id: str


def boot_id() -> str:
    """Return which boot of the system this is; empty where it does not say."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def boot_clock() -> float:
    """Return the seconds since the system was booted, those asleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ForwardClock:
    """Seconds that only grow.

    Args:
        saved: What it showed before; None begins at 0.
        boot: The kernel's boot time in seconds.
        wall: Seconds since 1970.
        this_boot: Which boot this is.
    """

    def __init__(
        self,
        saved: ForwardState | None,
        *,
        boot: Callable[[], float] = boot_clock,
        wall: Callable[[], float] = time.time,
        this_boot: str = "",
    ) -> None:
        self._boot, self._wall, self._this_boot = boot, wall, this_boot
        self._start_boot_seconds = boot()
        self._start_seconds = 0.0 if saved is None else saved.forward_seconds + self._away_seconds(saved)

    def _away_seconds(self, saved: ForwardState) -> float:
        if self._this_boot and saved.boot_id == self._this_boot:
            return max(0.0, self._start_boot_seconds - saved.boot_seconds)
        return max(0.0, self._wall() - saved.wall_seconds)

    def __call__(self) -> float:
        """Return what it shows."""
        return self._start_seconds + max(0.0, self._boot() - self._start_boot_seconds)

    def state(self) -> ForwardState:
        """Return what must survive a restart."""
        return ForwardState(self(), self._boot(), self._wall(), self._this_boot)

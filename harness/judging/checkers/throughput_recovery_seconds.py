"""After the last fault is healed, the store soon takes in as much as before."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.recovery import THROUGHPUT_SHARE, Recovery, RecoveryTime
from harness.model.registry import module_word


class ThroughputRecoverySeconds(RecoveryTime):
    """After the last fault is healed, the store soon takes in 90 % of what it did in steady state."""

    objective: ClassVar[str] = module_word(__name__)

    def measured(self, found: Recovery) -> float | None:
        """Return when throughput was back; a store that has everything has nothing more to take in."""
        times = [each for each in (found.throughput_seconds, found.backlog_seconds) if each is not None]
        return min(times, default=None)

    def wanted(self, found: Recovery) -> str:
        """Name the throughput."""
        return f"A throughput of {THROUGHPUT_SHARE * found.steady_per_second:,.0f} records/s"

"""After the last fault is healed, what piled up is soon delivered."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.recovery import Recovery, RecoveryTime
from harness.judging.wording import count
from harness.model.registry import module_word


class BacklogSeconds(RecoveryTime):
    """After the last fault is healed, the backlog is soon no larger than it was in steady state."""

    objective: ClassVar[str] = module_word(__name__)

    def measured(self, found: Recovery) -> float | None:
        """Return when the backlog was gone."""
        return found.backlog_seconds

    def wanted(self, found: Recovery) -> str:
        """Name the backlog."""
        return f"A backlog of at most {count(found.steady_backlog, 'record')}"

"""The wall clock jumps, and jumps back at the end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import ClockMovable

SECONDS_MAX = 315_360_000.0
_FELT_SECONDS = 5.0


@dataclass(frozen=True)
class ClockJump:
    """Somebody sets the clock, a virtual machine wakes up, a time server steps it after hours of drift.

    The target is `clock`. The wall clock of the application and of all the stack's own processes jumps at
    once, as that of the machine which they share would. Monotonic clocks and sleeps go on as before. Services
    and the harness itself keep their time, and so do the times of files. Stored times are compared with what
    the clock showed, but for records sent within a second of a jump: they may have been told either time.
    A C compiler is needed; where there is none the step is skipped.

    Args:
        seconds: how far it jumps, forward or, where negative, back; up to 315,360,000 (ten years).
        keep: whether it stays there at the end of the step.
    """

    seconds: float = 3_600.0
    keep: bool = False
    needs: ClassVar[type] = ClockMovable

    def __post_init__(self) -> None:
        """Refuse what is no jump.

        Raises:
            ScenarioError: it is out of range.
        """
        if not math.isfinite(self.seconds) or not 0 < abs(self.seconds) <= SECONDS_MAX:
            raise ScenarioError(
                f"seconds {self.seconds:g} is no jump; write at most {SECONDS_MAX:,.0f}, forward or (-) back"
            )

    def undo(self, target: ClockMovable) -> Undo:
        """Name what the clock's offset is in."""
        return target.undo_move_clock()

    def inject(self, target: ClockMovable, rng: Random) -> AbstractContextManager[None]:
        """Move the clock, and back by as much on exit."""
        return self._injected(target)

    def evidence(self, target: ClockMovable) -> tuple[bool, str]:
        """See that a process has asked for the time since, and was told the moved one."""
        is_felt = target.clock_is_felt(_FELT_SECONDS)
        return is_felt, target.describe_clock()

    @contextmanager
    def _injected(self, target: ClockMovable) -> Iterator[None]:
        target.move_clock(self.seconds)
        try:
            yield
        finally:
            if not self.keep:
                target.move_clock(-self.seconds)

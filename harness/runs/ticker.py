"""How a run waits: in ticks, after each of which it looks round."""

from __future__ import annotations

from collections.abc import Callable

from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock

TICK_SECONDS = 0.25


class Ticker:
    """Passes the time of a run.

    Args:
        clock: for every wait.
        look_round: called after each tick.

    Attributes:
        waiting: what is waited for, for a person who watches; empty where it is nothing in particular.
    """

    def __init__(self, clock: Clock, look_round: Callable[[], None]) -> None:
        self._clock = clock
        self._look_round = look_round
        self.waiting = ""

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC in nanoseconds."""
        return self._clock.now_ns()

    def in_ns(self, seconds: float) -> int:
        """Return the moment so long from now."""
        return self.now_ns() + int(seconds * SECOND_NS)

    def seconds_until(self, at_ns: int) -> float:
        """Return how long it is until then; below zero once it is over."""
        return (at_ns - self.now_ns()) / SECOND_NS

    def tick(self, seconds: float = TICK_SECONDS) -> None:
        """Wait and look round; raises InterruptedRunError or TimeIsUpError as soon as the run must end."""
        self._clock.sleep(seconds)
        self._look_round()

    def tick_until(self, at_ns: int) -> bool:
        """Wait for a tick, or less if the moment is nearer; return False at once where it is over."""
        if (left_seconds := self.seconds_until(at_ns)) <= 0:
            return False
        self.tick(min(left_seconds, TICK_SECONDS))
        return True

    def wait_until(self, at_ns: int) -> None:
        """Wait until then."""
        while self.tick_until(at_ns):
            pass

    def wait_for(self, what: str, deadline_ns: int) -> None:
        """Wait for a tick, and say what for and until when at most."""
        seconds = max(0.0, self.seconds_until(deadline_ns))
        self.waiting = f"waiting for {what}, for at most {seconds:.0f} s more"
        self.tick()

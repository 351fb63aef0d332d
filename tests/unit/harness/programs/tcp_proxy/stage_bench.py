"""A clock turned by hand and ends that write down what reaches them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.programs.tcp_proxy.link import Link, LinkRules
from harness.programs.tcp_proxy.toxics.stage import StageContext


@dataclass
class HandTimer:
    due: float
    callback: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


class HandClock:
    """Time stands until a test turns it."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._timers: list[HandTimer] = []

    def now(self) -> float:
        return self._now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> HandTimer:
        timer = HandTimer(self._now + seconds, callback)
        self._timers.append(timer)
        return timer

    @property
    def waiting(self) -> int:
        """How many timers are set."""
        return len([timer for timer in self._timers if not timer.is_cancelled])

    def turn(self, milliseconds: float) -> None:
        """Let time pass, calling what is due on the way."""
        end = self._now + milliseconds / 1000
        while due := [timer for timer in self._timers if not timer.is_cancelled and timer.due <= end + 1e-9]:
            timer = min(due, key=lambda timer: timer.due)
            self._timers.remove(timer)
            self._now = max(self._now, timer.due)
            timer.callback()
        self._now = end


@dataclass
class Outcome:
    """The end of a link: what was written, and how it was closed."""

    written: list[bytes] = field(default_factory=list)
    is_closed: bool = False
    is_reset_armed: bool = False
    is_paused: bool = False
    drained: int = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True

    def receive(self, data: bytes, arrived: float) -> None:
        self.written.append(data)

    def finish(self) -> None:
        self.is_closed = True

    def arm_reset(self) -> None:
        self.is_reset_armed = True

    def note_drained(self) -> None:
        self.drained += 1

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class Bench:
    """One stage or one link between a clock and an outcome."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = HandClock()
        self.outcome = Outcome()
        self._seed = seed

    def context(self) -> StageContext:
        return StageContext(
            self.clock, self._rng("stage"), self.outcome, self.outcome.arm_reset, self.outcome.note_drained
        )

    def link(self, *, strict: bool = False) -> Link:
        rules = LinkRules(strict=strict, rng_for=self._rng, arm_reset=self.outcome.arm_reset)
        return Link(self.outcome, self.outcome, self.clock, rules)

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"{self._seed}/{name}")

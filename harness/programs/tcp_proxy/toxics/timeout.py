"""`timeout`: nothing passes, and after a while of silence the connection is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from harness.programs.tcp_proxy.clock import Timer
from harness.programs.tcp_proxy.toxics.stage import Kind, Stage, StageContext

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Timeout(Kind):
    """Drop every byte; close `timeout` milliseconds after the last one. 0 never closes: a black hole.

    As in Toxiproxy, removing it closes the connections it is on: bytes were lost, and they cannot go on.
    """

    closes_when_removed: ClassVar[bool] = True
    timeout: int = field(default=0, metadata={"maximum": DAY_MS})

    def stage(self, context: StageContext) -> Stage:
        """A hole with a timer that each chunk sets anew."""
        return _Hole(context, self)


class _Hole(Stage):
    def __init__(self, context: StageContext, kind: Timeout) -> None:
        super().__init__(context)
        self._clock = context.clock
        self._kind = kind
        self._timer: Timer | None = None
        self._closed = False
        self._restart()

    def receive(self, data: bytes, arrived: float) -> None:
        self._restart()

    def finish(self) -> None:
        self._closed = True
        self.discard()
        self.outlet.finish()

    def update(self, kind: Timeout) -> None:
        self._kind = kind
        self._restart()

    def release(self) -> None:
        self.discard()

    def discard(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _restart(self) -> None:
        self.discard()
        if self._kind.timeout > 0 and not self._closed:
            self._timer = self._clock.call_later(self._kind.timeout / 1000, self.finish)

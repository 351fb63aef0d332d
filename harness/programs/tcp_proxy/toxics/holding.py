"""What the stages that hold chunks back share: a queue, one timer, and an end that waits for both."""

from __future__ import annotations

from collections import deque

from harness.programs.tcp_proxy.clock import Timer
from harness.programs.tcp_proxy.toxics.stage import Stage, StageContext


class HoldingStage(Stage):
    """Holds chunks in their order; a subclass decides when each of them leaves."""

    def __init__(self, context: StageContext) -> None:
        super().__init__(context)
        self._clock = context.clock
        self._chunks: deque[tuple[bytes, float]] = deque()
        self._ending = False
        self._timer: Timer | None = None

    def discard(self) -> None:
        """Forget the chunks and cancel the timer."""
        self._cancel()
        self._chunks.clear()
        self.held_bytes = 0

    def _hold(self, data: bytes, arrived: float) -> None:
        self._chunks.append((data, arrived))
        self.held_bytes += len(data)

    def _take(self, size: int) -> tuple[bytes, float]:
        """Return the first bytes held, at most one chunk of them, and when they arrived."""
        data, arrived = self._chunks.popleft()
        if size < len(data):
            self._chunks.appendleft((data[size:], arrived))
        self.held_bytes -= size
        return data[:size], arrived

    def _finish_when_empty(self) -> None:
        if self._ending and not self._chunks:
            self._ending = False
            self.outlet.finish()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

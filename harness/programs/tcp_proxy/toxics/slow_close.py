"""`slow_close`: bytes pass as they came, the end of the stream comes late."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.programs.tcp_proxy.clock import Timer
from harness.programs.tcp_proxy.toxics.stage import Kind, Stage, StageContext

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SlowClose(Kind):
    """Hold the close back for `delay` milliseconds."""

    delay: int = field(default=0, metadata={"maximum": DAY_MS})

    def stage(self, context: StageContext) -> Stage:
        """A timer that the end of the stream starts."""
        return _LateEnd(context, self)


class _LateEnd(Stage):
    def __init__(self, context: StageContext, kind: SlowClose) -> None:
        super().__init__(context)
        self._clock = context.clock
        self._kind = kind
        self._timer: Timer | None = None

    def finish(self) -> None:
        self._timer = self._clock.call_later(self._kind.delay / 1000, self._close)

    def update(self, kind: SlowClose) -> None:
        # Toxiproxy meets the end of the stream once more and waits for the whole new delay.
        self._kind = kind
        if self._timer is not None:
            self.discard()
            self.finish()

    def release(self) -> None:
        if self._timer is not None:
            self.discard()
            self._close()

    def discard(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        self.outlet.finish()

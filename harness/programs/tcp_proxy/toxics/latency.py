"""`latency`: every chunk leaves a while after it arrived; chunks wait side by side, so throughput stays."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.programs.tcp_proxy.toxics.holding import HoldingStage
from harness.programs.tcp_proxy.toxics.stage import Kind, Stage, StageContext

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Latency(Kind):
    """Delay by `latency` ± `jitter` milliseconds, uniform in [latency - jitter, latency + jitter).

    Counted from the chunk's arrival at the proxy, as Toxiproxy does: time it already spent behind a slower
    toxic is part of the delay.
    """

    latency: int = field(default=0, metadata={"maximum": DAY_MS})
    jitter: int = field(default=0, metadata={"maximum": DAY_MS})

    def stage(self, context: StageContext) -> Stage:
        """A queue of delayed chunks."""
        return _Delay(context, self)


class _Delay(HoldingStage):
    """A queue whose head has a timer; the end of the stream waits in it too, without a delay of its own."""

    def __init__(self, context: StageContext, kind: Latency) -> None:
        super().__init__(context)
        self._rng = context.rng
        self._kind = kind
        self._due = 0.0

    def receive(self, data: bytes, arrived: float) -> None:
        self._hold(data, arrived)
        if self._timer is None:
            self._wait_for_head()

    def finish(self) -> None:
        self._ending = True
        if self._timer is None:
            self._finish_when_empty()

    def update(self, kind: Latency) -> None:
        # Toxiproxy interrupts the wait of the chunk at the head and sends it; the others get the new delay.
        self._kind = kind
        self._cancel()
        if self._chunks:
            self._pass_head(self._clock.now())
        self._pass_due()

    def release(self) -> None:
        self._cancel()
        now = self._clock.now()
        while self._chunks:
            self._pass_head(now)
        self._finish_when_empty()

    def _wait_for_head(self) -> None:
        """Draw the delay of the chunk at the head and wait for it, or pass it now when it is due."""
        self._draw_due()
        self._pass_while_due()

    def _on_timer(self) -> None:
        self._timer = None
        self._pass_while_due()

    def _pass_due(self) -> None:
        if self._chunks:
            self._wait_for_head()
        else:
            self._finish_when_empty()

    def _pass_while_due(self) -> None:
        while self._chunks:
            now = self._clock.now()
            if self._due > now:
                self._timer = self._clock.call_later(self._due - now, self._on_timer)
                return
            self._pass_head(self._due)
            if self._chunks:
                self._draw_due()
        self._finish_when_empty()

    def _draw_due(self) -> None:
        kind = self._kind
        delay_ms = kind.latency
        if kind.jitter:
            delay_ms += self._rng.randrange(2 * kind.jitter) - kind.jitter
        self._due = self._chunks[0][1] + delay_ms / 1000

    def _pass_head(self, left: float) -> None:
        data, arrived = self._take(len(self._chunks[0][0]))
        self.outlet.receive(data, max(arrived, left))

"""`reset_peer`: the first bytes, or the end of the stream, are answered with a TCP reset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from harness.programs.tcp_proxy.clock import Timer
from harness.programs.tcp_proxy.toxics.stage import Kind, Stage, StageContext

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class ResetPeer(Kind):
    """Wait for the first bytes, drop them, and reset both sides `timeout` milliseconds later."""

    arms_reset: ClassVar[bool] = True
    timeout: int = field(default=0, metadata={"maximum": DAY_MS})

    def stage(self, context: StageContext) -> Stage:
        """A trap that the first chunk springs."""
        return _Trap(context, self)


class _Trap(Stage):
    def __init__(self, context: StageContext, kind: ResetPeer) -> None:
        super().__init__(context)
        self._clock = context.clock
        self._arm_reset = context.arm_reset
        self._kind = kind
        self._timer: Timer | None = None
        self._sprung = False

    def receive(self, data: bytes, arrived: float) -> None:
        self._spring()

    def finish(self) -> None:
        self._spring()

    def update(self, kind: ResetPeer) -> None:
        # Once sprung, Toxiproxy's wait cannot be interrupted: the old timeout stands.
        self._kind = kind

    def release(self) -> None:
        # The bytes that sprang it are gone, so the connection cannot go on without the toxic either.
        if self._timer is not None:
            self.discard()
            self._fire()

    def discard(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _spring(self) -> None:
        if self._sprung:
            return
        self._sprung = True
        if self._kind.timeout > 0:
            self._timer = self._clock.call_later(self._kind.timeout / 1000, self._fire)
        else:
            self._fire()

    def _fire(self) -> None:
        self._timer = None
        self._arm_reset()
        self.outlet.finish()

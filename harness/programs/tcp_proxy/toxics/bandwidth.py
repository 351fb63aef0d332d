"""`bandwidth`: bytes pass at a limited rate, a tenth of a second's worth at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from harness.programs.tcp_proxy.toxics.holding import HoldingStage
from harness.programs.tcp_proxy.toxics.stage import CHUNK_BYTES, Kind, Stage, StageContext

RATE_KB_PER_SECOND_MAX = 1_000_000_000
_SLICE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Bandwidth(Kind):
    """Pass `rate` kilobytes (1,000 bytes) a second; 0 lets nothing pass, yet keeps it."""

    rate: int = field(default=0, metadata={"maximum": RATE_KB_PER_SECOND_MAX})

    def stage(self, context: StageContext) -> Stage:
        """A queue that is drained at the rate."""
        return _Throttle(context, self)


class _Throttle(HoldingStage):
    """Pays for each chunk with a wait before it leaves; what a timer took too long is credited to the next.

    A change of the rate, or removal, sends the chunk in hand at once; then the account starts anew.
    """

    # Toxiproxy has no buffer here: it reads the next chunk once this one is gone.
    held_bytes_max: ClassVar[int] = CHUNK_BYTES

    def __init__(self, context: StageContext, kind: Bandwidth) -> None:
        super().__init__(context)
        self._drained = context.drained
        self._kind = kind
        self._in_hand = False
        self._owed_seconds = 0.0

    def receive(self, data: bytes, arrived: float) -> None:
        self._hold(data, arrived)
        if not self._in_hand:
            self._go_on()

    def finish(self) -> None:
        self._ending = True
        self._finish_when_empty()

    def update(self, kind: Bandwidth) -> None:
        self._kind = kind
        self._cancel()
        if self._in_hand:
            self._pass(len(self._chunks[0][0]))
        self._owed_seconds = 0.0
        self._go_on()

    def release(self) -> None:
        self._cancel()
        while self._chunks:
            self._pass(len(self._chunks[0][0]))
        self._finish_when_empty()

    @property
    def _slice_bytes(self) -> int:
        return self._kind.rate * 100

    def _go_on(self) -> None:
        """Take chunks in hand until one has to wait."""
        while self._chunks and self._timer is None:
            if not self._in_hand:
                self._take_in_hand()
            if self._kind.rate == 0:
                return
            if len(self._chunks[0][0]) > self._slice_bytes:
                self._timer = self._clock.call_later(_SLICE_SECONDS, self._send_slice)
            elif self._owed_seconds > 0:
                due = self._clock.now() + self._owed_seconds
                self._timer = self._clock.call_later(self._owed_seconds, partial(self._send_rest, due))
            else:
                self._pass(len(self._chunks[0][0]))
        self._finish_when_empty()

    def _take_in_hand(self) -> None:
        self._in_hand = True
        rate = self._kind.rate
        self._owed_seconds = 0.0 if rate == 0 else self._owed_seconds + len(self._chunks[0][0]) / rate / 1000

    def _send_slice(self) -> None:
        self._timer = None
        self._owed_seconds -= _SLICE_SECONDS
        self._pass(self._slice_bytes)
        self._go_on()

    def _send_rest(self, due: float) -> None:
        self._timer = None
        self._owed_seconds = due - self._clock.now()
        self._pass(len(self._chunks[0][0]))
        self._go_on()

    def _pass(self, size: int) -> None:
        self._in_hand = size < len(self._chunks[0][0])
        data, arrived = self._take(size)
        self.outlet.receive(data, arrived)
        self._drained()

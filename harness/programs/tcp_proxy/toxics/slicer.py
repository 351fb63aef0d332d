"""`slicer`: bytes pass in small pieces, with a pause after each."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from harness.programs.tcp_proxy.toxics.holding import HoldingStage
from harness.programs.tcp_proxy.toxics.stage import CHUNK_BYTES, Kind, Stage, StageContext

DAY_US = 86_400_000_000
SIZE_BYTES_MAX = 1 << 30
_TIMER_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Slicer(Kind):
    """Cut each chunk into pieces of `average_size` ± `size_variation` bytes, `delay` microseconds apart."""

    average_size: int = field(default=0, metadata={"maximum": SIZE_BYTES_MAX})
    size_variation: int = field(default=0, metadata={"maximum": SIZE_BYTES_MAX})
    delay: int = field(default=0, metadata={"maximum": DAY_US})

    def problem(self) -> str:
        """Toxiproxy takes these and dies of them at the first bytes."""
        if self.average_size < 1:
            return "attributes.average_size must be at least 1"
        if self.size_variation > self.average_size:
            return "attributes.size_variation must not be above attributes.average_size"
        return ""

    def stage(self, context: StageContext) -> Stage:
        """A queue of chunks, the first of which is being cut."""
        return _Pieces(context, self)


class _Pieces(HoldingStage):
    """Sends a piece, waits, sends the next.

    Pauses are counted from one due time to the next, so that pieces microseconds apart keep their pace
    although timers count milliseconds; what is later than that is not caught up with.
    """

    # Toxiproxy has no buffer here: it reads the next chunk once this one is gone.
    held_bytes_max: ClassVar[int] = CHUNK_BYTES

    def __init__(self, context: StageContext, kind: Slicer) -> None:
        super().__init__(context)
        self._rng = context.rng
        self._drained = context.drained
        self._kind = kind
        self._sizes: deque[int] = deque()
        self._due = 0.0

    def receive(self, data: bytes, arrived: float) -> None:
        self._hold(data, arrived)
        if self._timer is None:
            self._due = self._clock.now()
            self._send_due()

    def finish(self) -> None:
        self._ending = True
        if self._timer is None:
            self._finish_when_empty()

    def update(self, kind: Slicer) -> None:
        # Toxiproxy interrupts the pause and sends what is left of the chunk as one piece.
        self._kind = kind
        self._cancel()
        if self._sizes:
            self._pass(len(self._chunks[0][0]))
            self._sizes.clear()
        self._due = self._clock.now()
        self._send_due()

    def release(self) -> None:
        self._cancel()
        while self._chunks:
            self._pass(len(self._chunks[0][0]))
        self._finish_when_empty()

    def discard(self) -> None:
        super().discard()
        self._sizes.clear()

    def _send_due(self) -> None:
        self._timer = None
        while self._chunks:
            now = self._clock.now()
            if self._due > now:
                break
            if not self._sizes:
                self._sizes.extend(_sizes(self._kind, self._rng, len(self._chunks[0][0])))
            self._pass(self._sizes.popleft())
            self._due = max(self._due, now - _TIMER_SECONDS) + self._kind.delay / 1e6
        if self._due > self._clock.now():
            # The pause after the last piece holds the end of the stream back too.
            self._timer = self._clock.call_later(self._due - self._clock.now(), self._send_due)
        else:
            self._finish_when_empty()

    def _pass(self, size: int) -> None:
        data, arrived = self._take(size)
        if size:
            self.outlet.receive(data, arrived)
        self._drained()


def _sizes(kind: Slicer, rng: random.Random, total: int) -> Iterator[int]:
    """Yield the sizes of the pieces of `total` bytes, in order.

    Toxiproxy's rule (toxics/slicer.go, `chunk`): halve at the middle ± variation until a piece is at most
    average + variation long.
    """
    to_cut = [total]
    while to_cut:
        size = to_cut.pop()
        if size - kind.average_size <= kind.size_variation:
            yield size
            continue
        left = size // 2
        if kind.size_variation:
            left += rng.randrange(2 * kind.size_variation) - kind.size_variation
        to_cut += [size - left, left]

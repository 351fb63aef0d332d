"""`limit_data`: after so many bytes the stream ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.programs.tcp_proxy.toxics.stage import Kind, Stage, StageContext


@dataclass(frozen=True, slots=True)
class LimitData(Kind):
    """Pass the first `bytes` bytes of each connection and close it; 0 closes at the first byte.

    As in Toxiproxy, the last byte allowed closes too, and a changed limit counts what has passed already.
    """

    bytes: int = field(default=0, metadata={"maximum": 1 << 62})

    def stage(self, context: StageContext) -> Stage:
        """A counter of this connection's bytes."""
        return _Quota(context, self)


class _Quota(Stage):
    def __init__(self, context: StageContext, kind: LimitData) -> None:
        super().__init__(context)
        self._kind = kind
        self._passed_bytes = 0
        self._closed = False

    def receive(self, data: bytes, arrived: float) -> None:
        if self._closed:
            return
        allowed = data[: max(0, self._kind.bytes - self._passed_bytes)]
        if allowed:
            self._passed_bytes += len(allowed)
            self.outlet.receive(allowed, arrived)
        if self._passed_bytes >= self._kind.bytes:
            self.finish()

    def finish(self) -> None:
        if not self._closed:
            self._closed = True
            self.outlet.finish()

    def update(self, kind: LimitData) -> None:
        # A limit that is passed already shows at the next byte only.
        self._kind = kind

"""`slow_answers`: the store works normally, and its answer is delayed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request
from harness.programs.http_interceptor.rules.kind import Kind, require

_DELAY_MS_MAX = 600_000
_NOTED_EVERY_MS = 100.0


@dataclass(frozen=True)
class SlowAnswers(Kind):
    """The answer leaves `delay_ms` ± `jitter_ms` after the store gave it, uniform in between."""

    path: ClassVar[str] = "*"
    delay_ms: float = 1_000.0
    jitter_ms: float = 0.0

    def __post_init__(self) -> None:
        require(0 < self.delay_ms <= _DELAY_MS_MAX, f"delay_ms must be above 0, at most {_DELAY_MS_MAX}")
        require(0 <= self.jitter_ms <= self.delay_ms, "jitter_ms must be 0 to delay_ms")

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Hold the answer back."""
        answer = await onward(request)
        note("delayed", 1)
        delay_ms = self.delay_ms + rng.uniform(-self.jitter_ms, self.jitter_ms)
        await _hold(delay_ms, note)
        return answer


async def _hold(delay_ms: float, note: Note) -> None:
    """Wait, and note what has passed as it passes: the client may hang up, or the fault end, before."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    noted_ms = 0
    try:
        while (passed_ms := (loop.time() - began) * 1000) < delay_ms:
            note("delayed_ms", int(passed_ms) - noted_ms)
            noted_ms = int(passed_ms)
            await asyncio.sleep(min(delay_ms - passed_ms, _NOTED_EVERY_MS) / 1000)
    finally:
        note("delayed_ms", round(min((loop.time() - began) * 1000, delay_ms)) - noted_ms)

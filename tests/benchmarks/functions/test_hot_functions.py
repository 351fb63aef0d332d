"""Measures the CPU time of each hot function, and right before each of its rounds that of the reference."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest

from tests.benchmarks.functions.measured import Measured, Round
from tests.benchmarks.functions.pairs import PAIRS, Pair


class References:
    """Prepares each round of a pair, and measures its reference twice on the same work."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._work = None if pair.is_used_up else pair.prepare(pair.units)
        self.seconds: list[tuple[float, float]] = []

    def __call__(self) -> tuple[tuple[Any], dict[str, Any]]:
        """Return what the function's next round is called with."""
        work = self._pair.prepare(self._pair.units) if self._work is None else self._work
        gc.collect()
        gc.disable()  # as it is while the function is measured
        try:
            self._pair.reference(work)  # the work is in the processor's caches for all that is measured
            self.seconds.append((self._measured(work), self._measured(work)))
        finally:
            gc.enable()
        return (work,), {}

    def _measured(self, work: Any) -> float:
        began = time.process_time()
        self._pair.reference(work)
        return time.process_time() - began


@pytest.mark.timeout(600)
@pytest.mark.benchmark(disable_gc=True, timer=time.process_time)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_hot_function(pair: Pair, benchmark: Any, measured: Measured) -> None:
    references = References(pair)

    benchmark.pedantic(pair.function, setup=references, rounds=pair.rounds, warmup_rounds=1)

    seconds = benchmark.stats.stats.data
    before = references.seconds[-len(seconds) :]  # without the round that warmed up
    measured.rounds[pair.name] = [
        Round(*both, function) for both, function in zip(before, seconds, strict=True)
    ]

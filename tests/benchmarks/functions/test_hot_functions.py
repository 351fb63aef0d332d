"""Measures each hot function between two measurements of its reference."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.functions.measured import FUNCTION, ROLES, Measured
from tests.benchmarks.functions.pairs import PAIRS, Pair


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("pair", "role"),
    [
        pytest.param(
            pair,
            role,
            id=f"{pair.name}-{role}",
            marks=pytest.mark.benchmark(group=pair.name, disable_gc=True),
        )
        for pair in PAIRS
        for role in ROLES
    ],
)
def test_hot_function(pair: Pair, role: str, benchmark: Any, measured: Measured) -> None:
    function = pair.function if role == FUNCTION else pair.reference
    work = None if pair.is_used_up else pair.prepare(pair.units)

    benchmark.pedantic(
        function,
        setup=lambda: ((pair.prepare(pair.units) if work is None else work,), {}),
        rounds=pair.rounds,
        warmup_rounds=1,
    )

    measured.seconds[pair.name, role] = benchmark.stats.stats.min

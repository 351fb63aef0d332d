"""The slowest percent of log calls, at 1,000 a second, while the store is healthy, slow or dead.

Each run is a process of its own, because a sender's threads would slow a NullHandler beside them down as
well; NullHandler runs before and after the others of every phase.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack

from tests.benchmarks.callers.compare import STATES, Field, run_one
from tests.benchmarks.paths.row import Row

_NULL = "NullHandler"
_OURS = ("logging_system, ship beside it", "logging_system, in one process")
_LOAD = ("3000", "1000", "1")


def measure() -> list[Row]:
    """Return p99 of a call in every phase as a ratio to a NullHandler's."""
    with ExitStack() as stack:
        field = Field(stack)
        return [row for state in STATES for row in _phase(field, state)]


def _phase(field: Field, state: str) -> Iterator[Row]:
    order = (_NULL, *_OURS, *_OURS[::-1], _NULL)
    runs = [(name, run_one(field, name, state if name in _OURS else STATES[0], _LOAD)) for name in order]
    p99_us = {
        name: statistics.mean(run.figures["call_p99_us"] for which, run in runs if which == name)
        for name in (_NULL, *_OURS)
    }
    assert sum(run.lost for _, run in runs) == 0
    for name in _OURS:
        yield Row(
            f"call p99, {state} store: {name.partition(', ')[2]}",
            p99_us[name] / p99_us[_NULL],
            "x NullHandler",
            "≤ 2",
        )

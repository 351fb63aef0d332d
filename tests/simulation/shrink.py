"""Finds a smaller schedule that still breaks a promise, by leaving faults out (delta debugging).

A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.delivery import Simulation
from tests.simulation.faults import Fault

RUNS_MAX = 150


def failure_of(simulation: Simulation) -> str | None:
    """Run a simulation and say which promise it broke, if any; a crash of the machine is one."""
    try:
        simulation.run()
    except AssertionError as broken:
        return str(broken)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        return f"the machine raised {error!r}"
    return None


def shrink(
    seed: int, schedule: Sequence[Fault], simulation: type[Simulation] = Simulation
) -> tuple[Fault, ...]:
    """Return a part of the schedule that still fails.

    Args:
        seed: The seed that failed.
        schedule: Its faults.
        simulation: What runs it.
    """
    kept, runs = tuple(schedule), 0
    size = max(1, len(kept) // 2)
    while runs < RUNS_MAX:
        before = len(kept)
        start = 0
        while start < len(kept) and runs < RUNS_MAX:
            fewer = kept[:start] + kept[start + size :]
            runs += 1
            if failure_of(simulation(seed, fewer)) is not None:
                kept = fewer
            else:
                start += size
        if size == 1 and len(kept) == before:
            break
        size = max(1, size // 2)
    return kept

"""`python -m tests.simulation --seeds 1000 --first 0`: run seeds, shrink and print what fails."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

from tests.simulation.campaign import PROCESSES, Totals, Trial, run_seeds
from tests.simulation.delivery import Simulation
from tests.simulation.shrink import failure_of, shrink


def main(
    arguments: list[str] | None = None,
    *,
    simulation_of: type[Simulation] = Simulation,
    command: str = "python -m tests.simulation",
) -> int:
    """Run seeds; exit code 1 if any failed.

    Args:
        arguments: Those of the command line.
        simulation_of: What runs a seed.
        command: How this program is called.
    """
    parser = argparse.ArgumentParser(prog=command)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--failures-max", type=int, default=3, help="stop after so many failures")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many run seeds at once")
    parser.add_argument("--json", action="store_true", help="print only the count, and shrink nothing")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    if options.json:
        return _count(simulation_of, seeds, options.failures_max)
    totals = run_seeds(
        simulation_of.name,
        partial(_run, simulation_of, command),
        seeds,
        processes=options.processes,
        failures_max=options.failures_max,
    )
    return 1 if totals.failures else 0


def _count(simulation_of: type[Simulation], seeds: range, failures_max: int) -> int:
    totals = Totals()
    for seed in seeds:
        totals += Trial(seed, failure_of(simulation_of(seed)))
        if totals.failures >= failures_max:
            break
    print(json.dumps({"ran": totals.seeds, "failures": totals.failures}))
    return 1 if totals.failures else 0


def _run(simulation_of: type[Simulation], command: str, seed: int) -> Trial:
    simulation = simulation_of(seed)
    trouble = failure_of(simulation)
    if trouble is not None:
        trouble = report(seed, trouble, simulation, command)
    return Trial(seed, trouble, simulation.records, simulation.faults, simulation.requests)


def report(seed: int, trouble: str, simulation: Simulation, command: str) -> str:
    """Return how to see a failure again, and the smallest schedule that still fails."""
    faults = shrink(seed, simulation.schedule, type(simulation))
    return "\n".join(
        [
            f"seed {seed}: {trouble}",
            f"  again: {command} --first {seed} --seeds 1",
            "  smallest schedule that fails:",
            *(f"    {fault}" for fault in faults),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

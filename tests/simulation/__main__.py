"""`python -m tests.simulation --seeds 1000 --first 0`: run seeds, shrink and print what fails."""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.simulation.delivery import Simulation
from tests.simulation.shrink import failure_of, shrink


def main(
    arguments: list[str] | None = None,
    *,
    simulation_of: type[Simulation] = Simulation,
    command: str = "python -m tests.simulation",
) -> int:
    """Run seeds one after the other; exit code 1 if any failed.

    Args:
        arguments: Those of the command line.
        simulation_of: What runs a seed.
        command: How this program is called.
    """
    parser = argparse.ArgumentParser(prog=command)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--failures-max", type=int, default=3, help="stop after so many failures")
    parser.add_argument("--json", action="store_true", help="print only the count, and shrink nothing")
    options = parser.parse_args(arguments)
    began_seconds = time.monotonic()
    failures = ran = faults = requests = 0
    for seed in range(options.first, options.first + options.seeds):
        simulation = simulation_of(seed)
        trouble = failure_of(simulation)
        ran, faults, requests = ran + 1, faults + simulation.faults, requests + simulation.requests
        if trouble is None:
            continue
        failures += 1
        if not options.json:
            report(seed, trouble, simulation, command)
        if failures >= options.failures_max:
            break
    if options.json:
        print(json.dumps({"ran": ran, "failures": failures}))
        return 1 if failures else 0
    seconds = time.monotonic() - began_seconds
    print(
        f"{ran} seeds, {faults} faults, {requests} requests, {failures} failures, {ran / seconds:.1f} seeds/s"
    )
    return 1 if failures else 0


def report(seed: int, trouble: str, simulation: Simulation, command: str) -> None:
    """Print how to see a failure again, and the smallest schedule that still fails."""
    print(f"seed {seed}: {trouble}")
    print(f"  again: {command} --first {seed} --seeds 1")
    print("  smallest schedule that fails:")
    for fault in shrink(seed, simulation.schedule, type(simulation)):
        print(f"    {fault}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

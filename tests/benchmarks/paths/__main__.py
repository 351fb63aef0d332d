"""`python -m tests.benchmarks.paths`: each path as a ratio to a bare loop of the same run, interleaved."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable

from tests.benchmarks.paths import backlog, gateway, group_commit, recovery, store
from tests.benchmarks.paths.row import Row

PATHS: dict[str, Callable[[], list[Row]]] = {
    "spool": group_commit.measure,
    "gateway": gateway.measure,
    "store": store.measure,
    "recovery": recovery.measure,
    "backlog": backlog.measure,
}


def main() -> None:
    """Measure what was named, all of it by default, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.paths", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help=f"{', '.join(PATHS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[Row]] = {}
    for number in range(options.rounds):
        for name in options.paths or PATHS:
            sys.stderr.write(f"round {number + 1}: {name}\n")
            for row in PATHS[name]():
                found.setdefault(row.what, []).append(row)
    sys.stdout.write("| path | median | range | goal |\n| --- | --- | --- | --- |\n")
    for what, rows in found.items():
        values = [row.value for row in rows]
        middle = statistics.median(values)
        unit, goal = rows[0].unit, rows[0].goal
        sys.stdout.write(
            f"| {what} | {middle:,.2f} {unit} | {min(values):,.2f} to {max(values):,.2f} | {goal} |\n"
        )


main()

"""`python -m tests.benchmarks.paths`: each path as a ratio to a bare loop of the same run, interleaved."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.benchmarks import page
from tests.benchmarks.paths import (
    backlog,
    gateway,
    group_commit,
    log_call,
    masking,
    recovery,
    rotation,
    sealing,
    store,
)
from tests.benchmarks.paths.row import Row, table

PATHS: dict[str, Callable[[], list[Row]]] = {
    "log-call": log_call.measure,
    "spool": group_commit.measure,
    "gateway": gateway.measure,
    "gateway-protected": gateway.measure_protected,
    "store": store.measure,
    "recovery": recovery.measure,
    "backlog": backlog.measure,
    "masking": masking.measure,
    "sealing": sealing.measure,
    "rotation": rotation.measure,
}


def measure(names: Sequence[str], turns: int) -> dict[str, list[Row]]:
    """Return the rows of all rounds by path, in turn; a path that failed once is reported and left out."""
    found: dict[str, list[Row]] = {name: [] for name in names}
    for turn in range(turns):
        for name in names:
            if name not in found:
                continue
            sys.stderr.write(f"round {turn + 1}: {name}\n")
            try:
                found[name] += PATHS[name]()
            except (Exception, pytest.skip.Exception):  # the others took minutes; they are not thrown away
                traceback.print_exc()
                del found[name]
    return found


def main() -> None:
    """Measure what was named, all of it by default, and print a table of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.paths", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help=f"{', '.join(PATHS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page, too")
    options = parser.parse_args()
    if unknown := set(options.paths) - set(PATHS):
        parser.error(f"no path {', '.join(sorted(unknown))}; there are {', '.join(PATHS)}")
    names = list(dict.fromkeys(options.paths)) or list(PATHS)
    command = shlex.join(["python", "-m", "tests.benchmarks.paths", *names, "--rounds", str(options.rounds)])
    provenance = page.provenance(command)
    began_seconds = time.monotonic()
    found = measure(names, options.rounds)
    sys.stderr.write(f"took {time.monotonic() - began_seconds:.0f} s\n")
    for name, rows in found.items():
        sys.stdout.write(f"{name}\n\n{table(rows)}\n\n")
    if options.write:
        page.write(options.write, {name: f"{table(rows)}\n\n{provenance}" for name, rows in found.items()})
    if failed := set(names) - set(found):
        sys.exit(f"not measured, see above: {', '.join(sorted(failed))}")


if __name__ == "__main__":
    main()

"""`python -m tests.benchmarks.callers`: what a log call costs, and what is lost, beside other ways to log."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import page
from tests.benchmarks.callers.caller import Load
from tests.benchmarks.callers.compare import Comparison, plan
from tests.benchmarks.callers.contenders import CONTENDERS, PACKAGES
from tests.benchmarks.callers.field import Field
from tests.benchmarks.callers.outcome import costs, goal_rows, headline, losses
from tests.benchmarks.paths.row import table


def main() -> None:
    """Compare, print the tables, and put them into pages if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.callers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=list(CONTENDERS), help="repeat for more")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page, too")
    parser.add_argument("--headline", type=Path, metavar="PAGE", help="put the shortest one into this page")
    options = parser.parse_args()
    only = [word for name in options.only or () for word in ("--only", name)]
    names = [name for name in CONTENDERS if name in (options.only or CONTENDERS)]
    words = ["python", "-m", "tests.benchmarks.callers", "--rounds", str(options.rounds), *only]
    provenance = page.provenance(shlex.join(words), PACKAGES)
    began_seconds = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callers-")))
        comparison = Comparison(Field(stack), folder, Load())
        outcomes = comparison.outcomes(plan(names, options.rounds))
    sys.stderr.write(f"took {time.monotonic() - began_seconds:.0f} s\n")
    parts = {
        "callers-cost": costs(outcomes),
        "callers-loss": losses(outcomes),
        "callers-goals": table(goal_rows(outcomes)),
    }
    sys.stdout.write("\n\n".join([*parts.values(), headline(outcomes)]) + "\n")
    if options.write:
        page.write(options.write, {name: f"{part}\n\n{provenance}" for name, part in parts.items()})
    if options.headline:
        page.write(options.headline, {"headline": headline(outcomes)})


if __name__ == "__main__":
    main()

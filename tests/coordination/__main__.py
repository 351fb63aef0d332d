"""`python -m tests.coordination`: run the suites default and disk on the stack that finds, and quiet runs.

Prints the table of docs/reference/proofs.md. Each scenario that ran is a line of a file under reports/, so
what was interrupted goes on where it was; a line of another commit of the
products or scenarios does not count. A run that could not be decided, such as one whose load stalled, is run
again, at most twice; one in which something was missed, late, misnamed or false never is. A scenario that
names its checks, and none of findings among them, is left out: nobody judges findings there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.config.library import Sort, open_library
from harness.config.scenario import load_scenario
from harness.config.suite import load_suite
from tests.coordination.tally import (
    Row,
    is_as_promised,
    is_worth_repeating,
    judges_findings,
    row_from,
    row_of,
    table,
)
from tests.runs_of_logquake import NotJudgedError, run_judged

STACK = "reference_findings"
QUIET_SCENARIO = "findings_calm"
_RUN_SECONDS_MAX = 1_800
_REPEATS_MAX = 2
_Run = tuple[str, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what has not run yet; return 1 where findings are not as promised, 7 where a run broke."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.coordination",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=5, help="of each suite; default 5")
    parser.add_argument("--first", type=int, default=1, help="the first seed; default 1")
    parser.add_argument("--quiet", type=int, default=10, help="runs without a fault; default 10")
    parser.add_argument("--suites", nargs="*", default=["default", "disk"])
    parser.add_argument("--resume", type=Path, default=Path("reports/coordination.jsonl"))
    parser.add_argument("--table", action="store_true", help="run nothing, print what the file holds")
    parser.add_argument("--any-commit", action="store_true", help="count what other commits came to, too")
    options = parser.parse_args(arguments)
    commit = _output("git", "log", "-1", "--format=%h", "--", "harness", "logging_system", "scenarios")
    known = _known(options.resume, "" if options.any_commit else commit)
    wanted = list(_wanted(options))
    broken = 0
    for run in wanted if not options.table else ():
        if run in known:
            continue
        row = _examined(*run, options.resume.parent)
        broken += row is None
        if row is not None:
            known[run] = row
            _keep(options.resume, commit, run, row)
    rows = [known[run] for run in (known if options.table else wanted) if run in known]
    print("\n".join(table(rows)))
    for line in (line for row in rows for line in row.said):
        print(f"  {line}")
    print(f"commit {commit}, load average {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores")
    return 7 if broken else 0 if is_as_promised(rows) else 1


def _wanted(options: argparse.Namespace) -> Iterator[_Run]:
    library = open_library(Path.cwd())
    scenarios = library.names(Sort.SCENARIO)
    suites = [load_suite(library.find(Sort.SUITE, suite).path, scenarios) for suite in options.suites]
    names = dict.fromkeys(
        name
        for suite in suites
        for name in suite.scenarios
        if judges_findings(_checks_of(library.find(Sort.SCENARIO, name).path))
    )
    for seed in range(options.first, options.first + options.seeds):
        for name in names:
            yield name, seed
    for seed in range(options.first, options.first + options.quiet):
        yield QUIET_SCENARIO, seed


def _checks_of(scenario: Path) -> list[str]:
    return [check.kind for check in load_scenario(scenario).checks]


def _examined(scenario: str, seed: int, reports: Path) -> Row | None:
    """Run a scenario, again where nothing was decided; return what it says of findings, or None."""
    row = _run(scenario, seed, reports)
    for _ in range(_REPEATS_MAX):
        if row is not None and not is_worth_repeating(row):
            break
        row = _run(scenario, seed, reports)
    return row


def _run(scenario: str, seed: int, reports: Path) -> Row | None:
    """Run a scenario; return what it says of findings, or None where it ended by an error."""
    out = reports / "coordination" / f"{scenario}-{seed}"
    command = ["run", scenario, "--stack", STACK, "--seed", str(seed), "--repeats", "0", "--out", str(out)]
    try:
        (result,) = run_judged(command, _RUN_SECONDS_MAX).scenarios
    except NotJudgedError as error:
        print(f"{scenario}, seed {seed}: {error}")
        return None
    row = row_from(result)
    print(
        f"{scenario}, seed {seed}: {row.found} of {row.owed} found, {row.named} by their name, "
        f"{row.false} false{', not decided' if row.undecided else ''}; load average {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return row


def _known(path: Path, commit: str) -> dict[_Run, Row]:
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {
        (each["scenario"], each["seed"]): row_of(each["row"])
        for each in lines
        if commit in {"", each["commit"]}
    }


def _keep(path: Path, commit: str, run: _Run, row: Row) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    load_average = round(os.getloadavg()[1], 1)
    scenario, seed = run
    line = {"commit": commit, "scenario": scenario, "seed": seed, "load_average": load_average}
    with path.open("a") as file:
        file.write(json.dumps({**line, "row": row.content()}) + "\n")


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

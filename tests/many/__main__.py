"""`python -m tests.many`: kill one of three gateways and one of three nodes at full load, and print a table.

First a gateway that keeps records in memory is killed, which must be seen, beside its honest twin, which must
pass. Ends with 1 where anything else came out, and with 7 where a server is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.deployments.debian_packages import find_daemon
from harness.deployments.installed import SERVERS, find
from tests.runs_of_logquake import NotJudgedError, run_judged

_HERE = Path(__file__).parent
_RUN_SECONDS_MAX = 3_600
_LOST = "acknowledged_lost"
_NEVER = (_LOST, "duplicated", "corrupted")
"""What no scenario may cost; how fast it went says as much of the machine as of the stack."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what is run on which stack, and whether it is known to lose records."""

    words: tuple[str, ...]
    stack: str
    backend: str
    loses: bool = False


_SUITE = ("--suite", "many_machines")
RUNS = (
    Run((str(_HERE / "gateway_killed.yaml"),), str(_HERE / "in_memory.yaml"), "embedded", loses=True),
    Run((str(_HERE / "gateway_killed.yaml"),), str(_HERE / "honest.yaml"), "embedded"),
    Run(_SUITE, "gateways_three", "embedded"),
    Run(_SUITE, "many_machines", "local"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; return 1 where something differs from what is expected, 7 where nothing can run."""
    parser = argparse.ArgumentParser(prog="python -m tests.many")
    parser.add_argument("--out", type=Path, default=Path("reports"))
    parser.add_argument("--stacks", nargs="+", default=[], help="parts of the stacks' names; default: all")
    parser.add_argument("--scenarios", nargs="+", default=[], help="some of the suite; default: all of it")
    options = parser.parse_args(arguments)
    if find_daemon("haproxy") is None:
        print("haproxy is not installed; `logquake servers install haproxy` fetches it from Debian")
        return 7
    wanted = [
        replace(run, words=tuple(options.scenarios)) if options.scenarios and run.words == _SUITE else run
        for run in RUNS
        if not options.stacks or any(word in run.stack for word in options.stacks)
    ]
    able = [run for run in wanted if not missing(run)]
    for run in wanted:
        if run not in able:
            print(f"{run.stack} on {run.backend}: not run: {missing(run)} not installed; see `make servers`")
    problems = [problem for run in able for problem in examine(run, options.out)]
    print(f"{len(able)} runs; " + ("; ".join(problems) or "all as expected"))
    return 1 if problems else 0 if able else 7


def missing(run: Run) -> str:
    """Return the servers that a run lacks, for a person."""
    lacking = [name for name in SERVERS if find(name) is None] if run.backend == "local" else []
    return ", ".join(lacking)


def examine(run: Run, out: Path) -> list[str]:
    """Run it, print a row a scenario, and return what differs from what is expected."""
    command = ["run", *run.words, "--stack", run.stack, "--backend", run.backend, "--out", str(out)]
    print(f"\nlogquake {' '.join(command)}", flush=True)
    try:
        ran = run_judged(command, _RUN_SECONDS_MAX)
    except NotJudgedError as error:
        return [f"{run.stack}: {error}"]
    return [problem for scenario in ran.scenarios if (problem := _row(run, scenario))]


def _row(run: Run, scenario: Mapping[str, Any]) -> str:
    """Print what came of a scenario; return what is wrong with that, empty where nothing is."""
    verdicts = scenario["verdicts"]
    statuses = {each["objective"]: each["status"] for each in verdicts}
    name = f"{Path(run.stack).stem} {scenario['scenario']['name']}"
    print(f"  {name}: " + ", ".join(f"{word} {status}" for word, status in statuses.items()), flush=True)
    lost = next((each for each in verdicts if each["objective"] == _LOST), {"summary": "not judged"})
    print(f"    {lost['summary']}")
    if run.loses:
        return "" if statuses.get(_LOST) == "FAIL" else f"{name}: its loss was not seen"
    bad = [word for word in _NEVER if statuses.get(word, "PASS") != "PASS"]
    return f"{name}: {', '.join(bad)}" if bad else ""


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.foreign`: run foreign stacks under the default suite, and say what is not as known.

Prints a table a run; ends with 1 where one differs. What is not installed is left out, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.deployments.debian_packages import find_daemon
from harness.deployments.installed import SERVERS, find
from tests.foreign.expectations import SMOKE, STACKS, Expected, Found, found_in, problem_of
from tests.runs_of_logquake import NotJudgedError, run_judged

SMOKE_FOLDER = Path(__file__).parent / "smoke"
# The default suite takes some ten minutes of a stack that loses records: each loss is waited for.
_RUN_SECONDS_MAX = 3_600
_SUMMARY_CHARACTERS = 110


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 1 where a result is not the known one, and 7 where nothing can run."""
    parser = argparse.ArgumentParser(prog="python -m tests.foreign")
    parser.add_argument("--stacks", nargs="+", choices=sorted(STACKS), default=list(STACKS))
    parser.add_argument("--backends", nargs="+", choices=("embedded", "local"), default=["embedded", "local"])
    parser.add_argument("--scenarios", nargs="+", default=[], help="some of the default suite; default: all")
    parser.add_argument("--smoke", action="store_true", help="the short list for CI, on the embedded backend")
    parser.add_argument("--out", type=Path, default=Path("reports"))
    options = parser.parse_args(arguments)
    if options.smoke:
        stacks, backends = ["rsyslog"], ["embedded"]
        words = [str(SMOKE_FOLDER / f"{name}.yaml") for name in SMOKE]
    else:
        stacks, backends, words = options.stacks, options.backends, options.scenarios
    ran, problems = 0, 0
    for stack in stacks:
        for backend in backends:
            if why := why_not(stack, backend):
                print(f"{stack} on {backend}: not run: {why}", flush=True)
                continue
            ran += 1
            expected = SMOKE if options.smoke else STACKS[stack]
            problems += examine(stack, backend, words, expected, options.out)
    print(f"{ran} runs, {problems} scenarios that differ from what is known")
    return 1 if problems else 0 if ran else 7


def why_not(stack: str, backend: str) -> str:
    """Say what is missing for a run; empty where nothing is."""
    daemon = "syslog-ng" if stack.startswith("syslog_ng") else "rsyslog"
    if find_daemon(daemon) is None:
        return f"{daemon} is not installed; `make foreign` fetches it from Debian"
    missing = [name for name in SERVERS if find(name) is None] if backend == "local" else []
    return f"{', '.join(missing)} not installed; see `make servers`" if missing else ""


def examine(
    stack: str, backend: str, words: Sequence[str], expected: Mapping[str, Expected], out: Path
) -> int:
    """Run one stack, print its table, and return how many scenarios differ from what is expected."""
    command = ["run", *words, "--stack", stack, "--backend", backend, "--out", str(out)]
    print(f"\n{stack} on {backend}: logquake {' '.join(command)}", flush=True)
    try:
        ran = run_judged(command, _RUN_SECONDS_MAX)
    except NotJudgedError as error:
        print(f"  {error}")
        return 1
    rows = [(found, problem_of(found, expected)) for found in found_in(ran.scenarios)]
    for found, problem in rows:
        print_row(found, problem)
    print(f"  result: {ran.path}", flush=True)
    return sum(1 for _, problem in rows if problem)


def print_row(found: Found, problem: str) -> None:
    """Print what a scenario came to, in a line for each objective that failed."""
    print(f"  {found.scenario:20} {found.status:12} {f'NOT AS KNOWN: {problem}' if problem else ''}".rstrip())
    for objective, summary in found.failed.items():
        print(f"  {'':20} {objective}: {summary[:_SUMMARY_CHARACTERS]}")


if __name__ == "__main__":
    sys.exit(main())

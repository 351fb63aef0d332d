"""`python -m tests.fuzz`: runs a campaign, or one of its inputs again."""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.campaign import Counts, Report, run
from tests.fuzz.mutations import input_of
from tests.fuzz.targets import TARGETS
from tests.fuzz.trial import attempt, bound_memory
from tests.fuzz.worker import WORKERS, Finding, Plan
from tests.simulation.campaign import commit

FAMILY = "tests.fuzz.targets"
FOUND = Path("reports/fuzz")
CORPUS = Path(__file__).resolve().parent / "corpus"
_PROGRESS_SECONDS = 10.0


def main() -> int:
    """Run the command line; return the exit code: 0 nothing found, 1 something found."""
    arguments = _arguments()
    if arguments.replay:
        return _replay(*arguments.replay)
    names = (arguments.target,) if arguments.target else tuple(TARGETS)
    shares = sum(TARGETS[name].share for name in names)
    plan = Plan(FAMILY, names, arguments.seed, math.ceil(arguments.inputs / shares))
    began_seconds = time.monotonic()
    report = run(plan, on_progress=_progress(plan, began_seconds))
    for finding in report.findings:
        _tell(finding)
    _summary(report, plan, time.monotonic() - began_seconds)
    whole = all(counts.tried == plan.inputs_of(place) for place, counts in enumerate(report.counts.values()))
    return 1 if report.findings or not whole else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--inputs", type=int, default=1_000_000, help="inputs in total, shared by the targets"
    )
    parser.add_argument("--target", choices=sorted(TARGETS), help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="decides all mutations")
    parser.add_argument("--replay", type=_address, metavar="TARGET:SEED:NUMBER", help="one input again")
    return parser.parse_args()


def _address(text: str) -> tuple[str, int, int]:
    name, seed, number = text.split(":")
    if name not in TARGETS:
        raise ValueError(name)
    return name, int(seed), int(number)


def _replay(name: str, seed: int, number: int) -> int:
    target = TARGETS[name]
    seeds = target.seeds()
    attempt(target, seeds[0])
    bound_memory()
    body = input_of(target, seeds, seed, number)
    print(f"{len(body)} bytes: {body[:2_000]!r}")
    outcome = attempt(target, body)
    if outcome.failure is None:
        print("kept, and every promise held" if outcome.kept else "refused, as documented")
        return 0
    print(outcome.failure.details)
    return 1


def _progress(plan: Plan, began_seconds: float) -> Callable[[Report], None]:
    due_seconds = began_seconds + _PROGRESS_SECONDS

    def tell(report: Report) -> None:
        nonlocal due_seconds
        now_seconds = time.monotonic()
        if now_seconds < due_seconds:
            return
        due_seconds = now_seconds + _PROGRESS_SECONDS
        tried = sum(counts.tried for counts in report.counts.values())
        total = sum(plan.inputs_of(place) for place in range(len(plan.names)))
        print(
            f"{now_seconds - began_seconds:6.0f} s  {tried:,} of {total:,} inputs, "
            f"{len(report.findings)} found",
            file=sys.stderr,
        )

    return tell


def _tell(finding: Finding) -> None:
    folder = FOUND / finding.target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(finding.body).hexdigest()[:12]}.bin"
    path.write_bytes(finding.body)
    kept = CORPUS.relative_to(Path.cwd()) if CORPUS.is_relative_to(Path.cwd()) else CORPUS
    print(
        f"\nFOUND {finding.target}, seed {finding.seed}, input {finding.number}: {finding.signature}\n"
        f"  again: python -m tests.fuzz --replay {finding.target}:{finding.seed}:{finding.number}\n"
        f"  shrunk to {len(finding.body)} bytes in {path}; "
        f"once it is mended, move it to {kept / finding.target}/\n"
        f"  {finding.body[:200]!r}\n{finding.details}"
    )


def _summary(report: Report, plan: Plan, seconds: float) -> None:
    line = "{:<22}{:>12}{:>12}{:>12}{:>8}{:>8}"
    print("\n" + line.format("target", "inputs", "kept", "refused", "failed", "kinds"))
    for name, counts in report.counts.items():
        kinds = sum(finding.target == name for finding in report.findings)
        print(line.format(name, *_figures(counts), kinds))
    total = Counts(
        sum(counts.kept for counts in report.counts.values()),
        sum(counts.refused for counts in report.counts.values()),
        sum(counts.failed for counts in report.counts.values()),
    )
    print(line.format("all", *_figures(total), len(report.findings)))
    print(
        f"fuzz: {total.tried} inputs, seed {plan.seed}, {len(plan.names)} targets, {total.failed} failures, "
        f"{seconds:.0f} s on {WORKERS} processes, commit {commit()}"
    )


def _figures(counts: Counts) -> tuple[str, ...]:
    return tuple(f"{number:,}" for number in (counts.tried, counts.kept, counts.refused, counts.failed))


if __name__ == "__main__":
    sys.exit(main())

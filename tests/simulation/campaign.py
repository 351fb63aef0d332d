"""Runs many seeds on several processes and says in one line what ran, on which commit."""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROCESSES = 2
_PROGRESS_SECONDS = 30.0
_SEEDS_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """What one seed did.

    Attributes:
        seed: Which.
        trouble: What was wrong, with the command that shows it again; None if nothing was.
        records: Records handed in.
        faults: Faults that hit.
        requests: Requests to the store.
    """

    seed: int
    trouble: str | None
    records: int = 0
    faults: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """What a campaign did; as `Trial`, summed up."""

    seeds: int = 0
    records: int = 0
    faults: int = 0
    requests: int = 0
    failures: int = 0

    def __add__(self, trial: Trial) -> Totals:
        return Totals(
            self.seeds + 1,
            self.records + trial.records,
            self.faults + trial.faults,
            self.requests + trial.requests,
            self.failures + (trial.trouble is not None),
        )


def run_seeds(
    name: str, run: Callable[[int], Trial], seeds: range, *, processes: int = PROCESSES, failures_max: int = 3
) -> Totals:
    """Run seeds in order, print each failure as it comes, how far it is, and at last one line of totals.

    A campaign that was cut short goes on with `--first` at the seed that its last line of progress names.

    Args:
        name: What runs, for the last line.
        run: Runs one seed; a function that another process can import.
        seeds: Which.
        processes: How many at once.
        failures_max: Stop after so many failures.
    """
    totals = Totals()
    began_seconds = told_seconds = time.monotonic()
    with _results(run, seeds, processes) as trials:
        for trial in trials:
            totals += trial
            if trial.trouble is not None:
                print(trial.trouble, flush=True)
            if totals.failures >= failures_max:
                break
            if time.monotonic() - told_seconds > _PROGRESS_SECONDS:
                told_seconds = time.monotonic()
                print(f"{name}: {totals.seeds} seeds, next {trial.seed + 1}", file=sys.stderr, flush=True)
    print(summary(name, seeds, totals, processes, time.monotonic() - began_seconds), flush=True)
    return totals


@contextmanager
def _results(run: Callable[[int], Trial], seeds: range, processes: int) -> Iterator[Iterator[Trial]]:
    if processes == 1:
        yield map(run, seeds)
        return
    # A fork knows what the program defined itself, as `__main__`.
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield pool.imap(run, seeds, _SEEDS_AT_ONCE)


def hunt(
    name: str, bugs: Mapping[str, Callable[[int], int | None]], hunts: int, processes: int = PROCESSES
) -> int:
    """Hunt deliberate bugs and print for each how many seeds it took; returns 1 where one was missed.

    Args:
        name: What has them, for the last line.
        bugs: By what each does wrong, what hunts it: given the hunt's number, returns how many seeds it took
            or None; a function that another process can import.
        hunts: How often each is hunted.
        processes: How many hunts at once.
    """
    began_seconds = time.monotonic()
    missed = 0
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        pending = {bug: pool.map_async(search, range(hunts), 1) for bug, search in bugs.items()}
        for bug, results in pending.items():
            taken = results.get()
            found = [seeds for seeds in taken if seeds is not None]
            missed += len(found) < len(taken)
            median = f"{statistics.median(found):g}" if found else "-"
            print(f"{median:>6} seeds (median of {len(found)}/{hunts} hunts)  {bug}", flush=True)
    seconds = time.monotonic() - began_seconds
    print(
        f"{name}: {len(bugs)} deliberate bugs, {hunts} hunts each, {missed} bugs missed, {seconds:.0f} s on "
        f"{processes} processes, commit {commit()}"
    )
    return 1 if missed else 0


def summary(name: str, seeds: range, totals: Totals, processes: int, seconds: float) -> str:
    """Return what ran, in one line.

    Args:
        name: What ran.
        seeds: Which seeds were meant to run.
        totals: What they did.
        processes: How many ran at once.
        seconds: How long it took.
    """
    requests = f"{totals.requests} requests, " if totals.requests else ""
    return (
        f"{name}: {totals.seeds} seeds from {seeds.start}, {totals.records} records, {totals.faults} faults, "
        f"{requests}{totals.failures} failures, {seconds:.0f} s on {processes} processes, commit {commit()}"
    )


def commit() -> str:
    """Return the short name of the commit checked out, with a + where files differ from it."""
    root = Path(__file__).resolve().parents[2]
    try:
        head, changed = (
            subprocess.run(
                ["git", "-C", str(root), *arguments],  # noqa: S607 - the one on the path
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            ).stdout.strip()
            for arguments in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "-uno"))
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return head + "+" * bool(changed)

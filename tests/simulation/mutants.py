"""Deliberate bugs in the delivery core and the reading of answers, applied one by one to a copy of it.

The simulation must find each.

`python -m tests.simulation.mutants` prints how many seeds each took, from several first seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.simulation.campaign import PROCESSES, hunt

ROOT = Path(__file__).resolve().parents[2]
SEEDS_MAX = 200
RUN_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: in this file of `logging_system`, `right` becomes `wrong`."""

    name: str
    file: str
    right: str
    wrong: str


BULK_ANSWER = "sinks/elasticsearch/bulk_answer.py"

MUTANTS = (
    Mutant(
        "an answer that is too short is filled up with successes",
        BULK_ANSWER,
        "    if len(items) != len(ids):",
        '    items += [{"create": {"status": 201}}] * (len(ids) - len(items))\n'
        "    if len(items) != len(ids):",
    ),
    Mutant(
        "another request's answer is believed",
        BULK_ANSWER,
        'created.get("_id", document_id) != document_id',
        "False",
    ),
    Mutant(
        "another request's answer in which all is well is believed",
        "sinks/elasticsearch/all_created.py",
        'answer.body[head.end() :] == b",".join(items) + b"]}"',
        'len(answer.body) - head.end() == len(b",".join(items)) + 2',
    ),
    Mutant("a document pushed back with 429 is a dead letter", BULK_ANSWER, " and status != 429", ""),
    Mutant("a blocked index makes dead letters", BULK_ANSWER, '        "cluster_block_exception",\n', ""),
    Mutant(
        "a lost answer is said to have stored nothing",
        BULK_ANSWER,
        "may_have_stored=answer.may_have_arrived",
        "may_have_stored=False",
    ),
    Mutant(
        "a doubtful batch is sent again without a look-up",
        "delivery/machine.py",
        "if batch.is_doubtful:",
        "if False:",
    ),
    Mutant(
        "only the newest backing index is looked into",
        "delivery/write_indices.py",
        "tuple(self.names[max(0, mark - self._dropped) :])",
        "tuple(self.names[-1:])",
    ),
    Mutant(
        "what an earlier process may have sent is not doubted",
        "delivery/machine.py",
        "self._doubt.update(dict.fromkeys(epochs, 2 * self.limits.held_records_max))",
        "pass",
    ),
    Mutant(
        "a document is blamed for a refusal though nothing is accepted",
        "delivery/trials.py",
        "if batch.failures_before != self.failures:",
        "batch.refusals_witnessed += 1\n        if False:",
    ),
    Mutant(
        "documents under judgement shut out those they are judged by",
        "delivery/departures.py",
        "len(self.waiting) - sum(batch.is_alone for batch in self.waiting)",
        "len(self.waiting)",
    ),
    Mutant(
        "a document is blamed for its first 500",
        "delivery/suspects.py",
        "return self._failures(document_id) > FAILURES_WITH_COMPANY",
        "return document_id in self._records",
    ),
    Mutant(
        "500s are blamed on documents however many fail",
        "delivery/suspects.py",
        "ACCEPTED_PER_SUSPECT * len(self._records)",
        "0",
    ),
    Mutant(
        "a lone document pushed back is forgotten",
        "delivery/machine.py",
        "        if rest:",
        "        if len(rest) > 1:",
    ),
    Mutant(
        "halving loses a document",
        "delivery/machine.py",
        "batch.items[middle:])",
        "batch.items[middle + 1 :])",
    ),
    Mutant(
        "progress leaps over a hole",
        "delivery/progress.py",
        "        waiting = self._waiting[run.epoch]\n",
        "        waiting = self._waiting[run.epoch]\n        self._moved[run.epoch] = run.end\n",
    ),
    Mutant(
        "probes ask with pushed-back documents only",
        "delivery/departures.py",
        "self._probe_kind = (self._probe_kind + 1) % _PROBE_KINDS",
        "self._probe_kind = _PUSHED_BACK",
    ),
    Mutant("the limit has no cap", "delivery/limiter.py", "min(float(self.cap), raised)", "raised"),
    Mutant(
        "room never comes back", "delivery/machine.py", "self.held_bytes -= documents_bytes(items)", "pass"
    ),
    Mutant(
        "an open breaker lets everything due through",
        "delivery/departures.py",
        "if not self._breaker.is_closed:\n            self._was_open",
        "if self._breaker.admits_probe(now_seconds):\n            self._was_open",
    ),
)


def seeds_until_found(mutant: Mutant, first: int, seeds_max: int = SEEDS_MAX) -> int | None:
    """Return how many seeds it took to find a bug; None if none of them did.

    Args:
        mutant: The bug.
        first: The first seed.
        seeds_max: How many seeds to try.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "logging_system", copy / "logging_system", ignore=ignored)
        shutil.copytree(ROOT / "tests" / "simulation", copy / "tests" / "simulation", ignore=ignored)
        for name in ("__init__.py", "repository.py"):
            shutil.copy(ROOT / "tests" / name, copy / "tests" / name)
        path = copy / "logging_system" / mutant.file
        source = path.read_text()
        if mutant.right not in source:
            raise ValueError(f"{mutant.name}: {mutant.file} has no {mutant.right!r}; name what it has now")
        path.write_text(source.replace(mutant.right, mutant.wrong))
        command = [sys.executable, "-m", "tests.simulation", "--json", "--failures-max", "1"]
        ran = subprocess.run(
            [*command, "--first", str(first), "--seeds", str(seeds_max)],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
        if ran.returncode not in (0, 1) or not ran.stdout:
            raise RuntimeError(f"{mutant.name}: the simulation itself broke: {ran.stderr.decode()[-500:]}")
        return int(json.loads(ran.stdout)["ran"]) if ran.returncode else None


def main(arguments: list[str] | None = None) -> int:
    """Hunt every bug; exit code 1 if one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--hunts", type=int, default=5, help="how often each bug is hunted, from other seeds")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many hunt at once")
    options = parser.parse_args(arguments)
    bugs = {mutant.name: partial(_hunt, mutant) for mutant in MUTANTS}
    return hunt("delivery", bugs, options.hunts, options.processes)


def _hunt(mutant: Mutant, number: int) -> int | None:
    return seeds_until_found(mutant, 10_000 * number)


if __name__ == "__main__":
    sys.exit(main())

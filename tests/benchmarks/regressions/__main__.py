"""Compare versions over and over; see the package."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from harness.judging.regression import CONTROL, RegressionRules, Rise, judge_regression, regression_status
from harness.model.protocols import Status
from harness.model.result import Sampled
from tests.repository import REPOSITORY

OBJECTIVE = "response_p99_ms"
DELAY_MS = 60.0
COMPARISON_SECONDS_MAX = 1_800
SCENARIO = """\
version: 1
name: steady
title: Steady load without a fault
hypothesis: The log call is as fast as before.
schedule: {kind: steady, rate_per_second: 220}
producers: 24
sending_seconds: 1.5
checks: [response_p99_ms]
"""
STACK = """\
version: 1
name: {name}
intake:
  kind: python_logging
  handler: tests.benchmarks.regressions.handler:DelayedFileHandler
  filename: "{{run.folder}}/app.log"
  delay_ms: {delay_ms}
acknowledged_by: return
archive: {{kind: file, path: "{{run.folder}}/app.log", format: multiline}}
# Far from any value here: what is absolute must not decide what is relative.
promises: {{response_p99_ms: 1000}}
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """One comparison: how much slower the candidate is, what may be, and what came out."""

    planted_percent: float
    allowed_percent: float
    exit_code: int
    status: str
    repeats: int
    rise_percent: float | None
    noise_percent: float | None
    why: str
    samples: list[dict[str, Any]]


def main() -> int:
    """Return 0 where no comparison of the same version found a regression, else 1."""
    asked = _asked()
    kinds = [(0.0, asked.allowed)] * asked.noop
    for planted in asked.planted:
        kinds += [(planted, asked.allowed)] * asked.each
    done = list(_read(asked.resume))
    for trial in done:
        kind = (trial.planted_percent, trial.allowed_percent)
        if kind in kinds:
            kinds.remove(kind)
    with ThreadPoolExecutor(asked.beside) as pool:
        for trial in pool.map(lambda kind: _tried(*kind), kinds):
            done.append(trial)
            print(json.dumps(asdict(trial)), flush=True)
            if asked.resume is not None:
                with asked.resume.open("a") as file:
                    file.write(json.dumps(asdict(trial)) + "\n")
    print(table(done))
    print(beside_recorded(done))
    false = sum(trial.planted_percent == 0 and trial.status == "FAIL" for trial in done)
    print(f"false regressions: {false} of {sum(trial.planted_percent == 0 for trial in done)}")
    return 1 if false else 0


def table(trials: Sequence[Trial]) -> str:
    """Return the outcomes as a Markdown table, one row a kind."""
    heads = (
        *("planted", "allowed", "comparisons", "FAIL", "INCONCLUSIVE", "PASS"),
        *("runs a side", "median rise", "median noise"),
    )
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---:' for _ in heads)} |"]
    for kind in sorted({(trial.planted_percent, trial.allowed_percent) for trial in trials}):
        own = [trial for trial in trials if (trial.planted_percent, trial.allowed_percent) == kind]
        count = [sum(trial.status == status for trial in own) for status in ("FAIL", "INCONCLUSIVE", "PASS")]
        cells = [
            f"+{kind[0]:g} %" if kind[0] else "nothing",
            f"+{kind[1]:g} %",
            len(own),
            *count,
            f"{median(trial.repeats for trial in own):g}",
            _percent([trial.rise_percent for trial in own]),
            _percent([trial.noise_percent for trial in own]),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def beside_recorded(trials: Sequence[Trial]) -> str:
    """Say what comes out where each version's runs are compared with what an earlier comparison had recorded.

    The runs are the same, minutes apart, so that whatever the machine did meanwhile is between them.
    """
    same = [trial for trial in trials if trial.planted_percent == 0]
    found: list[Status] = []
    for before, after in pairwise(same):
        then, now = ({each["objective"]: each for each in trial.samples} for trial in (before, after))
        rules = RegressionRules({OBJECTIVE: Rise(after.allowed_percent / 100, is_share=True)})
        samples = [
            Sampled("steady", word, "ms", tuple(then[word]["baseline"]), tuple(now[word]["candidate"]))
            for word in (OBJECTIVE, CONTROL)
        ]
        found.append(regression_status(judge_regression(samples, rules, Random(1), interleaved=False)))
    counts = ", ".join(f"{found.count(status)} {status.value}" for status in dict.fromkeys(found))
    return f"the same version beside one recorded earlier: {len(found)} comparisons: {counts or 'none'}"


def _percent(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):+.1f} %" if known else ""


def _tried(planted_percent: float, allowed_percent: float) -> Trial:
    with tempfile.TemporaryDirectory(prefix="regression-") as name:
        folder = Path(name)
        (folder / "steady.yaml").write_text(SCENARIO)
        (folder / "before.yaml").write_text(STACK.format(name="before", delay_ms=DELAY_MS))
        slower_ms = round(DELAY_MS * (1 + planted_percent / 100), 3)
        (folder / "after.yaml").write_text(STACK.format(name="after", delay_ms=slower_ms))
        (folder / "gate.yaml").write_text(
            f'version: 1\nregression: {{response_p99_ms: "+{allowed_percent:g}%"}}\n'
        )
        done = subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "harness.cli.main",
                    "baseline",
                    "compare",
                    str(folder / "steady.yaml"),
                ),
                *("--baseline", str(folder / "before.yaml"), "--candidate", str(folder / "after.yaml")),
                *("--gate", str(folder / "gate.yaml"), "--out", str(folder / "reports")),
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=COMPARISON_SECONDS_MAX,
            check=False,
        )
        found = list(folder.glob("reports/comparisons/*/comparison.json"))
        if not found:
            raise SystemExit(
                f"no comparison came out, exit code {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        document = json.loads(found[0].read_text())
    comparison = document["comparisons"][0]
    sampled = next(each for each in document["samples"] if each["objective"] == OBJECTIVE)
    return Trial(
        planted_percent,
        allowed_percent,
        done.returncode,
        document["status"],
        len(sampled["candidate"]),
        _in_percent(comparison["rise"]),
        _in_percent(comparison["noise"]),
        document["remark"] or comparison["summary"],
        document["samples"],
    )


def _in_percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def _read(path: Path | None) -> Iterator[Trial]:
    if path is not None and path.exists():
        for line in path.read_text().splitlines():
            yield Trial(**json.loads(line))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noop", type=int, default=50, help="comparisons of a version with itself")
    parser.add_argument("--planted", type=float, action="append", help="percent; may be repeated")
    parser.add_argument("--each", type=int, default=10, help="comparisons of each planted share")
    parser.add_argument("--allowed", type=float, default=10.0, help="percent that the gate allows")
    parser.add_argument("--beside", type=int, default=1, help="comparisons at a time")
    parser.add_argument("--resume", type=Path, default=None, help="file of trials; goes on where it ends")
    asked = parser.parse_args()
    asked.planted = [10.0, 20.0] if asked.planted is None else asked.planted
    return asked


if __name__ == "__main__":
    sys.exit(main())

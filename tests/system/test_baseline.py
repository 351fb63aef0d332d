"""A version is recorded, the next one is slower, and the gate says so: through the installed command."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

LOGQUAKE = Path(sys.executable).parent / "logquake"
SCENARIO = """
version: 1
name: short
title: A moment of sending
hypothesis: The log call is as fast as before.
schedule: {kind: steady, rate_per_second: 320}
producers: 32
sending_seconds: 1
checks: [response_p99_ms]
"""
STACK = """
version: 1
name: delayed
intake: {kind: python_logging, handler: "delayed:Delayed", filename: "{run.folder}/app.log"}
acknowledged_by: return
archive: {kind: file, path: "{run.folder}/app.log", format: multiline}
promises: {response_p99_ms: 2000}
"""
HANDLER = """
import logging
import time

class Delayed(logging.FileHandler):
    def handle(self, record):
        time.sleep({delay_seconds})
        return super().handle(record)
"""
# Two runs a side prove little; what the rule is worth is tried by `make prove-regression`.
GATE = 'version: 1\nregression: {response_p99_ms: "+50%", confidence: 0.6, max_repeats: 2}\n'


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="baseline-") as name:
        folder = Path(name)
        for file, text in (("short.yaml", SCENARIO), ("delayed.yaml", STACK), ("gate.yaml", GATE)):
            (folder / file).write_text(text)
        yield folder


def _call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LOGQUAKE), *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


def _run(folder: Path, delay_seconds: float) -> subprocess.CompletedProcess[str]:
    (folder / "delayed.py").write_text(HANDLER.format(delay_seconds=delay_seconds))
    return _call(folder, "run", "short.yaml", "--stack", "delayed.yaml", "--gate", "gate.yaml")


@pytest.mark.alone
@pytest.mark.slow
def test_the_first_run_is_recorded_and_a_slower_version_is_stopped(folder: Path) -> None:
    first = _run(folder, 0.05)
    slower = _run(folder, 0.25)

    assert first.returncode == 0, first.stdout + first.stderr
    assert "The first run of its kind: recorded as the baseline" in first.stdout
    assert slower.returncode == 1, slower.stdout + slower.stderr
    assert "Beside the baseline of" in slower.stdout

    latest = max(folder.glob("reports/selected/*/result.json"))
    again = _call(folder, "gate", str(latest), "--gate", "gate.yaml")
    assert again.returncode == 1
    assert "response_p99_ms in short: median" in again.stdout

    drawn = _call(folder, "trend")
    rows = [json.loads(line) for line in (folder / "reports" / "trend.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["PASS", "FAIL"]
    assert drawn.returncode == 0, drawn.stderr
    assert "2 runs" in drawn.stdout
    assert "<svg" in (folder / "reports" / "trend.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 6, "There is no baseline. `logquake baseline record` records one"),
        (["--gate", "bare.yaml"], 4, 'bare.yaml: no "regression". Add one'),
        (["--gate", "misspelt.yaml"], 4, 'Did you mean "response_p99_ms"?'),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_runs(
    folder: Path, arguments: list[str], code: int, said: str
) -> None:
    (folder / "delayed.py").write_text(HANDLER.format(delay_seconds=0))
    (folder / "bare.yaml").write_text("version: 1\n")
    (folder / "misspelt.yaml").write_text('version: 1\nregression: {response_p9_ms: "+10%"}\n')

    done = _call(folder, "baseline", "compare", "short.yaml", "--candidate", "delayed.yaml", *arguments)

    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr

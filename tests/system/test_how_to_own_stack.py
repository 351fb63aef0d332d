"""The how-to for an own stack is true: its shipper fails as the page says, and mended it passes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.processes.procfs import started_by_a_harness
from tests.pages import blocks_of
from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "own-stack.md").read_text()
SHIPPER_LINES_MAX = 40
RUN_SECONDS_MAX = 110


def blocks(language: str) -> list[str]:
    return blocks_of(PAGE, language)


SHIPPER = blocks("python")[0]
COMMAND = blocks("console")[0].strip()


def mended() -> str:
    """The shipper after the page's diffs."""
    shipper = SHIPPER
    changes = re.findall(r"^-(.*\n)\+(.*\n)", "".join(blocks("diff")), re.MULTILINE)
    assert len(changes) == 2
    for removed, added in changes:
        assert shipper.count(removed.lstrip(" ")) == 1
        shipper = shipper.replace(removed, added)
    return shipper


def claimed() -> dict[str, str]:
    """The table of statuses that the page shows."""
    return dict(re.findall(r"^\| ([a-z0-9_]+) \| ([A-Z]+) \|$", PAGE, re.MULTILINE))


def run_page(folder: Path, shipper: str) -> tuple[int, dict[str, str]]:
    """Do what the page says in an empty folder; return the exit code and the status of each objective."""
    (folder / "shipper.py").write_text(shipper)
    for text in blocks("yaml")[:2]:
        name = re.search(r"^name: (\S+)$", text, re.MULTILINE)
        assert name is not None
        (folder / f"{name[1]}.yaml").write_text(text)
    program, *arguments = shlex.split(COMMAND)
    finished = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    results = list(folder.glob("reports/*/*/result.json"))
    assert len(results) == 1, finished.stderr
    (scenario,) = json.loads(results[0].read_text())["scenarios"]
    return finished.returncode, {v["objective"]: v["status"] for v in scenario["verdicts"]}


def test_the_shipper_has_at_most_forty_lines():
    assert len(SHIPPER.splitlines()) <= SHIPPER_LINES_MAX


@pytest.mark.timeout(RUN_SECONDS_MAX + 10)
def test_the_page_shows_the_verdicts_that_its_shipper_gets(tmp_path):
    code, verdicts = run_page(tmp_path, SHIPPER)

    assert verdicts == claimed()
    assert code == 1


@pytest.mark.timeout(RUN_SECONDS_MAX + 10)
def test_the_mended_shipper_passes_and_leaves_nothing(tmp_path):
    code, verdicts = run_page(tmp_path, mended())

    assert verdicts == dict.fromkeys(claimed(), "PASS")
    assert code == 0
    assert not [pid for pid, _ in started_by_a_harness() if str(tmp_path) in command_of(pid)]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""

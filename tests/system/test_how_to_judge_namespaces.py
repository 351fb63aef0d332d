"""The how-to about namespaces is true: its handler mixes tenants up as the page says; mended it passes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.pages import blocks_of
from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "judge-namespaces.md").read_text()
RUN_SECONDS_MAX = 120


def run_page(folder: Path, script: str) -> tuple[int, dict[str, str], list[str]]:
    """Do what the page says; return the exit code, each check's status, and the vetoes."""
    folder.mkdir()
    (folder / "tenant_files.py").write_text(script)
    for text, name in zip(blocks_of(PAGE, "yaml"), ("files.yaml", "shared.yaml"), strict=True):
        (folder / name).write_text(text)
    program, *arguments = shlex.split(blocks_of(PAGE, "console")[0].strip())
    finished = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    (path,) = folder.glob("reports/*/*/result.json")
    (scenario,) = json.loads(path.read_text())["scenarios"]
    vetoes = [veto for each in scenario["verdicts"] for veto in each["vetoes"]]
    return finished.returncode, {each["objective"]: each["status"] for each in scenario["verdicts"]}, vetoes


@pytest.mark.timeout(RUN_SECONDS_MAX + 10)
def test_the_handler_of_the_page_mixes_tenants_up_and_mended_it_does_not(tmp_path):
    claimed = dict(re.findall(r"^\| ([a-z_]+) \| (PASS|FAIL) \|$", PAGE, re.MULTILINE))
    ((removed, added),) = re.findall(r"^-(.*\n)\+(.*\n)", blocks_of(PAGE, "diff")[0], re.MULTILINE)
    (script,) = blocks_of(PAGE, "python")
    assert script.count(removed) == 1
    scripts = (script, script.replace(removed, added))

    with ThreadPoolExecutor() as pool:
        before, after = pool.map(run_page, (tmp_path / "before", tmp_path / "after"), scripts)

    assert before == (1, claimed, ["records of another tenant"])
    assert after == (0, dict.fromkeys(claimed, "PASS"), [])

"""The how-to for an own fault is true: its file is a fault, its test passes, its line and its step load."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.config.part_arguments import part_mistakes
from harness.config.part_signature import signature_of
from harness.faults import FAULTS
from harness.model.registry import Family, Kind
from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "own-fault.md").read_text(encoding="utf-8")
STEP_KEYS = ("fault", "target", "at_seconds", "for_seconds")
TEST_SECONDS = 60


def block(language: str, number: int = 0) -> str:
    return str(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[number])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "link_down.py").write_text(block("python", 0))
    (tmp_path / "test_link_down.py").write_text(block("python", 1))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "link_down", raising=False)
    return tmp_path


def run_tests(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "test_link_down.py",
        ],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=TEST_SECONDS,
        check=False,
    )


def test_the_pages_test_passes_on_the_pages_fault(project: Path) -> None:
    finished = run_tests(project)

    assert "4 passed" in finished.stdout, finished.stdout


@pytest.mark.parametrize(
    ("good", "bad"),
    [("            target.connect()", "            pass"), ("refused == self.probes", "True")],
    ids=["is not taken back", "needs no proof"],
)
def test_the_pages_test_fails_on_a_fault_with_a_defect(project: Path, good: str, bad: str) -> None:
    text = block("python", 0)
    assert text.count(good) == 1
    (project / "link_down.py").write_text(text.replace(good, bad))

    assert run_tests(project).returncode == 1


def test_the_step_of_the_page_takes_its_arguments(project: Path) -> None:
    (step,) = yaml.safe_load(block("yaml"))["steps"]

    assert part_mistakes(FAULTS, step, ("steps", 0), STEP_KEYS, word_key="fault") == []
    (mistake,) = part_mistakes(FAULTS, {**step, "probes": 99}, ("steps", 0), STEP_KEYS, word_key="fault")
    assert mistake.what == "probes 99 is not in 1 to 20"


def test_the_line_of_the_page_is_one_of_the_family(project: Path) -> None:
    found = re.fullmatch(r'"(\w+)": Kind\("([\w.]+):(\w+)", "([^"]+)"\),\n', block("text"))
    assert found is not None
    word, module, name, summary = found.groups()
    family = Family("fault", {word: Kind(f"{module.rpartition('.')[2]}:{name}", summary)})

    assert module == f"harness.faults.{word}"
    assert signature_of(family.resolve(word)).arguments["probes"].default == 3

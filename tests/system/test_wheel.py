"""The wheel carries everything: installed into a clean environment, it works from any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
TIMEOUT_SECONDS = 110


def _call(command: Sequence[str | Path], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    # Nothing of this checkout may help: neither its folder nor PYTHONPATH.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the pinned backend as it is installed here: without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    built = _call([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], REPOSITORY)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("logquake-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `logquake` command of a new environment that holds the wheel and borrows dependencies."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    made = _call([sys.executable, "-m", "venv", "--without-pip", folder], folder.parent)
    assert made.returncode == 0, made.stderr
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index"]
    done = _call([*pip, wheel], folder.parent)
    assert done.returncode == 0, done.stderr
    (packages,) = (folder / "lib").glob("python*/site-packages")
    # Dependencies come from where these tests run. A folder named in a .pth file is searched last, and .pth
    # files inside it are not obeyed, so the editable install of this checkout stays out of sight.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "logquake"


def test_the_wheel_holds_scenarios_templates_styles_and_type_markers(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    scenarios = {
        f"harness/scenarios/{path.relative_to(REPOSITORY / 'scenarios')}"
        for path in (REPOSITORY / "scenarios").rglob("*.yaml")
    }

    assert scenarios <= names
    assert {"harness/reporting/scorecard.css", "harness/reporting/scorecard.js"} <= names
    templates = (REPOSITORY / "harness" / "reporting" / "templates").glob("*.jinja")
    assert {f"harness/reporting/templates/{path.name}" for path in templates} <= names
    assert {"harness/py.typed", "logging_system/py.typed"} <= names
    assert not any(name.startswith("tests/") or "__pycache__" in name for name in names)


def test_the_installed_package_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    python = installed.parent / "python"
    told = _call([python, "-c", "import harness, logging_system; print(harness.__file__)"], tmp_path)

    assert told.stdout.startswith(str(installed.parent.parent)), told.stderr


def test_the_wheel_tells_pytest_of_its_plugin(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (told,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]

    assert "[pytest11]\nlogquake = harness.integrations.pytest_plugin" in archive.read(told).decode()


def test_list_names_the_shipped_files_from_any_folder(installed: Path, tmp_path: Path) -> None:
    listed = _call([installed, "list"], tmp_path)

    assert listed.returncode == 0, listed.stderr
    assert "black_hole" in listed.stdout
    assert "(shipped with logquake)" in listed.stdout


def test_a_run_works_from_another_folder_and_its_own_scenarios_win(installed: Path, tmp_path: Path) -> None:
    own = tmp_path / "scenarios"
    own.mkdir()
    quick = (HERE / "scenarios" / "quick.yaml").read_text()
    (own / "no_fault.yaml").write_text(quick.replace("name: quick", "name: no_fault"))
    run = _call([installed, "run", "no_fault"], tmp_path, TMPDIR="/tmp", XDG_STATE_HOME=str(tmp_path))  # noqa: S108

    assert run.returncode == 0, run.stdout + run.stderr
    assert "scenarios no_fault: this project" in run.stderr
    assert "stack reference: shipped with logquake" in run.stderr
    (result,) = tmp_path.glob("reports/*/*/result.json")
    (one,) = json.loads(result.read_text())["scenarios"]
    assert f"title: {one['scenario']['title']}\n" in quick
    assert one["scenario"]["title"] == "The store is killed for a moment"

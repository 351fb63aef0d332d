"""The wheel carries everything: installed into a clean environment, it works from any folder."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Sequence
from email import message_from_string
from email.message import Message
from importlib.metadata import version
from pathlib import Path

import pytest

from harness import __version__

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
def metadata(wheel: Path) -> Message:
    """What an index and pip are told of the wheel."""
    archive = zipfile.ZipFile(wheel)
    (told,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    return message_from_string(archive.read(told).decode())


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
    assert {"harness/pages/how-to/own-stack.md", "harness/pages/reference/files.md"} <= names
    assert not any(name.startswith("tests/") or "__pycache__" in name for name in names)


def test_the_wheel_brings_its_licence_and_says_where_it_runs(wheel: Path, metadata: Message) -> None:
    texts = {name: zipfile.ZipFile(wheel).read(name) for name in zipfile.ZipFile(wheel).namelist()}
    (licence,) = [text for name, text in texts.items() if name.endswith(".dist-info/licenses/LICENSE")]

    assert licence == (REPOSITORY / "LICENSE").read_bytes()
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("Apache-2.0", ">=3.11")
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(
        metadata.get_all("Classifier") or ()
    )


def test_installing_the_wheel_brings_nothing_that_only_tests_need(metadata: Message) -> None:
    requirements = metadata.get_all("Requires-Dist") or []
    default = {_package(text) for text in requirements if "extra ==" not in text}
    dev = {_package(text) for text in requirements if "extra == 'dev'" in text} - {"logquake"}

    assert {"click", "elasticsearch", "pydantic"} <= default
    assert {"pytest", "mypy", "playwright"} <= dev
    assert default & dev == set()


def test_everything_is_what_the_other_extras_of_users_are_together(metadata: Message) -> None:
    others = set(metadata.get_all("Provides-Extra") or ()) - {"all", "dev", "docs", "uwsgi"}

    assert {"alerts", "containers", "coordination", "gateway", "keys", "load"} <= others
    assert _packages_of(metadata, "all") == set().union(*(_packages_of(metadata, extra) for extra in others))


def _packages_of(metadata: Message, extra: str) -> set[str]:
    requirements = metadata.get_all("Requires-Dist") or []
    return {_package(text) for text in requirements if f"extra == '{extra}'" in text}


def _package(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return found[0].lower()


def test_the_sdist_holds_what_builds_and_tests_it_and_nothing_that_runs_leave(tmp_path: Path) -> None:
    built = _call([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path], REPOSITORY)
    assert built.returncode == 0, built.stderr
    (path,) = tmp_path.glob("logquake-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "pyproject.toml", "README.md", "harness/py.typed", "scenarios/no_fault.yaml"} <= names
    assert {"tests/system/test_wheel.py", "docs/tutorial/first-run.md", "CHANGELOG.md"} <= names
    left = ("reports/", ".venv", ".mypy_cache", ".ruff_cache", ".git/", ".ci/", "dist/")
    assert [name for name in names if name.startswith(left) or "__pycache__" in name] == []


def test_the_version_names_what_it_runs_on(installed: Path, tmp_path: Path) -> None:
    python = installed.parent / "python"
    told = _call([installed, "--version"], tmp_path).stdout.splitlines()
    also = _call([python, "-m", "logging_system", "--version"], tmp_path).stdout.splitlines()

    assert told[0] == f"logquake, version {__version__}"
    assert also[0] == f"logging_system, of logquake {__version__}"
    for lines in (told, also):
        words = {line.split()[0] for line in lines[1:]}
        assert {"python", "system", "libraries", "extras"} <= words
        assert any(line.startswith("python") and platform.python_version() in line for line in lines)
        assert any(line.startswith("libraries") and f"orjson {version('orjson')}" in line for line in lines)
        assert any(line.startswith("extras") and "keys" in line for line in lines)


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


def test_help_prints_the_pages_that_the_files_of_init_name(installed: Path, tmp_path: Path) -> None:
    pages = ("own-stack", "reference/files")
    printed = [_call([installed, "help", page], tmp_path) for page in pages]
    listed = _call([installed, "help"], tmp_path)
    unknown = _call([installed, "help", "own-stak"], tmp_path)

    assert [each.returncode for each in printed] == [0, 0], printed[0].stderr
    assert printed[0].stdout.startswith("# Put your own stack under test\n")
    assert "\n## Gate\n" in printed[1].stdout
    assert "how-to/own-stack " in listed.stdout
    assert (unknown.returncode, 'Did you mean "own-stack"?' in unknown.stderr) == (5, True)


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

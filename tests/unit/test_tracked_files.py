"""What git tracks is what people wrote, and the documents that are generated for readers."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatch

import pytest

from tests.repository import REPOSITORY

_FOLDERS = frozenset(
    {
        "__pycache__", "build", "dist", "node_modules", "htmlcov",
        ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache",
    }
)  # fmt: skip
_FILES = ("*.pyc", "*.pyo", "*.egg-info", ".coverage", ".coverage.*", "coverage.xml", ".installed*", "*.log")
_READ_BY_PEOPLE = "reports/example/"


def generated(paths: list[str]) -> list[str]:
    """Return those of the paths (relative to the repository) that a tool leaves behind."""
    return [path for path in paths if _is_generated(path)]


def _is_generated(path: str) -> bool:
    parts = path.split("/")
    return (
        not _FOLDERS.isdisjoint(parts)
        or any(fnmatch(part, pattern) for part in parts for pattern in _FILES)
        or (parts[0] == "reports" and not path.startswith(_READ_BY_PEOPLE))
    )


def test_no_generated_file_is_tracked() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this is no git checkout, so nothing is tracked")
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - whichever git the checkout was made with
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except FileNotFoundError:
        pytest.skip("git is not installed, so what is tracked cannot be told")
    if listed.returncode != 0:
        pytest.skip(f"git does not list this checkout: {listed.stderr.strip()}")
    paths = listed.stdout.split("\0")

    assert "pyproject.toml" in paths
    assert generated(paths) == []


@pytest.mark.parametrize(
    "path",
    [
        ".coverage",
        "harness/__pycache__/model.cpython-311.pyc",
        "logquake.egg-info/PKG-INFO",
        ".mypy_cache/3.11/cache.db",
        "reports/20260101/result.json",
    ],
)
def test_what_a_tool_leaves_is_known(path: str) -> None:
    assert generated([path, "harness/model/facts.py", "reports/example/result.json"]) == [path]

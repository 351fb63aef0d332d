"""The files of a project that are worth a look: bounded in number, depth and size; links are not followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FILES_MAX = 3_000
DEPTH_MAX = 8
BYTES_MAX = 1 << 19
_UNREADABLE_MAX = 20
# What is generated, installed, or logs only while the project itself is tested.
_LEFT_OUT = {
    "__pycache__", "build", "dist", "docs", "node_modules", "reports", "site-packages", "test", "tests",
    "venv",
}  # fmt: skip
_HIDDEN_BUT_READ = {".github", ".gitlab-ci.yml", ".env"}
# How the files that `init` writes begin (`scaffold.py`): they say nothing of how the project was before.
_OURS = "# Written by `logquake init`"
_ENDINGS = (".py", ".yaml", ".yml", ".json", ".ini", ".cfg", ".toml", ".conf", ".env")
_NAMES = {"Jenkinsfile", ".env", ".gitlab-ci.yml", "requirements.txt"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its path as seen from the project's folder, with `/`, and its text."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """Return the file's own name."""
        return self.path.rpartition("/")[2]

    def line_of(self, offset: int) -> int:
        """Return the line, from 1 on, of a character.

        Args:
            offset: the character's place in `text`, from 0.
        """
        return self.text.count("\n", 0, offset) + 1


@dataclass(slots=True)
class ProjectFiles:
    """What was read, and what could not be."""

    files: list[SourceFile] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    cut: bool = False

    def not_read(self, path: str, why: str) -> None:
        """Note a file that says nothing; beyond a few it is noted that there are more.

        Args:
            path: as it is shown.
            why: a few words for a person.
        """
        if len(self.unreadable) < _UNREADABLE_MAX:
            self.unreadable.append(f"{path}: {why}")
        elif len(self.unreadable) == _UNREADABLE_MAX:
            self.unreadable.append("more files that could not be read")


def read_project(folder: Path) -> ProjectFiles:
    """Read every file of a project that may say how it logs.

    Args:
        folder: the project's folder.

    Returns:
        The files in the order of their paths; at most `FILES_MAX`, none deeper than `DEPTH_MAX` folders, none
        larger than `BYTES_MAX` bytes.
    """
    found = ProjectFiles()
    for path in _paths(folder):
        if len(found.files) >= FILES_MAX:
            found.cut = True
            break
        _read(folder, path, found)
    return found


def _read(folder: Path, path: Path, found: ProjectFiles) -> None:
    relative = path.relative_to(folder).as_posix()
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        found.not_read(relative, error.strerror or str(error))
        return
    if len(content) > BYTES_MAX:
        found.not_read(relative, f"larger than {BYTES_MAX >> 10} KiB")
        return
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        found.not_read(relative, "no UTF-8")
        return
    if not text.startswith(_OURS):
        found.files.append(SourceFile(relative, text))


def _paths(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if depth < DEPTH_MAX and _is_read(Path(here), name))
        for name in sorted(names):
            path = Path(here, name)
            wanted = name in _NAMES or (name.endswith(_ENDINGS) and not name.startswith("."))
            if wanted and path.is_file() and not path.is_symlink():
                yield path


def _is_read(here: Path, name: str) -> bool:
    # What lies there was written for logquake, perhaps by `init` itself.
    is_ours = name == "stacks" and here.name == "scenarios"
    if is_ours or name in _LEFT_OUT or (name.startswith(".") and name not in _HIDDEN_BUT_READ):
        return False
    return not (here / name / "pyvenv.cfg").exists()

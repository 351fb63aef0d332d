"""Makes an environment like this one that lacks OpenTelemetry, or takes it from a program that is running.

`python -m tests.without_opentelemetry FOLDER` makes the environment: links to everything that is installed
here but `opentelemetry*`. That takes a second and no network.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
import venv
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

NAME = "opentelemetry"


class Blocked(MetaPathFinder):
    """Raises ImportError for whatever is OpenTelemetry's."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] == NAME:
            raise ImportError(f"{fullname} is not installed", name=fullname)
        return None


def block() -> None:
    """Let nothing import OpenTelemetry from now on."""
    assert NAME not in sys.modules
    sys.meta_path.insert(0, Blocked())


def make_environment(folder: Path) -> None:
    """Make the environment, in place of one that is there."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, symlinks=True)
    here = Path(sysconfig.get_path("purelib"))
    there = folder / here.relative_to(sys.prefix)
    for entry in here.iterdir():
        # Namespaces of Google's packages are others'; what tells versions of OpenTelemetry's goes with them.
        if not entry.name.startswith(NAME):
            (there / entry.name).symlink_to(entry)


if __name__ == "__main__":
    make_environment(Path(sys.argv[1]))

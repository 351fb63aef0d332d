"""Builds the package, and makes new environments that hold it with one extra."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.repository import REPOSITORY

SMOKES = Path(__file__).parent / "smokes"
INSTALL_SECONDS_MAX = 1_200
SMOKE_SECONDS_MAX = 300
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Built:
    """The files that a release uploads."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True, slots=True)
class Environment:
    """A new environment with the wheel: its interpreter, how many packages it holds, how much they take."""

    python: Path
    packages: int
    size_mib: int


def build(folder: Path) -> Built:
    """Build wheel and sdist by the backend that is installed here, without the network."""
    _run([sys.executable, "-m", "hatchling", "build", "-d", folder], REPOSITORY, INSTALL_SECONDS_MAX)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Built(wheel, sdist)


def make(folder: Path, python: Path, package: Path, extra: str = "") -> Environment:
    """Install a built package alone into a new environment, as a stranger would: nothing is pinned.

    Args:
        folder: of the environment.
        python: the interpreter to make it with.
        package: the wheel, or the sdist.
        extra: an extra of it; "" for none.
    """
    _run([python, "-m", "venv", "--without-pip", folder], folder.parent, INSTALL_SECONDS_MAX)
    own = folder / "bin" / "python"
    # Bytecode is made when it is needed: a dozen environments would make that of everything.
    pip = [sys.executable, "-m", "pip", "--python", own, "install", "--quiet", "--no-compile"]
    wanted = f"{package}[{extra}]" if extra else str(package)
    _run([*pip, wanted], folder.parent, INSTALL_SECONDS_MAX)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    files = [path for path in packages.rglob("*") if path.is_file() and not path.is_symlink()]
    return Environment(
        own,
        len(list(packages.glob("*.dist-info"))),
        round(sum(path.stat().st_size for path in files if path.suffix != ".pyc") / _MIB),
    )


def smoke(environment: Environment, extra: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Use what an extra is for, in an environment and an empty folder.

    Args:
        environment: where the package is installed.
        extra: whose smoke it is.
        folder: made for it.
    """
    folder.mkdir(parents=True)
    # Without the folder of the script, which is one of this checkout, on the path.
    command = [environment.python, "-P", SMOKES / f"{extra}.py"]
    return _call(command, folder, SMOKE_SECONDS_MAX)


def extras() -> tuple[str, ...]:
    """Return the extras that have a smoke, in the order of their names."""
    return tuple(sorted(path.stem for path in SMOKES.glob("*.py")))


def _call(command: Sequence[object], folder: Path, seconds_max: float) -> subprocess.CompletedProcess[str]:
    # Only what a shell of anybody has: nothing may lead back to this checkout.
    kept = {"HOME": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": "/tmp"}  # noqa: S108
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        timeout=seconds_max,
        check=False,
    )


def _run(command: Sequence[object], folder: Path, seconds_max: float) -> None:
    subprocess.run(list(map(str, command)), cwd=folder, timeout=seconds_max, check=True)

"""What a result was measured on: machine, kernel, limits, versions, commit: so two can be compared."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("logquake", "elasticsearch", "uvloop", "uvicorn", "orjson", "pydantic", "h11")
_GIT_SECONDS = 5.0
_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def surroundings(project: Path) -> Mapping[str, str]:
    """Return facts about this machine, the versions in use and the project, by name.

    Args:
        project: a folder of the project under test; its git commit is told if it has one.
    """
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.1f} GiB",
        **cgroup_limits(_CGROUPS, _MEMBERSHIP),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        **_commit(project),
    }


def cgroup_limits(root: Path, membership: Path) -> dict[str, str]:
    """Return the limits of this process's control group, version 2, and of those above it.

    Args:
        root: where control groups are mounted.
        membership: the file that names this process's group (`/proc/self/cgroup`, see cgroups(7)).
    """
    lines = _text(membership).splitlines()
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if own is None:
        return {}
    group = root / own
    groups = [group, *(parent for parent in group.parents if parent.is_relative_to(root))]
    limits: dict[str, str] = {}
    for file, name in (("cpu.max", "cgroup cpu.max"), ("memory.max", "cgroup memory.max")):
        said = (_text(one / file).strip() for one in groups)
        # The nearest group that has a limit; "max" means that it has none.
        if nearest := next((text for text in said if text and not text.startswith("max")), ""):
            limits[name] = nearest
    return limits


def _commit(project: Path) -> dict[str, str]:
    head = _git(project, "rev-parse", "HEAD")
    if not head:
        return {}
    changed = _git(project, "status", "--porcelain", "--untracked-files=no")
    return {"project commit": f"{head} with uncommitted changes" if changed else head}


def _git(project: Path, *arguments: str) -> str:
    """Return what git says, '' where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments],  # noqa: S607 - the person's own git, as in their shell
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"

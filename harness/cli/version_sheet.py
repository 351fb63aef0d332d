"""What `logquake --version` tells: the version, the commit where it is known, and what it runs on."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

PACKAGE = "logquake"
_LIBRARIES = ("elasticsearch", "h11", "orjson", "pydantic", "starlette", "uvicorn", "uvloop")
# For those who change logquake itself.
_NOT_FOR_USERS = {"dev", "uwsgi"}
_GIT_SECONDS_MAX = 5.0
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[(?P<extras>[^\]]*)\])?[^;]*(?:;(?P<marker>.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


def version_sheet(own_version: str) -> str:
    """Return the version and what it runs on, a line each.

    Args:
        own_version: logquake's.
    """
    extras = extras_there()
    there = [name for name, missing in extras.items() if not missing]
    lacking = [f"{name} (needs {', '.join(missing)})" for name, missing in extras.items() if missing]
    lines = {
        "commit": _commit(),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{_system()}, {platform.system()} {platform.release()}, {platform.machine()}",
        "libraries": ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
        "extras": ", ".join(there) or "none",
        "not there": ", ".join(lacking),
    }
    told = (f"{word:<10} {value}" for word, value in lines.items() if value)
    return "\n".join((f"{PACKAGE}, version {own_version}", *told))


def extras_there() -> Mapping[str, tuple[str, ...]]:
    """Return for each extra the packages of it that are not installed; none where the extra is there."""
    try:
        own = distribution(PACKAGE)
    except PackageNotFoundError:
        return {}
    names = sorted(set(own.metadata.get_all("Provides-Extra") or ()) - _NOT_FOR_USERS)
    return {
        name: tuple(sorted({each for each in needed_by(own, name) if not _is_there(each)})) for name in names
    }


def needed_by(own: Distribution, extra: str, seen: frozenset[str] = frozenset()) -> Iterable[str]:
    """Yield the names of the packages that an extra asks for, those of extras that it names included.

    Args:
        own: the distribution that has the extra.
        extra: its name.
        seen: extras that were followed to get here; one that names itself ends there.
    """
    for text in own.requires or ():
        requirement = _REQUIREMENT.match(text)
        wanted = _EXTRA.search((requirement and requirement["marker"]) or "")
        if requirement is None or wanted is None or wanted[1] != extra:
            continue
        if requirement["name"].lower() != PACKAGE:
            yield requirement["name"]
            continue
        for inner in (requirement["extras"] or "").split(","):
            if inner.strip() and inner.strip() not in seen | {extra}:
                yield from needed_by(own, inner.strip(), seen | {extra})


def _is_there(package: str) -> bool:
    return _version(package) != "not installed"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown system")
    except OSError:
        return "unknown system"


def _commit() -> str:
    """Return the commit that was installed, by pip's note or the checkout it runs from; "" where unknown."""
    try:
        note = json.loads(distribution(PACKAGE).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        note = {}
    noted = note.get("vcs_info", {}).get("commit_id", "")
    return str(noted) or _checkout(Path(__file__).parents[2])


def _checkout(folder: Path) -> str:
    if not (folder / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty=, with changes"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

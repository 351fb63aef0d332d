"""Where the real servers are kept on this machine, and whether they are there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import UnavailableError

JAVA_MAJOR_MIN = 17
_JAVA_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A real server: its pinned version and where its program lies inside its folder of the cache."""

    name: str
    version: str
    program: str
    needs_java: bool = False
    installed_by: str = "logquake servers install"

    @property
    def folder_name(self) -> str:
        """Return the name of its folder in the cache, which carries the version."""
        return f"{self.name}-{self.version}"


SERVERS = {
    kind.name: kind
    for kind in (
        ServerKind("elasticsearch", "8.19.0", "bin/elasticsearch", needs_java=True),
        ServerKind("toxiproxy", "2.12.0", "toxiproxy-server"),
    )
}

KEY_SERVERS = {
    kind.name: kind
    for kind in (
        ServerKind("transit", "1.21.4", "transit", installed_by="make kms"),
        ServerKind("local-kms", "2a5e92d09ab6-loopback", "local-kms", installed_by="make kms"),
    )
}
"""Vault's own transit engine and local-kms: test tools, which only a checkout of the project can build."""


MAIL_SERVERS = {
    kind.name: kind
    for kind in (ServerKind("mailpit", "1.33.1", "mailpit", installed_by="logquake servers install mailpit"),)
}
"""Needed by stacks alone that send mail."""


@dataclass(frozen=True, slots=True)
class InstalledServer:
    """A server ready to start: `path` is its program, `folder` all of it, `java_home` the Java it runs on."""

    name: str
    version: str
    folder: Path
    path: Path
    java_home: Path | None = None


def cache_folder() -> Path:
    """Return where servers are installed: `$LOGQUAKE_CACHE`, else the system's or the user's cache folder."""
    if chosen := os.environ.get("LOGQUAKE_CACHE"):
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        # Not below root's home, which is closed to the user that servers run as.
        return Path("/var/cache/logquake")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logquake"


def find(name: str) -> InstalledServer | None:
    """Return an installed server that can start, or None where it or its Java is missing.

    Args:
        name: a key of `SERVERS`, `KEY_SERVERS` or `MAIL_SERVERS`.
    """
    try:
        return require(name)
    except UnavailableError:
        return None


def require(name: str) -> InstalledServer:
    """Return an installed server that can start.

    Args:
        name: a key of `SERVERS`, `KEY_SERVERS` or `MAIL_SERVERS`.

    Raises:
        UnavailableError: it is not installed, or it lacks its Java; the message is one line with the remedy.
    """
    kind = (SERVERS | KEY_SERVERS | MAIL_SERVERS)[name]
    folder = cache_folder() / kind.folder_name
    if not os.access(folder / kind.program, os.X_OK):
        raise UnavailableError(
            f"{name}: version {kind.version} is not installed in {cache_folder()}; "
            f"install it with `{kind.installed_by}`"
        )
    return at(kind, folder)


def at(kind: ServerKind, folder: Path) -> InstalledServer:
    """Describe a server that lies in `folder`; raises UnavailableError where its Java is missing.

    Args:
        kind: what it is, and where in the folder its program lies.
        folder: as it is unpacked; whether the program is there is not looked at.

    Returns:
        Its program's path, and the home of its Java (None where it needs none).
    """
    java = java_home() if kind.needs_java else None
    return InstalledServer(kind.name, kind.version, folder, folder / kind.program, java)


def java_home() -> Path:
    """Return the home of the first Java 17 or newer of `ES_JAVA_HOME`, `JAVA_HOME` and PATH.

    Raises:
        UnavailableError: there is none.
    """
    seen = []
    for source, home in _java_candidates():
        major = _java_major(home)
        if major is not None and major >= JAVA_MAJOR_MIN:
            return home
        seen.append(f"{source} has {'none' if major is None else major}")
    raise UnavailableError(
        f"elasticsearch: no Java {JAVA_MAJOR_MIN} or newer ({'; '.join(seen) or 'no java on PATH'}); install "
        f"a JDK {JAVA_MAJOR_MIN}+ (Debian: apt-get install openjdk-17-jdk-headless) or set ES_JAVA_HOME"
    )


def _java_candidates() -> list[tuple[str, Path]]:
    candidates = [
        (variable, Path(os.environ[variable]))
        for variable in ("ES_JAVA_HOME", "JAVA_HOME")
        if os.environ.get(variable)
    ]
    if on_path := shutil.which("java"):
        candidates.append(("PATH", Path(on_path).resolve().parent.parent))
    return candidates


def _java_major(home: Path) -> int | None:
    try:
        told = subprocess.run(
            [home / "bin" / "java", "-version"],
            capture_output=True,
            text=True,
            timeout=_JAVA_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', told.stderr + told.stdout)
    return int(found[1]) if found else None

"""`python -m tests.exporters.filebeat`: builds the published Filebeat from its Go module, into a cache.

Beats come as archives from a place that not every machine reaches; the module comes through Go's own proxy.
What it replaces among its own requirements holds for a main module only, so that is taken over.

Exit code 0 where it is built, or where this machine lacks Go or network: the test then skips, saying so. With
`LOGQUAKE_REQUIRE_EXPORTERS=1` what is lacking is a failure, as a build that fails always is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

MODULE, VERSION, GO = "github.com/elastic/beats/v7", "v7.17.29", "1.23.10"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logquake" / f"filebeat-{VERSION}"
BINARY = CACHE / "filebeat"
NO_NETWORK = "dial tcp"
"""What Go says where it cannot reach a server."""
DOWNLOAD_SECONDS_MAX, BUILD_SECONDS_MAX = 600, 1800
MAIN = f"""package main

import (
	"os"

	"{MODULE}/filebeat/cmd"
	inputs "{MODULE}/filebeat/input/default-inputs"
)

func main() {{
	if cmd.Filebeat(inputs.Init, cmd.FilebeatSettings()).Execute() != nil {{
		os.Exit(1)
	}}
}}
"""


class CannotBuildError(Exception):
    """Why the build failed, in words for whoever asked for it."""


class LackingError(CannotBuildError):
    """What this machine lacks for a build: Go, or the network."""


def go() -> str:
    """The Go command.

    Raises:
        LackingError: There is none.
    """
    found = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if found is None:
        raise LackingError("go is not installed")
    return found


def asked(*arguments: str, seconds_max: int) -> Any:
    """What a Go command prints as JSON, or nothing.

    Raises:
        LackingError: It could not reach the network.
        CannotBuildError: It failed, or took too long.
    """
    command = [go(), *arguments]
    try:
        ran = subprocess.run(
            command, cwd=CACHE, capture_output=True, text=True, timeout=seconds_max, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CannotBuildError(f"`{' '.join(command)}` took more than {seconds_max} s") from error
    if ran.returncode:
        said = (ran.stderr or ran.stdout)[-2000:]
        kind = LackingError if NO_NETWORK in said else CannotBuildError
        raise kind(f"`{' '.join(command)}` failed: {said}")
    return json.loads(ran.stdout) if "-json" in arguments else None


def downloaded() -> Any:
    """What Go knows of the module, once it is here.

    Raises:
        LackingError: It cannot be downloaded.
    """
    try:
        return asked("mod", "download", "-json", f"{MODULE}@{VERSION}", seconds_max=DOWNLOAD_SECONDS_MAX)
    except LackingError:
        raise
    except CannotBuildError as error:
        raise LackingError(f"its module cannot be downloaded: {error}") from error


def build() -> Path:
    """The program, built unless it is there already.

    Raises:
        LackingError: Go is missing, or the module cannot be downloaded.
        CannotBuildError: It cannot be built.
    """
    if BINARY.exists():
        return BINARY
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "main.go").write_text(MAIN, encoding="utf-8")
    module = downloaded()
    theirs = asked("mod", "edit", "-json", module["GoMod"], seconds_max=DOWNLOAD_SECONDS_MAX)
    replaced = [
        f"replace {it['Old']['Path']} => {it['New']['Path']} {it['New']['Version']}"
        for it in theirs["Replace"]
    ]
    lines = ["module filebeat", f"go {GO}", f"require {MODULE} {VERSION}", *replaced]
    (CACHE / "go.mod").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    asked("build", "-mod=mod", "-o", "filebeat.new", ".", seconds_max=BUILD_SECONDS_MAX)
    (CACHE / "filebeat.new").rename(BINARY)
    return BINARY


def main() -> int:
    """Build it; return the exit code."""
    try:
        print(build())
    except LackingError as lacking:
        print(f"Filebeat {VERSION} cannot be had on this machine: {lacking}")
        return 1 if os.environ.get("LOGQUAKE_REQUIRE_EXPORTERS") else 0
    except CannotBuildError as error:
        print(f"Filebeat {VERSION} cannot be built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

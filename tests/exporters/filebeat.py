"""`python -m tests.exporters.filebeat`: builds the published Filebeat from its Go module, into a cache.

Beats come as archives from a place that not every machine reaches; the module comes through Go's own proxy.
What it replaces among its own requirements holds for a main module only, so that is taken over.
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
    """What is missing, in words for whoever asked for the build."""


def go() -> str:
    """The Go command.

    Raises:
        CannotBuildError: There is none.
    """
    found = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if found is None:
        raise CannotBuildError("go is not installed")
    return found


def asked(*arguments: str, seconds_max: int) -> Any:
    """What a Go command prints as JSON, or nothing.

    Raises:
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
        raise CannotBuildError(f"`{' '.join(command)}` failed: {(ran.stderr or ran.stdout)[-2000:]}")
    return json.loads(ran.stdout) if "-json" in arguments else None


def build() -> Path:
    """The program, built unless it is there already.

    Raises:
        CannotBuildError: Go is missing, or the module cannot be downloaded or built.
    """
    if BINARY.exists():
        return BINARY
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "main.go").write_text(MAIN, encoding="utf-8")
    module = asked("mod", "download", "-json", f"{MODULE}@{VERSION}", seconds_max=DOWNLOAD_SECONDS_MAX)
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


if __name__ == "__main__":
    try:
        print(build())
    except CannotBuildError as missing:
        sys.exit(f"Filebeat {VERSION} cannot be built: {missing}")

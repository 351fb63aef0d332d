"""A process to start: a few lines of Python."""

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

from harness.processes.managed import ManagedProcess, ProcessSpec

Make = Callable[[ProcessSpec], ManagedProcess]

FOREVER = "import signal; print('serving'); signal.pause()"


def spec(folder: Path, program: str, **fields: Any) -> ProcessSpec:
    command = (sys.executable, "-c", dedent(program))
    return ProcessSpec(
        **{"name": "part", "command": command, "folder": folder, "log": folder / "part.log", **fields}
    )

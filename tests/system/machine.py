"""One user's machine for tests of the installed command: state, temporary and reports folders of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.processes import docker_daemon
from harness.processes.procfs import started_by_a_harness

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
QUICK = HERE / "scenarios" / "quick.yaml"
LOGQUAKE = str(Path(sys.executable).parent / "logquake")
TIMEOUT_SECONDS = 60


class Machine:
    """Starts the command there, and looks at what it leaves."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.reports = folder / "reports"
        self.temporary = temporary
        self.journals = folder / "state" / "logquake" / "undo"
        self._started: list[subprocess.Popen[str]] = []
        self._environment = {
            **os.environ,
            "TMPDIR": str(self.temporary),
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def start(
        self, *arguments: str | Path, folder: Path = REPOSITORY, **environment: str
    ) -> subprocess.Popen[str]:
        return self.start_program(LOGQUAKE, *arguments, folder=folder, **environment)

    def start_program(
        self, *command: str | Path, folder: Path = REPOSITORY, **environment: str
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env={**self._environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_take_interrupts,  # noqa: PLW1509 - it makes one system call and takes no lock
        )
        self._started.append(process)
        return process

    def stop(self) -> None:
        """End what a failed test has not waited for."""
        for process in self._started:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=TIMEOUT_SECONDS)

    def call(self, *arguments: str | Path, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, folder=REPOSITORY, **environment)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        return process.returncode, out, err

    def open_faults(self) -> list[Path]:
        return list(self.journals.glob("*.jsonl"))

    def left_processes(self, harness: int) -> list[int]:
        return list(self.processes(harness))

    def processes(self, harness: int) -> dict[int, str]:
        """Return the names of the processes that a harness (by its pid) started and that run, by pid."""
        return {
            pid: variables["LOGQUAKE_PROCESS"].partition("#")[0]
            for pid, variables in started_by_a_harness()
            if variables["LOGQUAKE_HARNESS"].startswith(f"{harness}:")
        }

    def containers(self, harness: int) -> list[str]:
        """Return the services of the containers, running or not, that a harness (by its pid) started."""
        if not docker_daemon.looks_present():
            return []
        found = docker_daemon.labelled()
        return sorted(each.service for each in found if each.harness.startswith(f"{harness}:"))

    def process(self, harness: int, name: str) -> int | None:
        """Return the pid of one of them by its name, None while there is none."""
        return next((pid for pid, found in self.processes(harness).items() if found == name), None)

    def sent(self) -> int:
        """Return how many records the oracle has seen sent so far."""
        tallies = list(self.reports.glob("*/*/history/*/tally.json"))
        return json.loads(tallies[0].read_text())["sent"] if tallies else 0

    def result(self) -> dict:
        (path,) = self.reports.glob("*/*/result.json")
        content: dict = json.loads(path.read_text())
        return content


def _take_interrupts() -> None:
    """Undo that a shell has its background jobs ignore SIGINT: the command then ignores it, rightly."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder outside pytest's own, which is closed to the user that servers run as under root."""
    with TemporaryDirectory(prefix="machine-") as temporary:
        Path(temporary).chmod(0o755)
        yield Path(temporary)


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def why_no_small_disk() -> str:
    """Return why no small disk of its own can be mounted here, "" where it can."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        return "only root with unshare(1) can mount a small disk of its own"
    tried = subprocess.run(
        [unshare, "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else f"no small disk can be mounted here: {tried.stderr!r}"


def fill(ballast: Path) -> None:
    """Write a file until not one byte more fits onto its disk."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(b"\0" * size) == size:
                    pass

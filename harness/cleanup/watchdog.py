"""The lease on a run's faults and processes: they end when the harness dies, however it dies.

    python -m harness.cleanup.watchdog PID:STARTTIME

The harness holds the other end of this program's standard input. When it ends and that very harness is gone,
the watchdog takes back what the journals say is open and ends every process and container that carries the
harness's identity. Scratch folders and journals stay for `doctor` and `heal`: they tell what happened.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.cleanup.healing import end_processes, remove_container
from harness.cleanup.leftovers import containers_left_by, left_by
from harness.cleanup.undo_actions import carry_out
from harness.cleanup.undo_journal import journal_folder, open_undos
from harness.model.errors import HarnessError
from harness.model.protocols import Clock, Undo
from harness.processes import procfs
from harness.processes.managed import ManagedProcess, ProcessSpec

_DYING_SECONDS = 2.0
# Programs with a lifeline end by themselves; the oracle writes its last facts meanwhile.
_LIFELINE_SECONDS = 3.0
_POLL_SECONDS = 0.1
_SWEEPS_MAX = 3
_STOP_SECONDS = 5.0


class Watchdog:
    """The running watchdog of one run, as its harness sees it."""

    def __init__(self, scratch: Path, run_id: str, clock: Clock) -> None:
        """Describe the watchdog's process; nothing is started yet.

        Args:
            scratch: the run's folder, where the watchdog writes its log.
            run_id: marks its process as one of this run.
            clock: by which its start and its end are waited for.
        """
        spec = ProcessSpec(
            name="watchdog",
            command=(sys.executable, "-P", "-m", "harness.cleanup.watchdog", procfs.mark(os.getpid())),
            folder=scratch,
            log=scratch / "watchdog.log",
            lifeline=True,
        )
        self._process = ManagedProcess(spec, run_id, clock)

    def start(self) -> None:
        """Start it. It needs no time to get ready: a harness that dies first is found dead."""
        self._process.start()

    def stop(self) -> None:
        """End it; idempotent."""
        self._process.terminate(_STOP_SECONDS)


def main(arguments: Sequence[str]) -> int:
    """Wait for the harness's end and clean up after it; return the exit code.

    Args:
        arguments: one word, the harness's mark (pid:starttime). Standard input is the lease: nothing is read
            from it but its end.
    """
    (harness,) = arguments
    # The lease itself: this read ends when the harness does.
    sys.stdin.buffer.read()
    if not _within(_DYING_SECONDS, lambda: not procfs.mark_runs(harness)):
        return 0  # it let go and lives: it cleans up by itself
    _say(f"harness {harness} is gone")
    for entry in open_undos(journal_folder(os.environ)):
        if entry.harness == harness:
            _take_back(entry.undo)
    _within(_LIFELINE_SECONDS, lambda: not left_by(harness))
    # More than once: the daemon may still be making what the harness asked for as it died.
    for _ in range(_SWEEPS_MAX):
        containers, processes = containers_left_by(harness), left_by(harness)
        if not (containers or processes):
            return 0
        for container in containers:
            remove_container(container, _say)
        end_processes(processes, _say)
    return 1


def _take_back(undo: Undo) -> None:
    try:
        _say(carry_out(undo))
    except HarnessError as error:
        _say(f"{undo.action}: {error}")  # `heal` tries again and tells a person


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

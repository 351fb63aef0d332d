"""What Linux tells about a process: its identity, state, environment and end.

A pid alone is no identity, because numbers are used again; pid and start time together are one (proc(5),
field 22 of /proc/[pid]/stat).
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Variables: TypeAlias = Mapping[str, str]
"""The environment of a process, by name."""

RUN_ID_VARIABLE = "LOGQUAKE_RUN_ID"
HARNESS_VARIABLE = "LOGQUAKE_HARNESS"
PROCESS_VARIABLE = "LOGQUAKE_PROCESS"

PROC = Path("/proc")

_COMMAND_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/[pid]/stat the harness needs; `start_ticks` counts clock ticks since boot."""

    state: str
    start_ticks: int
    session: int = 0


def stat(pid: int) -> Stat | None:
    """Return the state of a process, or None where no process has this pid."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name stands in parentheses and may hold spaces and parentheses of its own.
    fields = text.rpartition(")")[2].split()
    return Stat(state=fields[0], start_ticks=int(fields[19]), session=int(fields[3]))


def running(pid: int) -> bool:
    """Tell whether a process with this pid runs; a zombie has ended and only waits to be collected."""
    seen = stat(pid)
    return seen is not None and seen.state not in "ZX"


def mark(pid: int) -> str:
    """Return `pid:start time`, which names this process and no later one of the same number."""
    seen = stat(pid)
    return f"{pid}:{seen.start_ticks if seen else 0}"


def marks(run_id: str) -> dict[str, str]:
    """Return the variables by which processes of the run `run_id` are found, and their harness looked for."""
    return {RUN_ID_VARIABLE: run_id, HARNESS_VARIABLE: mark(os.getpid())}


def mark_runs(text: str) -> bool:
    """Tell whether the process that `mark` named still runs; a malformed mark names nobody.

    Args:
        text: a pid and a start time in clock ticks after the boot, `PID:TICKS`.
    """
    pid, _, start_ticks = text.partition(":")
    if not (pid.isdecimal() and start_ticks.isdecimal()):
        return False
    return running(int(pid)) and mark(int(pid)) == text


def age_seconds(pid: int) -> float | None:
    """Return how long ago the process `pid` started, in seconds; None where it is gone."""
    seen = stat(pid)
    if seen is None:
        return None
    uptime_seconds = float((PROC / "uptime").read_text().split()[0])
    return uptime_seconds - seen.start_ticks / os.sysconf("SC_CLK_TCK")


def environment(pid: int) -> Mapping[str, str]:
    """Return the environment a process was started with; empty where it is gone or not ours to read.

    Args:
        pid: of any process; variables it has set since are not seen.
    """
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    pairs = (entry.partition("=") for entry in raw.decode(errors="replace").split("\0") if entry)
    return {name: value for name, _, value in pairs}


def command(pid: int) -> str:
    """Return the command line of a process as one line of at most 300 characters; empty where it is gone.

    Args:
        pid: of any process; a zombie has no command line.
    """
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
    return " ".join(raw.decode(errors="replace").replace("\0", " ").split())[:_COMMAND_CHARACTERS_MAX]


def started_by_a_harness() -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield (pid, environment) of every running process that some harness started."""
    for entry in PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        variables = environment(int(entry.name))
        if RUN_ID_VARIABLE in variables and HARNESS_VARIABLE in variables and running(int(entry.name)):
            yield int(entry.name), variables


def sessions(leaders: Collection[int]) -> dict[int, list[int]]:
    """Return the running processes of each session: what its leader started in turn, unless it left.

    Args:
        leaders: pids of session leaders; each is a key of the answer, though nothing may be left of its
            session.
    """
    members: dict[int, list[int]] = {leader: [] for leader in leaders}
    for entry in PROC.iterdir():
        seen = stat(int(entry.name)) if entry.name.isdecimal() else None
        if seen is not None and seen.session in members and seen.state not in "ZX":
            members[seen.session].append(int(entry.name))
    return members


def busy_ticks() -> int:
    """Return the clock ticks since boot in which this machine's cores were busy, stolen ones included.

    Fields of the first line of /proc/stat (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal;
    what guests take is in user and nice already.
    """
    fields = [int(field) for field in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields[:3]) + sum(fields[5:8])


@dataclass(frozen=True, slots=True)
class CpuTicks:
    """Clock ticks a process has run for, and its children that have ended and been waited for."""

    own: int
    children: int


def cpu_ticks(pid: int) -> CpuTicks | None:
    """Return what a process has run for (/proc/[pid]/stat, fields 14 to 17); None where it is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    user, system, children_user, children_system = map(int, text.rpartition(")")[2].split()[11:15])
    return CpuTicks(user + system, children_user + children_system)


def memory_mib(pid: int) -> float:
    """Return the resident memory of a process in MiB (proc(5), /proc/[pid]/statm); 0 where it is gone."""
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors(pid: int) -> int:
    """Return how many files the process `pid` has open; 0 where it is gone or not ours to look into."""
    try:
        return sum(1 for _ in (PROC / str(pid) / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0


class Grip:
    """A hold on one process, child or not, that can never reach a later process with the same number.

    Uses a pidfd (pidfd_open(2)): it becomes readable when the process ends, so waiting needs no polling.
    """

    def __init__(self, pid: int) -> None:
        """Take hold of a running process; raises ProcessLookupError where there is none.

        Args:
            pid: of any process; whoever knows it by its start time must look at that again afterwards.
        """
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def ends_within(self, seconds: float) -> bool:
        """Wait until the process has ended, at most `seconds`; tell whether it has."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a process that has ended already needs none."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def release(self) -> None:
        """Let go; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def grip_marked(text: str) -> Grip | None:
    """Take hold of the very process that `mark` named; None where it has ended.

    Its identity is looked at again after taking hold: only then can the number not have been used anew.

    Args:
        text: as `mark` wrote it.

    Returns:
        The hold, which the caller releases.
    """
    if not mark_runs(text):
        return None
    try:
        grip = Grip(int(text.partition(":")[0]))
    except ProcessLookupError:
        return None
    if mark_runs(text):
        return grip
    grip.release()
    return None


def signal_marked(text: str, number: signal.Signals) -> bool:
    """Send the signal `number` to the very process whose `mark` is `text`; tell whether it was there."""
    grip = grip_marked(text)
    if grip is None:
        return False
    try:
        grip.send(number)
    finally:
        grip.release()
    return True


def kill(pid: int, timeout_seconds: float) -> bool:
    """Kill one process and wait for its end, at most `timeout_seconds`; tell whether it is gone.

    Args:
        pid: must not have been used anew; who cannot be sure of that takes `grip_marked`.
        timeout_seconds: after which it counts as not gone.
    """
    try:
        grip = Grip(pid)
    except ProcessLookupError:
        return True
    try:
        grip.send(signal.SIGKILL)
        return grip.ends_within(timeout_seconds)
    finally:
        grip.release()

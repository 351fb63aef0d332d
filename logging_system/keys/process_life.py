"""Tells whether a process has ended for certain, as far as that can be known: on its own system.

A process is known by its number and the moment it was started, since numbers are used again (field 22 of
/proc/[pid]/stat, proc(5)). Both count within one boot and one namespace (pid_namespaces(7)): two containers
may share a folder and a host name, and neither sees the other's processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")
_STATE, _STARTED = 0, 19  # behind the name of the program
_ENDED = ("Z", "X")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that others can look for.

    Attributes:
        system: The boot and the namespace in which its number counts.
        pid: Its number.
        started_ticks: When it was started, in clock ticks since the boot.
    """

    system: str
    pid: int
    started_ticks: int


def own_identity() -> ProcessIdentity | None:
    """Return this process; None where the system does not tell what it takes to be looked for."""
    system, pid = _system(), os.getpid()
    found = _state_and_start(pid)
    return ProcessIdentity(system, pid, found[1]) if system and found else None


def has_ended(process: ProcessIdentity) -> bool:
    """Whether a process is gone for certain; False where it may live, or cannot be looked for from here."""
    if process.system != _system():
        return False
    try:
        os.kill(process.pid, 0)  # /proc may hide the processes of others, this does not
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    found = _state_and_start(process.pid)
    return found is not None and (found[0] in _ENDED or found[1] != process.started_ticks)


def _system() -> str:
    try:
        return f"{_BOOT_ID.read_text().strip()} {_NAMESPACE.readlink()}"
    except OSError:
        return ""


def _state_and_start(pid: int) -> tuple[str, int] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[_STATE], int(fields[_STARTED])
    except (OSError, ValueError, IndexError):
        return None
